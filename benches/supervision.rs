//! What supervision costs: a supervised child beside the same actor under plain actix, in one run.
//!
//! Run: `cargo bench --bench supervision`, or a part of it: `-- messages`, `-- watched`, `-- restarts`, `-- children`.
//! The two are timed in turn, round by round; a row shows the median of each and the median of the rounds' ratios, which
//! holds while the machine's speed drifts.

use std::env;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use actix::prelude::*;
use latido::EventKind;
use latido::supervision::{ActorRef, ChildSpec, Placement, SupervisorSpec, Tree};

const ROUNDS: usize = 15;
const SECOND: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Counter(u64);
impl Actor for Counter {
    type Context = Context<Self>;
    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(0);
    }
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Add(u64);
impl Handler<Add> for Counter {
    type Result = u64;
    fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> u64 {
        self.0 = black_box(self.0 + n);
        self.0
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Die;
impl Handler<Die> for Counter {
    type Result = ();
    fn handle(&mut self, _: Die, _: &mut Context<Self>) {
        latido::crash("bench")
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Panic;
impl Handler<Panic> for Counter {
    type Result = ();
    fn handle(&mut self, _: Panic, _: &mut Context<Self>) {
        panic!("bench")
    }
}

fn main() {
    latido::quiet_panics();
    System::new().block_on(async {
        if is_wanted("messages") {
            println!("{:<44} {:>12} {:>12} {:>7}", "", "raw actix", "supervised", "ratio");
            messages_on_the_same_thread().await;
            messages_across_threads().await;
        }
        if is_wanted("watched") {
            println!("\n{:<44} {:>12} {:>12} {:>7}", "", "supervised", "watched", "ratio");
            messages_of_a_watched_child("across threads", &Placement::OwnThread).await;
            messages_of_a_watched_child("same thread", &Placement::Current).await;
        }
        if is_wanted("restarts") {
            println!();
            crash_to_answer().await;
            for children in [1, 1_000] {
                restarts(children).await;
            }
        }
        if is_wanted("children") {
            println!();
            for children in [1_000, 100_000] {
                start_and_stop(children).await;
            }
        }
    });
}

/// Without arguments all parts run. Cargo adds `--bench`.
fn is_wanted(part: &str) -> bool {
    let parts: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    parts.is_empty() || parts.iter().any(|wanted| wanted == part)
}

async fn messages_on_the_same_thread() {
    let spec = ChildSpec::new("here", Counter::default);
    let refs = [spec.actor_ref()];
    let (tree, addrs) = start([spec], &Placement::Current);
    let here = (Counter::default().start(), addrs[0].clone());
    compare("tell, same thread", &here, tells).await;
    compare("ask, same thread", &here, asks).await;
    compare("1,000 asks in flight, same thread", &here, many_asks).await;
    compare_refs("same thread", &here.0, &refs[0]).await;
    tree.stop(SECOND).await;
}

async fn messages_across_threads() {
    let arbiter = Arbiter::new();
    let spec = ChildSpec::new("there", Counter::default);
    let refs = [spec.actor_ref()];
    let (tree, addrs) = start([spec], &Placement::OwnThread);
    let raw = Counter::start_in_arbiter(&arbiter.handle(), |_| Counter::default());
    let there = (raw, addrs[0].clone());
    compare("tell, across threads", &there, tells).await;
    compare("ask, across threads", &there, asks).await;
    compare("1,000 asks in flight, across threads", &there, many_asks).await;
    compare_refs("across threads", &there.0, &refs[0]).await;
    tree.stop(SECOND).await;
}

async fn messages_of_a_watched_child(place: &str, placement: &Placement) {
    let specs = [
        ChildSpec::new("alone", Counter::default),
        ChildSpec::new("watched", Counter::default).watchdog(SECOND).message_limit(SECOND),
    ];
    let (tree, addrs) = start(specs, placement);
    let pair = (addrs[0].clone(), addrs[1].clone());
    compare(&format!("tell, {place}"), &pair, tells).await;
    compare(&format!("ask, {place}"), &pair, asks).await;
    tree.stop(SECOND).await;
}

type Pair = (Addr<Counter>, Addr<Counter>);

/// The same through an `ActorRef`.
async fn compare_refs(place: &str, raw: &Addr<Counter>, supervised: &ActorRef<Counter>) {
    let tell = async || {
        (0..100_000).for_each(|n| supervised.tell(Add(n)).unwrap());
        black_box(supervised.ask(Add(0)).await.unwrap());
        100_001
    };
    in_turn(&format!("tell by ActorRef, {place}"), async || tells(raw).await, tell).await;
    let ask = async || {
        for n in 0..20_000 {
            black_box(supervised.ask(Add(n)).await.unwrap());
        }
        20_000
    };
    in_turn(&format!("ask by ActorRef, {place}"), async || asks(raw).await, ask).await;
}

/// Times `work` on both addresses in turn; `work` says how many messages it sent.
async fn compare(name: &str, (raw, supervised): &Pair, work: impl AsyncFn(&Addr<Counter>) -> u32) {
    in_turn(name, async || work(raw).await, async || work(supervised).await).await;
}

async fn in_turn(name: &str, raw: impl AsyncFn() -> u32, supervised: impl AsyncFn() -> u32) {
    let (mut of_raw, mut of_supervised, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let a = each(&raw).await;
        let b = each(&supervised).await;
        if round > 0 {
            of_raw.push(a);
            of_supervised.push(b);
            ratios.push(b / a);
        }
    }
    let (raw, supervised, ratio) = (median(of_raw), median(of_supervised), median(ratios));
    println!("{name:<44} {raw:>9.0} ns {supervised:>9.0} ns {ratio:>7.2}");
}

/// Nanoseconds a message.
async fn each(work: &impl AsyncFn() -> u32) -> f64 {
    let start = Instant::now();
    let messages = work().await;
    start.elapsed().as_nanos() as f64 / f64::from(messages)
}

async fn tells(addr: &Addr<Counter>) -> u32 {
    (0..100_000).for_each(|n| addr.do_send(Add(n)));
    black_box(addr.send(Add(0)).await.unwrap());
    100_001
}

async fn asks(addr: &Addr<Counter>) -> u32 {
    for n in 0..20_000 {
        black_box(addr.send(Add(n)).await.unwrap());
    }
    20_000
}

async fn many_asks(addr: &Addr<Counter>) -> u32 {
    for _ in 0..20 {
        let asks = (0..1_000).map(|n| addr.send(Add(n)));
        black_box(futures::future::join_all(asks).await);
    }
    20_000
}

/// From sending what crashes the child to the answer of its successor.
async fn crash_to_answer() {
    let (tree, addrs) = start([ChildSpec::new("child", Counter::default)], &Placement::Current);
    for (name, panics) in [("crash() to next answer, p50", false), ("panic!() to next answer, p50", true)] {
        let mut times = Vec::new();
        for _ in 0..20_000 {
            let start = Instant::now();
            match panics {
                true => addrs[0].do_send(Panic),
                false => addrs[0].do_send(Die),
            }
            black_box(addrs[0].send(Add(1)).await.unwrap());
            times.push(start.elapsed().as_nanos() as f64);
        }
        println!("{name:<57} {:>9.0} ns", median(times));
    }
    tree.stop(SECOND).await;
}

async fn restarts(children: usize) {
    const RESTARTS: usize = 100_000;
    let specs = (0..children).map(|n| ChildSpec::new(n.to_string(), Counter::default));
    let (tree, addrs) = start(specs, &Placement::Current);
    let start = Instant::now();
    for _ in 0..RESTARTS / children {
        addrs.iter().for_each(|addr| addr.do_send(Die));
        futures::future::join_all(addrs.iter().map(|addr| addr.send(Add(1)))).await;
    }
    let rate = RESTARTS as f64 / start.elapsed().as_secs_f64();
    println!("{:<57} {rate:>9.0} /s", format!("restarts, {children} children"));
    tree.stop(SECOND).await;
}

async fn start_and_stop(children: usize) {
    let before = resident_memory();
    let begin = Instant::now();
    let specs = (0..children).map(|n| ChildSpec::new(n.to_string(), Counter::default));
    let (tree, addrs) = start(specs, &Placement::Current);
    tree.subscribe().until("bench", |event| matches!(event.kind, EventKind::Started)).await;
    let started = begin.elapsed().as_nanos() as f64 / children as f64;
    let memory = (resident_memory() - before) / children as f64;
    let begin = Instant::now();
    tree.stop(60 * SECOND).await;
    let stopped = begin.elapsed().as_nanos() as f64 / children as f64;
    drop(addrs);
    println!(
        "{:<33} start {started:>7.0} ns, stop {stopped:>7.0} ns, memory {memory:>6.0} B each",
        format!("{children} children")
    );
}

fn start(
    specs: impl IntoIterator<Item = ChildSpec<Counter>>,
    placement: &Placement,
) -> (Tree, Vec<Addr<Counter>>) {
    let specs: Vec<_> = specs.into_iter().map(|spec| spec.on(placement.clone())).collect();
    let addrs = specs.iter().map(ChildSpec::addr).collect();
    let tree = SupervisorSpec::new("bench").intensity(u32::MAX, SECOND).children(specs).start().unwrap();
    (tree, addrs)
}

fn resident_memory() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
