//! The last events, as lines of JSON, for everybody who reads them at their own pace.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{Stream, unfold};
use tokio::sync::watch;

use super::wire;
use crate::event::{EventKind, Events};

/// How many events are kept, and how much room they may take.
const EVENTS: usize = 2_048;
const BYTES: usize = 1 << 20;

/// How often it is looked whether something has happened. To be woken by each event would cost those who work more than
/// all that is done about it here.
const LOOK: Duration = Duration::from_millis(50);

/// How many events a reader is given at a time.
const PORTION: usize = 256;

/// One event, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) json: Arc<str>,
}

#[derive(Debug)]
pub(super) struct History {
    events: Mutex<Events>,
    kept: Mutex<Kept>,
    /// The last event's number.
    last: watch::Sender<u64>,
    /// Nothing more will happen that could be told.
    over: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<Line>,
    bytes: usize,
}

/// What a reader gets.
#[derive(Debug)]
pub(super) enum Portion {
    Lines(Vec<Line>),
    /// So many events were not kept for it; those from here on are there.
    Missed {
        events: u64,
        seq: u64,
    },
}

impl History {
    pub(super) fn new(events: Events) -> Arc<Self> {
        Arc::new(Self {
            events: Mutex::new(events),
            kept: Mutex::default(),
            last: watch::Sender::new(0),
            over: watch::Sender::new(false),
        })
    }

    /// Writes down what happens, for ever.
    pub(super) async fn keep(self: Arc<Self>) {
        loop {
            self.last();
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Writes down what has happened until now; answers the number of the last event.
    pub(super) fn last(&self) -> u64 {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *self.last.borrow();
        let mut last = before;
        while let Some(event) = events.try_next() {
            // It is told by the numbers that are missing.
            if let EventKind::Missed(_) = event.kind {
                continue;
            }
            let json =
                serde_json::to_string(&wire::Event::from(&event)).expect("it has no maps and no bytes");
            self.lock().push(Line { seq: event.seq, json: json.into() });
            last = event.seq;
        }
        if last > before {
            self.last.send_replace(last);
        }
        last
    }

    /// Writes down the last of it; who reads has an end once it has read that.
    pub(super) fn end(&self) {
        self.last();
        self.over.send_replace(true);
    }

    /// Everything after the event `after`, and then what happens, until [`end`](Self::end).
    pub(super) fn read(self: Arc<Self>, after: u64) -> impl Stream<Item = Portion> + Send {
        let (news, over) = (self.last.subscribe(), self.over.subscribe());
        unfold((self, news, over, after), |(history, mut news, mut over, after)| async move {
            // Whoever is ahead of this tree has been reading another one: it begins anew.
            let after = if after > history.last() { 0 } else { after };
            tokio::select! {
                biased;
                more = news.wait_for(|last| *last > after) => drop(more.ok()?),
                _ = over.wait_for(|over| *over) => return None,
            }
            let portion = history.lock().after(after);
            let read = match &portion {
                Portion::Lines(lines) => lines.last().map_or(after, |line| line.seq),
                Portion::Missed { seq, .. } => *seq,
            };
            Some((portion, (history, news, over, read)))
        })
    }

    /// What has been written down after the event `after`.
    pub(super) fn after(&self, after: u64) -> Portion {
        self.lock().after(after)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn push(&mut self, line: Line) {
        self.bytes += line.json.len();
        self.lines.push_back(line);
        while self.lines.len() > EVENTS || self.bytes > BYTES {
            let Some(oldest) = self.lines.pop_front() else { return };
            self.bytes -= oldest.json.len();
        }
    }

    fn after(&self, after: u64) -> Portion {
        let from = self.lines.partition_point(|line| line.seq <= after);
        match self.lines.get(from) {
            Some(next) if next.seq > after + 1 => {
                Portion::Missed { events: next.seq - after - 1, seq: next.seq - 1 }
            }
            _ => Portion::Lines(self.lines.iter().skip(from).take(PORTION).cloned().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64) -> Line {
        Line { seq, json: format!("{{\"seq\":{seq}}}").into() }
    }

    fn kept(seqs: impl IntoIterator<Item = u64>) -> Kept {
        let mut kept = Kept::default();
        seqs.into_iter().for_each(|seq| kept.push(line(seq)));
        kept
    }

    fn seqs(portion: Portion) -> Vec<u64> {
        match portion {
            Portion::Lines(lines) => lines.iter().map(|line| line.seq).collect(),
            Portion::Missed { events, .. } => panic!("{events} missed"),
        }
    }

    #[test]
    fn a_reader_gets_what_it_has_not_read_in_portions() {
        let kept = kept(1..=1_000);
        assert_eq!(seqs(kept.after(998)), [999, 1_000]);
        assert_eq!(seqs(kept.after(0)), (1..=PORTION as u64).collect::<Vec<_>>());
        assert!(seqs(kept.after(1_000)).is_empty());
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for_and_who_is_too_slow_hears_how_much_is_missing() {
        let kept = kept(1..=EVENTS as u64 + 10);
        assert_eq!(kept.lines.len(), EVENTS);
        let Portion::Missed { events, seq } = kept.after(3) else { panic!("they are not there any more") };
        assert_eq!((events, seq), (7, 10));
        assert_eq!(seqs(kept.after(seq))[0], 11);
    }

    #[test]
    fn large_events_take_no_more_room_than_small_ones() {
        let mut kept = Kept::default();
        for seq in 1..=100 {
            kept.push(Line { seq, json: "x".repeat(BYTES / 10).into() });
        }
        assert_eq!((kept.lines.len(), kept.bytes), (10, BYTES / 10 * 10));
    }
}
