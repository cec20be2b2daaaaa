//! A part of a file: how it is asked for, and whether what comes is that part of that very file.

use std::ops::Range;

use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE, TRANSFER_ENCODING,
};

use super::client::Answer;
use super::{FetchError, error};

/// What tells this state of a file from all others: its strong entity tag, or when it was last changed. In the words of
/// the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validator(String);

/// A longer one is not kept.
const LONGEST: usize = 1024;

impl Validator {
    /// Reads one back.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let is_fit =
            !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|b| matches!(b, b' '..=b'~'));
        is_fit.then(|| Self(text.to_owned()))
    }

    /// The validator in an answer, if that has one which can be relied on for each byte.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name)?.to_str().ok();
        if let Some(tag) = text(ETAG).filter(|tag| tag.starts_with('"')) {
            return Self::of_text(tag);
        }
        // A file may have changed twice within the second that the server names (RFC 9110, 8.8.2.2).
        let changed = text(LAST_MODIFIED)?;
        text(DATE).filter(|now| *now != changed).and_then(|_| Self::of_text(changed))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an answer is about the same state of the file.
    fn fits(&self, headers: &HeaderMap) -> bool {
        let name = if self.0.starts_with('"') { ETAG } else { LAST_MODIFIED };
        headers.get(name).is_some_and(|found| found.as_bytes() == self.0.as_bytes())
    }
}

/// A file of which parts can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) length: u64,
    pub(super) validator: Validator,
}

/// What the head of an answer with a whole file says.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) length: Option<u64>,
    pub(super) validator: Option<Validator>,
    /// Whether the server says that it serves parts.
    pub(super) takes_ranges: bool,
}

/// What a server makes of the question for a part.
#[derive(Debug)]
pub(super) enum Verdict {
    /// This comes: it begins where it should, and may end sooner.
    Part(Range<u64>),
    /// The whole file comes, and it is the same, so the server does not serve parts; or not now.
    Ignored,
    /// The file is another one by now, or the answer contradicts itself or what was said before.
    Contradiction(&'static str),
    /// No file comes.
    Failed(FetchError),
}

impl Whole {
    /// The file, if parts of it can be asked for.
    pub(super) fn known(&self) -> Option<Known> {
        Some(Known { length: self.length?, validator: self.validator.clone()? })
    }
}

impl Known {
    /// The headers that ask for `range`, unless the file has changed.
    pub(super) fn asking(&self, range: &Range<u64>) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).expect("its characters were checked");
        HeaderMap::from_iter([
            (RANGE, value(&format!("bytes={}-{}", range.start, range.end - 1))),
            (IF_RANGE, value(self.validator.as_str())),
        ])
    }

    pub(super) fn judge(&self, answer: &Answer, wanted: &Range<u64>) -> Verdict {
        judge(self, answer.status(), answer.headers(), wanted)
    }
}

fn judge(known: &Known, status: StatusCode, headers: &HeaderMap, wanted: &Range<u64>) -> Verdict {
    let is_same = known.validator.fits(headers);
    match status {
        StatusCode::PARTIAL_CONTENT => {}
        StatusCode::OK if is_same && length(headers) == Some(known.length) => return Verdict::Ignored,
        StatusCode::OK => return Verdict::Contradiction("the file has changed"),
        StatusCode::RANGE_NOT_SATISFIABLE => return Verdict::Contradiction("the file is shorter now"),
        _ => return Verdict::Failed(error::of_status(status, headers)),
    }
    if let Err(error) = check_encoding(headers) {
        return Verdict::Failed(error);
    }
    let Some((part, total)) = content_range(headers) else {
        return Verdict::Contradiction("the server does not say which part of the file it sends");
    };
    if !is_same {
        Verdict::Contradiction("the part is one of another file")
    } else if total != known.length {
        Verdict::Contradiction("the part is one of a file of another length")
    } else if part.start != wanted.start || part.end > wanted.end {
        Verdict::Contradiction("the part is not the one that was asked for")
    } else if length(headers).is_some_and(|length| length != part.end - part.start) {
        Verdict::Contradiction("the part has not the length that it should have")
    } else {
        Verdict::Part(part)
    }
}

/// Lets nothing pass but the bare and whole file.
pub(super) fn check_whole(answer: &Answer) -> Result<Whole, FetchError> {
    let headers = answer.headers();
    if answer.status() != StatusCode::OK {
        return Err(error::of_status(answer.status(), headers));
    }
    check_encoding(headers)?;
    Ok(Whole {
        length: length(headers),
        validator: Validator::of(headers),
        takes_ranges: header_values(headers, ACCEPT_RANGES).any(|unit| unit.eq_ignore_ascii_case("bytes")),
    })
}

