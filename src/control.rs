//! A door to a running tree: for those who want to see it, break it and understand it from another process.
//!
//! It is an HTTP interface on a thread of its own, which answers also while every arbiter of the tree is blocked. It is
//! open to this machine's user alone: a Unix socket in a directory that nobody else may enter, where `latido ps`,
//! `latido tree` and the other commands find it by themselves; and, if that is wanted, a port of the loopback interface
//! with a token.
//!
//! ```no_run
//! # use latido::prelude::*;
//! # #[actix::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tree = SupervisorSpec::new("app").start()?;
//! let _door = latido::control::Door::new(&tree).open()?; // closed when it is dropped
//! # Ok(())
//! # }
//! ```
//!
//! # The interface
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1` | [`wire::Instance`]: who answers |
//! | `GET /v1/tree` | [`wire::Tree`]: what every child is doing |
//! | `GET /v1/events?after=SEQ` | the events from there on, and then those that happen, each a [`wire::Event`]: as server-sent events, or in lines with `format=ndjson`. Without `after`, from now on. The last 2,048 are kept, or fewer if they are long |
//! | `GET /v1/incidents` | the last 256 failures, each a [`wire::Incident`]; `/v1/incidents/ID` is one |
//! | `GET /v1/extra/NAME` | what the program shows beside its tree, see [`Door::extra`] |
//! | `GET /v1/faults` | the faults that can be put into every child, each a [`wire::FaultInfo`]; with `path=PATH` those of that part, its own included |
//! | `POST /v1/inject` | [`wire::Inject`]: puts a failure into children |
//! | `POST /v1/restart`, `/v1/stop` | [`wire::Target`]: stops a child by its shutdown rule, and starts it again, or not |
//! | `POST /v1/pause`, `/v1/resume` | [`wire::Target`]: has a child's messages wait, or flow again |
//! | `POST /v1/drain` | [`wire::Target`]: has a child handle what is queued and take nothing new, and stops it then |
//! | `GET /v1/record` | refused: a [`Replay`] has it, the same interface to what was recorded |
//! | `GET /metrics` | the tree for Prometheus |
//! | `GET /v1/openapi.json` | all this for programs |
//! | `GET /` | the page for browsers, which needs a [port](Door::tcp); [`Card::url`] is where |
//!
//! What is not done is answered with a status of 400 or above and a [`wire::Refused`]. Actions are refused unless
//! [`allow_actions`](Door::allow_actions) was called.

mod actions;
mod answers;
mod client;
mod guard;
mod history;
mod instance;
mod metrics;
mod page;
mod record;
mod replay;
mod routes;
mod server;
pub mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::SystemTime;
use std::{fmt, io};

use tokio::sync::oneshot;

pub use self::client::{Client, ClientError, find};
use self::guard::Token;
use self::history::History;
use self::instance::Place;
pub use self::instance::{Card, directory};
use self::record::Recorder;
pub use self::record::{Recorded, recorded};
pub use self::replay::{OpenReplay, Replay};
use self::routes::{Extra, House};
use self::server::Listeners;
use crate::supervision::Tree;

/// A door that is not open yet.
pub struct Door {
    tree: Tree,
    program: String,
    tcp: Option<SocketAddr>,
    actions: bool,
    extras: Vec<Extra>,
    directory: PathBuf,
    record: Option<PathBuf>,
}

/// An open door. It closes when this is dropped, and whoever is connected then is disconnected.
#[derive(Debug)]
pub struct OpenDoor {
    card: Card,
    _place: Place,
    close: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why a door was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DoorError {
    /// Its directory cannot be had, is not this user's alone, or the system refuses something else.
    #[error("{0}")]
    Place(#[from] io::Error),
    /// Its [port](Door::tcp) is somebody else's, or not of the loopback interface.
    #[error("{0}")]
    Port(#[source] io::Error),
    /// The file that is to be [recorded](Door::record) to cannot be written, is something else, or is another program's.
    #[error("{0}")]
    Record(#[source] io::Error),
}

impl From<DoorError> for io::Error {
    fn from(error: DoorError) -> Self {
        match error {
            DoorError::Place(error) | DoorError::Port(error) | DoorError::Record(error) => error,
        }
    }
}

impl Door {
    /// A door to `tree`: to look, not to act.
    pub fn new(tree: &Tree) -> Self {
        let program = std::env::args_os().next().unwrap_or_default();
        let program =
            std::path::Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self {
            tree: tree.clone(),
            program,
            tcp: None,
            actions: false,
            extras: Vec::new(),
            directory: directory(),
            record: None,
        }
    }

    /// What the program calls itself, for those who choose among several; without it, the name of its file.
    pub fn program(mut self, name: impl Into<String>) -> Self {
        self.program = name.into();
        self
    }

    /// Listens on a port of the loopback interface too, for browsers and for Prometheus; port 0 is any that is free.
    pub fn tcp(mut self, address: SocketAddr) -> Self {
        self.tcp = Some(address);
        self
    }

    /// Lets those who may look also break, restart and stop parts.
    pub fn allow_actions(mut self) -> Self {
        self.actions = true;
        self
    }

    /// Where it is found; without it, in [`directory()`]. It is made if need be, and must be this user's alone.
    pub fn directory(mut self, dir: impl Into<PathBuf>) -> Self {
        self.directory = dir.into();
        self
    }

    /// Shows something beside the tree, at `/v1/extra/NAME`. `value` is called on the door's thread each time that
    /// somebody asks, and must not block.
    pub fn extra<F>(mut self, name: impl Into<String>, value: F) -> Self
    where
        F: Fn() -> serde_json::Value + Send + Sync + 'static,
    {
        self.extras.push((name.into(), Arc::new(value)));
        self
    }

    /// Writes what the door can show into a file as well, from now on until it is closed: lines of JSON, each a
    /// [`wire::Entry`]; [`recorded`] reads them. The door's thread writes, and no actor waits for it.
    ///
    /// A file of 32 MiB is called `FILE.1`, in the place of the one that had that name, and a new one is begun; so is a
    /// recording put aside that is there already. What cannot be written later, as on a full disk, is missing, with a warning
    /// in the log.
    pub fn record(mut self, path: impl Into<PathBuf>) -> Self {
        self.record = Some(path.into());
        self
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// If something that was asked for cannot be had, and what. Without that, it may be opened all the same.
    pub fn open(self) -> Result<OpenDoor, DoorError> {
        let place = Place::choose(&self.directory)?;
        let unix = server::bind(&place.socket)?;
        let tcp = self.tcp.map(server::listen).transpose().map_err(DoorError::Port)?;
        let address = tcp.as_ref().map(|tcp| tcp.local_addr()).transpose()?;
        let token = Token::new()?;
        let card = Card {
            program: self.program.clone(),
            pid: process::id(),
            socket: place.socket.clone(),
            address,
            token: address.map(|_| token.as_str().to_owned()),
        };
        let instance = wire::Instance {
            api: wire::VERSION,
            program: self.program,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: process::id(),
            root: self
                .tree
                .snapshot()
                .children
                .first()
                .map_or_else(String::new, |root| root.path.to_string()),
            since: wire::seconds_since_1970(SystemTime::now()),
            actions: self.actions,
            replay: None,
        };
        let events = self.tree.subscribe();
        let house = Arc::new(House::new(self.tree, History::new(events), instance, token, self.extras));
        let recorder = self.record.map(|path| Recorder::begin(&path, house.clone()));
        let recorder = recorder.transpose().map_err(DoorError::Record)?;
        let (close, closed) = oneshot::channel();
        let thread = server::run(Listeners { unix, tcp }, house, recorder, closed)?;
        place.publish(&card)?;
        Ok(OpenDoor { card, _place: place, close: Some(close), thread: Some(thread) })
    }
}

impl OpenDoor {
    /// What is needed to knock at it.
    pub fn card(&self) -> &Card {
        &self.card
    }
}

impl Drop for OpenDoor {
    fn drop(&mut self) {
        self.close.take();
        // What the door calls of the program's own is short.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("program", &self.program)
            .field("tree", &self.tree)
            .finish_non_exhaustive()
    }
}
