//! A tree with a door, in a directory of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use actix::prelude::*;
use latido::control::{Door, OpenDoor};
use latido::prelude::*;
use latido::supervision::Tree;
use latido::{EventKind, Events};

/// Where this process's doors are found.
static RUNTIME_DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    dir
});

pub fn runtime_dir() -> &'static Path {
    RUNTIME_DIR.path()
}

#[derive(Default)]
pub struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

/// Has its number doubled.
#[derive(Message)]
#[rtype(result = "u32")]
pub struct Double(pub u32);

impl Handler<Double> for Worker {
    type Result = u32;

    fn handle(&mut self, Double(n): Double, _: &mut Context<Self>) -> u32 {
        2 * n
    }
}

pub struct Watched {
    pub tree: Tree,
    pub events: Events,
    pub worker: Addr<Worker>,
}

/// `app` with the workers `one` and `two`, up.
pub async fn tree() -> Watched {
    latido::quiet_panics();
    let one = ChildSpec::new("one", Worker::default);
    let worker = one.addr();
    let spec = SupervisorSpec::new("app").intensity(100, Duration::from_secs(5));
    let tree = spec.child(one).child(ChildSpec::new("two", Worker::default)).start().unwrap();
    let mut events = tree.subscribe();
    events.until("app", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
    Watched { tree, events, worker }
}

pub fn door(tree: &Tree) -> Door {
    Door::new(tree).program("test").directory(runtime_dir())
}

/// Sends these bytes and reads all that comes back; the other side closes.
pub fn talk(door: &OpenDoor, way: Way, request: &str) -> String {
    let mut answer = Vec::new();
    match way {
        Way::Unix => {
            let mut stream = UnixStream::connect(&door.card().socket).unwrap();
            // What is refused before all of it was read breaks off.
            let _ = stream.write_all(request.as_bytes());
            stream.read_to_end(&mut answer).unwrap();
        }
        Way::Tcp => return talk_to(door.card().address.unwrap(), request),
    }
    String::from_utf8(answer).unwrap()
}

/// The same, to whoever is at this port.
pub fn talk_to(address: SocketAddr, request: &str) -> String {
    let mut answer = Vec::new();
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(request.as_bytes());
    // ... or is answered by a reset.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Unix,
    Tcp,
}

pub fn status(answer: &str) -> u16 {
    answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no answer: {answer:?}"))
}
