use std::process::Command;

use super::*;
use crate::fetch::entry::{Draft, Origin};

fn sums(text: impl AsRef<[u8]>) -> Sums {
    read("SUMS", None, text.as_ref()).unwrap()
}

fn errors(text: impl AsRef<[u8]>) -> String {
    sums(text).errors.to_string()
}

fn of<'a>(sums: &'a Sums, name: &str) -> Option<&'a Checksum> {
    assert_eq!(sums.errors.count(), 0, "{}", sums.errors);
    sums.by_name.get(&OsString::from(name)).map(|(sum, _)| sum)
}

fn zeros(algorithm: Algorithm) -> String {
    "00".repeat(algorithm.bytes())
}

#[test]
fn every_format_of_the_tools_is_read() {
    let hex = zeros(Algorithm::Sha256);
    for (line, name, algorithm) in [
        (format!("{hex}  a b"), "a b", Algorithm::Sha256),
        (format!("{hex} *a"), "a", Algorithm::Sha256),
        (format!("{hex}   a"), " a", Algorithm::Sha256),
        (format!("{}  a", hex.to_uppercase()), "a", Algorithm::Sha256),
        (format!("{hex}  ./sub/a\r"), "sub/a", Algorithm::Sha256),
        (format!("\\{hex}  a\\\\b\\nc\\r"), "a\\b\nc\r", Algorithm::Sha256),
        (format!("{hex}  a\\nb"), "a\\nb", Algorithm::Sha256),
        (format!("{hex}  a (1) = b"), "a (1) = b", Algorithm::Sha256),
        (format!("{hex}  (1) = b"), "(1) = b", Algorithm::Sha256),
        (format!("SHA256 (a) = {hex}"), "a", Algorithm::Sha256),
        (format!("SHA256 (a (1) = b) = {hex}"), "a (1) = b", Algorithm::Sha256),
        (format!("SHA256(a)= {hex}"), "a", Algorithm::Sha256),
        (format!("SHA2-256(a)= {hex}"), "a", Algorithm::Sha256),
        (format!("\\SHA256 (a\\nb) = {hex}"), "a\nb", Algorithm::Sha256),
        (format!("BLAKE3 (a) = {hex}"), "a", Algorithm::Blake3),
        (format!("{}  a", zeros(Algorithm::Md5)), "a", Algorithm::Md5),
        (format!("{}  a", zeros(Algorithm::Sha1)), "a", Algorithm::Sha1),
        (format!("{}  a", zeros(Algorithm::Sha512)), "a", Algorithm::Sha512),
    ] {
        let sums = sums(format!("\u{feff}# comment\n\n{line}\n"));
        assert_eq!(of(&sums, name), Some(&Checksum::new(algorithm, &vec![0; algorithm.bytes()])), "{line}");
    }
}

#[test]
fn what_the_tools_of_this_system_write_is_read() {
    let dir = tempfile::tempdir().unwrap();
    for (n, name) in ["plain", "with space", "back\\slash", "new\nline", "ñ (1)"].into_iter().enumerate() {
        std::fs::write(dir.path().join(name), vec![7; n]).unwrap();
        for (tool, algorithm) in [
            ("md5sum", Algorithm::Md5),
            ("sha1sum", Algorithm::Sha1),
            ("sha256sum", Algorithm::Sha256),
            ("sha512sum", Algorithm::Sha512),
        ] {
            let said = |args: &[&str]| {
                let output = Command::new(tool).args(args).arg(name).current_dir(dir.path()).output();
                output.unwrap().stdout
            };
            let [plain, binary, tagged] = [said(&[]), said(&["-b"]), said(&["--tag"])].map(sums);
            let found = of(&plain, name).unwrap();
            assert_eq!(found.algorithm(), algorithm);
            assert_eq!((of(&binary, name), of(&tagged, name)), (Some(found), Some(found)), "{tool} {name:?}");
        }
    }
}

#[test]
fn digests_of_one_length_are_told_apart_by_the_user_or_the_name_of_the_file() {
    let line = format!("{}  a\n", zeros(Algorithm::Blake3));
    let by = |name: &str, algorithm| {
        of(&read(name, algorithm, line.as_bytes()).unwrap(), "a").unwrap().algorithm()
    };
    assert_eq!(by("SUMS", None), Algorithm::Sha256);
    assert_eq!(by("SUMS", Some(Algorithm::Blake3)), Algorithm::Blake3);
    assert_eq!(by("b3dir/B3SUMS", None), Algorithm::Blake3);
    assert_eq!(by("b3dir/SHA256SUMS", None), Algorithm::Sha256);
    let file = |text: &str| text.parse::<SumsFile>().unwrap();
    assert_eq!(file("blake3=x=y"), SumsFile { algorithm: Some(Algorithm::Blake3), path: "x=y".into() });
    assert_eq!(file("x=y"), SumsFile { algorithm: None, path: "x=y".into() });
}

