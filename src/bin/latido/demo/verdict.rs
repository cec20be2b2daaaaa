//! What the demo ends with: counted from the files on disk and the events, not from what the program believes.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use indicatif::HumanBytes;
use latido::actors::cpu_pool::CpuJob;
use latido::actors::digest::{Sha256, Sha256Of};
use latido::{EventKind, Events};

use super::origin::{Corpus, File};
use crate::exit::Exit;
use crate::fetch::report::{JobReport, What};
use crate::fetch::run::End;

/// The kinds of actor whose restart the demo promises, by where they stand in the tree.
const KINDS: [(&str, &str); 4] = [
    ("downloader", "latido/downloaders/*"),
    ("CPU pool", "latido/cpu"),
    ("heartbeat", "latido/heartbeat"),
    ("process", "latido/exec/*"),
];

/// What the events say, counted while they pass.
#[derive(Default)]
pub(super) struct Record {
    pub(super) done: usize,
    pub(super) failed: usize,
    injected: usize,
    restarts: BTreeMap<String, usize>,
}

impl Record {
    pub(super) async fn of(mut events: Events) -> Self {
        let mut record = Self::default();
        while let Some(event) = events.next().await {
            match event.report::<JobReport>().map(|report| &report.what) {
                Some(What::Done { .. }) => record.done += 1,
                Some(What::Failed { .. }) => record.failed += 1,
                _ => {}
            }
            match event.kind {
                EventKind::Injected(_) => record.injected += 1,
                EventKind::Started if event.incarnation > 1 => {
                    *record.restarts.entry(event.path.to_string()).or_default() += 1;
                }
                _ => {}
            }
        }
        record
    }

    fn restarts_of(&self, pattern: &str) -> usize {
        let of_kind = |path: &String| latido::TreePath::root(path).matches(pattern);
        self.restarts.iter().filter(|(path, _)| of_kind(path)).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "faults    {} injected", self.injected)?;
        write!(f, "restarts  {}", self.restarts.values().sum::<usize>())?;
        for (n, (kind, pattern)) in KINDS.iter().enumerate() {
            write!(f, "{}{kind} {}", if n == 0 { ": " } else { ", " }, self.restarts_of(pattern))?;
        }
        let ledger = self.restarts_of("latido/ledger");
        write!(f, ", ledger {ledger}")?;
        let named: usize = KINDS.iter().map(|(_, pattern)| self.restarts_of(pattern)).sum();
        match self.restarts.values().sum::<usize>().saturating_sub(named + ledger) {
            0 => writeln!(f),
            others => writeln!(f, ", others {others}"),
        }
    }
}

pub(super) struct Verdict {
    files: usize,
    bytes: u64,
    lost: usize,
    corrupt: usize,
    unprocessed: usize,
    record: Record,
    elapsed: Duration,
    end: End,
}

impl Verdict {
    pub(super) fn new(corpus: &Corpus, dir: &Path, record: Record, elapsed: Duration, end: End) -> Self {
        let files = corpus.files();
        let mut verdict =
            Self { files: files.len(), bytes: 0, lost: 0, corrupt: 0, unprocessed: 0, record, elapsed, end };
        for file in files {
            verdict.look_at(file, &dir.join(&file.name));
        }
        verdict
    }

    fn look_at(&mut self, file: &File, path: &Path) {
        match found(file, path) {
            Found::Nothing => self.lost += 1,
            Found::Wrong => self.corrupt += 1,
            Found::Right(bytes) => self.bytes += bytes,
        }
        self.unprocessed += usize::from(!path.with_extension("bin.gz").is_file());
    }

    fn all_kinds_restarted(&self) -> bool {
        KINDS.iter().all(|(_, pattern)| self.record.restarts_of(pattern) > 0)
    }

    pub(super) fn exit(&self) -> Exit {
        match &self.end {
            End::GaveUp(_) => Exit::GaveUp,
            End::Interrupted(exit) => *exit,
            End::Finished
                if self.lost + self.corrupt + self.unprocessed > 0 || !self.all_kinds_restarted() =>
            {
                Exit::Failed
            }
            End::Finished => Exit::Ok,
        }
    }
}

/// What stands under a file's name.
pub(crate) enum Found {
    Nothing,
    Wrong,
    Right(u64),
}

pub(crate) fn found(file: &File, path: &Path) -> Found {
    match Sha256Of(path.to_owned()).run(&mut ()) {
        Err(_) => Found::Nothing,
        Ok(found) if found.sha256 != Sha256(file.sha256) => Found::Wrong,
        Ok(found) => Found::Right(found.bytes),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = self.files - self.lost - self.corrupt;
        writeln!(f, "files     {right} of {} there and right, {}", self.files, HumanBytes(self.bytes))?;
        // What nobody had the time to fetch is not lost.
        if self.end.interruption().is_none() {
            writeln!(
                f,
                "          {} lost, {} corrupt, {} not processed",
                self.lost, self.corrupt, self.unprocessed
            )?;
        }
        write!(f, "{}", self.record)?;
        writeln!(f, "time      {:.1} s", self.elapsed.as_secs_f64())?;
        match (&self.end, self.exit()) {
            (_, Exit::Ok) => f.write_str("verdict   PASS: nothing was lost"),
            (End::GaveUp(reason), _) => write!(f, "verdict   FAIL: the tree {reason}"),
            (End::Interrupted(_), _) => f.write_str("verdict   none: interrupted"),
            _ if !self.all_kinds_restarted() => {
                f.write_str("verdict   FAIL: not every kind of actor was restarted")
            }
            _ => f.write_str("verdict   FAIL: something was lost"),
        }
    }
}
