//! Faults of an actor type's own.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use actix::{Actor, Context};

use super::spec::ChildSpec;
use crate::fault::{Fault, FaultError, FaultInfo};

/// A fault that one actor type has.
pub(crate) struct OwnFault<A: Actor<Context = Context<A>>> {
    pub(crate) info: FaultInfo,
    pub(crate) prepare: Prepare<A>,
}

type Prepare<A> = Box<dyn Fn(Option<&str>) -> Result<Do<A>, String> + Send + Sync>;
type Do<A> = Box<dyn FnOnce(&mut A, &mut Context<A>)>;

impl<A: Actor<Context = Context<A>>> OwnFault<A> {
    /// Whether its argument can be read.
    pub(crate) fn check(&self, argument: Option<&str>) -> Result<(), FaultError> {
        (self.prepare)(argument).map(drop).map_err(|why| {
            let fault =
                Fault::Own { name: self.info.name.to_owned(), argument: argument.map(ToOwned::to_owned) };
            FaultError::own(&fault, &self.info, &why)
        })
    }
}

impl<A: Actor<Context = Context<A>>> ChildSpec<A> {
    /// Gives the child a fault of its own: `latido inject PATH name`, or a [`Fault::Own`], has `strike` called between two
    /// messages, or at the message that a [`Rule`](crate::fault::Rule) says. `says` is a sentence for those who choose
    /// one, see [`Tree::faults`](super::Tree::faults).
    ///
    /// A name is of lower case letters, digits and `-`, and none that [every child has](Fault::all).
    ///
    /// ```
    /// # use actix::prelude::*;
    /// use latido::prelude::*;
    ///
    /// struct Till { drawer: Vec<u32> }
    /// # impl Actor for Till { type Context = Context<Self>; }
    /// # #[actix::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let till = ChildSpec::new("till", || Till { drawer: vec![5, 10] })
    ///     .fault("rob", "somebody empties the drawer", |till: &mut Till, _| till.drawer.clear());
    /// let tree = SupervisorSpec::new("shop").child(till).start()?;
    /// tree.inject("shop/till", "rob@after=2".parse::<Injection>()?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn fault<F>(self, name: &'static str, says: &'static str, strike: F) -> Self
    where
        F: Fn(&mut A, &mut Context<A>) + Send + Sync + 'static,
    {
        let strike = Arc::new(strike);
        self.add_fault(name, says, move |argument| match argument {
            None => {
                let strike = strike.clone();
                Ok(Box::new(move |actor: &mut A, ctx: &mut Context<A>| strike(actor, ctx)))
            }
            Some(_) => Err("nothing stands behind it".to_owned()),
        })
    }

    /// The same for a fault that is told more: `usage` is its name and a word for that, as in `leak:BYTES`, or
    /// `leak:BYTES=512` with an example for those who choose from a list. What stands there is read when the fault is put in, and who does that hears if it cannot be.
    pub fn fault_with<T, F>(self, usage: &'static str, says: &'static str, strike: F) -> Self
    where
        T: FromStr<Err: Display> + 'static,
        F: Fn(&mut A, T, &mut Context<A>) + Send + Sync + 'static,
    {
        let strike = Arc::new(strike);
        self.add_fault(usage, says, move |argument| {
            let argument = argument.ok_or("something is missing behind it")?;
            let read = argument.parse::<T>().map_err(|error| error.to_string())?;
            let strike = strike.clone();
            Ok(Box::new(move |actor: &mut A, ctx: &mut Context<A>| strike(actor, read, ctx)))
        })
    }

    fn add_fault<F>(mut self, usage: &'static str, says: &'static str, prepare: F) -> Self
    where
        F: Fn(Option<&str>) -> Result<Do<A>, String> + Send + Sync + 'static,
    {
        let core =
            Arc::get_mut(&mut self.core).expect("a spec has its child for itself until it is part of a tree");
        core.faults.push(OwnFault { info: FaultInfo::new(usage, says), prepare: Box::new(prepare) });
        self
    }
}
