//! A program as an actor: lines in, lines out; killed from outside, it is started again.
//!
//! Run: cargo run --example 05_process
//!
//! Expect:
//! ```text
//! apple -> 1 apple
//! pear -> 2 pear
//! failed: `/bin/sh -c "while read x; do echo $((n+=1)) $x; done" sh` was killed by SIGKILL
//! plum -> 1 plum
//! could not start broken/srot: failed: there is no program `srot`: install it, or give its full path
//! ```
//!
//! Change this:
//! - Replace `-KILL` by `-TERM`: the reason names SIGTERM.
//! - Add `.restart(Restart::Temporary)` to the program: nobody takes "plum" any more, so `main` ends with an error.

use std::error::Error;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::process::{Command, CommandRunner, Line, Process, ProcessReport, RunCommand, WriteLine};
use latido::prelude::*;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Hands the program's lines to `main`.
struct Reader(UnboundedSender<String>);

impl Actor for Reader {
    type Context = Context<Self>;
}

impl Handler<Line> for Reader {
    type Result = ();

    fn handle(&mut self, line: Line, _: &mut Context<Self>) {
        let _ = self.0.send(line.text);
    }
}

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    latido::actors::process::init(); // programs are guarded by this one, started again
    let (sender, mut lines) = unbounded_channel();
    let reader = Reader(sender).start().recipient();
    let script = Command::shell("while read x; do echo $((n+=1)) $x; done");
    let program = move || Process::new(script.clone()).lines_to(reader.clone());
    let program = ChildSpec::new("program", program);
    let input = program.addr();
    let tree = SupervisorSpec::new("app").child(program).start()?;
    let mut events = tree.subscribe();

    for word in ["apple", "pear"] {
        input.send(WriteLine(word.into())).await??;
        println!("{word} -> {}", lines.recv().await.ok_or("no line")?);
    }

    let is_report = |event: &Event| event.report::<ProcessReport>().is_some();
    let event = events.until("app/program", is_report).await;
    if let Some(ProcessReport::Started { pid, .. }) = event.as_ref().and_then(Event::report) {
        let command = Command::shell("kill -KILL $1").arg(pid.to_string());
        let kill = RunCommand::new(command);
        CommandRunner::default().start().send(kill).await??;
    }
    let is_exit = |event: &Event| matches!(event.kind, EventKind::Exited { .. });
    let exit = events.until("app/program", is_exit).await.ok_or("no exit")?;
    println!("{}", exit.kind);

    // Another shell, which has not counted yet.
    input.send(WriteLine("plum".into())).await??;
    println!("plum -> {}", lines.recv().await.ok_or("no line")?);
    tree.stop(Duration::from_secs(1)).await;

    let srot = ChildSpec::new("srot", || Process::new(Command::new("srot")));
    let broken = SupervisorSpec::new("broken").child(srot).start()?;
    println!("{}", broken.join().await);
    Ok(())
}
