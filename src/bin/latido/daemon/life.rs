//! The daemon itself, from its first step to its last.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use latido::control::Door;
use latido::{EventKind, Events};
use log::Level;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

use super::detached::{self, Word};
use super::inbox::Plan;
use super::instance::Instance;
use super::log::Log;
use super::notify::Init;
use super::options::Options;
use super::signs::Signs;
use super::state::State;
use super::told::Told;
use super::{Failure, GAVE_UP, NAME, Outcome};
use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::fetch::door;
use crate::fetch::ledger::Standing;
use crate::fetch::run::{End, Ready};
use crate::signals::Signals;

/// From sign to sign of the main thread, and from beat to beat unless the init system wants more of them.
const BEAT: Duration = Duration::from_secs(1);

/// `latido daemon run`.
pub(super) fn command(args: &RunArgs) -> Outcome {
    if args.detached {
        detached::leave().map_err(Failure::io("the terminal cannot be left"))?;
    }
    let state = State::of(&args.start.state)?;
    state.make()?;
    let mut word = match args.detached {
        true => Word::take(&state.log()).map_err(Failure::io(format_args!("the log {:?}", state.log())))?,
        false => Word::to_nobody(),
    };
    let options = Options::new(&args.start)?;
    let log = Log::new(&state.log(), options.log_limit, !args.detached);
    let outcome = be(&state, options, &log, &mut word);
    if let Err(failure) = &outcome {
        log.line(Level::Error, format_args!("cannot run: {}", failure.text));
        word.failed(failure);
    }
    outcome
}

/// Becomes the one daemon of the state directory, if there is none.
fn be(state: &State, options: Options, log: &Log, word: &mut Word) -> Outcome {
    let taken = Instance::take(&state.pid()).map_err(Failure::io(format_args!("{:?}", state.pid())))?;
    let instance = taken.map_err(|pid| {
        word.running(pid);
        Failure::new(format_args!("a daemon is running already, pid {pid}"))
    })?;
    log.listen();
    if let Some(pid) = instance.before {
        log.line(
            Level::Warn,
            format_args!(
                "the daemon before, pid {pid}, was killed or crashed; this one goes on with its work"
            ),
        );
    }
    latido::quiet_panics(); // they are events, and logged as such
    let outcome = actix::System::new().block_on(live(state, options, log, word));
    instance.end();
    outcome
}

async fn live(state: &State, options: Options, log: &Log, word: &mut Word) -> Outcome {
    let mut signals = Signals::listen().map_err(Failure::io("signals"))?;
    let mut hangup = signal(SignalKind::hangup()).map_err(Failure::io("signals"))?;
    let init = Arc::new(Init::find().map_err(Failure::io("the init system cannot be reached"))?);
    let (signs, called) = (Arc::new(Signs::new()), Arc::new(Notify::new()));
    let args = options.fetch(state, Path::new("/dev/null"))?;
    let plan = Plan {
        state: state.clone(),
        options: Arc::new(options.clone()),
        signs: signs.clone(),
        called: called.clone(),
        begun: Arc::default(),
    };
    let ready = Ready::standing(&args, standing(plan, init.clone()))?;
    // Every file that was named is read by now, but for the lists, whose directory has its full name.
    std::env::set_current_dir("/").map_err(Failure::io("the directory /"))?;
    options.keep(state).map_err(Failure::io("the options cannot be kept"))?;
    let pid = std::process::id();
    log.line(Level::Info, format_args!("latido {} starts, pid {pid}", env!("CARGO_PKG_VERSION")));

    let running = ready.start()?;
    let (tree, board) = (running.tree.clone(), running.run().board);
    let told = Told { dir: options.dir, signs: signs.clone(), board, heard: Arc::default() };
    let hearing = actix::spawn(told.clone().hear(tree.subscribe(), log.clone()));
    if !is_up(tree.subscribe()).await {
        let reason = tree.join().await;
        return Err(Failure { code: GAVE_UP, text: format!("the supervision tree {reason}") });
    }
    let shown = told.clone();
    let door = Door::new(&tree)
        .program(NAME)
        .directory(state.door())
        .extra("daemon", move || serde_json::to_value(shown.status()).unwrap_or_default())
        .open();
    let door = match door {
        Ok(door) => door,
        Err(error) => {
            running.stop(&mut signals).await;
            return Err(Failure::io("the door cannot be opened")(error.into()));
        }
    };
    // A second one, where `latido ps` and its like look. The first is where the state is, whoever asks.
    let looked_at =
        door::open(NAME, &tree, &running.run(), args.door(), |words| log.line(Level::Warn, words));
    if let Some(address) = looked_at.as_ref().and_then(|door| door.card().address) {
        // The token is in no log.
        log.line(
            Level::Info,
            format_args!("has a page at http://{address}; `latido web --pid {pid}` says the link"),
        );
    }
    log.line(Level::Info, "is up");
    word.ready();
    init.ready();

    let mut moves = interval(BEAT.min(beat(&init)));
    moves.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = {
        let end = running.end(&mut signals);
        tokio::pin!(end);
        loop {
            tokio::select! {
                end = &mut end => break end,
                _ = moves.tick() => signs.main_moves(),
                _ = hangup.recv() => {
                    init.reloading();
                    log.reopen();
                    called.notify_one();
                    log.line(Level::Info, "has begun its log anew and looks into its inbox: it was told to");
                    init.ready();
                }
            }
        }
    };
    init.stopping();
    log.line(Level::Info, "stops in order; what is left to do is kept");
    running.stop(&mut signals).await;
    drop(door);
    let _ = hearing.await;
    match end {
        End::GaveUp(reason) => Err(Failure { code: GAVE_UP, text: format!("the supervision tree {reason}") }),
        End::Finished | End::Interrupted(Exit::Interrupted | Exit::Terminated) => {
            log.line(Level::Info, "has ended");
            Ok(0)
        }
        End::Interrupted(exit) => Ok(exit as u8),
    }
}

/// What makes the tree of `latido fetch` that of a daemon.
fn standing(plan: Plan, init: Arc<Init>) -> Standing {
    let (signs, beat) = (plan.signs.clone(), beat(&init));
    let limit = init.watchdog;
    // Not the heartbeat alone: it is on a thread of its own, and beats on when all else is stuck.
    let on_beat = move |_: &_| {
        if limit.is_some_and(|limit| signs.age() < limit.max(3 * BEAT)) {
            init.alive();
        }
    };
    Standing {
        way_in: Arc::new(move |ledger, hung_after| plan.spec(ledger, hung_after)),
        on_beat: Arc::new(on_beat),
        beat,
    }
}

/// Three beats within the time that the init system waits: one may be late, one may be lost.
fn beat(init: &Init) -> Duration {
    init.watchdog.map_or(BEAT, |limit| BEAT.min(limit / 3))
}

/// Waits until every part is up. If not, the tree has ended.
async fn is_up(mut events: Events) -> bool {
    events.until("latido", |event| matches!(event.kind, EventKind::Started)).await.is_some()
}
