//! Who hears of a child's lives: its supervisor, or for the root the tree.

use std::sync::Arc;

use actix::Addr;
use tokio::sync::mpsc::UnboundedSender;

use super::seat::Seat;
use super::supervisor::{News, Notice, Supervisor};
use crate::exit::ExitReason;

/// Who hears of a child's lives.
pub(crate) enum Boss {
    /// Its supervisor, which knows it by its place, and may have taken it in at run time.
    Supervisor { addr: Arc<Addr<Supervisor>>, place: usize, hired: bool },
    /// It is the root.
    Nobody(UnboundedSender<ExitReason>),
}

impl Boss {
    pub(crate) fn is_hired(&self) -> bool {
        matches!(self, Self::Supervisor { hired: true, .. })
    }

    /// The child's place below its supervisor.
    pub(crate) fn place(&self) -> usize {
        match self {
            Self::Supervisor { place, .. } => *place,
            Self::Nobody(_) => 0,
        }
    }

    pub(crate) fn tell_up(&self, seat: &Seat) {
        self.tell(seat, News::Up);
    }

    pub(crate) fn tell_left(&self, seat: &Seat, reason: ExitReason) {
        match self {
            Self::Nobody(ended) => drop(ended.send(reason)),
            Self::Supervisor { .. } => self.tell(seat, News::Left(reason)),
        }
    }

    fn tell(&self, seat: &Seat, news: News) {
        if let Self::Supervisor { addr, place, .. } = self {
            addr.do_send(Notice { place: *place, incarnation: seat.incarnation, news });
        }
    }
}
