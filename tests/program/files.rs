//! Files to serve, lists to ask for them, and what is on disk afterwards.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::server::{Request, Server, Step, head, ok};

/// Names and contents.
#[derive(Clone)]
pub struct Files(pub Vec<(String, Vec<u8>)>);

impl Files {
    /// So many of them, from empty to 200 kB.
    pub fn some(count: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(count as u64);
        let file = |n: usize| {
            let mut bytes = vec![0; random.usize(..200_000) * usize::from(n > 0)];
            random.fill(&mut bytes);
            (format!("file-{n:03}"), bytes)
        };
        Self((0..count).map(file).collect())
    }

    /// The same, but every third is large enough to be hashed by the pool.
    pub fn with_large(count: usize) -> Self {
        let mut files = Self::some(count);
        let mut random = fastrand::Rng::with_seed(count as u64);
        for (_, bytes) in files.0.iter_mut().skip(1).step_by(3) {
            bytes.resize((1 << 20) + random.usize(1..200_000), 7);
        }
        files
    }

    pub fn serve(&self) -> Server {
        let files = self.clone();
        Server::start(move |request| files.answer(request))
    }

    pub fn answer(&self, request: &Request) -> Vec<Step> {
        match self.0.iter().find(|(name, _)| *name == request.path) {
            Some((_, bytes)) => ok(bytes),
            None => not_found(),
        }
    }

    /// A list with a checksum for each.
    pub fn list(&self, server: &Server) -> String {
        let mut list = String::new();
        for (name, bytes) in &self.0 {
            writeln!(list, "{}\n  checksum={}", server.url(name), checksum(bytes)).unwrap();
        }
        list
    }

    /// The same, as a file in `dir`.
    pub fn list_in(&self, dir: &Path, server: &Server) -> String {
        fs::write(dir.join("list"), self.list(server)).unwrap();
        "list".to_owned()
    }

    #[track_caller]
    pub fn assert_all_in(&self, dir: &Path) {
        for (name, bytes) in &self.0 {
            let found = fs::read(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(found == *bytes, "{name} has {} other bytes", found.len());
        }
    }

    /// After whatever happened: what is there is right, and what else is there is ours.
    #[track_caller]
    pub fn assert_none_wrong_in(&self, dir: &Path) {
        for found in names_in(dir) {
            match self.0.iter().find(|(name, _)| *name == found) {
                Some((_, bytes)) => {
                    assert!(fs::read(dir.join(&found)).unwrap() == *bytes, "{found} is wrong")
                }
                None => assert!(found.starts_with(".latido"), "{found} is not ours"),
            }
        }
    }

    /// After the end: all is there, and nothing is left over.
    #[track_caller]
    pub fn assert_exactly_in(&self, dir: &Path) {
        self.assert_all_in(dir);
        let mut wanted: Vec<_> = self.0.iter().map(|(name, _)| name.clone()).collect();
        wanted.splice(..0, OURS.map(str::to_owned));
        assert_eq!(names_in(dir), wanted);
    }
}

/// What an ended run leaves in its directory besides the files.
pub const OURS: [&str; 2] = [".latido.db", ".latido.db.heartbeat"];

pub fn not_found() -> Vec<Step> {
    vec![head("404 Not Found", &[("content-length", "0")])]
}

pub fn checksum(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold("sha-256=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// The names in a directory, sorted.
pub fn names_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Looks at the disk until `reached`: for what other processes do there, and nobody tells.
#[track_caller]
pub fn until(mut reached: impl FnMut() -> bool) {
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never happened");
        // What is waited for is in another process, which tells nobody here: it is asked again and again.
        std::thread::sleep(Duration::from_millis(2));
    }
}
