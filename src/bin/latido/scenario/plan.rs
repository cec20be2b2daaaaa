//! A scenario made ready: everything in it was looked at, and what the seed decides is decided.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use anyhow::{Context, Result};
use latido::fault::Injection;
use latido::supervision::SupervisorSpec;
use toml::Spanned;

use super::error::{Bad, Place};
use super::file::{Expect, File, Mishaps, Order, Step, Work};
use super::words::{Moment, Pattern, Target};
use crate::demo::origin::Corpus;
use crate::demo::{fetch_line, parsed, write_list};
use crate::fetch::run::Ready;

pub(super) struct Plan {
    /// As it was asked for: a path, or a name of the library.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) work: Work,
    pub(super) steps: Vec<Planned>,
    pub(super) expect: Expect,
}

/// A step in which nothing is left to be decided.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Planned {
    pub(super) when: Moment,
    pub(super) action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    Inject { path: String, injection: Injection },
    Pause(String),
    Resume(String),
    Restart(String),
    Stop(String),
    Drain(String),
    Server(Mishaps),
    Program(Order),
}

/// What makes an order to one part.
type Make = fn(String) -> Action;

impl Plan {
    /// Reads a scenario and checks it against the tree that it is for.
    pub(super) fn read(name: &str, text: &str, seed: Option<u64>) -> Result<Self> {
        let place = Place { name, text };
        let mut file: File =
            toml::from_str(text).map_err(|error| place.bad(error.span(), error.message()))?;
        file.work.seed = seed.unwrap_or(file.work.seed);
        check_work(&file, &place)?;
        let spec =
            spec(&file.work).with_context(|| format!("{name}: [work] is nothing that can be fetched"))?;
        let mut random = fastrand::Rng::with_seed(file.work.seed);
        let checker = Checker { place: &place, spec: &spec, work: &file.work };
        let steps = file.steps.iter().enumerate();
        let steps =
            steps.map(|(n, step)| checker.step(n, step, &mut random)).collect::<Result<Vec<_>, Bad>>()?;
        let expect = file.expect.get_ref();
        checker.expect(&file.expect)?;
        Ok(Self { name: name.to_owned(), title: file.title, work: file.work, steps, expect: expect.clone() })
    }
}

fn check_work(File { work, .. }: &File, place: &Place<'_>) -> Result<(), Bad> {
    if !(1..=1000).contains(work.files.get_ref()) {
        return Err(place.bad(Some(work.files.span()), "`files` is a number from 1 to 1000"));
    }
    if !(1..=64).contains(work.downloaders.get_ref()) {
        return Err(place.bad(Some(work.downloaders.span()), "`downloaders` is a number from 1 to 64"));
    }
    Ok(())
}

/// The tree that a fetch of this would have. Nothing is started for it.
fn spec(work: &Work) -> Result<SupervisorSpec> {
    let dir = tempfile::tempdir()?;
    let nothing = Corpus::new(0, (0..*work.files.get_ref()).map(|_| 0));
    let list = write_list(&nothing, "http://127.0.0.1:9/", dir.path(), Path::new(""))?;
    let line = work.line(&list, dir.path());
    Ok(Ready::new(&parsed([std::ffi::OsString::from("latido")].into_iter().chain(line))?)?.into_spec())
}

impl Work {
    /// What is to be typed behind `latido`.
    pub(super) fn line(&self, list: &Path, dir: &Path) -> Vec<std::ffi::OsString> {
        let mut line = fetch_line(list, dir, usize::from(*self.downloaders.get_ref()), self.exec.as_deref());
        line.extend(["-q", "--allow-actions", "--no-netrc"].map(Into::into));
        line.extend(self.options.iter().map(Into::into));
        line
    }

    /// The files, as the seed has them.
    pub(super) fn corpus(&self) -> Corpus {
        let mut random = fastrand::Rng::with_seed(self.seed);
        Corpus::new(self.seed, (0..*self.files.get_ref()).map(|_| random.u64(self.size.0.clone())))
    }
}

struct Checker<'a> {
    place: &'a Place<'a>,
    spec: &'a SupervisorSpec,
    work: &'a Work,
}

