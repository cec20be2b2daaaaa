//! What a panic does, left to actix and under a `catch_unwind`.

use std::cell::Cell;
use std::panic::{set_hook, take_hook};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake, Waker};
use std::thread;

use actix::prelude::*;

use crate::probe::{Do, Log, NOTE, PANIC, Probe, STOP, answer, poll};

const CLOSED: Result<(), MailboxError> = Err(MailboxError::Closed);

// ===== left to actix =====

#[actix::test]
async fn a_panic_in_a_handler_ends_the_actor_for_good_and_closes_its_address() {
    let log = Log::default();
    let addr = Probe::new(&log).start();
    let (lost, queued) = (addr.send(PANIC), addr.send(NOTE));
    assert_eq!((lost.await, queued.await), (CLOSED, CLOSED));
    assert!(!addr.connected());
    assert_eq!(addr.send(NOTE).await, CLOSED);
    assert_eq!(log.take(), ["started", "stopping", "stopped while panicking"]);
}

#[actix::test]
async fn the_supervisor_of_actix_restarts_after_stop_but_not_after_a_panic() {
    let log = Log::default();
    let probe = Probe::new(&log);
    let addr = Supervisor::start(|_| probe);
    let (stop, queued) = (addr.send(STOP), addr.send(NOTE));
    assert_eq!((stop.await, queued.await), (Ok(()), Ok(())));
    assert_eq!(log.take(), ["started", "stopping", "stopped", "restarting", "started", "handled"]);

    assert_eq!(addr.send(PANIC).await, CLOSED);
    assert!(!addr.connected());
    assert!(!log.take().contains(&"restarting"));
}

#[actix::test]
async fn after_a_panic_an_actor_that_will_not_stop_handles_its_queue_broken_and_unwinding() {
    let log = Log::default();
    let addr = Probe { stopping: || Running::Continue, ..Probe::new(&log) }.start();
    let (lost, queued) = (addr.send(PANIC), addr.send(Do(|_, _| assert!(thread::panicking()))));
    assert_eq!((lost.await, queued.await), (CLOSED, Ok(())));
    assert!(!addr.connected());
}

#[actix::test]
async fn a_panic_in_a_response_future_is_not_noticed_by_the_actor() {
    #[derive(Message)]
    #[rtype(result = "()")]
    struct Later;
    impl Handler<Later> for Probe {
        type Result = ResponseFuture<()>;
        fn handle(&mut self, _: Later, _: &mut Context<Self>) -> ResponseFuture<()> {
            Box::pin(async { panic!("on purpose") })
        }
    }
    let log = Log::default();
    let addr = Probe::new(&log).start();
    assert_eq!(addr.send(Later).await, CLOSED);
    assert_eq!(addr.send(NOTE).await, Ok(()));
    assert_eq!(log.take(), ["started", "handled"]);
}

#[actix::test]
async fn a_panic_takes_a_thread_from_a_sync_arbiter() {
    struct Sync;
    impl Actor for Sync {
        type Context = SyncContext<Self>;
    }
    #[derive(Message)]
    #[rtype(result = "()")]
    struct Panic(bool);
    impl Handler<Panic> for Sync {
        type Result = ();
        fn handle(&mut self, Panic(panic): Panic, _: &mut SyncContext<Self>) {
            assert!(!panic, "on purpose");
        }
    }
    let addr = SyncArbiter::start(2, || Sync);
    assert_eq!(addr.send(Panic(true)).await, CLOSED);
    assert_eq!(addr.send(Panic(false)).await, Ok(()));
    assert_eq!(addr.send(Panic(true)).await, CLOSED);
    assert_eq!(addr.send(Panic(false)).await, CLOSED);
}

// ===== what the sender can know =====

thread_local!(static HOOK_RAN: Cell<bool> = const { Cell::new(false) });

/// Is woken when the answer, or the loss of it, is there to be read.
#[derive(Default)]
struct Sender {
    woken: AtomicBool,
    knows_the_panic: AtomicBool,
}

impl Wake for Sender {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        let unwinding = thread::panicking();
        self.knows_the_panic.store(unwinding && HOOK_RAN.get(), Ordering::Relaxed);
    }
}

