//! How many messages may wait, and what became of those that came.

/// How many messages may wait for a child, and what happens to one too many; see
/// [`ChildSpec::mailbox`](super::ChildSpec::mailbox).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub(crate) capacity: usize,
    pub(crate) overflow: Overflow,
}

/// What happens to a message for a full mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// An [`ask`](super::ActorRef::ask) waits for room. What is sent in other ways cannot wait, and is queued.
    Block,
    /// It is given back to who asks ([`AskError::Full`](super::AskError::Full)); what is sent in other ways is dropped.
    Reject,
    /// It is dropped.
    DropNewest,
    /// The one that has waited longest is dropped, and the new one is queued.
    DropOldest,
}

impl Bound {
    /// At most `capacity` messages may wait; 0 is taken as 1.
    pub fn new(capacity: usize, overflow: Overflow) -> Self {
        Self { capacity: capacity.max(1), overflow }
    }
}

/// What became of the messages of a child, counted over all its lives. They add up:
/// `received = handled + lost + dropped + queued`, and one more that is [`in_hand`](Self::in_hand).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MessageCounts {
    /// Messages that arrived.
    pub received: u64,
    /// Messages whose handler returned.
    pub handled: u64,
    /// Messages that were being handled when the incarnation ended.
    pub lost: u64,
    /// Messages that nobody handled: the mailbox was full, or the child was down for good.
    pub dropped: u64,
    /// Messages that wait.
    pub queued: u64,
    /// Whether one is being handled.
    pub in_hand: bool,
}
