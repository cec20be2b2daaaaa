//! A run as lines of JSON on standard output. `docs/json.md` says what each means.
//!
//! A thread of its own writes them: a reader that does not read may hold up the lines, never the run.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use latido::supervision::Tree;
use latido::{Event, EventKind, Events};
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::line::{Any, Begin, End, Line, SCHEMA, Stamped};
use crate::fetch::board::Board;
use crate::fetch::report::{JobLine, JobReport};

/// Lines that wait for the writer. When there are as many, the event stream keeps some more, and then counts what is
/// missed.
const WAITING: usize = 1024;
/// From one report on what is under way to the next.
const PROGRESS: Duration = Duration::from_secs(1);

pub(crate) struct Json {
    lines: Sender<String>,
    writer: JoinHandle<()>,
    started: Instant,
}

impl Json {
    /// Starts the writer and says that the run begins.
    pub(crate) async fn begin(journal: &Path, jobs: usize) -> io::Result<Self> {
        let (lines, written) = channel(WAITING);
        let writer = thread::Builder::new().name("json".into()).spawn(move || write(written))?;
        let json = Self { lines, writer, started: Instant::now() };
        json.line(Line::Begin(Begin::new(journal, jobs))).await;
        Ok(json)
    }

    /// Tells of a run until its tree has ended.
    pub(crate) async fn tell(self, mut events: Events, tree: Tree, board: Arc<Board>) -> Self {
        let mut progress = tokio::time::interval(PROGRESS);
        progress.reset(); // nothing is under way yet
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.event(&event, &tree).await,
                    None => return self,
                },
                _ = progress.tick() => self.progress(&board).await,
            }
        }
    }

    /// The last line.
    pub(crate) async fn end(self, end: End) {
        self.line(Line::End(end)).await;
        drop(self.lines);
        // What cannot be written does not change the result, and that is what a panic of the writer would say.
        let _ = self.writer.join();
    }

    async fn event(&self, event: &Event, tree: &Tree) {
        if let Some(report) = event.report::<JobReport>() {
            return self.say(Any::Job(JobLine::of(report))).await;
        }
        match &event.kind {
            EventKind::Restarting { .. } => {
                let incident = tree.incidents().into_iter().find(|known| Some(known.id) == event.incident);
                if let Some(line) = Line::restart(event, incident.as_ref()) {
                    self.line(line).await;
                }
            }
            EventKind::GaveUp { child, reason, .. } => {
                let line = Line::GaveUp {
                    part: event.path.to_string(),
                    child: child.to_string(),
                    reason: reason.to_string(),
                };
                self.line(line).await;
            }
            EventKind::Missed(events) => self.line(Line::Missed { events: *events }).await,
            _ => {}
        }
    }

    async fn progress(&self, board: &Board) {
        for transfer in board.transfers() {
            if let Some(file) = transfer.current() {
                let (received, total) = (transfer.progress.received(), transfer.progress.total());
                self.line(Line::Progress { id: file.id, received, total }).await;
            }
        }
        self.line(Line::overall(board)).await;
    }

    async fn line(&self, line: Line) {
        self.say(Any::Run(line)).await;
    }

    async fn say(&self, line: Any<'_>) {
        let stamped = Stamped { schema: SCHEMA, t: self.started.elapsed().as_secs_f64(), line };
        // Who does not want them any more has closed the channel.
        let _ = self.lines.send(text(&stamped)).await;
    }
}

fn text(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("texts and numbers are always json")
}

/// Writes lines until there are no more, or nobody reads them. Each is there at once unless the next waits already.
fn write(mut lines: Receiver<String>) {
    let mut out = BufWriter::new(io::stdout());
    while let Some(line) = lines.blocking_recv() {
        let written = writeln!(out, "{line}");
        let flushed = if lines.is_empty() { out.flush() } else { Ok(()) };
        if written.and(flushed).is_err() {
            return;
        }
    }
}
