//! What it costs a program to be watched: a thousand actors, ten thousand events a second, and nobody, a door, `latido top`
//! or a recording beside it.
//!
//! Run: `cargo bench --bench watching`, or for so many rounds: `-- 20`.
//!
//! The actors pass messages as fast as one thread can; what is counted is how many are handled. The four are timed in turn,
//! round by round, and compared with the first of the same round. What `latido top` itself takes is the processor time
//! of its process; how fluid it is, the time from a key to what it changes on the terminal.

use std::env;
use std::fmt;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use actix::prelude::*;
use latido::control::Door;
use latido::supervision::{Arbiters, ChildSpec, Placement, SupervisorSpec, Tree};
use latido::{Report, Reporter};
use nix::pty::{Winsize, openpty};

const ACTORS: usize = 1_000;
const EVENTS_A_SECOND: u32 = 10_000;
const ROUND: Duration = Duration::from_secs(4);
/// Until the viewer is there, and all are as busy as they will be.
const BEGINNING: Duration = Duration::from_millis(1_500);

/// Handles a message, and sends the next to its neighbour.
struct Worker {
    next: Option<Addr<Worker>>,
    handled: Arc<AtomicU64>,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Pass;

#[derive(Message)]
#[rtype(result = "()")]
struct Neighbour(Addr<Worker>);

impl Actor for Worker {
    type Context = Context<Self>;
}

impl Handler<Neighbour> for Worker {
    type Result = ();
    fn handle(&mut self, Neighbour(next): Neighbour, _: &mut Context<Self>) {
        self.next = Some(next);
    }
}

impl Handler<Pass> for Worker {
    type Result = ();
    fn handle(&mut self, pass: Pass, _: &mut Context<Self>) {
        self.handled.fetch_add(1, Ordering::Relaxed);
        if let Some(next) = &self.next {
            next.do_send(pass);
        }
    }
}

/// Says something, a thousand times a second.
struct Speaker(Reporter);

#[derive(Debug)]
struct Words(u32);
impl Report for Words {}
impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item-{:04}.bin: done, 1.73 MiB", self.0 % 10_000)
    }
}

