//! When a file was changed, as servers say it.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, HeaderValue, LAST_MODIFIED};

/// `httpdate` writes no others.
const LAST: u64 = 253_402_300_799;

pub(super) fn header(time: SystemTime) -> HeaderValue {
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST);
    let text = httpdate::fmt_http_date(time.clamp(SystemTime::UNIX_EPOCH, last));
    HeaderValue::from_str(&text).expect("a date is a header")
}

pub(super) fn last_modified(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(LAST_MODIFIED)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_to_the_second_and_one_that_cannot_be_is_the_nearest_that_can() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(header(at(1_445_412_480) + Duration::from_millis(900)), "Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(header(at(LAST + 9)), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(header(at(0) - Duration::from_secs(1)), "Thu, 01 Jan 1970 00:00:00 GMT");
        let headers =
            |value: &'static str| HeaderMap::from_iter([(LAST_MODIFIED, HeaderValue::from_static(value))]);
        assert_eq!(last_modified(&headers("Wed, 21 Oct 2015 07:28:00 GMT")), Some(at(1_445_412_480)));
        assert_eq!(last_modified(&headers("yesterday")), None);
    }
}
