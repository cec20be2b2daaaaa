//! The fault of a ledger's own.

use latido::fault::DiskError;
use latido::supervision::ChildSpec;

use super::{Ledger, sound};

impl Ledger {
    /// Gives a ledger a fault of its own.
    pub(crate) fn breakable(spec: ChildSpec<Self>) -> ChildSpec<Self> {
        let says = "the disk does not take its next write to the journal";
        spec.fault_with("write-error:EIO|ENOSPC", says, |ledger: &mut Self, error: DiskError, _| {
            sound(ledger.journal.get()).fail_next(error);
        })
    }
}
