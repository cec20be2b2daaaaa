//! Checksums of files, as jobs for a [`CpuPool`](super::cpu_pool::CpuPool).
//!
//! ```
//! use actix::prelude::*;
//! use latido::actors::cpu_pool::{CpuPool, Run};
//! use latido::actors::digest::{Sha256, Sha256Of};
//!
//! # #[actix::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = tempfile::NamedTempFile::new()?.into_temp_path();
//! let cpu = CpuPool::new(2).start();
//! let wanted: Sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse()?;
//! let found = cpu.send(Run(Sha256Of(path.to_path_buf()))).await???;
//! assert_eq!((found.sha256, found.bytes), (wanted, 0));
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use actix::prelude::*;
use sha2::Digest;

use super::cpu_pool::CpuJob;

mod algorithm;

pub use self::algorithm::{Algorithm, UnknownAlgorithm};

/// Large enough that system calls cost nothing beside the hash, small enough for the second-level cache.
const BUFFER: usize = 128 * 1024;

/// Computes the SHA-256 of the file at a path. Runs on a pool with any worker state.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<FileDigest, DigestError>")]
pub struct Sha256Of(pub PathBuf);

/// What a file was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileDigest {
    /// The hash of its bytes.
    pub sha256: Sha256,
    /// How many they are.
    pub bytes: u64,
}

/// The file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {error}", path.display())]
pub struct DigestError {
    /// The file.
    pub path: PathBuf,
    /// What the operating system said.
    pub error: io::Error,
}

impl<W> CpuJob<W> for Sha256Of {
    fn run(self, _: &mut W) -> Result<FileDigest, DigestError> {
        let mut hash = sha2::Sha256::new();
        match read(&self.0, |bytes| hash.update(bytes)) {
            Ok(bytes) => Ok(FileDigest { sha256: Sha256(hash.finalize().into()), bytes }),
            Err(error) => Err(DigestError { path: self.0, error }),
        }
    }
}

/// Computes the checksum of the file at a path by any of the algorithms, for files that are published with another
/// one than SHA-256. Runs on a pool with any worker state.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Box<[u8]>, DigestError>")]
pub struct ChecksumOf {
    /// The file.
    pub path: PathBuf,
    /// By which algorithm.
    pub algorithm: Algorithm,
}

impl<W> CpuJob<W> for ChecksumOf {
    fn run(self, _: &mut W) -> Result<Box<[u8]>, DigestError> {
        let Self { path, algorithm } = self;
        let checksum = match algorithm {
            Algorithm::Md5 => digest::<md5::Md5>(&path),
            Algorithm::Sha1 => digest::<sha1::Sha1>(&path),
            Algorithm::Sha224 => digest::<sha2::Sha224>(&path),
            Algorithm::Sha256 => digest::<sha2::Sha256>(&path),
            Algorithm::Sha384 => digest::<sha2::Sha384>(&path),
            Algorithm::Sha512 => digest::<sha2::Sha512>(&path),
            Algorithm::Blake3 => {
                let mut hash = blake3::Hasher::new();
                let update = |bytes: &[u8]| {
                    hash.update(bytes);
                };
                read(&path, update).map(|_| hash.finalize().as_slice().into())
            }
        };
        checksum.map_err(|error| DigestError { path, error })
    }
}

fn digest<D: Digest>(path: &Path) -> io::Result<Box<[u8]>> {
    let mut hash = D::new();
    read(path, |bytes| hash.update(bytes))?;
    Ok(hash.finalize().as_slice().into())
}

/// Reads a file to its end; answers how long it is.
fn read(path: &Path, mut update: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; BUFFER];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(read) => {
                update(&buffer[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

// ===== the value =====

/// A SHA-256: 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

/// A text that is no SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Sha256Error {
    /// Too short, or too long.
    #[error("`{text}` is no sha-256: it has {} characters, write 64 hexadecimal digits", text.chars().count())]
    Length {
        /// The text.
        text: String,
    },
    /// Not hexadecimal.
    #[error("`{text}` is no sha-256: `{character}` is no hexadecimal digit")]
    Character {
        /// The text.
        text: String,
        /// The first character that is wrong.
        character: char,
    },
}

impl FromStr for Sha256 {
    type Err = Sha256Error;

    /// Reads 64 hexadecimal digits of either case.
    fn from_str(text: &str) -> Result<Self, Sha256Error> {
        if let Some(character) = text.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(Sha256Error::Character { text: text.to_owned(), character });
        }
        let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
        let bytes: Vec<u8> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | value(*digit)))
            .collect();
        match bytes.try_into() {
            Ok(bytes) if text.len() == 64 => Ok(Self(bytes)),
            _ => Err(Sha256Error::Length { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_sha256_reads_back_what_it_writes_in_either_case() {
        let value: Sha256 = ABC.parse().unwrap();
        assert_eq!(value.0[..3], [0xba, 0x78, 0x16]);
        assert_eq!(value.to_string(), ABC);
        assert_eq!(ABC.to_uppercase().parse(), Ok(value));
    }

    #[test]
    fn a_text_that_is_no_sha256_is_told_what_is_wrong_with_it() {
        let wrong = |text: &str| text.parse::<Sha256>().unwrap_err().to_string();
        assert_eq!(wrong("ba78"), "`ba78` is no sha-256: it has 4 characters, write 64 hexadecimal digits");
        assert!(wrong(&ABC[1..]).contains("it has 63 characters"));
        assert!(wrong(&format!("{ABC}0")).contains("it has 65 characters"));
        assert!(wrong("").contains("it has 0 characters"));
        assert!(wrong(&ABC.replace('f', "g")).contains("`g` is no hexadecimal digit"));
        assert!(wrong("ñ").contains("`ñ` is no hexadecimal digit"));
    }
}
