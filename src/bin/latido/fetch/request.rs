//! One file to get: from where, to where, and what it must be.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use latido::actors::digest::Algorithm;
use sha2::{Digest, Sha256};

use super::checksum::Checksum;
use super::target::OURS;
use super::text::presentable;

/// One file to get. Kept small: a list may have millions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    urls: Box<str>,
    /// Where the file goes: an absolute path without symbolic links in its directories.
    pub(crate) target: Box<Path>,
    pub(crate) checksum: Option<Checksum>,
    /// Its length in bytes, if somebody other than the server told it.
    pub(crate) size: Option<u64>,
}

impl Request {
    /// `urls` are the places that have the file, separated by tabs.
    pub(crate) fn new(urls: &str, target: impl Into<Box<Path>>, checksum: Option<Checksum>) -> Self {
        Self { urls: urls.into(), target: target.into(), checksum, size: None }
    }

    /// The same for a file of this length, if that is known.
    pub(crate) fn with_size(self, size: Option<u64>) -> Self {
        Self { size, ..self }
    }

    /// The first of [`urls`](Self::urls).
    pub(crate) fn url(&self) -> &str {
        self.urls().next().unwrap_or_default()
    }

    /// What to call the file when talking of it.
    pub(crate) fn name(&self) -> String {
        let name = self.target.file_name().unwrap_or_default();
        presentable(&name.to_string_lossy())
    }

    /// The places that have the file.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        self.urls.split('\t')
    }

    /// Whether there is more than one place.
    pub(crate) fn has_mirrors(&self) -> bool {
        self.urls.contains('\t')
    }

    /// [`urls`](Self::urls) as one text, separated by tabs.
    pub(crate) fn urls_as_text(&self) -> &str {
        &self.urls
    }

    /// By which algorithm the file is verified, or put on record if there is nothing to compare it with.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.checksum.as_ref().map_or(Algorithm::Sha256, Checksum::algorithm)
    }

    /// Where the file is until it is verified: beside the target, so that a rename puts it there. The name is
    /// made of everything that was asked for, so a request that changed never goes on with the bytes of the
    /// old one.
    pub(crate) fn part(&self) -> PathBuf {
        let mut hash = Sha256::new();
        hash.update(self.target.file_name().unwrap_or_default().as_bytes());
        hash.update([0]);
        hash.update(self.urls.as_bytes());
        hash.update([0]);
        if let Some(checksum) = &self.checksum {
            hash.update(checksum.algorithm().to_string());
            hash.update(checksum.bytes());
        }
        hash.update(self.size.map(|size| format!("\0{size}")).unwrap_or_default());
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
        let short = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        self.target.with_file_name(format!("{OURS}-{short:016x}.part"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_urls_is_the_url() {
        let request = Request::new("http://a/x\thttp://b/x", Path::new("/d/x"), None);
        assert_eq!(request.url(), "http://a/x");
        assert_eq!(request.urls().collect::<Vec<_>>(), ["http://a/x", "http://b/x"]);
    }

    #[test]
    fn a_part_lies_beside_its_target_and_belongs_to_one_request() {
        let part = |url: &str, target: &str, checksum| Request::new(url, Path::new(target), checksum).part();
        let first = part("http://a/x", "/d/x", None);
        assert_eq!(first.parent(), Some(Path::new("/d")));
        assert_eq!(first, part("http://a/x", "/d/x", None));
        assert_ne!(first, part("http://a/y", "/d/x", None));
        assert_ne!(first, part("http://a/x", "/d/y", None));
        assert_ne!(first, part("http://a/x", "/d/x", Some(Checksum::sha256([0; 32]))));
        let sized = Request::new("http://a/x", Path::new("/d/x"), None).with_size(Some(1));
        assert_ne!(first, sized.part());
    }
}
