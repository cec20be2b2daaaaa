//! Where a file goes: always below the directory that the user chose, whatever a list or a URL says.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf, absolute};

use reqwest::Url;

/// What the names of our own files begin with: the journal, the parts.
pub(crate) const OURS: &str = ".latido";

/// The longest name a file system takes.
pub(crate) const NAME_MAX: usize = 255;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("the name is empty; write one, such as out=file.bin")]
    Empty,
    #[error("the name {0:?} is absolute; write it relative to the directory")]
    Absolute(PathBuf),
    #[error("{0:?} has `..`, `.` or an empty part in it; write the path without")]
    Climbs(PathBuf),
    #[error("{0:?} has a NUL in it, which no file name may; choose another with out=")]
    Nul(PathBuf),
    #[error("{name:?} has a part of {bytes} bytes, {NAME_MAX} are allowed; choose another with out=")]
    TooLong { name: PathBuf, bytes: usize },
    #[error("{0:?} is a name for latido's own files; choose another with out=")]
    Ours(PathBuf),
    #[error("{0:?}, from the end of the URL, has a slash in it; choose another name with out=")]
    Slash(PathBuf),
    #[error("{link:?} is a link that leads out of {root:?}; give the place itself with dir=")]
    LeadsOut { link: PathBuf, root: PathBuf },
    #[error("{0:?} is no directory; move it away, or choose another name with out=")]
    NotADirectory(PathBuf),
    #[error("{0:?} is a directory; choose another name with out=")]
    IsADirectory(PathBuf),
    #[error("directory {path:?} cannot be created or written to: {source}; choose another with -d or dir=")]
    Directory { path: PathBuf, source: io::Error },
}

/// The name that a URL's file gets: the last part of its path, decoded.
pub(crate) fn name_of(url: &Url) -> Result<PathBuf, TargetError> {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    if last.is_empty() {
        return Ok(PathBuf::from("index.html"));
    }
    let name = PathBuf::from(percent_decoded(last));
    match name.as_os_str().as_bytes().contains(&b'/') {
        true => Err(TargetError::Slash(name)),
        false => checked_name(name),
    }
}

/// Accepts a path for a file below a directory: `name` or `sub/dir/name`.
pub(crate) fn checked_name(name: PathBuf) -> Result<PathBuf, TargetError> {
    if name.is_absolute() {
        return Err(TargetError::Absolute(name));
    }
    // `Path::components` leaves out the odd parts of `a//b`, `a/.` and `a/`
    let mut parts = name.as_os_str().as_bytes().split(|&byte| byte == b'/');
    match parts.any(|part| part.is_empty() || part == b".") && !name.as_os_str().is_empty() {
        true => Err(TargetError::Climbs(name)),
        false => checked_dir(name),
    }
}

/// Accepts a path for a directory, which may be absolute.
pub(crate) fn checked_dir(path: PathBuf) -> Result<PathBuf, TargetError> {
    if path.as_os_str().is_empty() {
        return Err(TargetError::Empty);
    }
    if path.as_os_str().as_bytes().contains(&0) {
        return Err(TargetError::Nul(path));
    }
    for part in path.components() {
        let bytes = part.as_os_str().as_bytes();
        if part == Component::ParentDir {
            return Err(TargetError::Climbs(path));
        }
        if bytes.len() > NAME_MAX {
            let bytes = bytes.len();
            return Err(TargetError::TooLong { name: path, bytes });
        }
        if bytes.starts_with(OURS.as_bytes()) {
            return Err(TargetError::Ours(path));
        }
    }
    Ok(path)
}

/// The directories of one run, created and tried out as they are needed. Unless they are kept, those that were created
/// go again: what is wrong with the input often shows only once they are there.
#[derive(Debug)]
pub(crate) struct Directories {
    base: PathBuf,
    /// Those that are ready: as they were asked for, and without links.
    ready: HashMap<OsString, PathBuf>,
    created: Created,
}

/// Directories that were not there before, parents first. Dropped, it removes those that are empty.
#[derive(Debug, Default)]
struct Created {
    paths: Vec<PathBuf>,
    /// Nothing is created, nor tried out: it is only said what would be.
    is_dry: bool,
}

impl Created {
    /// Creates one directory, as [`fs::create_dir`] does.
    fn create(&mut self, path: &Path) -> io::Result<()> {
        if !self.is_dry {
            fs::create_dir(path)?;
            self.paths.push(path.to_owned());
            return Ok(());
        }
        match path.symlink_metadata() {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        for directory in self.paths.iter().rev() {
            // One that somebody has put something into stays.
            let _ = fs::remove_dir(directory);
        }
    }
}

impl Directories {
    /// Starts with the directory of `-d`, which is the user's own word: it may lead anywhere.
    pub(crate) fn open(base: &Path) -> Result<Self, TargetError> {
        Self::begin(base, Created::default())
    }

    /// The same without touching anything: what is not there is thought to be.
    pub(crate) fn imagine(base: &Path) -> Result<Self, TargetError> {
        Self::begin(base, Created { paths: Vec::new(), is_dry: true })
    }

    fn begin(base: &Path, mut created: Created) -> Result<Self, TargetError> {
        let base = own(base, &mut created)?;
        try_out(&base, &created)?;
        let ready = HashMap::from([(base.clone().into(), base.clone())]);
        Ok(Self { base, ready, created })
    }

