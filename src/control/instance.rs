//! Where the doors of running programs are found: a directory that only its owner may enter, with a socket and a card for
//! each.

use std::fmt::Display;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, process};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

/// What is needed to knock at a door. Its file is for its owner's eyes only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// What the program calls itself.
    pub program: String,
    /// Its process.
    pub pid: u32,
    /// The socket.
    pub socket: PathBuf,
    /// Where it listens for browsers, if it does.
    pub address: Option<SocketAddr>,
    /// What must be said there.
    pub token: Option<String>,
}

impl Card {
    /// The page for browsers, if the program has [one](super::Door::tcp). The token is in the fragment, which browsers
    /// keep to themselves; it is as good as the token.
    pub fn url(&self) -> Option<String> {
        let (address, token) = (self.address?, self.token.as_ref()?);
        Some(link(address, token))
    }
}

/// The page for browsers.
pub(super) fn link(address: SocketAddr, token: &str) -> String {
    format!("http://{address}/#token={token}")
}

/// The card's file and the socket of an open door. They go with it.
#[derive(Debug)]
pub(super) struct Place {
    card: PathBuf,
    pub(super) socket: PathBuf,
}

/// Where doors are unless somebody says otherwise: `LATIDO_RUNTIME_DIR`; else `latido` in `XDG_RUNTIME_DIR`; else
/// `/tmp/latido-UID`.
pub fn directory() -> PathBuf {
    match (env::var_os("LATIDO_RUNTIME_DIR"), env::var_os("XDG_RUNTIME_DIR")) {
        (Some(dir), _) if !dir.is_empty() => PathBuf::from(dir),
        (_, Some(dir)) if !dir.is_empty() => Path::new(&dir).join("latido"),
        _ => env::temp_dir().join(format!("latido-{}", rustix::process::geteuid().as_raw())),
    }
}

/// Makes it if need be, and sees to it that nobody else may enter.
fn enter(dir: &Path) -> io::Result<()> {
    let refuse = |kind, why: &dyn Display| {
        io::Error::new(kind, format!("{dir:?}: {why}; set LATIDO_RUNTIME_DIR to a directory of your own"))
    };
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(refuse(error.kind(), &error)),
        _ => {}
    }
    let found = fs::symlink_metadata(dir).map_err(|error| refuse(error.kind(), &error))?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(refuse(ErrorKind::PermissionDenied, &"it is not this user's directory"));
    }
    if found.mode() & 0o077 != 0 {
        return Err(refuse(ErrorKind::PermissionDenied, &"others may enter it, so `chmod 700` it"));
    }
    Ok(())
}

impl Place {
    /// A place of its own for a door of this process.
    pub(super) fn choose(dir: &Path) -> io::Result<Self> {
        static DOORS: AtomicUsize = AtomicUsize::new(0);
        enter(dir)?;
        sweep(dir);
        let stem = match DOORS.fetch_add(1, Ordering::Relaxed) {
            0 => process::id().to_string(),
            n => format!("{}-{n}", process::id()),
        };
        let place = Self { card: dir.join(format!("{stem}.json")), socket: dir.join(format!("{stem}.sock")) };
        // Of a process that had this number before and was killed.
        let _ = fs::remove_file(&place.socket);
        Ok(place)
    }

    /// From here on the door is found.
    pub(super) fn publish(&self, card: &Card) -> io::Result<()> {
        let draft = self.card.with_extension("new");
        let _ = fs::remove_file(&draft);
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec(card)?)?;
        fs::rename(draft, &self.card)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.card);
        let _ = fs::remove_file(&self.socket);
    }
}

/// Removes what programs have left that were killed.
fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let pid = stem.split('-').next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        let is_ours = path.extension().is_some_and(|extension| extension == "json" || extension == "sock");
        if let Some(pid) = pid.filter(|_| is_ours)
            && test_kill_process(pid) == Err(Errno::SRCH)
        {
            let _ = fs::remove_file(path);
        }
    }
}

/// The cards of all doors, the oldest first: also of those whose program was killed and that nobody opens any more.
pub(super) fn cards(dir: &Path) -> io::Result<Vec<(PathBuf, Card)>> {
    let entries = match fs::read_dir(dir) {
        // Nobody has opened a door yet.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    enter(dir)?;
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let is_card = path.extension().is_some_and(|extension| extension == "json");
        let since = entry.metadata().and_then(|metadata| metadata.modified());
        if let (true, Ok(since), Ok(bytes)) = (is_card, since, fs::read(&path))
            && let Ok(card) = serde_json::from_slice(&bytes)
        {
            found.push((since, path, card));
        }
    }
    found.sort_by_key(|(since, ..)| *since);
    Ok(found.into_iter().map(|(_, path, card)| (path, card)).collect())
}

/// Removes what a program that was killed has left.
pub(super) fn clear(path: &Path, card: &Card) {
    drop(Place { card: path.to_owned(), socket: card.socket.clone() });
}
