//! A run that is looked at and broken from outside.

use std::fs::create_dir;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::latido::{BINARY, Ended, Running};
use crate::server::{Server, Step, head};

/// A run whose only file does not come, and what is said to it.
struct Looked {
    run: Running,
    dir: TempDir,
    _server: Server,
}

impl Looked {
    fn at(options: &[&str]) -> Self {
        let dir = tempdir().unwrap();
        std::fs::DirBuilder::new().mode(0o700).create(dir.path().join("doors")).unwrap();
        let (asked, is_asked) = std::sync::mpsc::channel();
        let server = Server::start(move |_| {
            let _ = asked.send(());
            vec![head("200 OK", &[("content-length", "10")]), Step::Stall]
        });
        let mut command = latido(dir.path());
        command.args(["fetch", &server.url("file"), "-d", "new"]).args(options);
        let run = Running::of(command);
        is_asked.recv().unwrap(); // the door is open before the first request
        Self { run, dir, _server: server }
    }

    fn ask(&self, args: &[&str]) -> Ended {
        ask(self.dir.path(), args)
    }
}

fn latido(dir: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(dir).env("LATIDO_RUNTIME_DIR", dir.join("doors"));
    command
}

fn ask(dir: &Path, args: &[&str]) -> Ended {
    Ended::of(latido(dir).args(args).output().unwrap())
}

#[test]
fn a_run_is_found_and_shown() {
    let looked = Looked::at(&[]);
    let pid = looked.run.pid().to_string();
    let ps = looked.ask(&["ps"]).with_code(0).stdout;
    assert!(ps.lines().any(|line| line.contains(&pid) && line.contains("latido fetch")), "{ps}");
    // The first request may go out before the last part is up.
    let tree = loop {
        let tree = looked.ask(&["tree", "--pid", &pid]).with_code(0).stdout;
        if tree.starts_with("latido         running") {
            break tree;
        }
    };
    for part in
        ["latido         running   #1", "  heartbeat    running", "    0          running", "Downloader"]
    {
        assert!(tree.contains(part), "{part} is not in\n{tree}");
    }
    let tree: Value = serde_json::from_str(&looked.ask(&["tree", "--json"]).with_code(0).stdout).unwrap();
    assert_eq!(tree["children"][0]["path"], "latido");
    let events = looked.ask(&["events", "latido/ledger", "--json"]).with_code(0).stdout;
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!events.is_empty() && events.iter().all(|event| event["path"] == "latido/ledger"), "{events:?}");
}

#[test]
fn a_part_that_is_broken_from_outside_comes_back_and_its_story_is_told() {
    let looked = Looked::at(&["--allow-actions"]);
    let nothing = looked.ask(&["why"]).with_code(2).stderr;
    assert!(nothing.contains("nothing has failed in latido fetch"), "{nothing}");
    looked.ask(&["inject", "latido/cpu", "panic"]).with_code(0);
    // Each question is a process of its own, so this takes its time between them.
    let story = loop {
        let story = looked.ask(&["why"]).with_code(0).stdout;
        if story.contains("up again as #2") {
            break story;
        }
    };
    for part in ["latido/cpu #1 panicked", "it was put there on purpose: panic", "restart 1 of 15"] {
        assert!(story.contains(part), "{part} is not in\n{story}");
    }
    assert_eq!(looked.ask(&["why", "latido/cpu"]).with_code(0).stdout, story);
    looked.ask(&["restart", "latido/cpu"]).with_code(0);
    looked.ask(&["stop", "latido/heartbeat"]).with_code(0);
    let tree = looked.ask(&["tree"]).with_code(0).stdout;
    assert!(tree.contains("heartbeat    finished"), "{tree}");
}

#[test]
fn a_part_is_paused_resumed_drained_and_tells_what_can_be_done_to_it() {
    let looked = Looked::at(&["--allow-actions"]);
    let line = |part: &str| {
        let tree = looked.ask(&["tree"]).with_code(0).stdout;
        tree.lines().find(|line| line.trim_start().starts_with(part)).unwrap().to_owned()
    };
    while !line("cpu").contains("running") {}
    let faults = looked.ask(&["inject", "latido/downloaders/0"]).with_code(0).stdout;
    assert!(faults.contains("block:SECONDS") && faults.contains("cut "), "{faults}");
    let said = looked.ask(&["pause", "latido/cpu"]).with_code(0).stdout;
    assert!(said.contains("until `latido resume latido/cpu`"), "{said}");
    assert!(line("cpu").contains(", paused"), "{}", line("cpu"));
    looked.ask(&["resume", "latido/cpu"]).with_code(0);
    assert!(!line("cpu").contains("paused"));
    looked.ask(&["inject", "latido/cpu", "panic@p=0.5", "--seed", "9"]).with_code(0);
    assert!(line("cpu").contains("armed with panic@p=0.5,seed=9"), "{}", line("cpu"));
    looked.ask(&["inject", "**", "heal"]).with_code(0);
    assert!(!line("cpu").contains("armed"));
    looked.ask(&["drain", "latido/cpu"]).with_code(0);
    assert!(line("cpu").contains("finished"), "{}", line("cpu"));
    looked.ask(&["restart", "latido/cpu"]).with_code(0);
    let said = looked.ask(&["drain", "latido"]).with_code(2).stderr;
    assert!(said.contains("is a supervisor"), "{said}");
}