impl Checker<'_> {
    fn step(&self, n: usize, step: &Spanned<Step>, random: &mut fastrand::Rng) -> Result<Planned, Bad> {
        let (span, step) = (step.span(), step.get_ref());
        if let Moment::Started(pattern) | Moment::Failed(pattern) = step.when.get_ref() {
            self.fit(pattern, step.when.span())?;
        }
        if let Moment::Files(count) = step.when.get_ref()
            && count >= self.work.files.get_ref()
        {
            let why = format!(
                "`{count} files done` does not come: there are {}, and the last one is kept back until the steps are taken",
                self.work.files.get_ref()
            );
            return Err(self.place.bad(Some(step.when.span()), &why));
        }
        let mut actions = Vec::new();
        if let Some(inject) = &step.inject {
            let (at, inject) = (inject.span(), inject.get_ref());
            let path = self.choose(&inject.target, at.clone(), random)?;
            let injection = inject.injection.clone().or_seed(Some(self.work.seed));
            if let Err(error) = self.spec.check_injection(&path, &injection) {
                return Err(self.place.bad(Some(at), &error.to_string()));
            }
            actions.push(Action::Inject { path, injection });
        }
        let orders: [(_, Make); 5] = [
            (&step.pause, Action::Pause),
            (&step.resume, Action::Resume),
            (&step.restart, Action::Restart),
            (&step.stop, Action::Stop),
            (&step.drain, Action::Drain),
        ];
        for (target, action) in orders {
            if let Some(target) = target {
                let path = self.choose(target.get_ref(), target.span(), random)?;
                if !self.spec.paths().iter().any(|known| *known == *path) {
                    let why = format!("`{path}` is no single part; write a path, or `one of {path}`");
                    return Err(self.place.bad(Some(target.span()), &why));
                }
                actions.push(action(path));
            }
        }
        actions.extend(step.server.map(Action::Server));
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

    fn expect(&self, expect: &Spanned<Expect>) -> Result<(), Bad> {
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
        match expect.is_empty() {
            true => {
                Err(self.place.bad(Some(span), "nothing is expected; write at least one line below [expect]"))
            }
            false => Ok(()),
        }
    }

    /// The seed's choice, or the pattern.
    fn choose(
        &self,
        target: &Target,
        span: std::ops::Range<usize>,
        random: &mut fastrand::Rng,
    ) -> Result<String, Bad> {
        let fitting = self.fit(&target.pattern, span)?;
        Ok(match target.is_one {
            true => fitting[random.usize(..fitting.len())].clone(),
            false => target.pattern.to_string(),
        })
    }

    /// The parts of the tree that fit.
    fn fit(&self, pattern: &Pattern, span: std::ops::Range<usize>) -> Result<Vec<String>, Bad> {
        let paths: Vec<_> = self.spec.paths().iter().map(ToString::to_string).collect();
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

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inject { path, injection } => write!(f, "inject {path} {injection}"),
            Self::Pause(path) => write!(f, "pause {path}"),
            Self::Resume(path) => write!(f, "resume {path}"),
            Self::Restart(path) => write!(f, "restart {path}"),
            Self::Stop(path) => write!(f, "stop {path}"),
            Self::Drain(path) => write!(f, "drain {path}"),
            Self::Server(Mishaps { mishap, count: 1 }) => {
                write!(f, "server: {} the next answer", mishap.name())
            }
            Self::Server(Mishaps { mishap, count }) => {
                write!(f, "server: {} the next {count} answers", mishap.name())
            }
            Self::Program(Order::Kill) => f.write_str("kill -9 the program"),
            Self::Program(Order::Interrupt) => f.write_str("interrupt the program (SIGINT)"),
            Self::Program(Order::Start) => f.write_str("start the program again, with the same command"),
        }
    }
}

/// The text of a scenario: a file, or one of the library.
pub(super) fn text(name: &str) -> Result<String> {
    let path = PathBuf::from(name);
    match super::library::find(name) {
        Some(scenario) if !path.is_file() => Ok(scenario.text.to_owned()),
        _ => fs::read_to_string(&path).with_context(|| {
            format!("{name}: neither a file nor a name of the library (`latido scenario list` has those)")
        }),
    }
}

#[cfg(test)]
mod tests;
