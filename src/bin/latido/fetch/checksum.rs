//! What a file must be: `sha-256=HEX`.

use std::fmt;
use std::str::FromStr;

/// A digest and the algorithm that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Checksum {
    algorithm: Algorithm,
    bytes: [u8; 32],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Algorithm {
    Sha256,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChecksumError {
    #[error("checksum `{0}` names no algorithm; write sha-256=HEX")]
    NoAlgorithm(String),
    #[error("checksum `{text}`: `{name}` is not supported; sha-256 is")]
    Unsupported { text: String, name: String },
    #[error("checksum `{text}` has {count} hex digits, sha-256 needs 64")]
    Length { text: String, count: usize },
    #[error("checksum `{text}` has {found:?} in it, which is no hex digit")]
    NotHex { text: String, found: char },
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl Checksum {
    pub(crate) fn sha256(bytes: [u8; 32]) -> Self {
        Self { algorithm: Algorithm::Sha256, bytes }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromStr for Checksum {
    type Err = ChecksumError;

    fn from_str(text: &str) -> Result<Self, ChecksumError> {
        let (name, hex) = text.split_once('=').ok_or_else(|| ChecksumError::NoAlgorithm(text.to_owned()))?;
        if !["sha-256", "sha256"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
            return Err(ChecksumError::Unsupported { text: text.to_owned(), name: name.to_owned() });
        }
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit())
            && let Some(found) = hex.chars().find(|c| !c.is_ascii_hexdigit())
        {
            return Err(ChecksumError::NotHex { text: text.to_owned(), found });
        }
        let mut bytes = [0; 32];
        if hex.len() != 2 * bytes.len() {
            return Err(ChecksumError::Length { text: text.to_owned(), count: hex.len() });
        }
        let digit = |c: u8| if c.is_ascii_digit() { c - b'0' } else { (c | 0x20) - b'a' + 10 };
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Ok(Self::sha256(bytes))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.algorithm {
            Algorithm::Sha256 => f.write_str("sha-256=")?,
        }
        let mut hex = [0; 64];
        for (digits, byte) in hex.chunks_exact_mut(2).zip(self.bytes) {
            digits.copy_from_slice(&[byte >> 4, byte & 0xf].map(|digit| DIGITS[usize::from(digit)]));
        }
        f.write_str(str::from_utf8(&hex).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn error(text: &str) -> String {
        text.parse::<Checksum>().unwrap_err().to_string()
    }

    #[test]
    fn a_checksum_is_written_as_it_was_read() {
        let checksum: Checksum = format!("sha-256={HEX}").parse().unwrap();
        assert_eq!(checksum.to_string(), format!("sha-256={HEX}"));
        assert_eq!(checksum.bytes[..2], [0xe3, 0xb0]);
    }

    #[test]
    fn case_and_the_spelling_without_a_dash_do_not_matter() {
        let lower: Checksum = format!("sha-256={HEX}").parse().unwrap();
        assert_eq!(format!("SHA256={}", HEX.to_uppercase()).parse(), Ok(lower));
    }

    #[test]
    fn an_error_says_what_is_wrong_and_what_would_be_right() {
        assert_eq!(error("sha-256=abc"), "checksum `sha-256=abc` has 3 hex digits, sha-256 needs 64");
        assert_eq!(error("md5=00"), "checksum `md5=00`: `md5` is not supported; sha-256 is");
        assert_eq!(error("abc"), "checksum `abc` names no algorithm; write sha-256=HEX");
        assert_eq!(error("sha-256=xy"), "checksum `sha-256=xy` has 'x' in it, which is no hex digit");
        assert!(error(&format!("sha-256={HEX}é")).contains("'é'"));
    }
}
