//! One bar for the run and one for each transfer, on a terminal.

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};

use crate::fetch::board::Board;
use crate::fetch::job::Stage;

/// As many transfers as are shown at the same time.
const SHOWN: usize = 8;

pub(super) struct Bars {
    run: ProgressBar,
    transfers: Vec<ProgressBar>,
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
        let run = add("{spinner} {bar:20.cyan} {pos}/{len} files  {msg}  {elapsed}");
        run.set_length(board.total() as u64);
        Self {
            run,
            transfers: (0..board.downloaders().min(SHOWN))
                .map(|_| add("  {bar:12.dim} {wide_msg}"))
                .collect(),
        }
    }

    pub(super) fn draw(&self, board: &Board) {
        let finished = board.count(Stage::Done) + board.count(Stage::Failed);
        self.run.set_length(board.total() as u64);
        self.run.set_position(finished as u64);
        let seconds = self.run.elapsed().as_secs_f64().max(0.001);
        let (bytes, failed) = (board.bytes(), board.count(Stage::Failed));
        let rate = HumanBytes((bytes as f64 / seconds) as u64);
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        self.run.set_message(format!("{}  {rate}/s{failed}", HumanBytes(bytes)));
        self.run.tick();

        let mut transfers = board.transfers();
        for bar in &self.transfers {
            let Some(transfer) = transfers.next() else {
                bar.set_length(1);
                bar.set_position(0);
                bar.set_message("");
                continue;
            };
            let (received, total) = (transfer.progress.received(), transfer.progress.total());
            bar.set_length(total.unwrap_or(1));
            bar.set_position(if total.is_some() { received } else { 0 });
            bar.set_message(format!(
                "{:>10}  {}",
                HumanBytes(received).to_string(),
                transfer.current().map_or("", |file| &file.name)
            ));
        }
    }

    pub(super) fn clear(&self) {
        self.transfers.iter().chain([&self.run]).for_each(ProgressBar::finish_and_clear);
    }
}
