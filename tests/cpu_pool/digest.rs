//! The job that checks files.
#![cfg(feature = "digest")]

use std::io::Write;
use std::path::PathBuf;

use actix::prelude::*;
use latido::actors::cpu_pool::{CpuPool, Run};
use latido::actors::digest::Sha256Of;

async fn sha256_of(content: &[u8]) -> (String, u64) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    let pool = CpuPool::with_state(1, || "any state").start();
    let job = Run(Sha256Of(file.path().to_owned()));
    let digest = pool.send(job).await.unwrap().unwrap().unwrap();
    (digest.sha256.to_string(), digest.bytes)
}

#[actix::test]
async fn files_have_the_checksums_of_the_standard() {
    for (content, sha256) in [
        (&b""[..], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (&[b'a'; 1_000_000], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ] {
        assert_eq!(sha256_of(content).await, (sha256.to_owned(), content.len() as u64));
    }
}

#[actix::test]
async fn a_file_longer_than_the_buffer_is_read_to_its_end() {
    let (sha256, bytes) = sha256_of(&vec![0; 8 << 20]).await;
    assert_eq!(bytes, 8 << 20);
    assert_eq!(sha256, "2daeb1f36095b44b318410b3f4e8b5d989dcc7bb023d1426c492dab0a3053e74");
}

#[actix::test]
async fn a_missing_file_is_an_error_that_names_it() {
    let pool = CpuPool::new(1).start();
    let path = PathBuf::from("no/such/file.iso");
    let error = pool.send(Run(Sha256Of(path.clone()))).await.unwrap().unwrap().unwrap_err();
    assert_eq!((&error.path, error.error.kind()), (&path, std::io::ErrorKind::NotFound));
    assert!(error.to_string().starts_with("cannot read no/such/file.iso: No such file"), "{error}");
}
