//! An actor that panics, and crashes on purpose: each time a new one takes its place, at the same address.
//!
//! Run: cargo run --example 02_supervised_actor
//!
//! Expect:
//! ```text
//! 1: the sum is 1
//! ten: Mailbox has closed
//! 4: the sum is 4
//! 99: Mailbox has closed
//! 6: the sum is 6
//! app/adder #1 started
//! app/adder #1 panicked: a number: ParseIntError { kind: InvalidDigit } at examples/02_supervised_actor.rs:50:39
//! app/adder #1 restarts at once (failure 1 in a row, restart 1 of 3 in 5s)
//! app/adder #2 started
//! app/adder #2 failed: the sum is 103, more than 100
//! app/adder #2 restarts at once (failure 1 in a row, restart 2 of 3 in 5s)
//! app/adder #3 started
//! app/adder #3 stopped
//! ```
//!
//! Change this:
//! - Add `.restart(Restart::Temporary)` to the child: all answers after "ten" are errors, and there is no #2.
//! - Add `.intensity(1, Duration::from_secs(5))` to the supervisor: the second crash is one too many. The supervisor
//!   gives up, "6" has no answer, and there is no #3.

use std::error::Error;
use std::time::Duration;

use actix::prelude::*;
use latido::prelude::*;

/// Adds numbers up to 100.
#[derive(Default)]
struct Adder(i64);

impl Actor for Adder {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "i64")]
struct Add(&'static str);

impl Handler<Add> for Adder {
    type Result = i64;

    fn handle(&mut self, Add(text): Add, _: &mut Context<Self>) -> i64 {
        // A bug: not every text is a number.
        self.0 += text.parse::<i64>().expect("a number");
        // A state that must not be, and the actor knows it: it ends itself, with a reason.
        if self.0 > 100 {
            crash(format!("the sum is {}, more than 100", self.0));
        }
        self.0
    }
}

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    latido::quiet_panics(); // They are on the event stream; Rust need not print them too.
    let child = ChildSpec::new("adder", Adder::default);
    let adder = child.addr();
    let tree = SupervisorSpec::new("app").child(child).start()?;
    let mut events = tree.subscribe();

    // All are sent at once. Of those in the mailbox a crash takes only the one that is being handled.
    let answers = ["1", "ten", "4", "99", "6"].map(|text| (text, adder.send(Add(text))));
    for (text, answer) in answers {
        match answer.await {
            Ok(sum) => println!("{text}: the sum is {sum}"),
            Err(error) => println!("{text}: {error}"),
        }
    }
    tree.stop(Duration::from_secs(1)).await; // and with it the stream of events
    while let Some(event) = events.until("app/adder", |_| true).await {
        println!("{} #{} {}", event.path, event.incarnation, event.kind);
    }
    Ok(())
}
