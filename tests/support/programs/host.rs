//! A program that uses latido, to be killed.

use std::env;

use actix::prelude::*;
use latido::actors::process::{Command, CommandRunner, Line, Process, ProcessReport, RunCommand};
use latido::prelude::*;

/// Starts a program per fifo, each of which holds it from somewhere else; the last is started by a runner.
pub(crate) fn run(fifos: &[&str]) {
    let ways: [&[&str]; 3] =
        [&[], &["fork", "setsid", "fork"], &["child", "setsid", "bare", "ignore-term", "fork"]];
    let program = env::current_exe().unwrap();
    let mut commands: Vec<Command> = fifos
        .iter()
        .zip(ways.iter().cycle())
        .map(|(fifo, way)| {
            let command = Command::shell("\"$@\"; exec sleep 1000").arg(&program).arg("escape");
            command.args(way.iter().copied()).arg(*fifo)
        })
        .collect();
    let last = commands.pop().unwrap();
    System::new().block_on(async move {
        let children = commands.into_iter().enumerate();
        let children =
            children.map(|(n, command)| ChildSpec::new(n.to_string(), move || Process::new(command.clone())));
        let _tree = SupervisorSpec::new("host").children(children).start().unwrap();
        let end = CommandRunner::default().start().send(RunCommand::new(last)).await;
        panic!("it was to be killed before: {end:?}");
    });
}

/// Starts a program that gets away without its environment, and says which process guards it, and how that ended.
pub(crate) fn guarded(fifo: &str) {
    struct Printer;
    impl Actor for Printer {
        type Context = Context<Self>;
    }
    impl Handler<Line> for Printer {
        type Result = ();
        fn handle(&mut self, line: Line, _: &mut Context<Self>) {
            println!("{}", line.text);
        }
    }
    let escape =
        Command::shell("\"$@\"; echo $PPID; exec sleep 1000").arg(env::current_exe().unwrap()).arg("escape");
    let escape = escape.args(["fork", "setsid", "bare", "ignore-term", "fork", fifo]);
    System::new().block_on(async move {
        let lines = Printer.start().recipient();
        let process = move || Process::new(escape.clone()).lines_to(lines.clone());
        let spec = ChildSpec::new("program", process).restart(Restart::Temporary);
        let tree = SupervisorSpec::new("host").child(spec).start().unwrap();
        let mut events = tree.subscribe();
        let exit = events.find_map("host/program", |event| match event.report()? {
            ProcessReport::Exited(exit) => Some(format!("{exit}; {}", exit.census)),
            _ => None,
        });
        println!("{}", exit.await.unwrap());
    });
}
