//! The standard error stream: lines go above the bars, if there are any.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use console::{Style, Term, measure_text_width, style};
use indicatif::MultiProgress;
use latido::{Event, EventKind};

#[derive(Clone)]
pub(crate) struct Screen {
    bars: Option<MultiProgress>,
    started: Instant,
    /// What is to be written when the terminal is free again, if it is not.
    held: Arc<Mutex<Option<VecDeque<String>>>>,
}

/// So many lines are held back; older ones are lost.
const HELD: usize = 100;

impl Screen {
    pub(crate) fn new() -> Self {
        let bars = Term::stderr().is_term().then(MultiProgress::new);
        Self { bars, started: Instant::now(), held: Arc::default() }
    }

    pub(crate) fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// Writes a line. That nobody reads it any more is no reason to stop: the files are what counts.
    pub(crate) fn line(&self, line: impl AsRef<str>) {
        let lines = line.as_ref().split('\n');
        let lines = lines.flat_map(|line| {
            let indent = line.len() - line.trim_start().len();
            self.wrapped(line, indent + 2)
        });
        self.write(&lines.collect::<Vec<_>>().join("\n"));
    }

    pub(crate) fn event(&self, event: &Event) {
        let time = style(format!("{:7.2}s", self.started.elapsed().as_secs_f64())).for_stderr().dim();
        let style = style_of(event).for_stderr();
        // The words are in line with those above; the time stands beside the first of them.
        let text = " ".repeat(TIME) + &event.to_string();
        let lines = self.wrapped(&text, TIME).into_iter();
        let lines: Vec<_> = lines.map(|line| style.apply_to(&line[TIME..]).to_string()).collect();
        self.write(&format!("{time}  {}", lines.join(&format!("\n{:TIME$}", ""))));
    }

    /// Holds lines back, while something else has the terminal.
    pub(crate) fn hold(&self) {
        self.held().get_or_insert_default();
    }

    /// Writes what was held back.
    pub(crate) fn release(&self) {
        let held = self.held().take();
        held.into_iter().flatten().for_each(|text| self.write(&text));
    }

    fn held(&self) -> MutexGuard<'_, Option<VecDeque<String>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, text: &str) {
        if let Some(held) = &mut *self.held() {
            held.push_back(text.to_owned());
            if held.len() > HELD {
                held.pop_front();
            }
            return;
        }
        let write = || drop(writeln!(io::stderr(), "{text}"));
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// On a terminal a line is broken between its words; elsewhere a line is a line.
    fn wrapped(&self, line: &str, indent: usize) -> Vec<String> {
        match Term::stderr().size_checked() {
            Some((_, columns)) if self.bars.is_some() => wrap(line, usize::from(columns), indent),
            _ => vec![line.to_owned()],
        }
    }
}

/// A text with its lines broken between words where a terminal is too narrow for them.
pub(super) fn fitted(term: &Term, text: &str) -> String {
    let Some((_, columns)) = term.size_checked().filter(|_| term.is_term()) else {
        return text.to_owned();
    };
    let lines = text.split('\n').flat_map(|line| {
        let indent = line.len() - line.trim_start().len();
        wrap(line, usize::from(columns), indent + 2)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The width of the time before an event.
const TIME: usize = 10;

/// Breaks a line that is too long before the last word that fits; what follows is indented. A word that is too long
/// for a line of its own is left to the terminal.
pub(crate) fn wrap(line: &str, columns: usize, indent: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let current = lines.last().map_or("", String::as_str);
        let width = measure_text_width(current) + measure_text_width(word.trim_end());
        if width > columns && !current.trim().is_empty() {
            lines.push(" ".repeat(indent));
        }
        lines.last_mut().expect("there is a first").push_str(word);
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_between_words_and_indented() {
        assert_eq!(wrap("  one two three", 15, 4), ["  one two three"]);
        assert_eq!(wrap("  one two three", 14, 4), ["  one two", "    three"]);
        assert_eq!(wrap("  unbreakable x", 6, 4), ["  unbreakable", "    x"]);
        assert_eq!(wrap("", 6, 4), [""]);
    }
}
