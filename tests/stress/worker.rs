//! Runs take place in a process of their own: so one that hangs can be ended, one that aborts is not the end of all,
//! and a thread that leaks is noticed. This is both ends of the line between.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::plan::{Part, Plan, part};
use crate::tally::Tally;
use crate::verdict::{Broken, Verdict, judged};

/// The seed of the only run.
pub(crate) const SEED: &str = "LATIDO_STRESS_SEED";
/// Its steps and its actors, if not all.
pub(crate) const STEPS: &str = "LATIDO_STRESS_STEPS";
pub(crate) const ACTORS: &str = "LATIDO_STRESS_ACTORS";
/// Not for people: this process is a worker, from this seed on.
const WORKER: &str = "LATIDO_STRESS_WORKER";
/// Not for people: how many seconds a run may take.
const LIMIT: &str = "LATIDO_STRESS_LIMIT";

/// The test that everything here happens in.
pub(crate) const TEST: &str = "every_rule_holds_whatever_happens_by_chance";

/// What a line begins with that is meant for the other end.
const MARK: &str = "stress: ";
const TEXT: &str = "stress| ";

/// How long a run may take unless said otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The part of the plan that the environment asks for.
pub(crate) fn part() -> Part {
    let numbers = |name| std::env::var(name).ok().map(|text| part::from_text(&text));
    Part { steps: numbers(STEPS), actors: numbers(ACTORS) }
}

// ===== the worker's end =====

/// If this process is a worker, works until it is ended.
pub(crate) fn work_if_asked() -> bool {
    let Some(first) = variable::<u64>(WORKER) else { return false };
    let only = variable::<u64>(SEED);
    for seed in only.map_or(first..u64::MAX, |seed| seed..seed + 1) {
        let limit = variable(LIMIT).map_or(PATIENCE, Duration::from_secs);
        let verdict = judged(Plan::of(seed).only(&part()), limit, |broken| {
            tell(&Verdict::Broken(broken));
            std::process::exit(1);
        });
        tell(&verdict);
        if let Verdict::Broken(_) = verdict {
            break;
        }
    }
    true
}

fn tell(verdict: &Verdict) {
    let mut out = std::io::stdout().lock();
    // On a line of its own, whatever the test harness has begun to say.
    let told = match verdict {
        Verdict::Kept(tally) => writeln!(out, "\n{MARK}kept {tally}"),
        Verdict::Broken(Broken { rule, paths, text }) => {
            let text = text.lines().map(|line| format!("{TEXT}{line}\n")).collect::<String>();
            writeln!(out, "\n{text}{MARK}broken {rule};{}", paths.join(" "))
        }
    };
    if told.and_then(|()| out.flush()).is_err() {
        std::process::exit(1); // Nobody listens any more.
    }
}

// ===== the other end =====

pub(crate) struct Worker {
    process: Child,
    lines: Receiver<String>,
    limit: Duration,
}

impl Worker {
    /// One that takes seed after seed.
    pub(crate) fn from(seed: u64) -> Self {
        Self::start(Command::new(own_path()).env(WORKER, seed.to_string()), PATIENCE)
    }

    /// One that runs this, once.
    pub(crate) fn once(seed: u64, part: &Part, limit: Duration) -> Self {
        let mut command = Command::new(own_path());
        command.env(WORKER, "0").env(SEED, seed.to_string()).env(LIMIT, limit.as_secs().to_string());
        for (name, numbers) in [(STEPS, &part.steps), (ACTORS, &part.actors)] {
            match numbers {
                Some(numbers) => command.env(name, part::to_text(numbers)),
                None => command.env_remove(name),
            };
        }
        Self::start(&mut command, limit)
    }

    fn start(command: &mut Command, limit: Duration) -> Self {
        let command = command.args([TEST, "--exact", "--nocapture", "--test-threads=1"]);
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a test can be run again");
        let (tell, lines) = channel();
        let (stdout, stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        let tell_too = tell.clone();
        std::thread::spawn(move || pass_on(stdout, &tell));
        std::thread::spawn(move || pass_on(stderr, &tell_too));
        Self { process, lines, limit }
    }

    /// What comes of the next run.
    pub(crate) fn next(&mut self) -> Verdict {
        let mut text = Vec::new();
        let mut last_words = Vec::new();
        // It ends itself when a run hangs. Should it not even do that, this is how long it has.
        let limit = self.limit + Duration::from_secs(15);
        loop {
            match self.lines.recv_timeout(limit) {
                Ok(line) => {
                    if let Some(line) = line.strip_prefix(TEXT) {
                        text.push(line.to_owned());
                    } else if let Some(tally) =
                        line.strip_prefix(MARK).and_then(|line| line.strip_prefix("kept "))
                    {
                        return Verdict::Kept(Tally::from_text(tally));
                    } else if let Some(line) =
                        line.strip_prefix(MARK).and_then(|line| line.strip_prefix("broken "))
                    {
                        let (rule, paths) = line.split_once(';').unwrap_or((line, ""));
                        let paths = paths.split_whitespace().map(str::to_owned).collect();
                        return Verdict::Broken(Broken {
                            rule: rule.to_owned(),
                            paths,
                            text: text.join("\n"),
                        });
                    } else {
                        last_words.push(line);
                    }
                }
                Err(error) => {
                    let how = match error {
                        RecvTimeoutError::Timeout => "the process hangs, and does not even say so".to_owned(),
                        RecvTimeoutError::Disconnected => {
                            format!("the process ended: {:?}", self.process.wait())
                        }
                    };
                    let words = &last_words[last_words.len().saturating_sub(30)..];
                    let text = format!("{how}; its last words were:\n{}", words.join("\n"));
                    let rule = "the process lives on".to_owned();
                    return Verdict::Broken(Broken { rule, paths: Vec::new(), text });
                }
            }
        }
    }
}

fn own_path() -> std::path::PathBuf {
    std::env::current_exe().expect("a test knows its own file")
}

fn pass_on(stream: impl std::io::Read, tell: &std::sync::mpsc::Sender<String>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if tell.send(line).is_err() {
            return;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill(); // It may have ended.
        let _ = self.process.wait();
    }
}
