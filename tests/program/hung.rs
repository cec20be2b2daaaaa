//! Parts that block their threads, or wait for ever: each is replaced, and harms nothing when it wakes up beside its successor.

use crate::crashes::{EXEC, survives_with};
use crate::latido::Ended;

/// Blocks a part for much longer than it may, and sees that it was replaced.
fn survives(part: &str, fault: &str, jobs: &str) -> Ended {
    let args = ["--exec", EXEC, "-j", jobs, "--hung-after", "0.3"];
    let ended = survives_with(&args, &[&format!("latido/{part}={fault}")]);
    let says = ["did not answer for", "restarts in"].map(|words| ended.stderr.contains(words));
    assert_eq!(says, [true; 2], "{part}={fault}\n{}", ended.stderr);
    ended
}

#[test]
fn a_downloader_that_hangs_is_replaced() {
    survives("downloaders/*", "block:1@2", "4");
    survives("downloaders/0", "block:100@3", "4");
}

#[test]
fn a_ledger_that_hangs_is_replaced() {
    survives("ledger", "block:1@4", "4");
    survives("ledger", "block:100@7", "4");
}

#[test]
fn a_cpu_pool_that_hangs_is_replaced() {
    survives("cpu", "block:1@3", "1");
}

#[test]
fn those_who_run_commands_are_replaced_when_they_hang() {
    survives("exec/*", "block:1@1", "4");
    survives("exec/0", "block:100@2", "4");
}

/// A thread is lost each time, and the others go on without it.
#[test]
fn a_downloader_may_hang_again_and_again() {
    let args = ["--exec", EXEC, "-j", "4", "--hung-after", "0.1"];
    survives_with(&args, &["latido/downloaders/0=block:100@1,times=5"]);
}

/// It blocks nothing, and nobody need say anything to it.
#[test]
fn a_part_that_waits_for_ever_is_found_and_replaced() {
    for part in ["downloaders/0", "cpu", "exec/*"] {
        let args = ["--exec", EXEC, "-j", "2", "--hung-after", "0.3"];
        let ended = survives_with(&args, &[&format!("latido/{part}=hang@2")]);
        let says = ["took no message for", "restarts in"].map(|words| ended.stderr.contains(words));
        assert_eq!(says, [true; 2], "{part}\n{}", ended.stderr);
    }
}
