//! One incident of each kind, as a reader sees it: the stories of `docs/incidents.md`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use actix::prelude::*;
use latido::incident::{Consequence, Trouble};
use latido::prelude::*;
use latido::supervision::{ActorRef, AskError};
use latido::{Report, Reporter, TreePath};

use super::support::*;
use crate::pulse::LIMIT;

/// An actor of a shop, and what can go wrong with it.
struct Till;
impl Actor for Till {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
enum Order {
    TooDear,
    PrinterGone,
    Block(mpsc::Receiver<()>),
    WaitForEver,
    EndThread,
    Fine,
}

impl Handler<Order> for Till {
    type Result = ();
    fn handle(&mut self, order: Order, ctx: &mut Context<Self>) {
        match order {
            Order::TooDear => panic!("the price does not fit"),
            Order::PrinterGone => crash("the printer does not answer"),
            Order::Block(until) => drop(until.recv().is_ok()),
            Order::WaitForEver => ctx.wait(std::future::pending().into_actor(self)),
            Order::EndThread => drop(Arbiter::current().stop()),
            Order::Fine => {}
        }
    }
}

fn till() -> (ChildSpec<Till>, ActorRef<Till>) {
    let till = ChildSpec::new("till", || Till);
    let messages = till.actor_ref();
    (till, messages)
}

fn shop() -> SupervisorSpec {
    SupervisorSpec::new("shop")
}

/// Starts the shop, lets `happen` happen, waits for the event that ends it, and gives the stories.
async fn stories(
    shop: SupervisorSpec,
    happen: impl FnOnce(&Tree),
    path: &str,
    is_last: impl FnMut(&Event) -> bool,
) -> Vec<String> {
    let tree = shop.start().unwrap();
    let mut events = tree.subscribe();
    happen(&tree);
    events.until(path, is_last).await;
    tree.stop(SECOND).await;
    tree.incidents().iter().map(ToString::to_string).collect()
}

fn is_back(event: &Event) -> bool {
    event.incarnation == 2 && matches!(event.kind, EventKind::Started)
}

fn has_left(event: &Event) -> bool {
    matches!(event.kind, EventKind::Exited { .. })
}

async fn a_panic() -> Vec<String> {
    let (till, messages) = till();
    stories(shop().child(till), |_| messages.tell(Order::TooDear).unwrap(), "shop/till", is_back).await
}

async fn a_crash_with_a_backoff() -> Vec<String> {
    let (till, messages) = till();
    let till = till.backoff(Backoff::exponential(5 * MS, SECOND));
    let happen = |_: &Tree| {
        messages.tell(Order::PrinterGone).unwrap();
        (0..3).for_each(|_| messages.tell(Order::Fine).unwrap());
    };
    stories(shop().child(till), happen, "shop/till", is_back).await
}

async fn a_fault_on_purpose_in_a_group() -> Vec<String> {
    let shop = shop().strategy(Strategy::OneForAll).child(till().0).child(child("stock"));
    let happen = |tree: &Tree| assert_eq!(tree.inject("shop/till", Fault::Panic), Ok(1));
    stories(shop, happen, "shop/stock", is_back).await
}

async fn one_that_is_not_restarted() -> Vec<String> {
    let (till, messages) = till();
    let till = till.restart(Restart::Temporary);
    stories(shop().child(till), |_| messages.tell(Order::TooDear).unwrap(), "shop/till", has_left).await
}

async fn a_factory_that_fails_the_second_time() -> Vec<String> {
    let lives = AtomicUsize::new(0);
    let till = ChildSpec::new("till", move || match lives.fetch_add(1, Ordering::SeqCst) {
        1 => crash("the drawer is locked"),
        _ => Till,
    });
    let messages = till.actor_ref();
    let is_back = |event: &Event| event.incarnation == 3 && matches!(event.kind, EventKind::Started);
    stories(shop().child(till), |_| messages.tell(Order::PrinterGone).unwrap(), "shop/till", is_back).await
}

async fn a_handler_that_blocks_its_thread() -> Vec<String> {
    let (till, messages) = till();
    let (_release, until) = mpsc::channel();
    let till = till.on(Placement::OwnThread).watchdog(LIMIT);
    stories(shop().child(till), |_| messages.tell(Order::Block(until)).unwrap(), "shop/till", is_back).await
}

async fn one_that_waits_for_ever() -> Vec<String> {
    let (till, messages) = till();
    let happen = |_: &Tree| {
        messages.tell(Order::WaitForEver).unwrap();
        messages.tell(Order::Fine).unwrap();
    };
    stories(shop().child(till.message_limit(LIMIT)), happen, "shop/till", is_back).await
}

async fn a_thread_that_ends_under_it() -> Vec<String> {
    let (till, messages) = till();
    let till = till.on(Placement::OwnThread);
    stories(shop().child(till), |_| messages.tell(Order::EndThread).unwrap(), "shop/till", is_back).await
}

async fn a_supervisor_that_gives_up() -> Vec<String> {
    let (till, messages) = till();
    let counter = SupervisorSpec::new("counter").intensity(0, SECOND).child(till);
    stories(shop().child(counter), |_| messages.tell(Order::TooDear).unwrap(), "shop/counter", is_back).await
}

async fn a_tree_that_cannot_start() -> Vec<String> {
    let till = ChildSpec::new("till", || -> Till { crash("no drawer") });
    stories(shop().child(child("stock")).child(till), |_| {}, "shop", has_left).await
}

async fn a_hang_on_purpose() -> Vec<String> {
    let (till, messages) = till();
    let happen = |tree: &Tree| {
        tree.inject("shop/till", Fault::Hang.with(Rule::message(1))).unwrap();
        messages.tell(Order::Fine).unwrap();
        messages.tell(Order::Fine).unwrap();
    };
    stories(shop().child(till.message_limit(LIMIT)), happen, "shop/till", is_back).await
}

async fn a_start_that_fails_on_purpose() -> Vec<String> {
    let (till, messages) = till();
    let tree = shop().child(till).start().unwrap();
    let mut events = tree.subscribe();
    started(&mut events, "shop/till", 1).await;
    tree.inject("shop/till", Fault::FailStarts(1)).unwrap();
    messages.tell(Order::PrinterGone).unwrap();
    started(&mut events, "shop/till", 3).await;
    tree.stop(SECOND).await;
    tree.incidents().iter().map(ToString::to_string).collect()
}

async fn a_fault_of_its_own() -> Vec<String> {
    let till = till().0.fault("jam", "its drawer jams", |_: &mut Till, _| crash("the drawer is jammed"));
    let jam = |tree: &Tree| {
        tree.inject("shop/till", "jam".parse::<latido::fault::Injection>().unwrap()).unwrap();
    };
    stories(shop().child(till), jam, "shop/till", is_back).await
}

/// Takes orders to the till, and says what became of them.
struct Desk(ActorRef<Till>);
impl Actor for Desk {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Place(Order);

#[derive(Debug)]
struct Late(AskError);
impl std::fmt::Display for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("order 17 is placed again")
    }
}
impl Report for Late {
    fn consequence(&self) -> Option<Consequence> {
        let till = || Trouble::Child(TreePath::root("shop").join("till"));
        let of = self.0.trouble().unwrap_or_else(till);
        Some(Consequence { of, matter: "order 17".to_owned(), is_settled: false })
    }
}

