//! The behaviour of OTP's `supervisor`, case by case, on trees of real actors: what its documentation says and its
//! test suite tries. Where a case differs from OTP on purpose, its name says what holds here.

mod administration;
mod auto_shutdown;
mod budget;
mod defaults;
mod dynamic;
mod dynamic_ends;
mod forecast;
mod group_restarts;
mod hand_started;
mod kit;
mod many;
mod monitor;
mod otp;
mod races;
mod restarts;
mod significant;
mod start;
mod stop;
mod supervisor_restarts;
#[allow(dead_code, reason = "shared with the tests of trees")]
#[path = "../tree/support.rs"]
mod support;
mod waiting;
mod while_one_stops;
