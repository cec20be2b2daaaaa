//! What waits in a mailbox, in order, within its bound, and counted.

mod inlet;

use std::collections::VecDeque;
use std::task::{Context, Waker};

use actix::Actor;
use actix::dev::Envelope;
use actix::dev::channel::AddressReceiver;

use super::bound::{Bound, MessageCounts, Overflow};
use super::letter::{Account, Kind, Letter, Lost, Toll};
use super::mailbox::Claim;
use crate::event::{EventKind, Unhandled};

pub(super) struct Queue<A: Actor<Context = actix::Context<A>>> {
    pub(super) inlet: AddressReceiver<A>,
    pub(super) bound: Option<Bound>,
    /// It takes nothing new.
    is_sealed: bool,
    pub(super) reader: Claim,
    pub(super) waker: Option<Waker>,
    /// The reader has found nothing, and was not woken since.
    is_idle: bool,
    /// Taken out of the inlet, so that they can be counted, and bounded.
    waiting: VecDeque<Letter<A>>,
    counts: MessageCounts,
    /// The type of the message in hand.
    kind: Option<Kind>,
    /// The reader's.
    account: Account,
    /// Of those who read before, and are still going down.
    outlived: Vec<Account>,
    /// Somebody wants to know when the message in hand has been handled.
    pub(super) is_asked_after: bool,
    /// Whether an incarnation has ever read here.
    pub(super) has_run: bool,
    trash: Trash<A>,
}

/// What is to be done outside the lock.
pub(super) struct Trash<A: Actor> {
    /// To be dropped: a destructor may do anything, even ask.
    pub(super) letters: Vec<Letter<A>>,
    /// To be told.
    pub(super) news: Option<EventKind>,
}

/// A message that came too late for a place in the queue.
pub(super) enum Refused<A: Actor> {
    /// Come again when there is room.
    Wait(Letter<A>),
    /// There is no room, and there is no waiting for it.
    Full,
    /// Nothing new is taken.
    Draining,
}

impl<A: Actor<Context = actix::Context<A>>> Queue<A> {
    pub(super) fn new(inlet: AddressReceiver<A>, bound: Option<Bound>) -> Self {
        Self {
            inlet,
            bound,
            is_sealed: false,
            reader: Claim::default(),
            waker: None,
            is_idle: false,
            waiting: VecDeque::new(),
            counts: MessageCounts::default(),
            kind: None,
            account: Account::default(),
            outlived: Vec::new(),
            is_asked_after: false,
            has_run: false,
            trash: Trash { letters: Vec::new(), news: None },
        }
    }

    /// The next message; if there is none, `cx` is woken when there is. The one before has been handled.
    ///
    /// Every message passes here: nothing but the envelope is moved, or copying costs more than all the rest.
    #[inline]
    pub(super) fn take(&mut self, cx: &mut Context<'_>) -> Option<Envelope<A>> {
        self.handled();
        if self.bound.is_some() || self.is_sealed {
            self.receive_all(cx);
        }
        let envelope = match self.waiting.pop_front() {
            Some(letter) => self.open(letter),
            None => {
                self.kind = None;
                self.receive(cx)?
            }
        };
        self.counts.in_hand = true;
        Some(envelope)
    }

    fn open(&mut self, Letter { envelope, kind, fate }: Letter<A>) -> Envelope<A> {
        self.kind = kind;
        if let Some(fate) = fate {
            fate.is_in_hand(self.reader.incarnation, self.account.life.get_or_insert_default());
        }
        envelope
    }

    /// Puts a message behind all that have arrived, if the bound allows.
    pub(super) fn put(&mut self, letter: Letter<A>) -> Result<(), Refused<A>> {
        self.receive_all_quietly();
        if self.is_sealed {
            self.trash.letters.push(letter);
            return Err(Refused::Draining);
        }
        if let Some(bound) = self.bound.filter(|bound| self.waiting.len() >= bound.capacity) {
            match bound.overflow {
                Overflow::Block => return Err(Refused::Wait(letter)),
                Overflow::Reject => {
                    self.trash.letters.push(letter);
                    return Err(Refused::Full);
                }
                Overflow::DropOldest if bound.capacity > 0 => self.drop_oldest(),
                Overflow::DropOldest | Overflow::DropNewest => {
                    self.counts.received += 1;
                    self.discard(letter, Unhandled::Overflow);
                    return Ok(());
                }
            }
        }
        self.push(letter);
        Ok(())
    }

    /// Puts a message behind all that have arrived, whatever the bound.
    pub(super) fn push(&mut self, letter: Letter<A>) {
        self.counts.received += 1;
        if self.is_sealed {
            return self.discard(letter, Unhandled::Draining);
        }
        self.waiting.push_back(letter);
    }

