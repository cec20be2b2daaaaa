//! Variations of the inputs that the fuzzer has saved, for those who have no fuzzer: what each of them must not break is
//! tried on all that is in `fuzz/corpus/NAME`, and on as many changed copies as there is time for.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// As many are made unless `LATIDO_FUZZ_SECONDS` says how long to go on.
const VARIATIONS: usize = 2_000;

/// Tries `holds` on the corpus of this name, then on variations of it.
#[track_caller]
pub fn try_all(name: &str, holds: impl Fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    if !fuzz.exists() {
        return; // It is no part of the published crate.
    }
    let corpus = fuzz.join("corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let inputs: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!inputs.is_empty(), "{corpus:?} is empty");
    inputs.iter().for_each(|input| attempt(name, input, &holds));

    let seconds = std::env::var("LATIDO_FUZZ_SECONDS").ok();
    let time = seconds.map(|seconds| Duration::from_secs(seconds.parse().expect("a number of seconds")));
    // The same ones each time, unless there is time to look for others.
    let mut random = fastrand::Rng::with_seed(7);
    if time.is_some() {
        random = fastrand::Rng::new();
    }
    let start = Instant::now();
    let mut tried = 0;
    while time.map_or(tried < VARIATIONS, |time| start.elapsed() < time) {
        attempt(name, &variation(&inputs, &mut random), &holds);
        tried += 1;
    }
    println!("{name}: {} of the corpus and {tried} variations hold", inputs.len());
}

fn attempt(name: &str, input: &[u8], holds: impl Fn(&[u8])) {
    if catch_unwind(AssertUnwindSafe(|| holds(input))).is_err() {
        panic!("{name}: what breaks it, to be kept in fuzz/corpus/{name}:\n{}", input.escape_ascii());
    }
}

/// One of the inputs, changed in a few places.
fn variation(inputs: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = inputs[random.usize(..inputs.len())].clone();
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(..=bytes.len());
        let until = (at + random.usize(..=16)).min(bytes.len());
        match random.u8(..7) {
            // A piece of another input takes the place of a piece of this.
            0 | 1 => {
                let other = &inputs[random.usize(..inputs.len())];
                let from = random.usize(..=other.len());
                let to = (from + random.usize(..=64)).min(other.len());
                bytes.splice(at..until, other[from..to].iter().copied());
            }
            2 => drop(bytes.drain(at..until)),
            3 => {
                let piece = bytes[at..until].to_vec();
                bytes.splice(at..at, piece.repeat(random.usize(1..=20)));
            }
            4 => bytes.insert(at, random.u8(..)),
            5 => {
                let marks = b"\0\t\n\r \"%&'()*-./:;<=>\\_\x1b\x7f\xff09afAFzZ";
                bytes.insert(at, marks[random.usize(..marks.len())]);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            _ => {}
        }
    }
    bytes
}
