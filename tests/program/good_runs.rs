//! Runs in which nothing goes wrong, and runs after them.

use std::fs;

use tempfile::tempdir;

use crate::files::{Files, OURS, checksum, names_in};
use crate::latido::{BINARY, latido, with_input};
use crate::server::{Server, Step, head, ok, send};

#[test]
fn every_file_of_a_list_is_there_and_nothing_else() {
    let files = Files::some(30);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let ended = with_input(dir.path(), ["fetch", "-i", "-", "-d", "new"], &files.list(&server)).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
    assert!(ended.stdout.starts_with("30 files: 30 done and verified ("), "{}", ended.stdout);
    assert_eq!(server.requests().len(), 30);
}

#[test]
fn a_second_run_asks_no_server_and_a_third_gets_what_is_missing_or_was_changed() {
    let files = Files::some(5);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let run = || with_input(dir.path(), ["fetch", "-i", "-"], &files.list(&server)).with_code(0);
    assert!(!run().stdout.contains("before this run"));
    let again = run().stdout;
    assert!(
        again.starts_with("5 files: 5 done and verified (") && again.contains(", 5 of them before this run"),
        "{again}"
    );
    assert_eq!(server.requests().len(), 5);
    fs::remove_file(dir.path().join("file-002")).unwrap();
    fs::write(dir.path().join("file-003"), "cut").unwrap();
    fs::write(dir.path().join("file-004"), vec![0; files.0[4].1.len()]).unwrap();
    let third = run().stdout;
    assert!(third.contains(", 2 of them before this run"), "{third}");
    files.assert_exactly_in(dir.path());
    let mut asked: Vec<_> = server.requests().drain(5..).map(|request| request.path).collect();
    asked.sort();
    assert_eq!(asked, ["file-002", "file-003", "file-004"]);
}

#[test]
fn files_of_one_name_are_numbered_and_a_second_run_fetches_none_of_them_again() {
    let server = Server::start(|request| ok(&request.path));
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join("dir")).unwrap();
    let list = ["1/x.iso", "2/x.iso", "3/x.iso", "4/x.1.iso", "dir"].map(|path| server.url(path)).join("\n");
    let run = || with_input(dir.path(), ["fetch", "-i", "-", "--auto-rename"], &list).with_code(0);
    for _ in 0..2 {
        let ended = run();
        let content = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        let contents = ["x.iso", "x.2.iso", "x.3.iso", "x.1.iso", "dir.1"].map(content);
        assert_eq!(contents, ["1/x.iso", "2/x.iso", "3/x.iso", "4/x.1.iso", "dir"]);
        assert!(
            ended.stderr.contains("standard input:2: ")
                && ended.stderr.contains("so the file is called x.2.iso")
        );
        assert_eq!(server.requests().len(), 5);
    }
}

#[test]
fn a_file_is_called_as_asked_also_in_directories_that_are_not_there_yet() {
    let server = Server::start(|request| ok(&request.path));
    let dir = tempdir().unwrap();
    latido(dir.path(), ["fetch", &server.url("a?b=c"), "-o", "deep/er/x y.bin"]).with_code(0);
    let list = format!(
        "{}\n  out=sub/one\n# a comment\n\n{}\n  dir=sub\n  out=two\n{}\n",
        server.url("1"),
        server.url("2"),
        server.url("%C3%B1")
    );
    with_input(dir.path(), ["fetch", "-i", "-"], &list).with_code(0);
    let content = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(content("deep/er/x y.bin"), "a?b=c");
    assert_eq!((content("sub/one"), content("sub/two")), ("1".into(), "2".into()));
    assert_eq!(content("ñ"), "%C3%B1");
    assert_eq!(names_in(dir.path()), [&OURS[..], &["deep", "sub", "ñ"]].concat());
}

#[test]
fn a_file_needs_neither_a_checksum_nor_a_length_nor_a_byte() {
    let server = Server::start(|request| match &*request.path {
        "empty" => ok(""),
        "endless" => vec![head("200 OK", &[]), send("up to the end"), Step::Close],
        _ => vec![
            head("200 OK", &[("transfer-encoding", "chunked")]),
            send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
        ],
    });
    let dir = tempdir().unwrap();
    let urls = ["empty", "endless", "chunked"].map(|name| server.url(name));
    latido(dir.path(), [&["fetch".to_owned()], &urls[..]].concat()).with_code(0);
    for (name, content) in [("empty", ""), ("endless", "up to the end"), ("chunked", "abcde")] {
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), content);
    }
}

#[test]
fn a_request_that_has_changed_is_done_anew() {
    let server = Server::start(|request| ok(if request.path == "v2/x" { "new" } else { "old" }));
    let dir = tempdir().unwrap();
    let fetch = |url: &str, content: &[u8]| {
        latido(dir.path(), ["fetch", &server.url(url), "--checksum", &checksum(content)]).with_code(0);
        assert_eq!(fs::read(dir.path().join("x")).unwrap(), content);
    };
    fetch("v1/x", b"old");
    fetch("v2/x", b"new");
    assert_eq!(server.requests().len(), 2);
    // Without a checksum, another run's file is trusted only for the same request.
    latido(dir.path(), ["fetch", &server.url("v1/x")]).with_code(0);
    assert_eq!(fs::read(dir.path().join("x")).unwrap(), b"old");
}

#[test]
fn quiet_is_quiet_and_options_without_effect_are_named_aloud() {
    let server = Server::start(|_| ok("content"));
    let dir = tempdir().unwrap();
    let ended = latido(dir.path(), ["fetch", "-q", &server.url("a")]).with_code(0);
    assert_eq!((&*ended.stdout, &*ended.stderr), ("", ""));
    let list = format!("{}\n  split=4\n{}\n  split=4\n", server.url("b"), server.url("c"));
    let ended = with_input(dir.path(), ["fetch", "-i", "-"], &list).with_code(0);
    let warning =
        "standard input:2: option `split` is not supported and has no effect (it stands on 2 lines)";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
}

