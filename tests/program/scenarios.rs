//! Scenarios: those that the program brings along pass, and one whose hypothesis is false does not.

use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use crate::files::names_in;
use crate::latido::{BINARY, Ended, latido};

fn verdicts(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn rows(verdict: &Value) -> &Vec<Value> {
    verdict["hypotheses"].as_array().unwrap()
}

/// Each of them, several at a time.
#[test]
fn every_scenario_of_the_library_passes() {
    let dir = tempdir().unwrap();
    let listed = latido(dir.path(), ["scenario", "list", "--json"]).with_code(0);
    let ended = latido(dir.path(), ["scenario", "run", "--all", "-j", "4", "--json"]);
    let verdicts = verdicts(&ended);
    for verdict in &verdicts {
        let failed: Vec<_> = rows(verdict).iter().filter(|row| row["holds"] != true).collect();
        assert!(failed.is_empty() && verdict["verdict"] == "PASS", "{failed:#?}\n{verdict:#}");
    }
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(verdicts.len(), listed.stdout.lines().count());
    assert!(verdicts.len() >= 12);
    assert_eq!(names_in(dir.path()), [""; 0]);
}

/// What is said of a run with a panic in it, and is not so: each is refuted by its own row, and by no other.
#[test]
fn a_scenario_whose_hypothesis_is_false_fails_with_the_right_row() {
    const FALSE: [(&str, &str); 14] = [
        ("jobs", "jobs = \"none lost\""),
        ("beside", "beside = \".gz\""),
        ("restarted", "restarted = [\"latido/heartbeat\"]"),
        ("restarted", "restarted = [\"latido/downloaders/*\"]"),
        ("untouched", "untouched = [\"latido/cpu\", \"latido/downloaders/*\"]"),
        ("ended", "ended = [\"latido/downloaders/0 deaf\"]"),
        ("recovered_within", "recovered_within = \"0 ms\""),
        ("budget_used_at_most", "budget_used_at_most = 0"),
        ("gives_up", "gives_up = [\"latido\"]"),
        ("tries_failed_at_least", "tries_failed_at_least = 1"),
        ("dead_letters", "dead_letters = 1"),
        ("exit", "exit = 3"),
        ("survivors", "survivors = 1"),
        ("over_within", "over_within = \"1 ms\""),
    ];
    let dir = tempdir().unwrap();
    let scenario = |expected: &str| {
        format!(
            "title = \"false\"\n[work]\nfiles = 8\n[[step]]\nwhen = \"2 files done\"\n\
             inject = \"latido/downloaders/0 panic\"\n[expect]\n{expected}\n"
        )
    };
    let mut args = vec!["scenario".to_owned(), "run".into(), "--json".into(), "-j".into(), "4".into()];
    for (n, (row, line)) in FALSE.iter().enumerate() {
        // This one is true; that it can be false is shown below.
        let line = if *row == "jobs" { "exit = 1" } else { line };
        let name = format!("{n}.toml");
        fs::write(dir.path().join(&name), scenario(line)).unwrap();
        args.push(name);
    }
    let ended = latido(dir.path(), &args).with_code(1);
    let verdicts = verdicts(&ended);
    assert_eq!(verdicts.len(), FALSE.len());
    for ((row, line), verdict) in FALSE.iter().zip(verdicts) {
        let row = if *row == "jobs" { "exit" } else { row };
        assert_eq!(verdict["verdict"], "FAIL", "{line}");
        let failed: Vec<_> = rows(&verdict).iter().filter(|row| row["holds"] != true).collect();
        assert_eq!(failed.len(), 1, "{line}: {verdict:#}");
        assert_eq!(failed[0]["hypothesis"], row, "{line}");
    }
}

/// A program that is killed and not started again has not done its jobs, and left none of them in doubt. A step that is
/// not taken proves nothing, and neither does an incident that nobody had.
#[test]
fn jobs_that_are_not_done_steps_that_are_not_taken_and_faults_that_end_nothing_are_told() {
    let dir = tempdir().unwrap();
    let head = "title = \"false\"\n[work]\nfiles = 8\n";
    let killed = "[[step]]\nwhen = \"2 files done\"\nprogram = \"kill -9\"\n[expect]\njobs = ";
    for (name, text) in [
        ("killed", format!("{head}{killed}\"all done\"\n")),
        ("kept", format!("{head}{killed}\"none lost\"\nexit = -9\nsurvivors = 0\n")),
        (
            "late",
            format!(
                "{head}limit = \"3 s\"\n[[step]]\nwhen = \"latido/cpu failed\"\ninject = \"latido/cpu panic\"\n\
                 [expect]\nsurvivors = 0\n"
            ),
        ),
        (
            "slow",
            format!(
                "{head}[[step]]\ninject = \"latido/cpu slow:0.1\"\n[expect]\nincidents = \"tell of each fault\"\n"
            ),
        ),
        (
            "server",
            format!(
                "{head}options = [\"--max-tries\", \"1\"]\n[[step]]\nserver = \"corrupt 100\"\n[expect]\nsurvivors = 0\n"
            ),
        ),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let run = ["scenario", "run", "--json", "-j", "4", "killed", "kept", "late", "slow", "server"];
    let verdicts = verdicts(&latido(dir.path(), run).with_code(1));
    let failed = |n: usize| -> Vec<_> {
        let failed = rows(&verdicts[n]).iter().filter(|row| row["holds"] != true);
        failed.map(|row| row["hypothesis"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(failed(0), ["jobs"]);
    assert_eq!(failed(1), [""; 0], "{:#}", verdicts[1]);
    assert_eq!(failed(2), ["steps"]);
    assert_eq!(failed(3), ["incidents"]);
    assert_eq!(failed(4), ["steps"]);
}

#[test]
fn a_verdict_tells_what_caused_what_in_lines_that_fit() {
    let dir = tempdir().unwrap();
    let said = latido(dir.path(), ["scenario", "run", "the-heartbeat-crashes"]).with_code(0).stdout;
    let place = |text: &str| said.find(text).unwrap_or_else(|| panic!("no {text} in\n{said}"));
    let chain = [
        "step 1 (5 files are done): inject latido/heartbeat panic",
        "latido/heartbeat #1 gets a fault on purpose: panic",
        "latido/heartbeat #1 panicked: injected fault",
        "latido/heartbeat restarts in 1",
        "latido/heartbeat #2 started, ",
        "step 2 (latido/heartbeat has started)",
        "latido/heartbeat #3 started, ",
        "the program ended with exit code 0",
        "restarted              latido/heartbeat",
        "verdict   PASS: 11 of 11 hypotheses hold",
    ];
    assert!(chain.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    assert!(!said.contains('\u{1b}'), "it is no terminal:\n{said}");
}

#[test]
fn a_bad_file_ends_with_code_2_before_anything_is_run_and_a_check_says_what_would_be_done() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("bad.toml"), "title = \"bad\"\n[expect]\nexits = 1\n").unwrap();
    for line in [&["run", "the-heartbeat-crashes", "bad.toml"][..], &["check", "bad.toml"]] {
        let ended = latido(dir.path(), [&["scenario"], line].concat()).with_code(2);
        assert!(
            ended.stderr.contains("bad.toml:3: unknown field `exits`, expected one of"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "");
    }
    let ended = latido(dir.path(), ["scenario", "run", "no-such"]).with_code(2);
    assert!(ended.stderr.contains("no-such: neither a file nor a name of the library"), "{}", ended.stderr);
    let ended = latido(dir.path(), ["scenario", "run"]).with_code(2);
    assert!(ended.stderr.contains("which scenario?"), "{}", ended.stderr);
    let said = latido(dir.path(), ["scenario", "check", "the-heartbeat-crashes"]).with_code(0).stdout;
    assert!(said.contains("step 2 (latido/heartbeat has started): inject latido/heartbeat panic"), "{said}");
    assert_eq!(names_in(dir.path()), ["bad.toml"]);
}

#[test]
fn a_program_of_ones_own_is_started_broken_and_judged() {
    let dir = tempdir().unwrap();
    let own = |more: &str, command: &str, rest: &str| {
        format!("title = \"own\"\n[program]\n{more}\ncommand = \"{command}\"\n{rest}\n")
    };
    let endless = format!("'{BINARY}' demo --endless --seed 1");
    let breaks = "[[step]]\ninject = \"one of latido/downloaders/* panic\"\n\
        [[step]]\nwhen = \"latido/downloaders/* started\"\nrestart = \"latido/heartbeat\"\n";
    let looks = "[[step]]\ninject = \"latido/gpu panic\"\n[expect]\nexit = 0\n";
    for (name, text) in [
        (
            "good",
            own(
                "",
                &endless,
                &format!(
                    "{breaks}[expect]\nended = [\"latido/downloaders/* panicked\"]\nuntouched = [\"latido/cpu\"]\n\
                     recovered_within = \"60 s\"\nincidents = \"tell of each fault\"\nexit = 0\nsurvivors = 0\n"
                ),
            ),
        ),
        ("not-there", own("", &endless, looks)),
        ("no-door", own("limit = \"1 s\"", "sleep 1000", "[expect]\nsurvivors = 0\n")),
        ("looks-only", own("ends = \"by itself\"", &format!("'{BINARY}' --version"), "[expect]\nexit = 0\n")),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let run = ["scenario", "run", "--json", "-j", "4", "good", "not-there", "no-door", "looks-only"];
    let verdicts = verdicts(&latido(dir.path(), run).with_code(1));
    let failed = |n: usize| -> Vec<_> {
        let failed = rows(&verdicts[n]).iter().filter(|row| row["holds"] != true);
        failed.map(|row| (row["hypothesis"].clone(), row["measured"].to_string())).collect()
    };
    assert_eq!(failed(0), [], "{:#}", verdicts[0]);
    let chosen = verdicts[0]["timeline"].to_string();
    assert!(chosen.contains("step 1 (the tree is up): inject latido/downloaders/"), "{chosen}");
    let no_part = &failed(1)[0];
    assert!(no_part.0 == "steps" && no_part.1.contains("latido/gpu"), "{no_part:?}");
    for n in [2, 3] {
        let failed = failed(n);
        assert!(failed[0].0 == "steps" && failed[0].1.contains("it has opened no door"), "{failed:?}");
        assert!(failed[1].0 == "events" && failed.len() == 2, "what was not seen: {failed:?}");
    }
    let missing = latido(dir.path(), ["scenario", "run", "good", "none.toml"]).with_code(2);
    assert!(missing.stderr.contains("none.toml"), "{}", missing.stderr);
}
