//! SIGKILL at random moments of a run, again and again: what comes out is always the same, with commands too.
//!
//! `LATIDO_KILLS=1000 cargo test --test program kills:: -- --nocapture` kills so often for each kind of run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use nix::sys::signal::Signal;
use tempfile::tempdir;

use crate::files::{Files, OURS, names_in};
use crate::latido::{Running, latido};

/// Copies each file, and says so if another does that at the same time. What it does may be done again.
const COPY: &str = r#"
for x; do
    exec 9> "locks/${x##*/}"
    flock -n 9 || echo "$x" >> overlaps
    cp "$x" "$x.tmp" && mv "$x.tmp" "$x.copy" || exit 1
    echo "$x" >> log
done
"#;

fn kills() -> usize {
    std::env::var("LATIDO_KILLS").map_or(25, |kills| kills.parse().expect("LATIDO_KILLS is a number"))
}

/// What is there. A command may live for a moment longer than the run that was killed, and rename what was seen.
fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| Some((name.clone(), fs::read(dir.join(name)).ok()?));
    names_in(dir).into_iter().filter_map(read).collect()
}

/// Kills runs until it was done often enough, and lets the last one finish. `more`: what the run is to do beside.
fn storm(seed: u64, more: &[&str]) {
    let files = Files::with_large(18);
    let server = files.serve();
    let dir = tempdir().unwrap();
    files.list_in(dir.path(), &server);
    fs::create_dir(dir.path().join("locks")).unwrap();
    fs::write(dir.path().join("copy"), COPY).unwrap();
    let args = [&["fetch", "-i", "list", "-d", "new", "-j", "3"], more].concat();
    let new = dir.path().join("new");

    let mut wanted: BTreeMap<_, _> = files.0.iter().cloned().collect();
    if !more.is_empty() {
        wanted.extend(files.0.iter().map(|(name, bytes)| (format!("{name}.copy"), bytes.clone())));
    }
    let assert_none_wrong = |kill: usize| {
        let found = if new.exists() { tree(&new) } else { BTreeMap::new() };
        for (name, bytes) in found {
            let is_ours = name.starts_with(".latido") || name.ends_with(".tmp");
            assert!(is_ours || wanted.get(&name) == Some(&bytes), "{name} is wrong after kill {kill}");
        }
    };
    let assert_finished = |kill: usize| {
        let mut found = tree(&new);
        OURS.iter().for_each(|name| drop(found.remove(*name)));
        assert!(found.keys().eq(wanted.keys()), "after kill {kill}: {:?}", found.keys());
        assert!(found == wanted, "a file is wrong after kill {kill}");
    };

    let begun = Instant::now();
    latido(dir.path(), &args).with_code(0);
    let whole = begun.elapsed();
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut kill, mut trees) = (0, 0);
    while kill < kills() {
        fs::remove_dir_all(&new).unwrap();
        loop {
            let run = Running::start(dir.path(), &args);
            // Nothing is waited for here: any moment is as good.
            std::thread::sleep(whole.mul_f64(random.f64() * 0.6));
            run.signal(Signal::SIGKILL);
            let ended = run.end();
            match ended.code {
                -9 => kill += 1,
                _ => drop(ended.with_code(0)),
            }
            assert_none_wrong(kill);
            if kill >= kills() {
                break;
            }
            // Killed after its last word, or not at all: that is the end of this tree as well.
            let is_over = wanted.keys().all(|name| new.join(name).exists());
            if is_over {
                break;
            }
        }
        latido(dir.path(), &args).with_code(0);
        assert_finished(kill);
        trees += 1;

        let (asked, ran) = (server.requests().len(), fs::read(dir.path().join("log")).ok());
        latido(dir.path(), &args).with_code(0);
        assert_eq!(server.requests().len(), asked, "what is done was fetched again");
        assert_eq!(fs::read(dir.path().join("log")).ok(), ran, "what is done was processed again");
    }
    let overlaps = fs::read_to_string(dir.path().join("overlaps")).unwrap_or_default();
    assert_eq!(overlaps, "", "two commands were on one file at the same time");
    println!("{kill} kills of runs of {whole:.1?}, {trees} trees, all the same ({more:?})");
}

#[test]
fn any_number_of_kills_leads_to_the_same_files() {
    storm(1, &[]);
}

#[test]
fn any_number_of_kills_leads_to_the_same_files_with_a_command_on_each() {
    storm(2, &["--exec", "sh copy"]);
}

#[test]
fn any_number_of_kills_leads_to_the_same_files_with_batches() {
    storm(3, &["--exec-batch", "sh copy", "--exec-batch-size", "5"]);
}
