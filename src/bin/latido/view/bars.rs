//! One bar for the run and one for each transfer, on a terminal.

use std::time::Instant;

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};

use super::sum::{Speed, Sum, left, percent};
use crate::fetch::board::{Board, Transfer};

/// As many transfers as are shown at the same time.
const SHOWN: usize = 8;

pub(super) struct Bars {
    run: ProgressBar,
    speed: Speed,
    transfers: Vec<Row>,
    started: Instant,
}

/// The bar of one transfer: always the same, so that nothing jumps from line to line.
struct Row {
    bar: ProgressBar,
    /// Of this file.
    speed: Speed,
    file: Option<i64>,
}

impl Bars {
    pub(super) fn new(multi: &MultiProgress, board: &Board) -> Self {
        let add = |template| {
            let bar = multi.add(ProgressBar::new(0));
            bar.set_style(
                ProgressStyle::with_template(template).expect("the template is right").progress_chars("━╸ "),
            );
            bar
        };
        let run = add("{spinner} {bar:8.cyan} {wide_msg}");
        let row = |_| Row { bar: add("  {bar:8.dim} {wide_msg}"), speed: Speed::default(), file: None };
        Self {
            run,
            speed: Speed::default(),
            transfers: (0..board.downloaders().min(SHOWN)).map(row).collect(),
            started: Instant::now(),
        }
    }

    pub(super) fn draw(&mut self, board: &Board) {
        let now = self.started.elapsed();
        let sum = Sum::of(board, self.speed.note(now, board.fetched()));
        let (position, length) = sum.position();
        self.run.set_length(length);
        self.run.set_position(position);
        self.run.set_message(sum.to_string());
        self.run.tick();

        let mut transfers = board.transfers();
        for row in &mut self.transfers {
            row.draw(transfers.next(), now);
        }
    }

    pub(super) fn clear(&self) {
        self.transfers.iter().map(|row| &row.bar).chain([&self.run]).for_each(ProgressBar::finish_and_clear);
    }
}

impl Row {
    fn draw(&mut self, transfer: Option<Transfer>, now: std::time::Duration) {
        let file = transfer.as_ref().and_then(Transfer::current);
        let (Some(transfer), Some(file)) = (&transfer, file) else {
            self.bar.set_length(1);
            self.bar.set_position(0);
            self.bar.set_message("");
            return;
        };
        if self.file.replace(file.id) != Some(file.id) {
            self.speed = Speed::default();
        }
        let received = transfer.progress.received();
        let speed = self.speed.note(now, received);
        let (mut done, mut rest) = (String::new(), String::new());
        match transfer.progress.total() {
            Some(total) => {
                self.bar.set_length(total);
                self.bar.set_position(received);
                done = percent(received, total);
                rest = left(total.saturating_sub(received), speed).unwrap_or_default();
            }
            None => {
                self.bar.set_length(1);
                self.bar.set_position(0);
            }
        }
        let (received, speed) = (HumanBytes(received).to_string(), HumanBytes(speed as u64).to_string());
        self.bar.set_message(format!("{done:>4} {received:>10} {speed:>10}/s {rest:>4}  {}", file.name));
    }
}
