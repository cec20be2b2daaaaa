//! `latido`: downloads, verifies and post-processes files under supervision. It uses the public API of the library
//! and nothing else.

mod cli;
mod daemon;
mod demo;
mod exit;
mod fetch;
mod jobs;
mod logging;
mod picture;
mod remote;
mod scenario;
mod signals;
mod top;
mod view;

use std::process::{ExitCode, Termination};

use clap::Parser;

use cli::{Cli, Command};
use exit::Exit;
use view::Screen;

fn main() -> ExitCode {
    latido::actors::process::init(); // a guard of the commands that --exec runs goes its own way from here
    let cli = Cli::try_parse().unwrap_or_else(cli::explain);
    match &cli.command {
        // It leaves what was inherited, so nothing may be open yet that is its own.
        Command::Daemon(args) => return daemon::command(args),
        Command::Add(args) => return daemon::add(args),
        _ => {}
    }
    latido::quiet_panics(); // they are events, and shown as such
    let screen = Screen::new();
    logging::init(&screen);
    let ended = actix::System::new().block_on(async {
        match cli.command {
            Command::Fetch(args) => fetch::command(&args, &screen).await,
            Command::Demo(args) => demo::command(&args, &screen).await,
            Command::Scenario(args) => scenario::command(&args).await,
            Command::Jobs(args) => jobs::command(&args),
            Command::Top(args) => top::command(&args, &screen).await,
            Command::Replay(args) => top::replay(&args, &screen).await,
            Command::Ps(args) => remote::ps(&args).await,
            Command::Tree(args) => remote::tree(&args).await,
            Command::Web(args) => remote::web(&args).await,
            Command::Events(args) => remote::events(&args).await,
            Command::Why(args) => remote::why(&args).await,
            Command::Inject(args) => remote::inject(&args).await,
            Command::Restart(args) => remote::restart(&args).await,
            Command::Stop(args) => remote::stop(&args).await,
            Command::Pause(args) => remote::pause(&args).await,
            Command::Resume(args) => remote::resume(&args).await,
            Command::Drain(args) => remote::drain(&args).await,
            Command::Daemon(_) | Command::Add(_) => unreachable!("they went their way above"),
        }
    });
    let exit = ended.unwrap_or_else(|error| {
        screen.line(format!("latido: {error:#}"));
        Exit::Usage
    });
    exit.report()
}
