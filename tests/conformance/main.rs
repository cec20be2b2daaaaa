//! The behaviour of OTP's `supervisor`, case by case, on trees of real actors: what its documentation says and its
//! test suite tries. Where a case differs from OTP on purpose, its name says what holds here.

mod administration;
mod budget;
mod dynamic;
mod forecast;
mod group_restarts;
mod hand_started;
mod kit;
mod monitor;
mod races;
mod significant;
mod start;
mod supervisor_restarts;
#[allow(dead_code, reason = "shared with the tests of trees")]
#[path = "../tree/support.rs"]
mod support;
mod while_one_stops;
