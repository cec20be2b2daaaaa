//! An ordinary actix actor as a child of a tree.
//!
//! Run: cargo run --example 01_hello_actor
//!
//! Expect:
//! ```text
//! a message waits, nothing runs yet
//! greeter: started
//! answer: hello Ada, you are guest 1
//! answer: hello Grace, you are guest 2
//! greeter: stopped
//! the tree was stopped
//! a late message: Mailbox has closed
//! ```
//!
//! Change this:
//! - Add `.shutdown(Shutdown::BrutalKill)` to the child: "greeter: stopped" is gone, for it is no longer asked to stop.
//! - Replace `tree.stop(..)` by `tree.join()`: the last three lines wait for an end that never comes. Press Ctrl-C.

use std::error::Error;
use std::time::Duration;

use actix::prelude::*;
use latido::prelude::*;

#[derive(Default)]
struct Greeter {
    guests: u32,
}

impl Actor for Greeter {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        println!("greeter: started");
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        println!("greeter: stopped");
    }
}

#[derive(Message)]
#[rtype(result = "String")]
struct Greet(&'static str);

impl Handler<Greet> for Greeter {
    type Result = String;

    fn handle(&mut self, Greet(name): Greet, _: &mut Context<Self>) -> String {
        self.guests += 1;
        format!("hello {name}, you are guest {}", self.guests)
    }
}

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A child is a name and a way to build the actor. Its address is there before the actor is.
    let child = ChildSpec::new("greeter", Greeter::default);
    let greeter = child.addr();
    let early = greeter.send(Greet("Ada"));
    println!("a message waits, nothing runs yet");

    let tree = SupervisorSpec::new("app").child(child).start()?;
    println!("answer: {}", early.await?);
    println!("answer: {}", greeter.send(Greet("Grace")).await?);

    // What has not stopped within a second would be killed.
    let reason = tree.stop(Duration::from_secs(1)).await;
    println!("the tree {reason}");
    println!("a late message: {}", greeter.send(Greet("Alan")).await.unwrap_err());
    Ok(())
}
