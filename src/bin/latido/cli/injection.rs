//! `--fault`.

use std::str::FromStr;

use latido::fault::{Fault as What, FaultError, Injection, Rule};

pub(super) const HELP: &str = "\
Break a part of the program on purpose and watch it recover

Faults: panic, fail, stop, block:SECONDS, hang, slow:SECONDS, delay:SECONDS, drop:N, fail-starts:N, flood:N, and those of a \
part's own: cut, corrupt, stall, write-error:ERROR of the downloaders, write-error:ERROR of the ledger.
A RULE says when it strikes; without one, at once: the number of a message, p=PROBABILITY at each, after=SECONDS, times=N, \
for=SECONDS, seed=N, with commas between them.
The heartbeat gets no messages; those of the ledger are its writes to the journal, those of a downloader are portions of \
one to sixteen files, those of the cpu pool pieces of files above one MiB.

Paths, `*` for any: latido/heartbeat, latido/ledger, latido/downloaders/0.., latido/cpu, latido/exec/0..

  --fault 'latido/downloaders/*=panic@3'       each downloader panics on its third message
  --fault 'latido/downloaders/*=cut@p=0.1'     one of ten portions loses a connection
  --fault latido/ledger=block:2                the ledger is stuck for two seconds";

/// A fault and where it is to strike: `latido/downloaders/*=panic@3`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// A tree path, or a glob over paths.
    pub(crate) path: String,
    pub(crate) injection: Injection,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InjectionError {
    #[error("no PATH=FAULT; write for example latido/cpu=panic")]
    NoFault,
    #[error(transparent)]
    Fault(#[from] FaultError),
}

impl FromStr for Fault {
    type Err = InjectionError;

    fn from_str(text: &str) -> Result<Self, InjectionError> {
        let (path, injection) =
            text.split_once('=').filter(|(path, _)| !path.is_empty()).ok_or(InjectionError::NoFault)?;
        Ok(Self { path: path.to_owned(), injection: injection.parse()? })
    }
}

impl Fault {
    /// Whether it strikes by itself, and by that may keep a part from starting; or strikes starts.
    pub(crate) fn is_at_once(&self) -> bool {
        let is_of_messages = matches!(self.injection.fault, What::Slow(_) | What::Delay(_) | What::Drop(_));
        !is_of_messages && !self.injection.rule.is_at_a_message()
    }

    /// Whether there will be another start of what it strikes, and soon.
    pub(crate) fn ends_a_life(&self) -> bool {
        let ends = matches!(self.injection.fault, What::Panic | What::Fail | What::Stop);
        ends && self.injection.rule == Rule::default()
    }

    /// Has its decisions be those of this seed, unless it has one of its own.
    pub(crate) fn seeded(mut self, seed: Option<u64>) -> Self {
        self.injection = self.injection.or_seed(seed);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_a_path_a_kind_and_a_time() {
        let fault = |path: &str, injection| Ok(Fault { path: path.to_owned(), injection });
        assert_eq!(
            "latido/downloaders/*=panic@3".parse(),
            fault("latido/downloaders/*", What::Panic.with(Rule::message(3)))
        );
        assert_eq!("latido/cpu=stop".parse(), fault("latido/cpu", What::Stop.into()));
        for wrong in ["latido/cpu", "=panic", "latido/cpu=panic@0", "latido/cpu=panic@x", "a=B"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_seed_for_all_is_for_those_that_have_something_to_decide_and_no_seed_of_their_own() {
        let seeded = |text: &str| text.parse::<Fault>().unwrap().seeded(Some(5)).injection.to_string();
        assert_eq!(seeded("a=panic@p=0.5"), "panic@p=0.5,seed=5");
        assert_eq!(seeded("a=panic@p=0.5,seed=1"), "panic@p=0.5,seed=1");
        assert_eq!(seeded("a=panic@3"), "panic@3");
    }
}
