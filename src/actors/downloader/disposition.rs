//! The name that a server gives to a file.

use percent_encoding::percent_decode_str;
use reqwest::header::{CONTENT_DISPOSITION, HeaderMap};

/// The longest name that a file can have.
const LONGEST: usize = 255;

/// What `Content-Disposition` calls the file, if that is a name and no more: of a path the last part is taken. A name that
/// begins with a dot is none, for it would be hidden and may mean something to other programs.
pub(super) fn name(headers: &HeaderMap) -> Option<Box<str>> {
    let value = headers.get(CONTENT_DISPOSITION)?;
    let text: String = match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => latin1(value.as_bytes()),
    };
    let (mut plain, mut extended) = (None, None);
    for (key, value) in Parameters(text.split_once(';')?.1) {
        match &*key.to_ascii_lowercase() {
            "filename" if plain.is_none() => plain = Some(value),
            "filename*" if extended.is_none() => extended = decoded(&value),
            _ => {}
        }
    }
    // The first says it better, if it says anything.
    extended.as_deref().and_then(safe).or_else(|| safe(&plain?))
}

fn safe(name: &str) -> Option<Box<str>> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let is_name = !name.is_empty() && !name.starts_with('.') && name.len() <= LONGEST;
    (is_name && !name.chars().any(char::is_control)).then(|| name.into())
}

/// `UTF-8'en'%41`, or with `ISO-8859-1`.
fn decoded(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let bytes = percent_decode_str(rest.split_once('\'')?.1);
    match &*charset.to_ascii_lowercase() {
        "utf-8" => Some(bytes.decode_utf8().ok()?.into_owned()),
        "iso-8859-1" => Some(latin1(&bytes.collect::<Vec<_>>())),
        _ => None,
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// `a=b; c="d\"e"`.
struct Parameters<'a>(&'a str);

impl Iterator for Parameters<'_> {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = self.0.split_once('=')?;
        let key = key.rsplit(';').next().unwrap_or_default().trim().to_owned();
        let rest = rest.trim_start();
        let Some(quoted) = rest.strip_prefix('"') else {
            let (value, rest) = rest.split_once(';').unwrap_or((rest, ""));
            self.0 = rest;
            return Some((key, value.trim().to_owned()));
        };
        let (mut value, mut escaped) = (String::new(), false);
        for (at, c) in quoted.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => {
                    escaped = true;
                    continue;
                }
                '"' => {
                    self.0 = &quoted[at + 1..];
                    return Some((key, value));
                }
                _ => {}
            }
            value.push(c);
        }
        // It is never closed.
        self.0 = "";
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn named(value: &[u8]) -> Option<Box<str>> {
        name(&HeaderMap::from_iter([(CONTENT_DISPOSITION, HeaderValue::from_bytes(value).ok()?)]))
    }

    #[test]
    fn a_name_is_what_the_standard_says_and_no_path() {
        let long = format!("attachment; filename={}", "x".repeat(256));
        for (value, name) in [
            (&b"attachment; filename=a.bin"[..], Some("a.bin")),
            (b"inline;FileName = \"a b.bin\" ; size=1", Some("a b.bin")),
            (b"attachment; filename=\"a\\\"b;c.bin\"", Some("a\"b;c.bin")),
            (
                b"attachment; filename=plain; filename*=UTF-8''n%C3%A4me%20%E2%82%AC",
                Some("n\u{e4}me \u{20ac}"),
            ),
            (b"attachment; filename*=iso-8859-1'en'%A3; filename=plain", Some("\u{a3}")),
            (b"attachment; filename=plain; filename*=UTF-8''%FF", Some("plain")),
            (b"attachment; filename=plain; filename*=KOI8-R''x", Some("plain")),
            (b"attachment; filename=plain; filename*=UTF-8''..%2f..", Some("plain")),
            (b"attachment; filename=\"n\xc3\xa4me\"", Some("n\u{e4}me")),
            (b"attachment; filename=\"n\xe4me\"", Some("n\u{e4}me")),
            (b"attachment; filename=\"../../x\"", Some("x")),
            (b"attachment; filename=/etc/passwd", Some("passwd")),
            (b"attachment; filename=\"C:\\\\Users\\\\x.exe\"", Some("x.exe")),
            (b"attachment; filename*=UTF-8''%2e%2e%2fx", Some("x")),
            (b"attachment; filename*=UTF-8''a%00b", None),
            (b"attachment; filename*=UTF-8''a%0Ab", None),
            (b"attachment; filename=\"..\"", None),
            (b"attachment; filename=\"x/\"", None),
            (b"attachment; filename=\".bashrc\"", None),
            (b"attachment; filename=\"\"", None),
            (b"attachment; filename=\"open", None),
            (b"attachment; filename", None),
            (b"attachment", None),
            (b"", None),
            (long.as_bytes(), None),
        ] {
            assert_eq!(named(value).as_deref(), name, "{}", String::from_utf8_lossy(value));
        }
    }

    proptest! {
        #[test]
        fn whatever_a_server_says_a_name_is_one_part_of_a_path(
            value in r#"attachment; ?(filename\*?="?|;|UTF-8''|\.\.|/|\\|%2[eEfF]|%00|%5c|[a-z"; =%]){0,12}"#,
        ) {
            if let Some(name) = named(value.as_bytes()) {
                let mut parts = std::path::Path::new(&*name).components();
                let first = parts.next();
                prop_assert!(matches!(first, Some(std::path::Component::Normal(_))) && parts.next().is_none());
                prop_assert!(!name.contains('\0') && !name.starts_with('.'));
            }
        }
    }
}
