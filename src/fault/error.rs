//! What is wrong with what somebody typed.

use super::words::{FaultInfo, listed};
use super::{Fault, Rule};

/// A fault, or a rule for one, that cannot be. It names the word, and says what may stand there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FaultError(String);

impl FaultError {
    pub(super) fn fault(word: &str) -> Self {
        Self(format!("`{word}` is no fault; there are {}, and those of a part's own", listed(Fault::all())))
    }

    pub(super) fn argument(word: &str, fault: &FaultInfo) -> Self {
        Self(match fault.argument {
            None => format!("`{word}` is no fault; nothing stands behind `{}`", fault.name),
            Some("N") => format!("`{word}` is no fault; write {fault}, N from 1 to 1000000"),
            Some(_) => format!("`{word}` is no fault; write {fault}"),
        })
    }

    pub(super) fn rule(word: &str) -> Self {
        Self(format!("`{word}` is no rule; {}", Rule::WORDS))
    }

    /// A rule's word that says nothing of this fault.
    pub(super) fn misfit(word: &str, fault: &Fault, why: &str) -> Self {
        Self(format!("`{word}` does not go with `{fault}`: {why}"))
    }

    pub(crate) fn own(fault: &Fault, usage: &FaultInfo, why: &str) -> Self {
        Self(format!("`{fault}` cannot be: {why}; write {usage}"))
    }
}