fn check_encoding(headers: &HeaderMap) -> Result<(), FetchError> {
    let is = |name: &str, encoding: &str| encoding.eq_ignore_ascii_case(name);
    let mut content = header_values(headers, CONTENT_ENCODING);
    if let Some(encoding) = content.find(|encoding| !is("identity", encoding)) {
        return Err(FetchError::Encoding(encoding.to_owned()));
    }
    // The client takes chunks apart if they are the only coding, and no other one.
    let mut travels = header_values(headers, TRANSFER_ENCODING);
    match (travels.next(), travels.next()) {
        (None, _) => Ok(()),
        (Some(one), None) if is("chunked", one) || is("identity", one) => Ok(()),
        _ => {
            let all: Vec<_> = header_values(headers, TRANSFER_ENCODING).collect();
            Err(FetchError::Encoding(all.join(", ")))
        }
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    header_values(headers, CONTENT_LENGTH).find_map(|length| length.parse().ok())
}

/// `bytes FIRST-LAST/TOTAL`, once.
fn content_range(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let mut values = headers.get_all(CONTENT_RANGE).into_iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (range, total) = value.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && last < u64::MAX).then_some((first..last + 1, total.parse().ok()?))
}

fn header_values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values.flat_map(|value| value.to_str().unwrap_or("unreadable").split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn only_what_is_good_for_each_byte_is_a_validator() {
        let validator =
            |lines: &[(&'static str, &str)]| Validator::of(&headers(lines)).map(|validator| validator.0);
        let (then, now) = ("Sat, 01 Jan 2000 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:01 GMT");
        assert_eq!(validator(&[("etag", "\"a\""), ("last-modified", then)]).unwrap(), "\"a\"");
        assert_eq!(validator(&[("etag", "W/\"a\""), ("last-modified", then), ("date", now)]).unwrap(), then);
        assert_eq!(validator(&[("etag", "W/\"a\"")]), None);
        assert_eq!(validator(&[("last-modified", then), ("date", then)]), None);
        assert_eq!(validator(&[("last-modified", then)]), None);
        let long = format!("\"{}\"", "a".repeat(LONGEST));
        assert_eq!(validator(&[("etag", &long)]), None);
        assert_eq!(validator(&[]), None);
    }

    #[test]
    fn a_part_is_taken_only_if_everything_fits() {
        let known = Known { length: 100, validator: Validator::of_text("\"a\"").unwrap() };
        let judged =
            |status, lines: &[(&'static str, &str)]| match judge(&known, status, &headers(lines), &(40..100))
            {
                Verdict::Part(range) => format!("{range:?}"),
                Verdict::Ignored => "ignored".to_owned(),
                Verdict::Contradiction(why) => why.to_owned(),
                Verdict::Failed(error) => error.to_string(),
            };
        let partial = |range: &str, tag: &str, length: &str| {
            let lines = [("content-range", range), ("etag", tag), ("content-length", length)];
            judged(StatusCode::PARTIAL_CONTENT, &lines)
        };
        assert_eq!(partial("bytes 40-99/100", "\"a\"", "60"), "40..100");
        assert_eq!(partial("bytes 40-49/100", "\"a\"", "10"), "40..50");
        let not_the_one = "the part is not the one that was asked for";
        for (range, why) in [
            ("bytes 39-99/100", not_the_one),
            ("bytes 41-99/100", not_the_one),
            ("bytes 40-100/100", not_the_one),
            ("bytes 40-99/101", "the part is one of a file of another length"),
            ("bytes 40-99/*", "the server does not say which part of the file it sends"),
            ("bytes 99-40/100", "the server does not say which part of the file it sends"),
            ("bytes */100", "the server does not say which part of the file it sends"),
            ("40-99/100", "the server does not say which part of the file it sends"),
        ] {
            assert_eq!(partial(range, "\"a\"", "60"), why, "{range}");
        }
        assert_eq!(partial("bytes 40-99/100", "\"b\"", "60"), "the part is one of another file");
        assert_eq!(partial("bytes 40-99/100", "W/\"a\"", "60"), "the part is one of another file");
        assert_eq!(
            partial("bytes 40-99/100", "\"a\"", "61"),
            "the part has not the length that it should have"
        );
        let no_tag = [("content-range", "bytes 40-99/100")];
        assert_eq!(judged(StatusCode::PARTIAL_CONTENT, &no_tag), "the part is one of another file");
        let twice = [no_tag[0], no_tag[0], ("etag", "\"a\"")];
        let unsaid = "the server does not say which part of the file it sends";
        assert_eq!(judged(StatusCode::PARTIAL_CONTENT, &twice), unsaid);
        let packed = [no_tag[0], ("etag", "\"a\""), ("content-encoding", "gzip")];
        assert!(judged(StatusCode::PARTIAL_CONTENT, &packed).contains("gzip"));

        assert_eq!(judged(StatusCode::OK, &[("etag", "\"a\""), ("content-length", "100")]), "ignored");
        assert_eq!(
            judged(StatusCode::OK, &[("etag", "\"a\""), ("content-length", "99")]),
            "the file has changed"
        );
        assert_eq!(judged(StatusCode::OK, &[("content-length", "100")]), "the file has changed");
        assert_eq!(judged(StatusCode::RANGE_NOT_SATISFIABLE, &[]), "the file is shorter now");
        assert_eq!(judged(StatusCode::NOT_FOUND, &[]), "the server answered 404 Not Found");
    }

    #[test]
    fn a_part_is_asked_for_with_its_validator() {
        let known = Known { length: 100, validator: Validator::of_text("\"a\"").unwrap() };
        let asked = known.asking(&(40..100));
        assert_eq!(
            (&asked[RANGE], &asked[IF_RANGE]),
            (&"bytes=40-99".parse().unwrap(), &"\"a\"".parse().unwrap())
        );
    }
}
