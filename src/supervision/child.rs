//! A child whose actor type the supervisor has forgotten.

use std::sync::Arc;

use actix::{Actor, Context};
use actix_rt::ArbiterHandle;
use futures::future::BoxFuture;

use super::bound::MessageCounts;
use super::incarnation;
use super::letter::Toll;
use super::mailbox::Mailbox;
use super::own_fault::OwnFault;
use super::seat::Seat;
use super::supervisor::Supervisor;
use super::unborn::Unborn;
use crate::fault::{FaultError, FaultInfo};
use crate::reporter::Speaker;

/// All that a supervisor does with a child. There is one implementation, so the supervisor knows no kinds of actor.
pub(crate) trait AnyChild: Send + Sync {
    /// Who speaks of what becomes of its messages.
    fn is_spoken_of_by(&self, speaker: &Arc<Speaker>);
    /// Builds and runs one incarnation in its seat, on the seat's arbiter.
    fn launch(self: Arc<Self>, unborn: Unborn);
    /// Answers everything sent to the child with `Closed`, until it is launched again. Not on any thread, but `on` one
    /// that is not left behind: nobody would answer any more.
    fn refuse(self: Arc<Self>, on: &ArbiterHandle);
    /// The same for ever.
    fn close(&self);
    /// An incarnation is gone. Those who have asked it something wait to hear how it ended.
    fn ended(&self, incarnation: u64) -> Toll;
    /// They may look now.
    fn has_told(&self, incarnation: u64);
    /// What became of its messages.
    fn messages(&self) -> MessageCounts;
    /// The actor's type, without its path.
    fn kind(&self) -> &'static str;
    /// What it understands besides what every child does.
    fn own_faults(&self) -> Vec<FaultInfo>;
    /// What is wrong with such a fault; `None` if there is none of this name.
    fn check_fault(&self, name: &str, argument: Option<&str>) -> Option<Result<(), FaultError>>;
    /// Takes nothing new from now on, or takes it again. Says whether that changed anything.
    fn seal(&self, is_sealed: bool) -> bool;
    fn is_sealed(&self) -> bool;
    /// Waits until nothing is left in a sealed mailbox. Says whether it still is sealed.
    fn drained(self: Arc<Self>) -> BoxFuture<'static, bool>;
}

/// Builds an incarnation. A supervisor looks at its seat to find its children; nobody else does.
type Factory<A> = Box<dyn Fn(&Arc<Seat>) -> A + Send + Sync>;

/// What outlives the incarnations of a child.
pub(crate) struct Core<A: Actor<Context = Context<A>>> {
    /// Closed when this is dropped, whoever else holds it.
    pub(crate) mailbox: Arc<Mailbox<A>>,
    pub(crate) factory: Factory<A>,
    pub(crate) faults: Vec<OwnFault<A>>,
    /// Whether the actor says itself when it is up. A supervisor does: it is up when its children are.
    pub(crate) says_when_up: bool,
}

impl<A: Actor<Context = Context<A>>> Core<A> {
    pub(crate) fn new(factory: impl Fn(&Arc<Seat>) -> A + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            mailbox: Arc::new(Mailbox::new()),
            factory: Box::new(factory),
            faults: Vec::new(),
            says_when_up: false,
        })
    }
}

impl Core<Supervisor> {
    pub(crate) fn supervisor() -> Arc<Self> {
        Arc::new(Self {
            mailbox: Arc::new(Mailbox::new()),
            factory: Box::new(Supervisor::new),
            faults: Vec::new(),
            says_when_up: true,
        })
    }
}

impl<A: Actor<Context = Context<A>>> AnyChild for Core<A> {
    fn is_spoken_of_by(&self, speaker: &Arc<Speaker>) {
        self.mailbox.is_spoken_of_by(speaker);
    }

    fn launch(self: Arc<Self>, unborn: Unborn) {
        incarnation::launch(self, unborn);
    }

    fn refuse(self: Arc<Self>, on: &ArbiterHandle) {
        // Claimed now, not when the task has its turn: by then the child may have been started again.
        let claim = self.mailbox.claim(0);
        on.spawn(async move { self.mailbox.refuse(claim).await });
    }

    fn close(&self) {
        self.mailbox.close();
    }

    fn ended(&self, incarnation: u64) -> Toll {
        self.mailbox.ended(incarnation)
    }

    fn has_told(&self, incarnation: u64) {
        self.mailbox.has_told(incarnation);
    }

    fn messages(&self) -> MessageCounts {
        self.mailbox.counts()
    }

    fn kind(&self) -> &'static str {
        let name = std::any::type_name::<A>();
        let path = name.split('<').next().unwrap_or(name);
        path.rsplit("::").next().unwrap_or(path)
    }

    fn own_faults(&self) -> Vec<FaultInfo> {
        self.faults.iter().map(|own| own.info).collect()
    }

    fn check_fault(&self, name: &str, argument: Option<&str>) -> Option<Result<(), FaultError>> {
        self.faults.iter().find(|own| own.info.name == name).map(|own| own.check(argument))
    }

    fn seal(&self, is_sealed: bool) -> bool {
        self.mailbox.seal(is_sealed)
    }

    fn is_sealed(&self) -> bool {
        self.mailbox.is_sealed()
    }

    fn drained(self: Arc<Self>) -> BoxFuture<'static, bool> {
        Box::pin(async move { self.mailbox.drained().await })
    }
}

impl<A: Actor<Context = Context<A>>> Drop for Core<A> {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}
