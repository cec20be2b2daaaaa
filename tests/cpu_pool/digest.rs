//! The job that checks files.
#![cfg(feature = "digest")]

use std::io::Write;
use std::path::PathBuf;

use actix::prelude::*;
use latido::actors::cpu_pool::{CpuPool, Run};
use latido::actors::digest::{Algorithm, ChecksumOf, Sha256Of};

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
async fn every_algorithm_makes_the_checksum_of_its_standard() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"abc").unwrap();
    let pool = CpuPool::new(1).start();
    let expected = [
        (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (Algorithm::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (Algorithm::Blake3, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        (
            Algorithm::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            Algorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ];
    assert_eq!(expected.map(|(algorithm, _)| algorithm), Algorithm::ALL);
    for (algorithm, hex) in expected {
        let job = ChecksumOf { path: file.path().to_owned(), algorithm };
        let found = pool.send(Run(job)).await.unwrap().unwrap().unwrap();
        assert_eq!(found.len(), algorithm.bytes());
        assert_eq!(found.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), hex, "{algorithm}");
    }
}

#[actix::test]
async fn a_missing_file_is_an_error_that_names_it() {
    let pool = CpuPool::new(1).start();
    let path = PathBuf::from("no/such/file.iso");
    let error = pool.send(Run(Sha256Of(path.clone()))).await.unwrap().unwrap().unwrap_err();
    assert_eq!((&error.path, error.error.kind()), (&path, std::io::ErrorKind::NotFound));
    assert!(error.to_string().starts_with("cannot read no/such/file.iso: No such file"), "{error}");
}
