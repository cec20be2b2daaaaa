//! The unit file, by systemd's own check.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

#[test]
fn the_unit_file_is_sound() {
    let unit = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/latido.service")).unwrap();
    // What it runs is to be there; here it is where it was built.
    let unit = unit.replace("/usr/local/bin/latido", crate::latido::BINARY);
    assert!(unit.contains(crate::latido::BINARY));
    let dir = tempdir().unwrap();
    let path = dir.path().join("latido.service");
    fs::write(&path, unit).unwrap();
    let verify = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .arg(&path)
        .output();
    let Ok(said) = verify else {
        eprintln!("skipped: there is no systemd-analyze here");
        return;
    };
    assert!(said.status.success() && said.stderr.is_empty(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// Each line of it that starts the program has options that the program knows.
#[test]
fn the_program_knows_what_the_unit_file_says() {
    let unit = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/latido.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/latido ")).unwrap();
    let place = crate::kit::Place::new();
    let start = start.replace("%S/latido", place.state().to_str().unwrap());
    let words: Vec<_> = start.split(' ').collect();
    assert_eq!(words[..2], ["daemon", "run"]);
    let running = crate::latido::Running::start(place.path(), &words);
    running.wait_for_line("is up");
    running.signal(nix::sys::signal::Signal::SIGTERM);
    running.end().with_code(0);
}
