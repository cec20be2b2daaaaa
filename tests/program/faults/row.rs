//! A row of the table: a server's faults, a command, and what comes of both.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use nix::sys::signal::Signal;
use tempfile::tempdir;

use crate::files::{OURS, checksum, names_in};
use crate::latido::{Ended, Running, latido};
use crate::server::{Request, Server, Step, head, ok, send};

/// The right file.
pub const CONTENT: &[u8] = b"0123456789";
pub const TEN: (&str, &str) = ("content-length", "10");
pub const CHUNKED: (&str, &str) = ("transfer-encoding", "chunked");

type Answer = dyn Fn(usize, &Request) -> Vec<Step> + Send;
type Text = dyn Fn(&Server) -> String + Send;

pub struct Row {
    pub name: &'static str,
    answer: Box<Answer>,
    content: Vec<u8>,
    url: Box<Text>,
    list: Option<Box<Text>>,
    args: Vec<String>,
    tries: u32,
    file: &'static str,
    before: Before,
    interrupt: Option<When>,
    code: i32,
    said: &'static str,
    disk: Disk,
    requests: Option<usize>,
    heals: bool,
}

/// What is under the name before the run.
#[derive(Clone, Copy)]
pub enum Before {
    Nothing,
    File(&'static [u8]),
    /// A link to a file outside, which must not be written to.
    Link,
    /// A link that leads nowhere.
    Dangling,
    Directory,
    /// A second name of a file outside, which must not be written to.
    HardLink,
}

/// What is under the name afterwards.
#[derive(Clone, Copy)]
pub enum Disk {
    Right,
    Nothing,
    /// What was there before, untouched.
    Before,
    /// What nobody could know to be wrong.
    Holds(&'static [u8]),
}

/// When Ctrl-C is pressed.
#[derive(Clone, Copy)]
pub enum When {
    Stalled,
    Said(&'static str),
}

/// A row in which the server answers in turn, with the last of `answers` from then on; all is well unless said otherwise.
pub fn row(name: &'static str, answers: Vec<Vec<Step>>) -> Row {
    assert!(!answers.is_empty());
    by(name, move |nth, _| answers[nth.min(answers.len() - 1)].clone())
}

/// The same, with an answer for each request; they are counted from 0.
pub fn by(name: &'static str, answer: impl Fn(usize, &Request) -> Vec<Step> + Send + 'static) -> Row {
    Row {
        name,
        answer: Box::new(answer),
        content: CONTENT.to_owned(),
        url: Box::new(|server| server.url("file")),
        list: None,
        args: Vec::new(),
        tries: 1,
        file: "file",
        before: Before::Nothing,
        interrupt: None,
        code: 0,
        said: "1 file: 1 done",
        disk: Disk::Right,
        requests: None,
        heals: true,
    }
}

/// `200 OK` with these headers, and then these steps.
pub fn answer(headers: &[(&str, &str)], steps: &[Step]) -> Vec<Step> {
    [&[head("200 OK", headers)], steps].concat()
}

/// A status with an empty body.
pub fn status(line: &str, headers: &[(&str, &str)]) -> Vec<Step> {
    vec![head(line, &[headers, &[("content-length", "0")]].concat())]
}

pub fn right() -> Vec<Step> {
    ok(CONTENT)
}

/// Raw bytes, and the end of the connection.
pub fn raw(bytes: impl Into<Vec<u8>>) -> Vec<Step> {
    vec![send(bytes), Step::Close]
}

impl Row {
    /// The run fails and says this; nothing is on disk.
    pub fn fails(mut self, said: &'static str) -> Self {
        (self.code, self.said, self.disk) = (1, said, Disk::Nothing);
        self
    }

    /// What was asked for is refused with this, and nothing is done.
    pub fn refused(mut self, said: &'static str) -> Self {
        (self.code, self.said, self.disk, self.heals) = (2, said, Disk::Before, false);
        self.asks(0)
    }

    pub fn interrupted(mut self, when: When) -> Self {
        self.interrupt = Some(when);
        (self.code, self.said, self.disk) = (130, "1 left for the next run", Disk::Nothing);
        self
    }

    pub fn leaves(mut self, disk: Disk) -> Self {
        self.disk = disk;
        self
    }

    pub fn before(mut self, before: Before) -> Self {
        self.before = before;
        self
    }

    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// So many requests are made for that.
    pub fn asks(mut self, requests: usize) -> Self {
        self.requests = Some(requests);
        self
    }

    /// Its checksum is known.
    pub fn checked(mut self) -> Self {
        self.args.extend(["--checksum".to_owned(), checksum(&self.content)]);
        self
    }

    pub fn content(mut self, content: Vec<u8>) -> Self {
        self.content = content;
        self
    }

    /// What is asked for, and the name of the file.
    pub fn url(mut self, url: impl Fn(&Server) -> String + Send + 'static, file: &'static str) -> Self {
        (self.url, self.file) = (Box::new(url), file);
        self
    }

    /// Asked for by a list.
    pub fn list(mut self, list: impl Fn(&Server) -> String + Send + 'static) -> Self {
        self.list = Some(Box::new(list));
        self
    }

