//! A scenario made ready: everything in it was looked at, and what the seed decides is decided.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use anyhow::{Context, Result};
use latido::fault::Injection;
use latido::supervision::SupervisorSpec;
use toml::Spanned;

use super::error::{Bad, Place};
use super::file::{Ends, Expect, File, Mishaps, Whole, Work};
use super::words::{Moment, Target};
use crate::demo::origin::Corpus;
use crate::demo::{fetch_line, parsed, write_list};
use crate::fetch::run::Ready;

mod checker;

use checker::Checker;

pub(super) struct Plan {
    /// As it was asked for: a path, or a name of the library.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) subject: Subject,
    pub(super) seed: u64,
    /// What runs longer is killed.
    pub(super) limit: Duration,
    pub(super) steps: Vec<Planned>,
    pub(super) expect: Expect,
}

/// Whom it is for.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    Fetch(Work),
    /// A program, its arguments, and how it ends.
    Own(Vec<String>, Ends),
}

/// A step in which nothing is left to be decided but, of a program whose tree is not known yet, who is `one of` a glob.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Planned {
    pub(super) when: Moment,
    pub(super) action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    Inject { target: Target, injection: Injection },
    Order(Order, Target),
    Server(Mishaps),
    Program(Whole),
}

/// What is done to one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Pause,
    Resume,
    Restart,
    Stop,
    Drain,
}

impl Plan {
    /// Reads a scenario and checks it against the tree that it is for, as far as that is known.
    pub(super) fn read(name: &str, text: &str, seed: Option<u64>) -> Result<Self> {
        let place = Place { name, text };
        let file: File =
            toml::from_str(text).map_err(|error| place.bad(error.span(), &in_words(error.message())))?;
        let (subject, its_seed, limit, spec) = match (file.work, file.program) {
            (Some(_), Some(program)) => {
                let why = "either [work], for `latido fetch`, or [program], for one of your own";
                return Err(place.bad(Some(program.span()), why).into());
            }
            (_, Some(program)) => {
                let own = program.into_inner();
                let words = command(&own.command, &place)?;
                (Subject::Own(words, own.ends), own.seed, own.limit, None)
            }
            (work, None) => {
                let mut work = work.unwrap_or_default();
                check_work(&work, &place)?;
                work.seed = seed.unwrap_or(work.seed);
                let spec =
                    spec(&work).with_context(|| format!("{name}: [work] is nothing that can be fetched"))?;
                (Subject::Fetch(work.clone()), work.seed, work.limit, Some((spec, *work.files.get_ref())))
            }
        };
        let seed = seed.unwrap_or(its_seed);
        let checker = Checker { place: &place, fetch: spec.as_ref(), seed };
        let mut random = fastrand::Rng::with_seed(seed);
        let steps = file.steps.iter().enumerate();
        let steps =
            steps.map(|(n, step)| checker.step(n, step, &mut random)).collect::<Result<Vec<_>, Bad>>()?;
        checker.expect(&file.expect)?;
        let expect = file.expect.into_inner();
        Ok(Self { name: name.to_owned(), title: file.title, subject, seed, limit: limit.0, steps, expect })
    }
}

/// What the reader of the format says, and what to do about it where that is not said.
fn in_words(message: &str) -> String {
    let advice = if message.ends_with("expected a string") {
        "; times, sizes and names stand in quotes, such as `\"5 s\"`"
    } else if message.ends_with("expected i32") || message.ends_with("expected usize") {
        "; numbers stand without quotes"
    } else if message.starts_with("duplicate key") {
        "; steps begin with `[[step]]`, in two brackets"
    } else {
        ""
    };
    format!("{message}{advice}")
}

fn check_work(work: &Work, place: &Place<'_>) -> Result<(), Bad> {
    if !(1..=1000).contains(work.files.get_ref()) {
        return Err(place.bad(Some(work.files.span()), "`files` is a number from 1 to 1000"));
    }
    if !(1..=64).contains(work.downloaders.get_ref()) {
        return Err(place.bad(Some(work.downloaders.span()), "`downloaders` is a number from 1 to 64"));
    }
    Ok(())
}

/// The words of a command line.
fn command(line: &Spanned<String>, place: &Place<'_>) -> Result<Vec<String>, Bad> {
    match shell_words::split(line.get_ref()) {
        Ok(words) if !words.is_empty() => Ok(words),
        Ok(_) => Err(place.bad(Some(line.span()), "`command` is a program and its arguments")),
        Err(error) => Err(place.bad(Some(line.span()), &format!("`{}`: {error}", line.get_ref()))),
    }
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

impl Order {
    fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Drain => "drain",
        }
    }
}

impl Action {
    /// Whom it is for, if that is a part.
    pub(super) fn target(&mut self) -> Option<&mut Target> {
        match self {
            Self::Inject { target, .. } | Self::Order(_, target) => Some(target),
            Self::Server(_) | Self::Program(_) => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inject { target, injection } => write!(f, "inject {target} {injection}"),
            Self::Order(order, target) => write!(f, "{} {target}", order.word()),
            Self::Server(Mishaps { mishap, count: 1 }) => {
                write!(f, "server: {} the next answer", mishap.name())
            }
            Self::Server(Mishaps { mishap, count }) => {
                write!(f, "server: {} the next {count} answers", mishap.name())
            }
            Self::Program(Whole::Kill) => f.write_str("kill -9 the program"),
            Self::Program(Whole::Interrupt) => f.write_str("interrupt the program (SIGINT)"),
            Self::Program(Whole::Start) => f.write_str("start the program again, with the same command"),
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