impl Handler<Place> for Desk {
    type Result = ResponseFuture<()>;
    fn handle(&mut self, Place(order): Place, _: &mut Context<Self>) -> Self::Result {
        let (till, reporter) = (self.0.clone(), Reporter::current());
        Box::pin(async move {
            if let Err(error) = till.ask(order).await {
                reporter.report(Late(error));
            }
        })
    }
}

fn is_late(event: &Event) -> bool {
    event.report::<Late>().is_some()
}

/// A shop with a desk, in which a fault is put into the till, and then an order is placed.
async fn at_the_desk(fault: Option<&str>, order: Order, is_last: fn(&Event) -> bool) -> Vec<String> {
    let (till, messages) = till();
    let desk = ChildSpec::new("desk", move || Desk(messages.clone()));
    let addr = desk.addr();
    let happen = |tree: &Tree| {
        if let Some(fault) = fault {
            tree.inject("shop/till", fault.parse::<latido::fault::Injection>().unwrap()).unwrap();
        }
        addr.do_send(Place(order));
    };
    stories(shop().child(till).child(desk), happen, "shop/desk", is_last).await
}

async fn one_that_others_have_to_do_with() -> Vec<String> {
    at_the_desk(None, Order::PrinterGone, is_late).await
}

async fn a_fault_that_ends_nobody() -> Vec<String> {
    at_the_desk(Some("drop:1"), Order::Fine, is_late).await
}

/// What differs from run to run: times, numbers of incidents, places in the code.
fn without_chance(story: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| "(),;".contains(c));
        let is_time = bare.starts_with(|c: char| c.is_ascii_digit()) && bare.ends_with('s');
        let is_place = bare.contains(".rs:");
        let is_number = bare.strip_suffix(':').is_some_and(|number| number.parse::<u64>().is_ok());
        if is_time || is_place || is_number { "_".to_owned() } else { word.to_owned() }
    };
    let is_trace = |line: &&str| line.starts_with("    ") && !line.contains(" later, ");
    let lines = story.lines().filter(|line| !is_trace(line));
    lines.map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_kind_of_failure_is_told_as_the_guide_says() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let all = told.clone();
    run(async move {
        let mut told = Vec::new();
        told.extend(a_panic().await);
        told.extend(a_crash_with_a_backoff().await);
        told.extend(a_fault_on_purpose_in_a_group().await);
        told.extend(one_that_is_not_restarted().await);
        told.extend(a_factory_that_fails_the_second_time().await);
        told.extend(a_handler_that_blocks_its_thread().await);
        told.extend(one_that_waits_for_ever().await);
        told.extend(a_thread_that_ends_under_it().await);
        told.extend(a_supervisor_that_gives_up().await);
        told.extend(a_tree_that_cannot_start().await);
        told.extend(a_hang_on_purpose().await);
        told.extend(a_start_that_fails_on_purpose().await);
        told.extend(a_fault_of_its_own().await);
        told.extend(one_that_others_have_to_do_with().await);
        told.extend(a_fault_that_ends_nobody().await);
        *all.lock().unwrap() = told;
    });
    let told = told.lock().unwrap();
    let guide = include_str!("../../docs/incidents.md");
    let blocks = guide.split("```text\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let promised: Vec<_> = blocks.flat_map(|block| block.split("\n\n")).map(without_chance).collect();
    let told_now: Vec<_> = told.iter().map(|story| without_chance(story)).collect();
    assert!(told_now == promised, "docs/incidents.md tells other stories than these:\n{}", told.join("\n\n"));
}
