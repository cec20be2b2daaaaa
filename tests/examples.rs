//! Runs every example and compares what it prints with what its header promises, so that neither goes stale.
//!
//! The header of an example is its `//!` comment. It names the command that runs it (`Run: cargo run --example NAME`)
//! and has one block of text: all that the example prints.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An example that waits for what never happens is to fail, not to hang.
const TIME_LIMIT: Duration = Duration::from_secs(60);

#[test]
fn every_example_prints_what_its_header_promises() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"));
    assert!(!sources.is_empty(), "there are no examples");
    let broken: Vec<String> = sources
        .iter()
        .filter_map(|(name, source)| Some(format!("{name}: {}", check(name, source).err()?)))
        .collect();
    assert!(broken.is_empty(), "\n\n{}\n", broken.join("\n\n"));
}

/// The examples that cargo finds by itself: `NAME.rs` and `NAME/main.rs`.
fn sources(dir: &Path) -> Vec<(String, PathBuf)> {
    let mut sources: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            let source = if path.is_dir() { path.join("main.rs") } else { path };
            (source.extension()? == "rs" && source.exists()).then_some((name, source))
        })
        .collect();
    sources.sort();
    sources
}

fn check(name: &str, source: &Path) -> Result<(), String> {
    let promised = promised(name, &fs::read_to_string(source).unwrap())?;
    let output = assert_cmd::Command::new(binary(name)?)
        .timeout(TIME_LIMIT)
        .output()
        .map_err(|error| format!("could not be run: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && printed == promised && output.stderr.is_empty() {
        return Ok(());
    }
    Err(format!(
        "its header promises\n{}but it prints\n{}and to standard error\n{}and ends with {} (its time is {TIME_LIMIT:?})",
        indent(&promised),
        indent(&printed),
        indent(&String::from_utf8_lossy(&output.stderr)),
        output.status,
    ))
}

/// The scenario beside the example with a door: it breaks a program that is not this crate's.
#[test]
fn a_scenario_breaks_the_example_with_a_door() {
    let text = include_str!("../examples/12_door/a-counter-breaks.toml");
    let program = "target/debug/examples/12_door";
    assert!(text.contains(program));
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("it.toml");
    let example = binary("12_door").unwrap();
    fs::write(&scenario, text.replace(program, &format!("'{}'", example.display()))).unwrap();
    let mut run = assert_cmd::Command::new(env!("CARGO_BIN_EXE_latido"));
    run.args(["scenario", "run"]).arg(&scenario).timeout(TIME_LIMIT).assert().success();
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  | {line}\n")).collect()
}

/// Reads the header: what the example is to print.
fn promised(name: &str, source: &str) -> Result<String, String> {
    let header = source.lines().map_while(|line| line.strip_prefix("//!"));
    let header: Vec<&str> = header.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let command = format!("Run: cargo run --example {name}");
    if !header.contains(&command.as_str()) {
        return Err(format!("its header does not say `{command}`"));
    }
    let mut after_fence = header.splitn(2, |line| *line == "```text").skip(1).flatten();
    let block: Vec<&str> = after_fence.by_ref().take_while(|line| **line != "```").copied().collect();
    if block.is_empty() {
        return Err("its header does not say what it prints: put that into a ```text block".to_owned());
    }
    Ok(block.join("\n") + "\n")
}

/// The example's program, which cargo builds for every `cargo test` that is not limited to some targets.
fn binary(name: &str) -> Result<PathBuf, String> {
    let this_test = env::current_exe().unwrap();
    let profile_dir = this_test.ancestors().nth(2).expect("target/PROFILE/deps/this_test");
    let path = profile_dir.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    let Ok(built) = modified(&path) else {
        return Err(format!("there is no {}: run `cargo build --examples` first", path.display()));
    };
    // The sources that cargo has noted beside it, as make would read them.
    let rule = fs::read_to_string(path.with_extension("d")).unwrap_or_default();
    match rule
        .split_whitespace()
        .skip(1)
        .find(|source| modified(Path::new(source)).is_ok_and(|at| at > built))
    {
        Some(newer) => Err(format!("it is older than {newer}: run `cargo build --examples` first")),
        None => Ok(path),
    }
}

#[test]
fn a_header_without_a_promise_is_told_what_it_lacks() {
    let header =
        "//! Idea.\n//!\n//! Run: cargo run --example idea\n//! ```text\n//! one\n//!\n//!   two\n//! ```\n";
    assert_eq!(promised("idea", header).unwrap(), "one\n\n  two\n");
    assert_eq!(
        promised("other", header).unwrap_err(),
        "its header does not say `Run: cargo run --example other`"
    );
    for silent in [header.replace("text", "rust"), header.replace("//! one\n//!\n//!   two\n", "")] {
        let error = promised("idea", &silent).unwrap_err();
        assert!(error.contains("does not say what it prints"), "{error}");
    }
}