    /// The reader's waker, if it waits for what is there now. For outside the lock, or the reader would run into it.
    pub(super) fn take_wake(&mut self) -> Option<Waker> {
        if !self.is_idle || self.waiting.is_empty() {
            return None;
        }
        self.is_idle = false;
        self.waker.clone()
    }

    /// Who is woken when there is a message.
    pub(super) fn wake_by(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
        self.is_idle = true;
    }

    pub(super) fn counts(&mut self) -> MessageCounts {
        self.receive_all_quietly();
        MessageCounts { queued: self.waiting.len() as u64, ..self.counts }
    }

    // ===== ends =====

    /// The handler has returned.
    pub(super) fn handled(&mut self) {
        self.counts.handled += u64::from(std::mem::take(&mut self.counts.in_hand));
    }

    /// An incarnation is gone. If it had a message in hand, that is lost. Said twice, it is the same.
    pub(super) fn ended(&mut self, incarnation: u64) -> Toll {
        let kept = self.counts().queued;
        if self.account.incarnation == incarnation {
            self.settle();
        }
        let mut accounts = std::iter::once(&self.account).chain(&self.outlived);
        let account = accounts.find(|account| account.incarnation == incarnation);
        Toll { kept, ..account.map(Account::toll).unwrap_or_default() }
    }

    /// The accounts of those who read before, and the counts.
    pub(super) fn outlived(&mut self) -> (&mut Vec<Account>, &mut MessageCounts) {
        (&mut self.outlived, &mut self.counts)
    }

    /// How an incarnation ended has been said.
    pub(super) fn has_told(&mut self, incarnation: u64) {
        self.account.is_told |= self.account.incarnation == incarnation;
        self.outlived.retain(|account| account.incarnation != incarnation);
    }

    /// Nobody reads any more. Gives the accounts that are still open.
    pub(super) fn close(&mut self) -> Vec<Account> {
        self.hand_over(Claim::default());
        self.discard_all(&mut Context::from_waker(Waker::noop()), Unhandled::Down);
        std::mem::take(&mut self.outlived)
    }

    /// Somebody else reads from now on.
    pub(super) fn hand_over(&mut self, to: Claim) {
        self.settle();
        self.reader = to;
        self.has_run |= to.incarnation > 0;
        let account = Account { incarnation: to.incarnation, ..Account::default() };
        let before = std::mem::replace(&mut self.account, account);
        if before.incarnation > 0 && !before.is_told {
            self.outlived.push(before);
        }
    }

    /// Whoever had a message in hand will not finish it.
    fn settle(&mut self) {
        let in_hand = std::mem::take(&mut self.counts.in_hand);
        self.counts.lost += u64::from(in_hand);
        let lost: Lost = (u64::from(in_hand), self.kind.filter(|_| in_hand).map(|kind| kind()));
        self.account.lost.get_or_insert(lost);
    }

    /// Whether this incarnation, which reads here, has handled all that it took and goes on. If not, somebody will say
    /// when to look again.
    pub(super) fn has_handled(&mut self, incarnation: u64) -> bool {
        let reads = self.reader.incarnation == incarnation && self.account.lost.is_none();
        self.is_asked_after |= reads && self.counts.in_hand;
        reads && !self.counts.in_hand
    }

    /// Drops all that wait.
    pub(super) fn discard_all(&mut self, cx: &mut Context<'_>, why: Unhandled) {
        self.handled();
        let mut next =
            |queue: &mut Self| queue.waiting.pop_front().or_else(|| queue.receive(cx).map(Letter::unknown));
        while let Some(letter) = next(self) {
            self.discard(letter, why);
        }
    }

    /// What is to be done once the lock is released.
    #[inline]
    pub(super) fn take_trash(&mut self) -> Option<Trash<A>> {
        if self.trash.letters.is_empty() {
            return None;
        }
        let letters = std::mem::take(&mut self.trash.letters);
        Some(Trash { letters, news: self.trash.news.take() })
    }

    /// Drops a message that nobody will handle; its sender hears `Closed`.
    fn discard(&mut self, letter: Letter<A>, why: Unhandled) {
        self.discard_telling(letter, why, false);
    }

    fn discard_telling(&mut self, letter: Letter<A>, why: Unhandled, is_news: bool) {
        self.counts.dropped += 1;
        if let Some(fate) = &letter.fate {
            fate.is_unhandled(why);
        }
        if is_news || self.counts.dropped.is_power_of_two() {
            let message = letter.kind.map(|kind| kind());
            self.trash.news = Some(EventKind::DeadLetter { message, why, total: self.counts.dropped });
        }
        self.trash.letters.push(letter);
    }
}