impl Actor for Speaker {
    type Context = Context<Self>;
    fn started(&mut self, ctx: &mut Context<Self>) {
        let (begun, mut said) = (Instant::now(), 0);
        ctx.run_interval(Duration::from_millis(1), move |speaker, _| {
            let due = (begun.elapsed().as_secs_f64() * f64::from(EVENTS_A_SECOND)) as u32;
            for n in said..due {
                speaker.0.report(Words(n));
            }
            said = due;
        });
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    Nobody,
    Door,
    Top,
    Recording,
}

struct Measured {
    handled: f64,
    /// Processor time of this process, in seconds a second.
    time: f64,
    /// Of the door's thread.
    door: f64,
    /// Of the viewer.
    viewer: f64,
    keys: Vec<Duration>,
}

fn main() {
    let rounds: usize = env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(8);
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let all = [Beside::Nobody, Beside::Door, Beside::Top, Beside::Recording];
    let mut ratios: Vec<Vec<(f64, f64)>> = vec![Vec::new(); all.len()];
    let (mut keys, mut viewer) = (Vec::new(), Vec::new());
    println!("load at the beginning: {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
    for round in 0..rounds {
        let mut measured: Vec<Option<Measured>> = all.iter().map(|_| None).collect();
        // Each is the first as often as the others.
        for n in (0..all.len()).map(|n| (n + round) % all.len()) {
            measured[n] = Some(actix::System::new().block_on(measure(all[n], dir.path())));
        }
        let measured: Vec<Measured> = measured.into_iter().flatten().collect();
        let nobody = (measured[0].handled, measured[0].time);
        for (n, measured) in measured.into_iter().enumerate() {
            let of_all = measured.handled / nobody.0;
            let of_time = (measured.handled / measured.time) / (nobody.0 / nobody.1);
            ratios[n].push((of_all, of_time));
            println!(
                "{round} {:?}: {:.2} M messages a second, {of_all:.2} of them beside nobody, {of_time:.2} of them in the same \
                 processor time; {:.2} s/s, {:.3} of them the door's",
                all[n],
                measured.handled / 1e6,
                measured.time,
                measured.door
            );
            if all[n] == Beside::Top {
                viewer.push(measured.viewer);
                keys.extend(measured.keys);
            }
        }
    }
    println!("load at the end: {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
    for (beside, ratios) in all.into_iter().zip(ratios) {
        let (by_wall, by_time): (Vec<f64>, Vec<f64>) = ratios.into_iter().unzip();
        println!(
            "{beside:?}: {:.3} of the messages, {:.3} in the same processor time (medians)",
            median(by_wall),
            median(by_time)
        );
    }
    keys.sort();
    let at = |share: f64| keys[((keys.len() - 1) as f64 * share) as usize];
    println!(
        "top: {:.2} s of processor time a second; a key is answered after {:?} (median), {:?} (95 %)",
        median(viewer),
        at(0.5),
        at(0.95)
    );
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

async fn measure(beside: Beside, dir: &Path) -> Measured {
    let handled = Arc::new(AtomicU64::new(0));
    let tree = start(&handled);
    let door = Door::new(&tree).directory(dir);
    let door = match beside {
        Beside::Nobody => None,
        Beside::Recording => Some(door.record(dir.join("run.jsonl")).open().unwrap()),
        Beside::Door | Beside::Top => Some(door.open().unwrap()),
    };
    let mut viewer = (beside == Beside::Top).then(|| Viewer::start(dir));
    tokio::time::sleep(BEGINNING).await;
    let (begun, before, time) = (Instant::now(), handled.load(Ordering::Relaxed), cpu(std::process::id()));
    let of_door = door_cpu();
    let of_viewer = viewer.as_ref().map(|viewer| cpu(viewer.child.id()));
    let mut keys = Vec::new();
    match &mut viewer {
        None => std::thread::sleep(ROUND),
        Some(viewer) => {
            while begun.elapsed() < ROUND {
                keys.extend(viewer.key());
                std::thread::sleep(Duration::from_millis(173));
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let measured = Measured {
        handled: (handled.load(Ordering::Relaxed) - before) as f64 / seconds,
        time: (cpu(std::process::id()) - time) / seconds,
        door: (door_cpu() - of_door) / seconds,
        viewer: viewer
            .as_ref()
            .map_or(0.0, |viewer| (cpu(viewer.child.id()) - of_viewer.unwrap_or(0.0)) / seconds),
        keys,
    };
    drop(viewer);
    drop(door);
    tree.stop(Duration::ZERO).await;
    measured
}

/// A ring of workers on a thread of their own, and somebody who speaks on another.
fn start(handled: &Arc<AtomicU64>) -> Tree {
    let arbiters = Arbiters::new(1);
    let mut workers = SupervisorSpec::new("workers");
    let mut addrs = Vec::new();
    for n in 0..ACTORS {
        let handled = handled.clone();
        let worker = ChildSpec::new(format!("{n}"), move || Worker { next: None, handled: handled.clone() });
        addrs.push(worker.addr());
        workers = workers.child(worker.on(Placement::Shared(arbiters.clone())));
    }
    for (n, addr) in addrs.iter().enumerate() {
        addr.do_send(Neighbour(addrs[(n + 1) % ACTORS].clone()));
    }
    let speaker = ChildSpec::new("speaker", || Speaker(Reporter::current())).on(Placement::OwnThread);
    let tree = SupervisorSpec::new("bench").child(speaker).child(workers).start().unwrap();
    // So many are under way at the same time.
    addrs.iter().step_by(10).for_each(|addr| addr.do_send(Pass));
    tree
}

/// Processor time of a process until now, in seconds.
fn cpu(pid: u32) -> f64 {
    ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).unwrap())
}

/// Of the door's thread, if there is a door.
fn door_cpu() -> f64 {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let stats = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    stats.filter(|stat| stat.contains("(latido-door)")).map(|stat| ticks(&stat)).sum()
}

fn ticks(stat: &str) -> f64 {
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// `latido top` on a terminal of 80 columns.
struct Viewer {
    child: Child,
    keys: File,
    shown: Receiver<Vec<u8>>,
    is_down: bool,
}

impl Viewer {
    fn start(dir: &Path) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let ends = openpty(Some(&size), None).unwrap();
        let stream = || Stdio::from(ends.slave.try_clone().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
        command.args(["top", "--pid", &std::process::id().to_string()]);
        command.env("TERM", "xterm").env("LATIDO_RUNTIME_DIR", dir);
        let child = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
        let (sink, shown) = channel();
        let mut master = File::from(ends.master.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut bytes = [0; 65_536];
            while let Ok(n @ 1..) = master.read(&mut bytes) {
                if sink.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys: File::from(ends.master), shown, is_down: false }
    }

    /// How long it takes until the mark of the chosen part has moved.
    fn key(&mut self) -> Option<Duration> {
        while self.shown.try_recv().is_ok() {}
        let begun = Instant::now();
        self.is_down = !self.is_down;
        self.keys.write_all(if self.is_down { b"j" } else { b"k" }).unwrap();
        loop {
            match self.shown.recv_timeout(Duration::from_secs(5)) {
                Ok(bytes) if bytes.contains(&b'>') => return Some(begun.elapsed()),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
