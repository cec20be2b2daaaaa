//! What is wrong with a spec, found before anything runs.

use std::collections::HashSet;

use super::child::AnyChild;
use super::policy::{AutoShutdown, Restart, Strategy};
use super::spec::{AnySpec, Conduct, Kind};
use crate::fault::{Fault, FaultInfo, is_name};
use crate::path::TreePath;

/// A spec that cannot be carried out. Nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Two children of one supervisor have the same id.
    #[error("two children are called {0}: give each child of a supervisor an id of its own")]
    DuplicateId(TreePath),
    /// An id is empty or has a `/` in it.
    #[error("a child of {supervisor:?} cannot be called {id:?}: an id is not empty and has no slash in it")]
    BadId {
        /// The supervisor; empty for the root.
        supervisor: String,
        /// The id.
        id: String,
    },
    /// A fault of a child's own has a name that cannot be.
    #[error(
        "{child} cannot have a fault called {name:?}: a name is of lower case letters, digits and -, and each fault has its own"
    )]
    BadFault {
        /// The child.
        child: TreePath,
        /// The name.
        name: String,
    },
    /// A period of no length counts no restarts.
    #[error("the period of {0} is zero: restarts are counted over a time")]
    ZeroPeriod(TreePath),
    /// A significant child that ends and is always restarted.
    #[error("{0} is significant and permanent: only a transient or temporary child can end")]
    SignificantPermanent(TreePath),
    /// A significant child under a supervisor that does not care.
    #[error("{0} is significant, but its supervisor never shuts down by itself: give it an auto_shutdown")]
    SignificantForNothing(TreePath),
    /// A dynamic supervisor with another strategy than one-for-one.
    #[error(
        "{0} is dynamic and not one-for-one: its children come and go in no order, so none takes others along"
    )]
    DynamicStrategy(TreePath),
    /// A supervisor with more children than it may have.
    #[error("{supervisor} has {count} children, and may have {max}")]
    TooManyChildren {
        /// The supervisor.
        supervisor: TreePath,
        /// How many children its spec has.
        count: usize,
        /// Its limit.
        max: usize,
    },
    /// `start` was called outside an actix `System`.
    #[error("a tree starts inside an actix System: call start() below #[actix::main] or System::block_on")]
    NoSystem,
}

impl AnySpec {
    /// What its supervisor has to say to it.
    pub(crate) fn check_significance(
        &self,
        conduct: &Conduct,
        supervisor: &TreePath,
    ) -> Result<(), SpecError> {
        let path = || supervisor.join(&self.rules.id);
        match (self.rules.significant, self.rules.restart, conduct.auto_shutdown) {
            (true, Restart::Permanent, _) => Err(SpecError::SignificantPermanent(path())),
            (true, _, AutoShutdown::Never) => Err(SpecError::SignificantForNothing(path())),
            _ => Ok(()),
        }
    }

    /// What can be seen from itself, and all that is below it.
    pub(crate) fn check(&self, supervisor: Option<&TreePath>) -> Result<(), SpecError> {
        let id = &self.rules.id;
        if id.is_empty() || id.contains('/') {
            let supervisor = supervisor.map_or("", TreePath::as_str).to_owned();
            return Err(SpecError::BadId { supervisor, id: id.clone() });
        }
        let path = supervisor.map_or_else(|| TreePath::root(id), |supervisor| supervisor.join(id));
        let plan = match &self.kind {
            Kind::Supervisor(plan) => plan,
            Kind::Worker(child) => return check_faults(&**child, &path),
        };
        if plan.period.is_zero() {
            return Err(SpecError::ZeroPeriod(path));
        }
        if plan.conduct.dynamic && plan.conduct.strategy != Strategy::OneForOne {
            return Err(SpecError::DynamicStrategy(path));
        }
        let count = plan.children.len();
        if let Some(max) = plan.conduct.max_children.filter(|&max| count > max) {
            return Err(SpecError::TooManyChildren { supervisor: path, count, max });
        }
        let mut ids = HashSet::new();
        for child in &plan.children {
            if !ids.insert(&child.rules.id) {
                return Err(SpecError::DuplicateId(path.join(&child.rules.id)));
            }
            child.check_significance(&plan.conduct, &path)?;
            child.check(Some(&path))?;
        }
        Ok(())
    }
}

fn check_faults(child: &dyn AnyChild, path: &TreePath) -> Result<(), SpecError> {
    let faults = child.own_faults();
    let is_taken = |place: usize, name: &str| {
        Fault::all().iter().chain(&faults[..place]).any(|taken| taken.name == name)
    };
    for (place, FaultInfo { name, .. }) in faults.iter().enumerate() {
        if !is_name(name) || is_taken(place, name) {
            return Err(SpecError::BadFault { child: path.clone(), name: (*name).to_owned() });
        }
    }
    Ok(())
}
