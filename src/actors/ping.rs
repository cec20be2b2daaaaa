//! A message that asks for nothing but to be handled.

use actix::prelude::*;

/// Handled at once, by every actor of this crate that works for others: whoever answers takes messages. Sent now and then to
/// one with a [`message_limit`](crate::supervision::ChildSpec::message_limit), it finds out that the actor waits for ever
/// also when nobody has anything else to say to it.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Ping;

macro_rules! answers {
    ($($(#[$when:meta])* $actor:ty;)*) => {$(
        $(#[$when])*
        impl Handler<Ping> for $actor {
            type Result = ();

            fn handle(&mut self, _: Ping, _: &mut Context<Self>) {}
        }
    )*};
}

answers! {
    super::cpu_pool::CpuPool;
    #[cfg(feature = "download")]
    super::downloader::Downloader;
    #[cfg(all(feature = "process", target_os = "linux"))]
    super::process::CommandRunner;
}