    /// Another server would be needed.
    pub fn never_heals(mut self) -> Self {
        self.heals = false;
        self
    }

    pub fn play(self) {
        assert!(!self.said.is_empty(), "{}: what is said?", self.name);
        let is_well = Arc::new(AtomicBool::new(false));
        let (answer, content, well, asked) =
            (Mutex::new(self.answer), self.content.clone(), is_well.clone(), AtomicUsize::new(0));
        let server = Server::start(move |request| match well.load(Ordering::SeqCst) {
            true => ok(&content),
            false => (answer.lock().unwrap())(asked.fetch_add(1, Ordering::SeqCst), request),
        });
        let (dir, outside) = (tempdir().unwrap(), tempdir().unwrap());
        let mut args = vec!["fetch".to_owned(), "--max-tries".to_owned(), self.tries.to_string()];
        args.extend(self.args.iter().cloned());
        match &self.list {
            None => args.push((self.url)(&server)),
            Some(list) => {
                let path = outside.path().join("list");
                fs::write(&path, list(&server)).unwrap();
                args.extend(["-i".to_owned(), path.to_str().unwrap().to_owned()]);
            }
        }
        let target = dir.path().join(self.file);
        let other = outside.path().join("other");
        fs::write(&other, "not ours").unwrap();
        self.before.make(&target, &other);
        let there = names_in(dir.path());

        let name = self.name;
        let ended = match self.interrupt {
            None => latido(dir.path(), &args),
            Some(when) => interrupted(dir.path(), &args, when, &server),
        };
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, self.code, "{name}: {said}");
        assert!(said.contains(self.said), "{name}: `{}` was not said: {said}", self.said);
        assert!(!said.contains("panicked"), "{name}: {said}");
        let requests = server.requests();
        for request in &requests {
            // No server is asked for anything else; one byte is all that is read of a TLS handshake.
            assert!(request.head.starts_with("GET ") || request.head.len() == 1, "{name}: {}", request.head);
        }
        if let Some(count) = self.requests {
            assert_eq!(requests.len(), count, "{name}: {requests:#?}");
        }
        self.before.assert_untouched(name, &other);
        let left = names_in(dir.path());
        let with = |file: &[&str]| {
            let mut names: Vec<_> = OURS.iter().chain(file).map(|&name| name.to_owned()).collect();
            names.sort();
            names
        };
        match self.disk {
            Disk::Right => assert_holds(name, &target, &self.content),
            Disk::Holds(content) => assert_holds(name, &target, content),
            Disk::Nothing => assert!(target.symlink_metadata().is_err(), "{name}: {left:?}"),
            Disk::Before => self.before.assert_is_there(name, &target),
        }
        match (self.code, self.disk) {
            (2, _) => assert_eq!(left, there, "{name}"),
            (_, Disk::Nothing) => assert_eq!(left, with(&[]), "{name}"),
            _ => assert_eq!(left, with(&[self.file]), "{name}"),
        }
        if self.code != 0 && self.heals {
            is_well.store(true, Ordering::SeqCst);
            let again = latido(dir.path(), &args);
            assert_eq!(again.code, 0, "{name}, again: {again:?}");
            assert_holds(name, &target, &self.content);
            assert_eq!(names_in(dir.path()), with(&[self.file]), "{name}, again");
            self.before.assert_untouched(name, &other);
        }
    }
}

fn interrupted(dir: &Path, args: &[String], when: When, server: &Server) -> Ended {
    let run = Running::start(dir, args);
    match when {
        When::Said(text) => run.wait_for_line(text),
        When::Stalled => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(server.stalled());
        }
    }
    run.signal(Signal::SIGINT);
    run.end()
}

fn assert_holds(name: &str, target: &Path, content: &[u8]) {
    let meta = target.symlink_metadata().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(meta.is_file(), "{name}: it is no plain file");
    let found = fs::read(target).unwrap();
    assert!(found == content, "{name}: {} bytes, not these {}", found.len(), content.len());
}

impl Before {
    fn make(self, target: &Path, other: &Path) {
        match self {
            Self::Nothing => {}
            Self::File(content) => fs::write(target, content).unwrap(),
            Self::Link => symlink(other, target).unwrap(),
            Self::Dangling => symlink(other.with_file_name("nowhere"), target).unwrap(),
            Self::Directory => fs::create_dir(target).unwrap(),
            Self::HardLink => fs::hard_link(other, target).unwrap(),
        }
    }

    fn assert_is_there(self, name: &str, target: &Path) {
        match self {
            Self::Nothing => assert!(target.symlink_metadata().is_err(), "{name}"),
            Self::File(content) => assert_holds(name, target, content),
            Self::Link | Self::Dangling => assert!(target.is_symlink(), "{name}"),
            Self::Directory => assert!(target.is_dir(), "{name}"),
            Self::HardLink => assert_holds(name, target, b"not ours"),
        }
    }

    /// What is outside is as it was.
    fn assert_untouched(self, name: &str, other: &Path) {
        assert_holds(name, other, b"not ours");
        assert!(!other.with_file_name("nowhere").exists(), "{name}: it went through the link");
    }
}
