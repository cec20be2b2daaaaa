//! What a tree will do when it goes wrong, worked out from its spec alone.

mod warning;

use std::fmt;
use std::time::Duration;

pub use self::warning::Warning;
use super::backoff::Backoff;
use super::policy::{Restart, Shutdown};
use super::spec::{AnySpec, Kind, Plan, Rules, SupervisorSpec};
use crate::path::TreePath;

/// A tree's worst case, without running it; `Display` prints it as a short report. See
/// [`SupervisorSpec::forecast`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forecast {
    /// The child that is restarted most often when it fails as soon as it is up, every time. `None` if the spec has no
    /// child that is restarted after a failure.
    pub worst: Option<TreePath>,
    /// How often that child is started again, by whichever supervisor: over all levels, one less than the product of
    /// each intensity plus one. `None`: without end.
    pub restarts: Option<u64>,
    /// How long that goes on until the root gives up, jitter and the time of starts and stops aside. `None`: for ever,
    /// or it ends and the root does not hear of it.
    pub gives_up_after: Option<Duration>,
    /// How long a stop takes when every child uses up its time: the sum over the children of a supervisor, the longest
    /// of a dynamic one's. (A child that blocks its thread takes a second more, until it is left behind.) `None`:
    /// a child has no limit.
    pub stops_within: Option<Duration>,
    /// What is probably not meant.
    pub warnings: Vec<Warning>,
}

impl SupervisorSpec {
    /// Works out the tree's worst case, with this supervisor as the root. Of children that are added at run time
    /// nothing is known.
    ///
    /// ```
    /// use std::time::Duration;
    /// use latido::supervision::SupervisorSpec;
    /// # use actix::prelude::*;
    /// # use latido::supervision::ChildSpec;
    /// # #[derive(Default)] struct Fetcher;
    /// # impl Actor for Fetcher { type Context = Context<Self>; }
    ///
    /// let fetch = ChildSpec::new("fetch", Fetcher::default);
    /// let net = SupervisorSpec::new("net").intensity(5, Duration::from_secs(30)).child(fetch);
    /// let forecast = SupervisorSpec::new("app").intensity(1, Duration::from_secs(60)).child(net).forecast();
    ///
    /// assert_eq!(forecast.restarts, Some((5 + 1) * (1 + 1) - 1));
    /// assert_eq!(
    ///     forecast.to_string(),
    ///     "app/net/fetch in a crash loop: restarts 11 times, then the root gives up, after 0ns\n\
    ///      stops within 5s\n"
    /// );
    /// ```
    pub fn forecast(&self) -> Forecast {
        let mut warnings = Vec::new();
        let root = TreePath::root(&self.rules.id);
        let worst = self.plan.worst(&root, &mut warnings);
        let stops_within = self.plan.stops_within(&root, None, &mut warnings);
        let mut intensities = Vec::new();
        self.plan.each_intensity(&mut intensities);
        if let [first, others @ ..] = &intensities[..]
            && *first > 0
            && !others.is_empty()
            && others.iter().all(|other| other == first)
        {
            warnings.push(Warning::EqualIntensities(*first));
        }
        let (worst, CrashLoop { restarts, end }) = match worst {
            Some((path, crash_loop)) => (Some(path), crash_loop),
            None => (None, CrashLoop::NONE),
        };
        Forecast { worst, restarts, gives_up_after: end, stops_within, warnings }
    }
}

/// What becomes of a child that fails as soon as it is up, every time.
#[derive(Clone, Copy)]
struct CrashLoop {
    /// How often it is started again; `None`: without end.
    restarts: Option<u64>,
    /// When the supervisor that is looked at fails of it; `None`: never.
    end: Option<Duration>,
}

impl CrashLoop {
    const NONE: Self = Self { restarts: Some(0), end: None };

    /// More restarts are worse than fewer, a longer loop worse than a shorter.
    fn badness(&self) -> (u64, Duration) {
        (self.restarts.unwrap_or(u64::MAX), self.end.unwrap_or(Duration::MAX))
    }
}

impl Plan {
    /// The child below this supervisor with the worst crash loop.
    fn worst(&self, path: &TreePath, warnings: &mut Vec<Warning>) -> Option<(TreePath, CrashLoop)> {
        let mut worst: Option<(TreePath, CrashLoop)> = None;
        for AnySpec { rules, kind } in &self.children {
            let child = path.join(&rules.id);
            let fails_at_once = CrashLoop { end: Some(Duration::ZERO), ..CrashLoop::NONE };
            let found = match kind {
                Kind::Worker(_) => {
                    (rules.restart != Restart::Temporary).then(|| (child.clone(), fails_at_once))
                }
                Kind::Supervisor(plan) => plan.worst(&child, warnings),
            };
            if self.intensity == 0 && rules.restart == Restart::Permanent {
                warnings.push(Warning::NoRestarts { supervisor: path.clone(), child: child.clone() });
            }
            let Some((culprit, below)) = found else { continue };
            let here = self.repeat(path, &child, rules, below, warnings);
            if worst.as_ref().is_none_or(|(_, worst)| here.badness() > worst.badness()) {
                worst = Some((culprit, here));
            }
        }
        worst
    }

