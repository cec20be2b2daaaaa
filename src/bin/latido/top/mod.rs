//! `latido top` and `latido replay`: a tree on the whole terminal.
//!
//! | file | idea |
//! |---|---|
//! | [`view`] | what is shown, as a pure function of what was heard and which keys were pressed |
//! | [`keys`] | what each key does |
//! | [`faults`] | what can be done to a part, to choose from |
//! | [`draw`] | a view on a screen of any size |
//! | [`stage`] | the thread that hears, draws and acts |
//! | [`terminal`] | the terminal, which is left as it was found |

mod draw;
mod faults;
mod keys;
mod stage;
mod terminal;
mod view;

use anyhow::{Context, Result, bail};
use latido::control::{Replay, recorded};

use crate::cli::{ReplayArgs, TopArgs};
use crate::exit::Exit;
use crate::fetch::door;
use crate::picture::{LIVE, Past, RECORDED};
use crate::remote;
use crate::signals::Signals;
use crate::view::Screen;
pub(crate) use stage::{Curtain, Stage};
pub(crate) use terminal::{TREE, check as check_terminal};
pub(crate) use view::View;

/// `latido top`.
pub(crate) async fn command(args: &TopArgs, screen: &Screen) -> Result<Exit> {
    terminal::check("latido top", terminal::TREE)?;
    let (client, instance) = remote::choose(&args.at).await?;
    let mut signals = Signals::listen()?;
    let stage = Stage::live(client, instance, screen)?;
    end(stage, &mut signals).await
}

/// `latido replay`.
pub(crate) async fn replay(args: &ReplayArgs, screen: &Screen) -> Result<Exit> {
    if let Some(address) = args.web {
        let mut signals = Signals::listen()?;
        let open = Replay::new(&args.file).tcp(address).open()?;
        door::invite(open.url(), screen);
        return Ok(signals.next().await);
    }
    terminal::check("latido replay", "with --web it is shown in a browser")?;
    let mut past = Past::new(RECORDED);
    let name = args.file.display().to_string();
    for entry in recorded(&args.file).with_context(|| name.clone())? {
        past.push(entry.with_context(|| name.clone())?);
    }
    if past.span().is_none() {
        bail!("{name}: nothing is recorded there");
    }
    let mut signals = Signals::listen()?;
    let stage = Stage::recording(View::recording(past, name, terminal::has_colour()), screen)?;
    end(stage, &mut signals).await
}

/// Until the user has seen enough, or somebody else.
async fn end(mut stage: Stage, signals: &mut Signals) -> Result<Exit> {
    let exit = tokio::select! {
        curtain = stage.curtain() => match curtain? {
            Curtain::Quit => Exit::Ok,
            Curtain::Interrupted => Exit::Interrupted,
        },
        exit = signals.next() => exit,
    };
    stage.close();
    Ok(exit)
}

/// A program that runs, on a view of its own.
pub(crate) fn live_view() -> View {
    View::live(Past::new(LIVE), terminal::has_colour())
}
