//! Everything in a scenario is looked at before anything is run.

use latido::supervision::SupervisorSpec;
use toml::Spanned;

use super::super::error::{Bad, Place};
use super::super::file::{Expect, Step};
use super::super::words::{Moment, Pattern, Target};
use super::{Action, Order, Planned};

pub(super) struct Checker<'a> {
    pub(super) place: &'a Place<'a>,
    /// The tree of a fetch, and how many files it has. The tree of a program of one's own is known once it runs.
    pub(super) fetch: Option<&'a (SupervisorSpec, usize)>,
    pub(super) seed: u64,
}

impl Checker<'_> {
    pub(super) fn step(
        &self,
        n: usize,
        step: &Spanned<Step>,
        random: &mut fastrand::Rng,
    ) -> Result<Planned, Bad> {
        let (span, step) = (step.span(), step.get_ref());
        if let Moment::Started(pattern) | Moment::Failed(pattern) = step.when.get_ref() {
            self.fit(pattern, step.when.span())?;
        }
        if let Moment::Files(count) = step.when.get_ref() {
            let why = match self.fetch {
                Some((_, files)) if count < files => None,
                Some((_, files)) => Some(format!(
                    "`{count} files done` does not come: there are {files}, and the last one is kept back until the steps are taken"
                )),
                None => Some(format!("`{count} files done` is a moment of [work]; a [program] has no files")),
            };
            if let Some(why) = why {
                return Err(self.place.bad(Some(step.when.span()), &why));
            }
        }
        let mut actions = Vec::new();
        if let Some(inject) = &step.inject {
            let (at, inject) = (inject.span(), inject.get_ref());
            let target = self.choose(&inject.target, at.clone(), random)?;
            let injection = inject.injection.clone().or_seed(Some(self.seed));
            if let Some((spec, _)) = self.fetch
                && let Err(error) = spec.check_injection(&target.pattern.0, &injection)
            {
                return Err(self.place.bad(Some(at), &error.to_string()));
            }
            actions.push(Action::Inject { target, injection });
        }
        for (target, order) in [
            (&step.pause, Order::Pause),
            (&step.resume, Order::Resume),
            (&step.restart, Order::Restart),
            (&step.stop, Order::Stop),
            (&step.drain, Order::Drain),
        ] {
            if let Some(target) = target {
                let chosen = self.choose(target.get_ref(), target.span(), random)?;
                if !chosen.is_one && !self.is_single(&chosen.pattern) {
                    let why =
                        format!("`{0}` is no single part; write a path, or `one of {0}`", chosen.pattern);
                    return Err(self.place.bad(Some(target.span()), &why));
                }
                actions.push(Action::Order(order, chosen));
            }
        }
        if let Some(mishaps) = &step.server {
            if self.fetch.is_none() {
                let why = "`server` is that of [work]; a [program] has none";
                return Err(self.place.bad(Some(span), why));
            }
            actions.push(Action::Server(*mishaps));
        }
        actions.extend(step.program.map(Action::Program));
        match (actions.len(), actions.pop()) {
            (1, Some(action)) => {
                // With the one before.
                let is_said = !step.when.span().is_empty();
                let when = if n == 0 || is_said { step.when.get_ref().clone() } else { Moment::at_once() };
                Ok(Planned { when, action })
            }
            (0, _) => {
                let why = format!("step {} does nothing; it needs one of {}", n + 1, Step::ACTIONS);
                Err(self.place.bad(Some(span), &why))
            }
            _ => {
                let why = format!("step {} does several things; make a step of each of them", n + 1);
                Err(self.place.bad(Some(span), &why))
            }
        }
    }

    pub(super) fn expect(&self, expect: &Spanned<Expect>) -> Result<(), Bad> {
        let (span, expect) = (expect.span(), expect.get_ref());
        for patterns in [&expect.restarted, &expect.untouched, &expect.gives_up].into_iter().flatten() {
            for pattern in patterns.get_ref() {
                self.fit(pattern, patterns.span())?;
            }
        }
        for endings in expect.ended.iter() {
            for ending in endings.get_ref() {
                self.fit(&ending.pattern, endings.span())?;
            }
        }
        if expect.is_empty() {
            let why = "nothing is expected; write at least one line below [expect]";
            return Err(self.place.bad(Some(span), why));
        }
        match expect.of_a_fetch().filter(|_| self.fetch.is_none()) {
            Some(name) => {
                let why = format!("`{name}` is measured of [work]; of a [program] it cannot be told");
                Err(self.place.bad(Some(span), &why))
            }
            None => Ok(()),
        }
    }

    /// The seed's choice, if it can be made already.
    fn choose(
        &self,
        target: &Target,
        span: std::ops::Range<usize>,
        random: &mut fastrand::Rng,
    ) -> Result<Target, Bad> {
        let fitting = self.fit(&target.pattern, span)?;
        Ok(match target.is_one && !fitting.is_empty() {
            true => Target::single(fitting[random.usize(..fitting.len())].clone()),
            false => target.clone(),
        })
    }

    fn is_single(&self, pattern: &Pattern) -> bool {
        match self.fetch {
            Some((spec, _)) => spec.paths().iter().any(|known| *known == *pattern.0),
            None => !pattern.0.contains(['*', '?', '[']),
        }
    }

    /// The parts of the tree that fit, if it is known.
    fn fit(&self, pattern: &Pattern, span: std::ops::Range<usize>) -> Result<Vec<String>, Bad> {
        let Some((spec, _)) = self.fetch else { return Ok(Vec::new()) };
        let paths: Vec<_> = spec.paths().iter().map(ToString::to_string).collect();
        let fitting: Vec<_> = paths.iter().filter(|path| pattern.fits(path)).cloned().collect();
        match fitting.is_empty() {
            true => {
                let why = format!("there is no `{pattern}` in the tree; there are {}", paths.join(", "));
                Err(self.place.bad(Some(span), &why))
            }
            false => Ok(fitting),
        }
    }
}
