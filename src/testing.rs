//! For the tests of a supervised system: wait for what happens, tell it as a story, and look at what is left. No sleeps.
//!
//! ```
//! use std::time::Duration;
//!
//! use actix::prelude::*;
//! use latido::prelude::*;
//! use latido::testing::{Recorder, assert_all_down, assert_conserved, assert_story, quiet_panics};
//!
//! struct Idle;
//! impl Actor for Idle {
//!     type Context = Context<Self>;
//! }
//!
//! # #[actix::main]
//! # async fn main() {
//! quiet_panics();
//! let tree = SupervisorSpec::new("app").child(ChildSpec::new("idle", || Idle)).start().unwrap();
//! let recorder = Recorder::of(&tree);
//! recorder.started("app", 1).await;
//! tree.inject("app/idle", Fault::Fail).unwrap();
//! recorder.started("app/idle", 2).await;
//! tree.stop(Duration::from_secs(1)).await;
//!
//! assert_story(&recorder, "app/idle", &[
//!     "app/idle #1 started",
//!     "app/idle #1 gets a fault on purpose: fail",
//!     "app/idle #1 failed: injected fault",
//!     "app/idle #1 restarts at once ...", // whatever follows
//!     "app/idle #2 started",
//!     "app/idle #2 stopped",
//! ]);
//! assert_conserved(&tree);
//! assert_all_down(&tree).await;
//! # }
//! ```

mod ends;
mod story;

pub use self::ends::{assert_all_down, assert_conserved};
pub use self::story::{Recorder, assert_story};
pub use crate::panic::quiet_panics;

/// Runs a test on a system whose clock stands still while there is something to do, and jumps to the next timer when
/// there is not: an hour's backoff takes no time, and exactly an hour.
///
/// Only what runs on the system's own arbiter lives in this time. A child on a thread of its own, or on a shared set,
/// has the real clock; and the test's clock does not wait for it but jumps on.
///
/// ```
/// # use std::time::Duration;
/// # use actix::prelude::*;
/// # use latido::prelude::*;
/// # use latido::testing::{Recorder, in_virtual_time};
/// # struct Idle;
/// # impl Actor for Idle { type Context = Context<Self>; }
/// const HOUR: Duration = Duration::from_secs(3600);
///
/// in_virtual_time(async {
///     let idle = ChildSpec::new("idle", || Idle).backoff(Backoff::exponential(HOUR, HOUR));
///     let tree = SupervisorSpec::new("app").child(idle).start().unwrap();
///     let recorder = Recorder::of(&tree).patience(2 * HOUR);
///     recorder.started("app", 1).await;
///     let failed = tokio::time::Instant::now();
///     tree.inject("app/idle", Fault::Fail).unwrap();
///     recorder.started("app/idle", 2).await;
///     assert_eq!(failed.elapsed(), HOUR);
///     tree.stop(HOUR).await;
/// });
/// ```
#[cfg(feature = "testing")]
pub fn in_virtual_time<T>(test: impl std::future::Future<Output = T>) -> T {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().expect("a runtime")
    };
    actix_rt::System::with_tokio_rt(runtime).block_on(test)
}