    /// Lets them stay.
    pub(crate) fn keep(mut self) {
        self.created.paths.clear();
    }

    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// The full path for `name`, in `dir` if there is one, with its directory ready. Both have been checked.
    pub(crate) fn place(&mut self, dir: Option<&Path>, name: &Path) -> Result<Box<Path>, TargetError> {
        if let Some(placed) = self.placed(dir, name) {
            return Ok(placed);
        }
        let path = self.path(dir, name);
        let (Some(parent), Some(file)) = (path.parent(), path.file_name()) else {
            return Err(TargetError::Empty);
        };
        // An absolute `dir` is the user's own word too.
        let root = match dir.filter(|dir| dir.is_absolute()) {
            Some(dir) => (own(dir, &mut self.created)?, dir),
            None => (self.base.clone(), &*self.base),
        };
        let below = parent.strip_prefix(root.1).unwrap_or(Path::new(""));
        let ready = descend(&root.0, below, &mut self.created)?;
        try_out(&ready, &self.created)?;
        let target = ready.join(file).into();
        self.ready.insert(parent.into(), ready);
        Ok(target)
    }

    /// The full path for `name`, if its directory is ready.
    pub(crate) fn placed(&self, dir: Option<&Path>, name: &Path) -> Option<Box<Path>> {
        if dir.is_none() && !name.as_os_str().as_bytes().contains(&b'/') {
            return Some(self.base.join(name).into());
        }
        let path = self.path(dir, name);
        Some(self.ready.get(path.parent()?.as_os_str())?.join(path.file_name()?).into())
    }

    fn path(&self, dir: Option<&Path>, name: &Path) -> PathBuf {
        match dir {
            Some(dir) => self.base.join(dir).join(name),
            None => self.base.join(name),
        }
    }

    /// The directories that stand where files are to go. Listing a directory once is several times faster than
    /// asking for each file; what cannot be listed shows when the file is put there.
    pub(crate) fn occupied(&self) -> HashSet<OsString> {
        let ready: HashSet<_> = self.ready.values().collect();
        let imagined = ready.iter().filter(|_| self.created.is_dry);
        let imagined = imagined.flat_map(|ready| ready.ancestors()).map(|path| path.as_os_str().to_owned());
        ready
            .iter()
            .flat_map(fs::read_dir)
            .flat_map(|entries| entries.flatten())
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path().into())
            .chain(imagined)
            .collect()
    }
}

/// Creates a directory that the user named, and gives its path without links.
fn own(path: &Path, created: &mut Created) -> Result<PathBuf, TargetError> {
    if created.is_dry {
        return imagined(path).map_err(|source| failed(path, source));
    }
    let missing = path.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists());
    let mut missing: Vec<_> = missing.map(Path::to_owned).collect();
    missing.reverse();
    created.paths.extend(missing);
    fs::create_dir_all(path).and_then(|()| fs::canonicalize(path)).map_err(|source| failed(path, source))
}

/// What would be the path of a directory without links, if it were created.
fn imagined(path: &Path) -> io::Result<PathBuf> {
    let path = absolute(path)?;
    let there = path.ancestors().find(|dir| dir.symlink_metadata().is_ok()).unwrap_or(&path);
    let real = fs::canonicalize(there)?;
    match real.is_dir() {
        // Part by part: to join nothing would leave a slash at the end.
        true => Ok(path
            .strip_prefix(there)
            .iter()
            .flat_map(|rest| rest.iter())
            .fold(real, |dir, part| dir.join(part))),
        false => Err(io::ErrorKind::NotADirectory.into()),
    }
}

/// Creates the directories `below` a root one by one, and follows no link out of it.
fn descend(root: &Path, below: &Path, created: &mut Created) -> Result<PathBuf, TargetError> {
    let mut path = root.to_owned();
    for part in below {
        path.push(part);
        match created.create(&path) {
            Ok(()) => continue,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed(&path, source)),
        }
        let real = fs::canonicalize(&path).map_err(|source| failed(&path, source))?;
        if !real.starts_with(root) {
            return Err(TargetError::LeadsOut { link: path, root: root.to_owned() });
        }
        if !real.is_dir() {
            return Err(TargetError::NotADirectory(path));
        }
        path = real;
    }
    Ok(path)
}

/// Permissions do not tell whether a directory can be written to (read-only mounts, quotas): a file does.
fn try_out(directory: &Path, created: &Created) -> Result<(), TargetError> {
    if created.is_dry {
        return Ok(());
    }
    // Without a name, so that a run that is killed here leaves nothing.
    tempfile::tempfile_in(directory).map(drop).map_err(|source| failed(directory, source))
}

fn failed(path: &Path, source: io::Error) -> TargetError {
    TargetError::Directory { path: path.to_owned(), source }
}

/// With `%41` for what it stands for.
pub(crate) fn percent_decoded(text: &str) -> OsString {
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let [first, after @ ..] = rest {
        let hex = |byte: &u8| (*byte as char).to_digit(16);
        match (first, after) {
            (b'%', [high, low, tail @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                let value = hex(high).zip(hex(low)).map_or(0, |(high, low)| high * 16 + low);
                decoded.push(value as u8);
                rest = tail;
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(decoded)
}

#[cfg(test)]
mod tests;