#[test]
fn a_sender_hears_of_the_loss_during_the_unwinding_and_after_the_panic_hook() {
    let previous = take_hook();
    set_hook(Box::new(move |info| {
        HOOK_RAN.set(true);
        previous(info)
    }));
    let mut incarnation = Context::new().into_future(Probe::new(&Log::default()));
    let mut request = Box::pin(incarnation.address().send(PANIC));
    let sender = Arc::new(Sender::default());
    let waker = Waker::from(sender.clone());
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(request.as_mut().poll(&mut cx).is_pending());

    assert_eq!(poll(&mut incarnation), None);
    assert!(sender.woken.load(Ordering::Relaxed));
    assert!(sender.knows_the_panic.load(Ordering::Relaxed));
    assert_eq!(answer(request), Some(CLOSED));
    incarnation.ctx().terminate();
}

// ===== under catch_unwind =====

#[test]
fn a_caught_panic_leaves_the_incarnation_whole_and_terminate_makes_its_drop_silent() {
    let log = Log::default();
    let mut incarnation = Context::new().into_future(Probe::new(&log));
    incarnation.address().do_send(PANIC);
    assert_eq!(poll(&mut incarnation), None);
    incarnation.ctx().terminate();
    drop(incarnation);
    assert_eq!(log.take(), ["started"]);
}

#[test]
fn without_terminate_the_drop_of_an_incarnation_runs_stopping_and_stopped() {
    let log = Log::default();
    let mut incarnation = Context::new().into_future(Probe::new(&log));
    let addr = incarnation.address();
    addr.do_send(PANIC);
    assert_eq!(poll(&mut incarnation), None);
    drop(incarnation);
    assert_eq!(log.take(), ["started", "stopping", "stopped"]);
    assert!(!addr.connected());
}

#[test]
fn a_panic_in_stopping_is_survived_by_catch_and_terminate() {
    let log = Log::default();
    let mut incarnation =
        Context::new().into_future(Probe { stopping: || panic!("on purpose"), ..Probe::new(&log) });
    incarnation.address().do_send(STOP);
    assert_eq!(poll(&mut incarnation), None);
    incarnation.ctx().terminate();
    drop(incarnation);
    assert_eq!(log.take(), ["started", "stopping"]);
}

#[test]
fn a_terminated_incarnation_must_not_be_polled_it_would_start_again() {
    let log = Log::default();
    let mut incarnation = Context::new().into_future(Probe::new(&log));
    let _addr = incarnation.address();
    assert_eq!(poll(&mut incarnation), Some(Poll::Pending));
    incarnation.ctx().terminate();
    let _ = poll(&mut incarnation);
    assert_eq!(log.take()[..2], ["started", "started"]);
    incarnation.ctx().terminate();
}

#[test]
fn the_drop_of_an_incarnation_that_never_ran_starts_it_unless_terminated() {
    let log = Log::default();
    let mut incarnation = Context::new().into_future(Probe::new(&log));
    incarnation.ctx().terminate();
    drop(incarnation);
    assert!(log.take().is_empty());

    drop(Context::new().into_future(Probe::new(&log)));
    assert_eq!(log.take(), ["started", "stopping", "stopped"]);
}

// ===== what ends the process =====

#[cfg(unix)]
mod aborts {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, exit};

    const IN_CHILD: &str = "ACTIX_FACTS_IN_CHILD";
    const SIGABRT: i32 = 6;

    /// Gives the message to an actor that panics in `stopping`, in a process of its own that runs this very
    /// test again. Returns the signal which ended that process.
    fn signal_after(message: Do, test: &str) -> Option<i32> {
        if std::env::var_os(IN_CHILD).is_some() {
            let _ = System::new().block_on(async {
                let addr = Probe { stopping: || panic!("on purpose"), ..Probe::new(&Log::default()) };
                addr.start().send(message).await
            });
            exit(0);
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .args([&format!("panics::aborts::{test}"), "--exact", "--nocapture"])
            .env(IN_CHILD, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("on purpose"), "the child did not run the test: {said}");
        output.status.signal()
    }

    #[test]
    fn a_panic_in_stopping_aborts_the_process() {
        let signal = signal_after(STOP, "a_panic_in_stopping_aborts_the_process");
        assert_eq!(signal, Some(SIGABRT));
    }

    #[test]
    fn a_panic_in_a_handler_and_then_in_stopping_aborts_the_process() {
        let signal = signal_after(PANIC, "a_panic_in_a_handler_and_then_in_stopping_aborts_the_process");
        assert_eq!(signal, Some(SIGABRT));
    }
}