#[test]
fn a_signature_around_it_is_passed_over() {
    let sums = sums(format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# a: 12 bytes\nSHA256 (a) = {}\n\
         -----BEGIN PGP SIGNATURE-----\n\niQIzBAEBCAAdFiEE\n-----END PGP SIGNATURE-----\n",
        zeros(Algorithm::Sha256)
    ));
    assert!(sums.is_signed && of(&sums, "a").is_some());
    assert_eq!(sums.by_name.len(), 1);
}

#[test]
fn of_several_checksums_the_strongest_counts_and_two_of_a_kind_must_agree() {
    let (weak, strong) = (zeros(Algorithm::Sha1), zeros(Algorithm::Sha512));
    for text in [format!("{weak}  a\n{strong}  a\n"), format!("{strong}  a\n{weak}  a\n{strong}  a\n")] {
        assert_eq!(of(&sums(text), "a").unwrap().algorithm(), Algorithm::Sha512);
    }
    let other = "11".repeat(20);
    assert_eq!(
        errors(format!("{weak}  a\n{other}  a\n")),
        r#"SUMS:2: "a" has another sha-1 in line 1; remove the wrong one"#
    );
}

#[test]
fn what_is_no_checksum_is_told_with_its_line() {
    let hex = zeros(Algorithm::Sha256);
    for (line, said) in [
        ("<html>".to_owned(), "is no checksum and name; write HEX, two spaces"),
        (hex.clone(), "is no checksum and name"),
        (format!("{hex} a"), "is no checksum and name"),
        (format!("{hex}  "), "is no checksum and name"),
        (format!("x{}  a", &hex[1..]), "is no checksum and name"),
        (format!("{}  a", &hex[1..]), "63 hex digits are no checksum's; md5 has 32"),
        (format!("SHA256 (a) = {}", &hex[1..]), "has 63 hex digits, sha-256 needs 64"),
        (format!("SHA512 (a) = {hex}"), "has 64 hex digits, sha-512 needs 128"),
        (format!("BLAKE2b (a) = {hex}{hex}"), "`BLAKE2b` is not supported; md5, sha-1"),
        (format!("\\{hex}  a\\tb"), "a backslash before 't'"),
        ("x".repeat(70_000), "does not end within 64 KiB"),
    ] {
        let error = errors(format!("{hex}  good\n{line}\n"));
        assert!(error.starts_with("SUMS:2: ") && error.contains(said), "{line}: {error}");
    }
}

#[test]
fn a_file_has_the_checksum_of_its_name_or_of_that_which_it_has_on_the_server() {
    let line = |n: usize, name: &str| format!("{}  {name}\n", format!("{n:02x}").repeat(32));
    let sums = sums(line(1, "own") + &line(2, "disk.iso") + &line(3, "x/disk.iso") + &line(4, "sub/own"));
    let pinned = |url: &str, name: Option<&str>, dir: Option<&str>| {
        let mut draft = Draft::new(Origin::CommandLine);
        draft.urls(url).unwrap();
        name.map_or(Ok(()), |name| draft.name(name)).unwrap();
        dir.map_or(Ok(()), |dir| draft.dir(dir)).unwrap();
        let mut entry = draft.finish().unwrap().unwrap();
        sums.pin(&mut entry).map(|()| entry.checksum.unwrap()).map_err(|error| error.to_string())
    };
    let nth = |n: u8| Ok(Checksum::sha256([n; 32]));
    assert_eq!(pinned("http://a/b/disk.iso?q", None, None), nth(2));
    assert_eq!(pinned("http://a/x/disk.iso", Some("other"), None), nth(3));
    assert_eq!(pinned("http://a/disk.iso", Some("own"), None), nth(1));
    assert_eq!(pinned("http://a/disk.iso", Some("own"), Some("sub")), nth(4));
    assert_eq!(pinned("http://a/b", Some("deep/own"), None), nth(1));
    assert_eq!(
        pinned("http://a/b", None, None),
        Err(r#""b" has no checksum in SUMS; add it there, or write checksum=sha-256=HEX"#.to_owned())
    );
}

#[test]
fn a_checksum_of_the_list_must_not_say_otherwise() {
    let sums = sums(format!("{}  a\n", zeros(Algorithm::Sha256)));
    let pinned = |checksum: String| {
        let mut draft = Draft::new(Origin::CommandLine);
        draft.urls("http://h/a").unwrap();
        draft.checksum(checksum.parse().unwrap()).unwrap();
        let mut entry = draft.finish().unwrap().unwrap();
        sums.pin(&mut entry).map(|()| entry.checksum.unwrap().algorithm()).map_err(|error| error.to_string())
    };
    let of = |algorithm: Algorithm| format!("{algorithm}={}", zeros(algorithm));
    assert_eq!(pinned(of(Algorithm::Sha256)), Ok(Algorithm::Sha256));
    assert_eq!(pinned(of(Algorithm::Md5)), Ok(Algorithm::Sha256));
    assert_eq!(pinned(of(Algorithm::Sha512)), Ok(Algorithm::Sha512));
    let error = pinned(format!("sha-256={}", "11".repeat(32))).unwrap_err();
    assert!(error.contains("is not what SUMS:1 says"), "{error}");
}
