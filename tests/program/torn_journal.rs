//! A journal that was cut, garbled or overwritten between two runs: the next ends with every file right, or says
//! which file is damaged and what to do. A wrong file is never under a name.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use tempfile::tempdir;

use crate::files::Files;
use crate::latido::{Running, latido};

/// Cuts, flips bits, zeroes or garbles, as the seed says.
fn harmed(mut bytes: Vec<u8>, seed: u64, random: &mut fastrand::Rng) -> Vec<u8> {
    let from = random.usize(..=bytes.len());
    let to = random.usize(from..=bytes.len());
    match seed % 4 {
        0 => bytes.truncate(from),
        1 if !bytes.is_empty() => {
            for _ in 0..random.usize(1..64) {
                let at = random.usize(..bytes.len());
                bytes[at] ^= 1 << random.u8(..8);
            }
        }
        2 => bytes[from * usize::from(random.bool())..].fill(0),
        _ => random.fill(&mut bytes[from..to]),
    }
    bytes
}

/// How often the next run went on, and how often it was refused.
fn harm(journals: &[&str], dir: &Path, files: &Files) -> (usize, usize) {
    let new = dir.join("new");
    let sound: Vec<_> =
        journals.iter().map(|name| (new.join(name), fs::read(new.join(name)).unwrap())).collect();
    let (mut gone_on, mut refused) = (0, 0);
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        for (path, bytes) in &sound {
            fs::write(path, bytes).unwrap();
        }
        let (path, bytes) = &sound[random.usize(..sound.len())];
        fs::write(path, harmed(bytes.clone(), seed, &mut random)).unwrap();
        // Whatever the journal says, these are to be fetched.
        for n in 0..3 {
            let _ = fs::remove_file(new.join(format!("file-00{}", seed as usize % 7 + n)));
        }

        let ended = latido(dir, ["fetch", "-i", "list", "-d", "new"]);
        files.assert_none_wrong_in(&new);
        match ended.code {
            0 => {
                files.assert_all_in(&new);
                gone_on += 1;
            }
            2 => {
                let said = ended.stderr.trim_end();
                let helps = said.contains("move it away") || said.contains("choose another --journal");
                assert!(said.contains(".latido.db") && helps, "seed {seed}: {said}");
                refused += 1;
            }
            code => panic!("seed {seed}: code {code}\n{}\n{}", ended.stdout, ended.stderr),
        }
    }
    (gone_on, refused)
}

#[test]
fn a_journal_that_was_cut_garbled_or_zeroed_is_refused_or_leads_to_right_files() {
    let files = Files::some(12);
    let server = files.serve();
    let dir = tempdir().unwrap();
    files.list_in(dir.path(), &server);
    latido(dir.path(), ["fetch", "-i", "list", "-d", "new"]).with_code(0);
    let (gone_on, refused) = harm(&[".latido.db"], dir.path(), &files);
    assert!(gone_on > 0 && refused > 10, "{gone_on} went on, {refused} were refused");
}

/// After a kill the newest entries are in a file beside the journal, which may be torn too.
#[test]
fn a_journal_of_a_killed_run_that_was_harmed_too_is_refused_or_leads_to_right_files() {
    let files = Files::some(12);
    let server = files.serve();
    let dir = tempdir().unwrap();
    files.list_in(dir.path(), &server);
    let run =
        Running::start(dir.path(), ["fetch", "-i", "list", "-d", "new", "-j", "1", "--exec", "sleep 60"]);
    crate::files::until(|| dir.path().join("new/file-000").exists());
    run.signal(Signal::SIGKILL);
    run.end().with_code(-9);
    let (gone_on, refused) = harm(&[".latido.db", ".latido.db-wal"], dir.path(), &files);
    assert!(gone_on > 5, "{gone_on} went on, {refused} were refused");
}
