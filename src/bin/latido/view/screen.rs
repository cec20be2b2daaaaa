//! The standard error stream: lines go above the bars, if there are any.

use std::io::{self, Write};
use std::time::Instant;

use console::{Style, Term, style};
use indicatif::MultiProgress;
use latido::{Event, EventKind};

#[derive(Clone)]
pub(crate) struct Screen {
    bars: Option<MultiProgress>,
    started: Instant,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let bars = Term::stderr().is_term().then(MultiProgress::new);
        Self {
            bars,
            started: Instant::now(),
        }
    }

    pub(crate) fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// Writes a line. That nobody reads it any more is no reason to stop: the files are what counts.
    pub(crate) fn line(&self, line: impl AsRef<str>) {
        let write = || drop(writeln!(io::stderr(), "{}", line.as_ref()));
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    pub(crate) fn event(&self, event: &Event) {
        let time = style(format!("{:7.2}s", self.started.elapsed().as_secs_f64()))
            .for_stderr()
            .dim();
        self.line(format!(
            "{time}  {}",
            style_of(event).for_stderr().apply_to(event)
        ));
    }
}

fn style_of(event: &Event) -> Style {
    match event.kind {
        EventKind::Injected(_) => Style::new().magenta().bold(),
        EventKind::Restarting { .. } => Style::new().yellow(),
        EventKind::Started if event.incarnation > 1 => Style::new().green(),
        EventKind::GaveUp { .. } => Style::new().red().bold(),
        _ if event.level() <= log::Level::Warn => Style::new().red(),
        _ => Style::new(),
    }
}

/// Lets the log write between the bars.
impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.line(text.trim_end_matches('\n'));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
