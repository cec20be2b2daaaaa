//! What the user has chosen to see, and what the keys change about it. No terminal and no program is needed for it.

use latido::control::wire::Entry;

use super::faults::Has;
use super::keys::Mode;
use crate::picture::{Part, Past, Picture};

/// Where the entries come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A program that runs, and why it does not answer, if so.
    Live { gone: Option<String> },
    /// A file of this name.
    Recording { name: String },
}

pub(crate) struct View {
    pub(super) past: Past,
    pub(super) source: Source,
    /// The picture that is shown.
    pub(super) picture: Option<Picture>,
    /// What is told of; a path, so that it stays the same part.
    pub(super) selected: Option<String>,
    /// The first row of the tree that is shown.
    pub(super) scroll: usize,
    pub(super) filter: String,
    /// The moment that is shown: `None` is now.
    pub(super) at: Option<f64>,
    /// A recording goes on by itself.
    pub(super) plays: bool,
    /// All events, not only those of what becomes of the parts.
    pub(super) all_events: bool,
    pub(super) mode: Mode,
    /// Which faults a part has, as was heard last.
    pub(super) has: Option<Has>,
    /// What is to be said to the user, until the next key.
    pub(super) word: Option<Word>,
    pub(super) colour: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) is_refusal: bool,
}

impl View {
    pub(crate) fn live(past: Past, colour: bool) -> Self {
        Self::new(past, Source::Live { gone: None }, None, colour)
    }

    /// A recording is shown from its beginning.
    pub(crate) fn recording(past: Past, name: String, colour: bool) -> Self {
        let at = past.span().map(|(first, _)| first);
        Self::new(past, Source::Recording { name }, at, colour)
    }

    fn new(past: Past, source: Source, at: Option<f64>, colour: bool) -> Self {
        let plays = at.is_some();
        Self {
            past,
            source,
            picture: None,
            selected: None,
            scroll: 0,
            filter: String::new(),
            at,
            plays,
            all_events: false,
            mode: Mode::Tree,
            has: None,
            word: None,
            colour,
        }
    }

    pub(crate) fn hear(&mut self, entry: Entry) {
        self.past.push(entry);
    }

    /// The program answers again, or not any more.
    pub(crate) fn set_gone(&mut self, why: Option<String>) {
        self.source = Source::Live { gone: why };
    }

    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.word = Some(Word { text: text.into(), is_refusal: false });
    }

    pub(crate) fn refuse(&mut self, text: impl Into<String>) {
        self.word = Some(Word { text: text.into(), is_refusal: true });
    }

    /// So many seconds have passed.
    pub(crate) fn pass(&mut self, seconds: f64) {
        if self.plays
            && let (Some(at), Some((_, last))) = (self.at, self.past.span())
        {
            self.at = Some((at + seconds).min(last));
            self.plays = at + seconds < last;
        }
    }

    /// Works out the picture; `now` is the time of day.
    pub(crate) fn look(&mut self, now: f64) {
        self.picture = self.past.picture(self.at.unwrap_or(now));
        let Some(picture) = &self.picture else { return };
        let is_there = |path: &String| picture.parts.iter().any(|part| part.child.path == *path);
        if !self.selected.as_ref().is_some_and(is_there) {
            self.selected = worth_breaking(&picture.parts).map(|part| part.child.path.clone());
        }
    }

    /// The parts that the filter leaves, with those above them.
    pub(super) fn rows(&self) -> Vec<&Part> {
        let Some(picture) = &self.picture else { return Vec::new() };
        if self.filter.is_empty() {
            return picture.parts.iter().collect();
        }
        let mut above = std::collections::HashSet::new();
        let mut rows: Vec<&Part> = Vec::new();
        for part in picture.parts.iter().rev() {
            let path = &*part.child.path;
            if self.passes(path) || above.contains(path) {
                if let Some((parent, _)) = path.rsplit_once('/') {
                    above.insert(parent);
                }
                rows.push(part);
            }
        }
        rows.reverse();
        rows
    }

    /// Whether the filter leaves what happens at `path`.
    pub(super) fn passes(&self, path: &str) -> bool {
        path.to_lowercase().contains(&self.filter.to_lowercase())
    }

    pub(super) fn part(&self) -> Option<&Part> {
        let path = self.selected.as_ref()?;
        self.picture.as_ref()?.parts.iter().find(|part| part.child.path == *path)
    }

    /// Goes so many rows down, or up.
    pub(super) fn step(&mut self, rows: isize) {
        let shown = self.rows();
        let Some(last) = shown.len().checked_sub(1) else { return };
        let is_selected = |part: &&Part| Some(&part.child.path) == self.selected.as_ref();
        let next = match shown.iter().position(is_selected) {
            Some(n) => n.saturating_add_signed(rows).min(last),
            // Those above one that the filter leaves are only there to show where it stands.
            None => shown.iter().position(|part| self.passes(&part.child.path)).unwrap_or(0),
        };
        self.selected = Some(shown[next].child.path.clone());
    }

    // ===== time =====

    /// The moment that is shown.
    pub(super) fn moment(&self) -> Option<f64> {
        self.picture.as_ref().map(|picture| picture.at)
    }

    /// Shows another moment; after the last one a program that runs is shown as it is.
    pub(super) fn go(&mut self, to: f64) {
        let Some((first, last)) = self.past.span() else { return };
        self.plays = false;
        self.at = match &self.source {
            Source::Live { .. } if to >= last => None,
            _ => Some(to.clamp(first, last)),
        };
    }

    /// To the next thing worth a line, or the one before.
    pub(super) fn go_to_event(&mut self, is_next: bool) {
        let Some(moment) = self.moment() else { return };
        match self.past.neighbour(moment, is_next) {
            Some(at) => self.go_exactly(at),
            None if is_next => self.go(f64::INFINITY),
            None => self.go(f64::NEG_INFINITY),
        }
    }

    fn go_exactly(&mut self, at: f64) {
        self.plays = false;
        self.at = Some(at);
    }

    pub(super) fn pause_or_go_on(&mut self) {
        let span = self.past.span();
        match (&self.source, self.at) {
            (Source::Live { .. }, None) => self.at = self.moment(),
            (Source::Live { .. }, Some(_)) => self.at = None,
            (Source::Recording { .. }, at) => {
                self.plays = !self.plays;
                if let (true, Some((first, last))) = (self.plays, span)
                    && at.is_none_or(|at| at >= last)
                {
                    self.at = Some(first);
                }
            }
        }
    }
}

/// What is told of at first: a part that does the work, far below, whose failure is nobody else's.
fn worth_breaking(parts: &[Part]) -> Option<&Part> {
    let workers = parts.iter().filter(|part| part.child.supervisor.is_none());
    let mut deepest: Option<&Part> = None;
    for part in workers {
        if deepest.is_none_or(|before| before.depth() < part.depth()) {
            deepest = Some(part);
        }
    }
    deepest.or(parts.first())
}
