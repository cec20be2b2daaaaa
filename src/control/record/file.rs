//! A file of lines that is bounded: full, it is put aside, and a new one begun.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a recording begins with.
const MARK: &[u8] = b"{\"instance\":";

pub(super) struct Bounded {
    path: PathBuf,
    file: File,
    /// Its length without a line that was cut short.
    length: u64,
    limit: u64,
    /// A pipe or a device is neither measured nor put aside.
    is_regular: bool,
}

impl Bounded {
    /// Begins it. A recording that is there is put aside; anything else that is there is left alone.
    pub(super) fn create(path: &Path, limit: u64) -> io::Result<Self> {
        // The program may go to another directory before the file is full.
        let path = std::path::absolute(path)?;
        let file = open(&path)?;
        let length = file.metadata()?.len();
        let is_regular = file.metadata()?.is_file();
        let mut bounded = Self { path, file, length, limit, is_regular };
        if is_regular && length > 0 {
            is_recording(&bounded.path)?;
            bounded.rotate()?;
        }
        Ok(bounded)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_regular && self.length >= self.limit
    }

    /// Puts it aside in the place of the one that was before, and begins a new one.
    pub(super) fn rotate(&mut self) -> io::Result<()> {
        let aside = aside(&self.path);
        match is_recording(&aside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(&self.path, aside)?;
        self.file = open(&self.path)?;
        self.length = 0;
        Ok(())
    }

    /// Adds whole lines: all of them or none.
    pub(super) fn append(&mut self, text: &str) -> io::Result<()> {
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            if self.is_regular {
                let _ = self.file.set_len(self.length);
            }
            return Err(error);
        }
        self.length += text.len() as u64;
        Ok(())
    }
}

/// Where the file before is.
pub(super) fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// Opens it for this program alone. What it says is for its owner's eyes: it has names and places.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(ErrorKind::ResourceBusy, "another program records to it"))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// An error, if it is something else.
fn is_recording(path: &Path) -> io::Result<()> {
    let mut head = Vec::new();
    BufReader::new(File::open(path)?).take(MARK.len() as u64).read_until(b'\n', &mut head)?;
    if head.is_empty() || head == MARK {
        return Ok(());
    }
    let why = format!("{path:?} is there already and is no recording");
    Err(io::Error::new(ErrorKind::AlreadyExists, why))
}
