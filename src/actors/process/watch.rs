//! Is it ready, is it alive, is it over: what decides that a program has to end.

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::exit::ExitCause;
use super::life::Plan;
use super::messages::ProcessReport;
use super::notify::{Notice, Notify};
use super::sink::Sight;
use crate::Reporter;

/// When a program counts as started up. Until then its actor has not started either: its supervisor waits with the
/// children that come after it, and an end is a failed start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// When it runs.
    #[default]
    Started,
    /// When it has written a line with this text in it.
    Line(String),
    /// When it has said `READY=1` over the socket that the variable `NOTIFY_SOCKET` names, as with systemd.
    Notify,
    /// When it has run for this time without ending.
    Alive(Duration),
}

impl Readiness {
    pub(super) fn line(&self) -> Option<String> {
        match self {
            Self::Line(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// The look at one run of a program.
pub(super) struct Watch<'a> {
    plan: &'a Plan,
    pid: u32,
    notify: Option<Notify>,
    sights: mpsc::UnboundedReceiver<Sight>,
    started: Instant,
    is_ready: bool,
    /// When it was last heard of, or was ready.
    last_sign: Instant,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        pid: u32,
        notify: Option<Notify>,
        sights: mpsc::UnboundedReceiver<Sight>,
    ) -> Self {
        let started = Instant::now();
        Self { plan, pid, notify, sights, started, is_ready: false, last_sign: started }
    }

    /// Waits until the run is over, or there is a reason to end it. `up` is called when the program is ready.
    pub(super) async fn until_the_end(
        mut self,
        mut run: Pin<&mut impl Future>,
        stop: &mut oneshot::Receiver<()>,
        reporter: &Reporter,
        mut up: impl FnMut(),
    ) -> ExitCause {
        let mut is_ready_now = self.plan.readiness == Readiness::Started;
        loop {
            if is_ready_now && !self.is_ready {
                (self.is_ready, self.last_sign) = (true, Instant::now());
                if self.plan.readiness != Readiness::Started {
                    reporter.report(ProcessReport::Ready { after: self.started.elapsed() });
                }
                up();
                // So that it is up before it is down, however short its life.
                yield_now().await;
            }
            let deadline = self.deadline();
            // What it has said counts before what it has not: if this program was suspended meanwhile, the signs of
            // life of all that time are waiting here.
            tokio::select! {
                biased;
                _ = &mut *stop => return ExitCause::Stopped,
                notices = hear(self.notify.as_ref(), self.pid) => for notice in notices {
                    match notice {
                        Notice::Ready => is_ready_now |= self.plan.readiness == Readiness::Notify,
                        Notice::Alive => self.last_sign = Instant::now(),
                        Notice::Status(status) => reporter.report(ProcessReport::Status(status)),
                        Notice::Trigger => if let Some(limit) = self.plan.watchdog {
                            return ExitCause::Watchdog(limit);
                        },
                    }
                },
                Some(sight) = self.sights.recv() => match sight {
                    Sight::ReadyLine => is_ready_now = true,
                    Sight::BadFrame(error) => return ExitCause::BadFrame(error),
                },
                _ = run.as_mut() => {
                    return if self.is_ready { ExitCause::Itself } else { ExitCause::EndedUnready };
                }
                late = wait_for(deadline) => match late {
                    Some(cause) => return cause,
                    None => is_ready_now = true,
                },
            }
        }
    }

    /// The next moment at which something is decided by nothing having happened: why the program has to end then, or
    /// `None` if that makes it ready.
    fn deadline(&self) -> Option<(Instant, Option<ExitCause>)> {
        let Plan { readiness, ready_within, watchdog, .. } = self.plan;
        let (since, time, cause) = match (self.is_ready, readiness, watchdog) {
            (false, Readiness::Alive(time), _) => (self.started, *time, None),
            (false, _, _) => (self.started, *ready_within, Some(ExitCause::NeverReady(*ready_within))),
            (true, _, Some(limit)) => (self.last_sign, *limit, Some(ExitCause::Watchdog(*limit))),
            (true, _, None) => return None,
        };
        Some((since.checked_add(time)?, cause)) // a time beyond all clocks never comes
    }
}

async fn wait_for<T>(deadline: Option<(Instant, T)>) -> T {
    match deadline {
        Some((at, what)) => {
            sleep_until(at).await;
            what
        }
        None => std::future::pending().await,
    }
}

async fn hear(notify: Option<&Notify>, pid: u32) -> Vec<Notice> {
    match notify {
        Some(notify) => notify.next(pid).await,
        None => std::future::pending().await,
    }
}
