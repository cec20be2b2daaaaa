//! Servers that are spared, see [`hosts`](crate::fetch::hosts).

use std::time::{Duration, Instant};

use actix::prelude::*;

use super::Ledger;
use super::portions::MOST;
use crate::fetch::hosts::host;
use crate::fetch::job::Stage;

/// So many files are looked at in one go for some that may go out: it is a long way past a million of one server.
const LOOKED_AT: usize = 1_024;

impl Ledger {
    /// The next files for a downloader, `size` at most.
    pub(super) fn next_files(&mut self, downloader: usize, size: usize, ctx: &mut Context<Self>) -> Vec<i64> {
        if self.hosts.are_free() {
            self.read_ahead();
            return self.to_fetch.drain(..size.min(self.to_fetch.len())).collect();
        }
        let (mut next, now) = (Vec::with_capacity(size), Instant::now());
        for _ in 0..LOOKED_AT {
            if next.len() == size {
                return next;
            }
            self.read_ahead();
            let Some(id) = self.to_fetch.pop_front() else { return next };
            self.take(id);
            let job = &self.jobs[&id];
            if self.hosts.admit(downloader, job.url(), id, now) {
                next.push(id);
            } else if job.stage == Stage::Queued && job.attempt == 0 {
                // As the journal has it: it can be read again.
                self.jobs.remove(&id);
            }
        }
        if next.is_empty() {
            // In a while, so that others get a word in.
            ctx.run_later(Duration::ZERO, |ledger, ctx| ledger.hand_out(ctx));
        }
        next
    }

    /// The downloader is done with its portion, or with all of it but the file in hand.
    pub(super) fn leave_hosts(&mut self, downloader: usize) {
        let in_hand = self.in_hand(downloader).and_then(|id| self.jobs.get(&id));
        let next = self.hosts.leave(downloader, in_hand.map(|job| job.url()), MOST);
        next.into_iter().rev().for_each(|id| self.to_fetch.push_front(id));
    }

    /// Sees to it that a server which asked for that is left alone: all of its files wait, and no try is lost on them.
    /// Answers which it is and for how long, with a little more so that not all who were sent away come back together.
    pub(super) fn let_rest(
        &mut self,
        id: i64,
        rest: Duration,
        ctx: &mut Context<Self>,
    ) -> (Box<str>, Duration) {
        let url = self.jobs[&id].url().to_owned();
        let rest = rest.min(self.plan.manners.max_wait);
        self.hosts.rest(&url, Instant::now() + rest);
        let asked = host(&url);
        ctx.run_later(rest, move |ledger, ctx| {
            let next = ledger.hosts.wake(&url, Instant::now());
            ledger.to_fetch.extend(next);
            ledger.hand_out(ctx);
        });
        (asked, rest.mul_f64(1.0 + fastrand::f64() / 10.0))
    }
}
