//! What a file must be: `sha-256=HEX`, and the other algorithms by their names.

use std::fmt;
use std::str::FromStr;

use latido::actors::digest::{Algorithm, UnknownAlgorithm};

/// A digest and the algorithm that makes it. The usual one is kept in place: a list may have millions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Checksum {
    Sha256([u8; 32]),
    /// Any other algorithm, never SHA-256.
    Other(Algorithm, Box<[u8]>),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChecksumError {
    #[error("checksum `{0}` names no algorithm; write sha-256=HEX")]
    NoAlgorithm(String),
    #[error("checksum `{text}`: {error}")]
    Unsupported { text: String, error: UnknownAlgorithm },
    #[error("checksum `{text}` has {count} hex digits, {algorithm} needs {}", 2 * algorithm.bytes())]
    Length { text: String, count: usize, algorithm: Algorithm },
    #[error("checksum `{text}` has {found:?} in it, which is no hex digit")]
    NotHex { text: String, found: char },
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl Checksum {
    pub(crate) fn sha256(bytes: [u8; 32]) -> Self {
        Self::Sha256(bytes)
    }

    /// A digest that `algorithm` made, of its length.
    pub(crate) fn new(algorithm: Algorithm, bytes: &[u8]) -> Self {
        match (algorithm, bytes.try_into()) {
            (Algorithm::Sha256, Ok(bytes)) => Self::Sha256(bytes),
            _ => Self::Other(algorithm, bytes.into()),
        }
    }

    /// Reads `hex`. `text` is what the user wrote, for the errors.
    pub(crate) fn from_hex(algorithm: Algorithm, hex: &str, text: &str) -> Result<Self, ChecksumError> {
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit())
            && let Some(found) = hex.chars().find(|c| !c.is_ascii_hexdigit())
        {
            return Err(ChecksumError::NotHex { text: text.to_owned(), found });
        }
        if hex.len() != 2 * algorithm.bytes() {
            return Err(ChecksumError::Length { text: text.to_owned(), count: hex.len(), algorithm });
        }
        let digit = |c: u8| if c.is_ascii_digit() { c - b'0' } else { (c | 0x20) - b'a' + 10 };
        let mut bytes = [0; 64];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Ok(Self::new(algorithm, &bytes[..algorithm.bytes()]))
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Other(algorithm, _) => *algorithm,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(bytes) => bytes,
            Self::Other(_, bytes) => bytes,
        }
    }
}

impl FromStr for Checksum {
    type Err = ChecksumError;

    fn from_str(text: &str) -> Result<Self, ChecksumError> {
        let (name, hex) = text.split_once('=').ok_or_else(|| ChecksumError::NoAlgorithm(text.to_owned()))?;
        let algorithm =
            name.parse().map_err(|error| ChecksumError::Unsupported { text: text.to_owned(), error })?;
        Self::from_hex(algorithm, hex, text)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = [0; 128];
        let length = 2 * self.bytes().len();
        for (digits, byte) in hex.chunks_exact_mut(2).zip(self.bytes()) {
            digits.copy_from_slice(&[byte >> 4, byte & 0xf].map(|digit| DIGITS[usize::from(digit)]));
        }
        write!(f, "{}={}", self.algorithm(), str::from_utf8(&hex[..length]).unwrap_or_default())
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
        assert_eq!(checksum.bytes()[..2], [0xe3, 0xb0]);
    }

    #[test]
    fn every_algorithm_has_its_own_length() {
        for algorithm in Algorithm::ALL {
            let text = format!("{algorithm}={}", "a5".repeat(algorithm.bytes()));
            let checksum: Checksum = text.parse().unwrap();
            assert_eq!((checksum.algorithm(), checksum.to_string()), (algorithm, text.clone()));
            assert!(error(&format!("{text}00")).contains("hex digits"));
        }
    }

    #[test]
    fn case_and_the_spelling_without_a_dash_do_not_matter() {
        let lower: Checksum = format!("sha-256={HEX}").parse().unwrap();
        assert_eq!(format!("SHA256={}", HEX.to_uppercase()).parse(), Ok(lower));
    }

    #[test]
    fn an_error_says_what_is_wrong_and_what_would_be_right() {
        assert_eq!(error("sha-256=abc"), "checksum `sha-256=abc` has 3 hex digits, sha-256 needs 64");
        assert_eq!(error("md5=00"), "checksum `md5=00` has 2 hex digits, md5 needs 32");
        assert!(error("crc=00").starts_with("checksum `crc=00`: `crc` is not supported; md5, sha-1"));
        assert_eq!(error("abc"), "checksum `abc` names no algorithm; write sha-256=HEX");
        assert_eq!(error("sha-256=xy"), "checksum `sha-256=xy` has 'x' in it, which is no hex digit");
        assert!(error(&format!("sha-256={HEX}é")).contains("'é'"));
    }
}