    /// A child that fails in this way, restarted by this supervisor until it gives up.
    fn repeat(
        &self,
        path: &TreePath,
        child: &TreePath,
        rules: &Rules,
        below: CrashLoop,
        warnings: &mut Vec<Warning>,
    ) -> CrashLoop {
        let Some(life) = below.end else { return below };
        if rules.restart == Restart::Temporary {
            return CrashLoop { end: None, ..below };
        }
        let failures = life.saturating_mul(self.intensity);
        let takes = failures.saturating_add(waits(&rules.backoff, self.intensity, life));
        // The waits never get shorter: if the first failures are too far apart, all are.
        if takes > self.period {
            warnings.push(Warning::NeverGivesUp {
                supervisor: path.clone(),
                child: child.clone(),
                takes,
                period: self.period,
            });
            return CrashLoop { restarts: None, end: None };
        }
        let lives = |restarts: u64| restarts.saturating_add(1).saturating_mul(u64::from(self.intensity) + 1);
        CrashLoop {
            restarts: below.restarts.map(|restarts| lives(restarts) - 1),
            end: Some(life.saturating_add(takes)),
        }
    }

    /// How long its children take to stop, one after the other or all at once; `None`: for ever.
    fn stops_within(
        &self,
        path: &TreePath,
        limit: Option<Duration>,
        warnings: &mut Vec<Warning>,
    ) -> Option<Duration> {
        let mut total = Some(Duration::ZERO);
        for AnySpec { rules, kind } in &self.children {
            let child = path.join(&rules.id);
            let own = match rules.shutdown {
                Shutdown::Infinity => None,
                rule => Some(rule.limit()),
            };
            let takes = match kind {
                Kind::Worker(_) => own,
                Kind::Supervisor(plan) => {
                    if rules.shutdown == Shutdown::BrutalKill {
                        warnings.push(Warning::BrutalKill(child.clone()));
                    }
                    // A supervisor that is killed kills its children; what matters is the shorter of the two.
                    let below = plan.stops_within(&child, own.filter(|own| !own.is_zero()), warnings);
                    own.into_iter().chain(below).min()
                }
            };
            if let Some(limit) = limit.filter(|&limit| takes.is_none_or(|takes| takes > limit)) {
                warnings.push(Warning::StopsTooLate { child, takes, supervisor: path.clone(), limit });
            }
            total = match (total, takes) {
                (Some(total), Some(takes)) if self.conduct.dynamic => Some(total.max(takes)),
                (Some(total), Some(takes)) => Some(total.saturating_add(takes)),
                _ => None,
            };
        }
        total
    }

    fn each_intensity(&self, intensities: &mut Vec<u32>) {
        intensities.push(self.intensity);
        for child in &self.children {
            if let Kind::Supervisor(plan) = &child.kind {
                plan.each_intensity(intensities);
            }
        }
    }
}

/// The waits before so many restarts of a child that always fails after the same `life`, together.
fn waits(backoff: &Backoff, restarts: u32, life: Duration) -> Duration {
    let (mut failures, mut total) = (0, Duration::ZERO);
    for made in 0..restarts {
        failures = backoff.failures(failures, life);
        let wait = backoff.delay(failures, 0.0);
        if wait == backoff.delay(backoff.failures(failures, life), 0.0) {
            // It has reached its cap, or starts over after each life: it grows no more.
            return total.saturating_add(wait.saturating_mul(restarts - made));
        }
        total = total.saturating_add(wait);
    }
    total
}

// ===== as text =====

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.worst, self.restarts, self.gives_up_after) {
            (None, ..) => writeln!(f, "no child is restarted after a failure")?,
            (Some(child), Some(restarts), Some(after)) => writeln!(
                f,
                "{child} in a crash loop: restarts {restarts} times, then the root gives up, after {after:?}"
            )?,
            (Some(child), Some(restarts), None) => writeln!(
                f,
                "{child} in a crash loop: restarts {restarts} times, and the root does not hear of it"
            )?,
            (Some(child), None, _) => writeln!(f, "{child} in a crash loop: restarts for ever")?,
        }
        match self.stops_within {
            Some(time) => writeln!(f, "stops within {time:?}")?,
            None => writeln!(f, "stops when its children do: one has no limit")?,
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning: {warning}"))
    }
}
