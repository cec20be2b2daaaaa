//! URLs that may be shown.

use std::borrow::Cow;

/// A URL as it may be shown, logged or kept: without the password in it. Also what only looks like a URL loses what
/// looks like a password.
///
/// ```
/// # use latido::actors::downloader::redacted;
/// assert_eq!(redacted("https://me:secret@example.org/a"), "https://me:***@example.org/a");
/// assert_eq!(redacted("https://example.org/a"), "https://example.org/a");
/// ```
pub fn redacted(url: &str) -> Cow<'_, str> {
    match password(url) {
        None => url.into(),
        Some((from, to)) => format!("{}***{}", &url[..from], &url[to..]).into(),
    }
}

/// Where the password is.
fn password(url: &str) -> Option<(usize, usize)> {
    // Most have none, and that should cost little.
    let at = url.find('@')?;
    let from = url.find("//").or_else(|| url.find("\\\\")).map_or(0, |slashes| slashes + 2);
    let authority = url.get(from..)?;
    let authority = &authority[..authority.find(['/', '\\', '?', '#']).unwrap_or(authority.len())];
    let at = authority.rfind('@').or_else(|| at.checked_sub(from))?;
    let user = url.get(from..from + at)?.find(':')?;
    Some((from + user + 1, from + at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_and_anything_else_is() {
        for (url, shown) in [
            ("http://u:p@h/x", "http://u:***@h/x"),
            ("http://u:p%40:/q@h/x", "http://u:***@h/x"),
            ("http://u:p@q@h:80/x", "http://u:***@h:80/x"),
            ("http://:p@h", "http://:***@h"),
            ("http://u@h/x", "http://u@h/x"),
            ("u:p@h/x", "u:***@h/x"),
            ("//u:p@h", "//u:***@h"),
            ("http:\\\\u:p@h\\x", "http:\\\\u:***@h\\x"),
            ("http://h/x@y", "http://h/x@y"),
            ("http://h:80/x", "http://h:80/x"),
            ("ftp://é:ü@h", "ftp://é:***@h"),
            ("", ""),
            ("@", "@"),
            ("x@//", "x@//"),
        ] {
            assert_eq!(redacted(url), shown, "{url}");
        }
    }
}
