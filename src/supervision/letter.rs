//! A message on its way, and what becomes of it.

use std::any::type_name;
use std::sync::{Arc, OnceLock};

use actix::Actor;
use actix::dev::Envelope;

use super::ask::Fate;
use super::bound::MessageCounts;
use crate::exit::ExitReason;
use crate::path::TreePath;

/// A message, its type, and somebody who wants to know what becomes of it. actix's envelope tells nobody what is in it,
/// so of what was sent to a plain address there is only that.
pub(super) struct Letter<A: Actor> {
    pub(super) envelope: Envelope<A>,
    pub(super) kind: Option<Kind>,
    pub(super) fate: Option<Arc<Fate>>,
}

/// Gives the name of a message's type.
pub(super) type Kind = fn() -> &'static str;

/// One incarnation, and how it ended once it has.
pub(super) type Life = OnceLock<LifeEnd>;

/// How an incarnation ended, for those who had asked it something.
#[derive(Debug)]
pub(super) struct LifeEnd {
    pub(super) path: TreePath,
    pub(super) incarnation: u64,
    pub(super) reason: ExitReason,
    pub(super) incident: Option<u64>,
}

/// What there is to tell of a life when it ends.
#[derive(Default)]
pub(super) struct Account {
    pub(super) incarnation: u64,
    /// Shared with the messages it took from people who ask: they may look long after others have read here. None of
    /// those has come while this is `None`.
    pub(super) life: Option<Arc<Life>>,
    /// It has ended, or somebody else reads now: what was lost with it.
    pub(super) lost: Option<Lost>,
    /// How it ended has been said.
    pub(super) is_told: bool,
}

/// How many messages, and the type of the last if it is known.
pub(super) type Lost = (u64, Option<&'static str>);

/// What the end of an incarnation did to its messages.
#[derive(Clone, Default)]
pub(crate) struct Toll {
    /// Where those look who asked it something.
    pub(super) life: Option<Arc<Life>>,
    /// Messages it had in hand.
    pub(crate) lost: u64,
    /// The type of that message, if it is known.
    pub(crate) message: Option<&'static str>,
    /// Messages that wait for the next.
    pub(crate) kept: u64,
}

impl Account {
    /// Its message in hand, lost when the mailbox was taken away, has been handled after all.
    pub(super) fn handled_late(&mut self, counts: &mut MessageCounts) {
        let lost = self.lost.get_or_insert_default();
        counts.lost -= lost.0;
        counts.handled += lost.0;
        *lost = Lost::default();
    }

    pub(super) fn toll(&self) -> Toll {
        let (lost, message) = self.lost.unwrap_or_default();
        Toll { life: self.life.clone(), lost, message, kept: 0 }
    }
}

impl<A: Actor> Letter<A> {
    pub(super) fn new<M>(envelope: Envelope<A>, fate: Option<Arc<Fate>>) -> Self {
        Self { envelope, kind: Some(type_name::<M>), fate }
    }

    pub(super) fn unknown(envelope: Envelope<A>) -> Self {
        Self { envelope, kind: None, fate: None }
    }
}
