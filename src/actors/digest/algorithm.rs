//! The algorithms that files are published with, and their names.

use std::fmt;
use std::str::FromStr;

/// How a checksum is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// Finds what broke by accident; easily forged.
    Md5,
    /// Finds what broke by accident; can be forged.
    Sha1,
    /// SHA-2 of 224 bits.
    Sha224,
    /// SHA-2 of 256 bits.
    Sha256,
    /// BLAKE3 of 256 bits.
    Blake3,
    /// SHA-2 of 384 bits.
    Sha384,
    /// SHA-2 of 512 bits.
    Sha512,
}

/// A name that is no [`Algorithm`]'s.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not supported; md5, sha-1, sha-224, sha-256, sha-384, sha-512 and blake3 are")]
pub struct UnknownAlgorithm(pub String);

impl Algorithm {
    /// All of them, the weakest first.
    pub const ALL: [Self; 7] =
        [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha256, Self::Blake3, Self::Sha384, Self::Sha512];

    /// Its name, as IANA registers it and Metalink and aria2 write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Blake3 => "blake3",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// How many bytes a checksum has.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 | Self::Blake3 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Reads a name in either case, with its dashes or without; `sha2-256` is another name of `sha-256`.
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let plain = |name: &str| name.replace('-', "").to_ascii_lowercase();
        let wanted = match text.get(..5).filter(|prefix| prefix.eq_ignore_ascii_case("sha2-")) {
            // SHA-1 is none of that family.
            Some(_) if &text[5..] != "1" => format!("sha{}", &text[5..]),
            _ => plain(text),
        };
        let is_meant = |known: &Self| plain(known.name()) == wanted;
        Self::ALL.into_iter().find(is_meant).ok_or_else(|| UnknownAlgorithm(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_has_the_names_that_tools_give_it() {
        for (algorithm, names) in [
            (Algorithm::Md5, ["md5", "MD5", "MD-5"]),
            (Algorithm::Sha1, ["sha-1", "SHA1", "sha1"]),
            (Algorithm::Sha256, ["sha-256", "SHA256", "SHA2-256"]),
            (Algorithm::Sha512, ["sha-512", "sha512", "sha2-512"]),
            (Algorithm::Blake3, ["blake3", "BLAKE3", "BLAKE-3"]),
        ] {
            assert_eq!(names.map(str::parse), [Ok(algorithm), Ok(algorithm), Ok(algorithm)]);
        }
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        for wrong in ["", "crc32", "sha", "sha2-1", "sha2-md5", "sha3-256", "blake2b", "512"] {
            assert_eq!(wrong.parse::<Algorithm>(), Err(UnknownAlgorithm(wrong.to_owned())));
        }
    }

    #[test]
    fn all_of_them_are_in_order_of_their_strength() {
        assert!(Algorithm::ALL.is_sorted());
    }
}