#[test]
fn what_is_not_allowed_or_not_there_is_refused_in_words() {
    let looked = Looked::at(&[]);
    for (args, words) in [
        (&["inject", "latido/cpu", "panic"][..], "allows to look, not to act"),
        (&["stop", "latido/cpu"], "start it with --allow-actions"),
        (&["why", "17"], "no incident of \"17\" is known"),
        (&["why", "latido/cpu"], "no incident of \"latido/cpu\" is known"),
        (&["why", "latido/gpu"], "there is no part \"latido/gpu\""),
        (&["tree", "--pid", "1"], "no program with the number 1 has a door"),
        (&["inject", "latido/cpu", "panic@x"], "`x` is no rule"),
        (&["pause", "latido/cpu"], "allows to look, not to act"),
    ] {
        let said = looked.ask(args).with_code(2).stderr;
        assert!(said.contains(words), "{args:?}: {said}");
    }
    let other = tempdir().unwrap();
    let said = ask(other.path(), &["tree"]).with_code(2).stderr;
    assert!(said.contains("no program runs that could be asked"), "{said}");
}

#[test]
fn a_run_that_cannot_open_its_door_fetches_all_the_same() {
    let dir = tempdir().unwrap();
    let doors = dir.path().join("doors");
    create_dir(&doors).unwrap();
    std::fs::set_permissions(&doors, std::fs::Permissions::from_mode(0o777)).unwrap();
    let server = Server::start(|_| crate::server::ok("here"));
    let url = server.url("file");
    let ended = ask(dir.path(), &["fetch", &url, "-d", "new", "--web", "--record", "run.jsonl"]).with_code(0);
    let words = "nobody can look in with `latido tree`, there is no page, nothing is recorded: ";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    assert_eq!(std::fs::read(dir.path().join("new/file")).unwrap(), b"here");
}

#[test]
fn a_run_with_a_page_says_its_link_and_one_without_how_to_have_it() {
    let without = Looked::at(&[]);
    let said = without.ask(&["web"]).with_code(2).stderr;
    assert!(said.contains("serves no page; start it with --web"), "{said}");

    let looked = Looked::at(&["--web"]);
    let url = looked.ask(&["web"]).with_code(0).stdout;
    let (address, token) = url.trim_end().strip_prefix("http://").unwrap().split_once("/#token=").unwrap();
    assert_eq!(looked.ask(&["web", "--pid", &looked.run.pid().to_string()]).with_code(0).stdout, url);
    let get = |path: &str, token: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!("Host: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close");
        write!(stream, "GET {path} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(get("/", "").contains("<title>latido</title>"));
    assert!(get("/v1/tree", token).contains("latido/ledger"));
    assert!(get("/v1/tree", "").starts_with("HTTP/1.1 401"));
    looked.run.signal(Signal::SIGINT);
    assert!(looked.run.end().with_code(130).stderr.contains(url.trim_end()));
}

/// Whoever is stopped by hand answers at once that it is down, each time that it is asked.
#[test]
fn a_downloader_that_is_stopped_by_hand_holds_up_nobody() {
    let dir = tempdir().unwrap();
    std::fs::DirBuilder::new().mode(0o700).create(dir.path().join("doors")).unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (asked, is_asked) = std::sync::mpsc::channel();
    let released = std::sync::Mutex::new(released);
    let server = Server::start(move |request| {
        if request.path == "0" {
            let _ = asked.send(());
            let _ = released.lock().unwrap().recv();
        }
        crate::server::ok("here")
    });
    let list: String = (0..40).map(|n| server.url(&n.to_string()) + "\n").collect();
    std::fs::write(dir.path().join("list"), list).unwrap();
    let mut command = latido(dir.path());
    command.args(["fetch", "-i", "list", "-d", "new", "-j", "2", "--allow-actions"]);
    let run = Running::of(command);
    is_asked.recv().unwrap();
    for part in ["latido/downloaders/0", "latido/cpu"] {
        ask(dir.path(), &["stop", part]).with_code(0);
    }
    drop(release);
    let ended = run.end().with_code(0);
    let losses = ended.stderr.lines().filter(|line| line.contains("lost while")).count();
    assert!(losses < 100, "{losses} losses:\n{}", ended.stderr);
}
