//! Who is found.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use latido::control::{Client, ClientError, find};

use crate::support::{door, tree};

#[actix::test]
async fn doors_are_found_while_they_are_open_by_their_owner_alone() {
    let watched = tree().await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("doors");
    assert!(find(&dir).await.unwrap().is_empty(), "there is no directory yet");
    let first = door(&watched.tree).directory(&dir).program("first").open().unwrap();
    let second = door(&watched.tree)
        .directory(&dir)
        .program("second")
        .tcp("127.0.0.1:0".parse().unwrap())
        .open()
        .unwrap();
    let names = |found: &[(latido::control::Card, _)]| {
        found.iter().map(|(card, _)| card.program.clone()).collect::<Vec<_>>()
    };
    let found = find(&dir).await.unwrap();
    assert_eq!(names(&found), ["first", "second"]);
    assert_eq!(found[1].0, *second.card());

    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for entry in fs::read_dir(&dir).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    drop(first);
    assert_eq!(names(&find(&dir).await.unwrap()), ["second"]);
    let card = second.card().clone();
    drop(second);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    assert!(matches!(Client::new(&card).tree().await, Err(ClientError::Gone(..))));
}

#[actix::test]
async fn what_a_killed_program_left_behind_is_cleared_away() {
    let watched = tree().await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("doors");
    let open = door(&watched.tree).directory(&dir).open().unwrap();
    let mut dead = open.card().clone();
    dead.socket = dir.join("1.sock");
    drop(UnixListener::bind(&dead.socket).unwrap());
    fs::write(dir.join("1.json"), serde_json::to_vec(&dead).unwrap()).unwrap();
    fs::write(dir.join("2.json"), "no card").unwrap();
    assert_eq!(find(&dir).await.unwrap().len(), 1);
    assert!(!dir.join("1.json").exists() && !dead.socket.exists());
    assert!(dir.join("2.json").exists(), "that is somebody else's");
}

#[actix::test]
async fn a_directory_that_others_may_enter_is_refused() {
    let watched = tree().await;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let error = door(&watched.tree).directory(dir.path()).open().unwrap_err();
    assert!(error.to_string().contains("others may enter it, so `chmod 700` it"), "{error}");
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = door(&watched.tree).directory(&file).open().unwrap_err();
    assert!(error.to_string().contains("LATIDO_RUNTIME_DIR"), "{error}");
}
