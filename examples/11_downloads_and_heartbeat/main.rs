//! Two downloads, one in a thread and one in a process, and a daemon that beats. Each of the three is killed once.
//!
//! Run: cargo run --example 11_downloads_and_heartbeat
//!
//! Expect:
//! ```text
//! half of each file is here, and neither has its name
//! thread: killed with its download, which is asked for again
//! thread: a is whole
//! process: killed by signal 9
//! process: started again, b is whole
//! daemon: failed: injected fault
//! daemon: beats again, and has not lost count
//! the tree was stopped
//! ```
//!
//! Change this:
//! - Let `serve` hold the second answer back too (`*n < 2`): main waits for ever. Press Ctrl-C: all three end in order.
//! - Leave out `publish()`: the bytes come, but there is no file; what nobody vouches for is removed.

mod server;

use std::error::Error;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::downloader::{Downloader, Fetch};
use latido::actors::heartbeat::{Beat, Heartbeat};
use latido::actors::process::{Command, Process, ProcessReport};
use latido::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use server::{CONTENT, serve};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

async fn download(downloader: &Addr<Downloader>, url: &str, target: &Path) -> Result {
    downloader.send(Fetch::new(url, target)).await??.publish()?;
    Ok(())
}

#[actix::main]
async fn main() -> Result {
    latido::actors::process::init(); // programs are guarded by this one, started again
    let words: Vec<_> = std::env::args().collect();
    if let [_, url, target] = &words[..] {
        return download(&Downloader::default().start(), url, target.as_ref()).await; // the process
    }
    latido::quiet_panics();
    let dir = tempfile::tempdir()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let (tell, halves) = unbounded_channel();
    thread::spawn(move || serve(&listener, &tell));

    let heartbeat = Heartbeat::every(Duration::from_millis(10)).spec("daemon");
    let thread = ChildSpec::new("thread", Downloader::default).on(Placement::OwnThread);
    let downloader = thread.addr();
    let program = Command::new(std::env::current_exe()?).arg(format!("{url}/b")).arg(dir.path().join("b"));
    let process = ChildSpec::new("process", move || Process::new(program.clone()));
    let process = process.restart(Restart::Transient); // done is done
    let tree = SupervisorSpec::new("app").child(heartbeat).child(thread).child(process).start()?;
    tokio::select! {
        done = kill_each_once(&tree, downloader, &url, dir.path(), halves) => done?,
        _ = tokio::signal::ctrl_c() => {}
    }
    println!("the tree {}", tree.stop(Duration::from_secs(1)).await);
    Ok(())
}

async fn kill_each_once(
    tree: &Tree,
    downloader: Addr<Downloader>,
    url: &str,
    dir: &Path,
    mut halves: UnboundedReceiver<()>,
) -> Result {
    let [mut of_process, mut events] = [tree.subscribe(), tree.subscribe()];
    let [a, b] = ["a", "b"].map(|name| dir.join(name));
    let first = actix::spawn(downloader.send(Fetch::new(format!("{url}/a"), &a)));
    for _ in ["a", "b"] {
        halves.recv().await.ok_or("no server")?;
    }
    assert!(!a.exists() && !b.exists());
    println!("half of each file is here, and neither has its name");

    tree.inject("app/thread", Fault::Panic)?;
    assert!(first.await?.is_err());
    println!("thread: killed with its download, which is asked for again");
    download(&downloader, &format!("{url}/a"), &a).await?;
    assert!(fs::read(&a)? == CONTENT);
    println!("thread: a is whole");

    let pid = |event: &Event| match event.report()? {
        ProcessReport::Started { pid, .. } => Some(*pid),
        _ => None,
    };
    let exit = |event: &Event| match event.report()? {
        ProcessReport::Exited(exit) => Some((exit.signal(), exit.code())),
        _ => None,
    };
    let pid = of_process.find_map("app/process", pid).await.ok_or("no process")?;
    std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status()?;
    let (signal, _) = of_process.find_map("app/process", exit).await.ok_or("no exit")?;
    println!("process: killed by signal {}", signal.ok_or("it was not")?);
    assert_eq!(of_process.find_map("app/process", exit).await, Some((None, Some(0))));
    assert!(fs::read(&b)? == CONTENT);
    println!("process: started again, b is whole");

    let beat = |event: &Event| Some(event.report::<Beat>()?.seq);
    let beats = events.find_map("app/daemon", beat).await.ok_or("no beat")?;
    tree.inject("app/daemon", Fault::Fail)?;
    let is_exit = |event: &Event| matches!(event.kind, EventKind::Exited { .. });
    println!("daemon: {}", events.until("app/daemon", is_exit).await.ok_or("no exit")?.kind);
    assert!(events.find_map("app/daemon", beat).await.ok_or("no beat")? > beats);
    println!("daemon: beats again, and has not lost count");
    assert_eq!(fs::read_dir(dir)?.count(), 2, "nothing half-written is left");
    Ok(())
}
