//! Is it ready, is it alive, is it over: what decides that a program has to end.

use std::pin::Pin;
use std::time::Duration;

use futures::FutureExt;
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

/// What there is to know of a program, or to do about it.
#[derive(PartialEq, Eq)]
enum Said {
    Ready,
    Alive,
    Status(String),
    End(ExitCause),
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
        let mut said = match self.plan.readiness {
            Readiness::Started => vec![Said::Ready],
            _ => Vec::new(),
        };
        loop {
            for said in said.drain(..) {
                match said {
                    Said::Ready if !self.is_ready => {
                        (self.is_ready, self.last_sign) = (true, Instant::now());
                        if self.plan.readiness != Readiness::Started {
                            reporter.report(ProcessReport::Ready { after: self.started.elapsed() });
                        }
                        up();
                        // So that it is up before it is down, however short its life.
                        yield_now().await;
                    }
                    Said::Ready => {}
                    Said::Alive => self.last_sign = Instant::now(),
                    Said::Status(status) => reporter.report(ProcessReport::Status(status)),
                    Said::End(cause) => return cause,
                }
            }
            let deadline = self.deadline();
            // What it has said counts before what it has not: if this program was suspended meanwhile, the signs of
            // life of all that time are waiting here.
            said = tokio::select! {
                biased;
                _ = &mut *stop => vec![Said::End(ExitCause::Stopped)],
                said = self.hear() => said,
                _ = run.as_mut() => {
                    // Its last words may have come in the same moment.
                    let mut last = self.hear().now_or_never().unwrap_or_default();
                    let is_ready = self.is_ready || last.contains(&Said::Ready);
                    let cause = if is_ready { ExitCause::Itself } else { ExitCause::EndedUnready };
                    last.push(Said::End(cause));
                    last
                }
                said = wait_for(deadline) => vec![said],
            };
        }
    }

    /// The next that is to be heard or seen of the program: all that is there.
    async fn hear(&mut self) -> Vec<Said> {
        let Self { plan, pid, notify, sights, .. } = self;
        let notices = async {
            match notify {
                Some(notify) => notify.next(*pid).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            notices = notices => notices.into_iter().filter_map(|notice| Said::of(notice, plan)).collect(),
            Some(sight) = sights.recv() => vec![match sight {
                Sight::ReadyLine => Said::Ready,
                Sight::BadFrame(error) => Said::End(ExitCause::BadFrame(error)),
            }],
        }
    }

    /// The next moment at which something is decided by nothing having happened, and what.
    fn deadline(&self) -> Option<(Instant, Said)> {
        let Plan { readiness, ready_within, watchdog, .. } = self.plan;
        let (since, time, said) = match (self.is_ready, readiness, watchdog) {
            (false, Readiness::Alive(time), _) => (self.started, *time, Said::Ready),
            (false, _, _) => (self.started, *ready_within, Said::End(ExitCause::NeverReady(*ready_within))),
            (true, _, Some(limit)) => (self.last_sign, *limit, Said::End(ExitCause::Watchdog(*limit))),
            (true, _, None) => return None,
        };
        Some((since.checked_add(time)?, said)) // a time beyond all clocks never comes
    }
}

impl Said {
    fn of(notice: Notice, plan: &Plan) -> Option<Self> {
        match notice {
            Notice::Ready => (plan.readiness == Readiness::Notify).then_some(Self::Ready),
            Notice::Alive => Some(Self::Alive),
            Notice::Status(status) => Some(Self::Status(status)),
            Notice::Trigger => plan.watchdog.map(|limit| Self::End(ExitCause::Watchdog(limit))),
        }
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
