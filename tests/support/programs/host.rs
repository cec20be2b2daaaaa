//! A program that uses latido, to be killed.

use std::env;

use actix::prelude::*;
use latido::actors::process::{Command, CommandRunner, Process, RunCommand};
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
