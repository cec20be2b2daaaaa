//! The terminal, which is left as it was found: at the end, after a signal, and when the view itself panics.

use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, panic, thread};

use anyhow::{Result, bail};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// The thread that draws.
pub(super) const THREAD: &str = "latido-top";

/// What shows a program that runs without one.
pub(crate) const TREE: &str = "`latido tree` and `latido events` do without";

/// Whether there is a terminal on which something can be drawn; if not, what to do `instead`.
pub(crate) fn check(command: &str, instead: &str) -> Result<()> {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        bail!("`{command}` needs a terminal for its input and its output; {instead}");
    }
    if env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        let term = env::var("TERM").unwrap_or_default();
        bail!("`{command}` cannot draw on this terminal: TERM is {term:?}; {instead}");
    }
    Ok(())
}

/// See <https://no-color.org>.
pub(crate) fn has_colour() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A terminal that was taken. Dropped, it is given back.
pub(super) struct Taken {
    pub(super) terminal: Terminal<CrosstermBackend<io::Stdout>>,
}

/// One process has one terminal.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

impl Taken {
    pub(super) fn take() -> io::Result<Self> {
        give_back_before_a_panic_is_told();
        IS_TAKEN.store(true, Ordering::SeqCst);
        let taken = enable_raw_mode()
            .and_then(|()| execute!(stdout(), EnterAlternateScreen, Hide))
            .and_then(|()| Terminal::new(CrosstermBackend::new(stdout())));
        match taken {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        // The terminal itself may have gone.
        let _ = execute!(stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
        let _ = stdout().flush();
    }
}

/// What a panic says is said before anything is dropped, so the drawing would take it along.
fn give_back_before_a_panic_is_told() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() == Some(THREAD) {
                give_back();
            }
            previous(info);
        }));
    });
}
