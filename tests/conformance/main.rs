//! The behaviour of OTP's `supervisor`, case by case, on trees of real actors: what its documentation says and its
//! test suite tries. Where a case differs from OTP on purpose, its name says what holds here.

mod administration;
mod dynamic;
mod forecast;
mod hand_started;
#[allow(dead_code, reason = "for the groups to come")]
mod kit;
mod monitor;
mod races;
mod start;
#[allow(dead_code, reason = "shared with the tests of trees")]
#[path = "../tree/support.rs"]
mod support;
mod while_one_stops;