#[test]
fn an_empty_list_is_done() {
    let dir = tempdir().unwrap();
    let ended = with_input(dir.path(), ["fetch", "-i", "-"], "# nothing\n").with_code(0);
    assert!(ended.stdout.starts_with("nothing to do"), "{}", ended.stdout);
}

// ===== exec =====

#[test]
fn exec_sees_each_final_file_once() {
    let files = Files::some(20);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let list = files.list(&server);
    let exec = r#"sh -c 'cp "$1" "$1.seen" && echo "$1" >> log' sh"#;
    let run =
        || with_input(dir.path(), ["fetch", "-d", "new", "-i", "-", "--exec", exec], &list).with_code(0);
    run();
    run();
    let new = dir.path().join("new").canonicalize().unwrap();
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    let mut seen: Vec<_> = log.lines().collect();
    seen.sort_unstable();
    let wanted: Vec<_> = files.0.iter().map(|(name, _)| new.join(name)).collect();
    assert_eq!(seen, wanted.iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>());
    for (name, bytes) in &files.0 {
        assert!(fs::read(new.join(format!("{name}.seen"))).unwrap() == *bytes, "{name} was not whole");
    }
}

#[test]
fn a_command_that_fails_fails_its_file_alone_and_is_run_again_by_the_next_run() {
    let files = Files::some(4);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let list = files.list(&server);
    let run = |exec| with_input(dir.path(), ["fetch", "-i", "-", "--exec", exec], &list);
    let script = r#"sh -c 'case $1 in *2) echo first >&2; echo "bad air" >&2; exit 7; esac' sh"#;
    let ended = run(script).with_code(1);
    assert!(ended.stdout.starts_with("4 files: 3 done and verified ("), "{}", ended.stdout);
    let reason = "file-002\" exited with code 7; last words: first | bad air";
    assert!(ended.stdout.contains("1 failed"), "{}", ended.stdout);
    assert!(ended.stdout.replace('`', "\"").contains(reason), "{}", ended.stdout);
    files.assert_exactly_in(dir.path());

    run("test -f").with_code(0);
    assert_eq!(server.requests().len(), 4, "the right file is fetched again");
}

#[test]
fn a_command_given_later_is_run_on_the_files_that_are_there_and_only_once() {
    let files = Files::some(3);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let list = files.list(&server);
    with_input(dir.path(), ["fetch", "-i", "-"], &list).with_code(0);
    let copies = || (0..3).filter(|n| dir.path().join(format!("file-00{n}.copy")).exists()).count();
    let copy = || with_input(dir.path(), ["fetch", "-i", "-", "--exec", "cp {} {}.copy"], &list).with_code(0);

    copy();
    assert_eq!(copies(), 3);
    for n in 0..3 {
        fs::remove_file(dir.path().join(format!("file-00{n}.copy"))).unwrap();
    }
    copy();
    assert_eq!(copies(), 0);
    assert_eq!(server.requests().len(), 3);
}

/// More than are read from the journal at once, and given out at once.
#[test]
fn a_long_list_is_fetched_without_any_part_being_restarted() {
    let files = Files((0..1000).map(|n| (format!("file-{n:04}"), vec![7; n])).collect());
    let server = files.serve();
    let dir = tempdir().unwrap();
    let args = ["fetch", "-i", "-", "-d", "new"];
    let ended = with_input(dir.path(), args, &files.list(&server)).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
    assert!(!ended.stderr.contains("restarts"), "{}", ended.stderr);
    assert_eq!(server.requests().len(), 1000);
}

/// What is asked of the system, and when: the content before the name, and the name before the journal says that it is done.
#[test]
fn what_is_to_survive_a_power_cut_is_synced_in_its_order() {
    let files = Files::some(3);
    let server = files.serve();
    for (sync, files_synced, directories_synced) in [("none", 0, false), ("file", 3, false), ("all", 3, true)]
    {
        let dir = tempdir().unwrap();
        files.list_in(dir.path(), &server);
        let mut command = std::process::Command::new("strace");
        command.args(["-f", "-y", "-o", "trace", "-e", "trace=fsync,fdatasync,rename"]);
        command.args([BINARY, "fetch", "-i", "list", "-d", "new", "--journal", "jobs", "--sync", sync]);
        let Ok(output) = command.current_dir(dir.path()).output() else {
            eprintln!("skipped: there is no strace");
            return;
        };
        assert!(output.status.success(), "{output:?}");
        files.assert_all_in(&dir.path().join("new"));
        let trace = fs::read_to_string(dir.path().join("trace")).unwrap();
        let calls: Vec<_> = trace.lines().collect();
        let synced = |line: &&&str| line.contains("fsync(") && line.contains(".part>");
        assert_eq!(calls.iter().filter(synced).count(), files_synced, "{trace}");
        let directory = calls.iter().rposition(|line| line.contains("fsync(") && line.contains("/new>"));
        assert_eq!(directory.is_some(), directories_synced, "{trace}");
        let renames: Vec<_> = calls
            .iter()
            .enumerate()
            .filter(|(_, line)| line.contains("rename(") && line.contains(".part"))
            .collect();
        assert_eq!(renames.len(), 3, "{trace}");
        for (at, rename) in renames {
            let part = rename.split('"').nth(1).unwrap();
            let before = calls[..at].iter().any(|line| line.contains("fsync(") && line.contains(part));
            assert_eq!(before, files_synced > 0, "{trace}");
            assert!(directory.is_none_or(|directory| directory > at), "{trace}");
        }
    }
}
