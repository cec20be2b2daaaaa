use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;

fn from_url(url: &str) -> Result<PathBuf, String> {
    name_of(&Url::parse(url).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn the_name_is_the_last_part_of_the_url_decoded() {
    for (url, name) in [
        ("http://a/b/c.iso", "c.iso"),
        ("http://a/b/c.iso?token=/x&y#part", "c.iso"),
        ("http://a/a%20b%C3%A9.txt", "a bé.txt"),
        ("http://a/100%.txt", "100%.txt"),
        ("http://a/x%2", "x%2"),
        ("http://a/x%+5", "x%+5"),
        ("http://a", "index.html"),
        ("http://a/b/", "index.html"),
        ("http://a/b/?c", "index.html"),
        ("http://a/b/..", "index.html"),
    ] {
        assert_eq!(from_url(url), Ok(PathBuf::from(name)), "{url}");
    }
    let bytes = from_url("http://a/%ff%fe").unwrap();
    assert_eq!(bytes.as_os_str().as_bytes(), [0xff, 0xfe]);
}

#[test]
fn a_url_cannot_name_a_file_outside() {
    for (url, part) in [
        ("http://a/..%2f..%2fetc%2fpasswd", "slash"),
        ("http://a/%2fetc%2fpasswd", "slash"),
        ("http://a/x%00.txt", "NUL"),
        ("http://a/.latido.db", "latido's own"),
        ("http://a/%2elatido-0.part", "latido's own"),
    ] {
        let error = from_url(url).unwrap_err();
        assert!(error.contains(part), "{url}: {error}");
    }
    assert!(from_url(&format!("http://a/{}", "x".repeat(256))).unwrap_err().contains("256 bytes"));
    assert!(from_url(&format!("http://a/{}", "x".repeat(255))).is_ok());
}

#[test]
fn a_name_stays_below_its_directory() {
    assert_eq!(checked_name("sub/dir/x".into()).unwrap(), Path::new("sub/dir/x"));
    assert!(checked_name("..x/...".into()).is_ok());
    for name in [
        "",
        "/etc/passwd",
        "..",
        "../x",
        "a/../../x",
        "a/..",
        ".",
        "./x",
        "a//b",
        "a/",
        "a\0b",
        "a/.latido.db",
    ] {
        assert!(checked_name(name.into()).is_err(), "{name:?}");
    }
    assert!(checked_dir("/srv/files".into()).is_ok());
    assert!(checked_dir("./files/".into()).is_ok());
    for dir in ["/srv/../etc", "..", "", "a\0b", "d/.latido.db"] {
        assert!(checked_dir(dir.into()).is_err(), "{dir:?}");
    }
}

#[test]
fn an_error_shows_the_name_without_its_control_characters() {
    let error = checked_name("\x1b[2J/../x".into()).unwrap_err().to_string();
    assert_eq!(error, r#""\u{1b}[2J/../x" has `..`, `.` or an empty part in it; write the path without"#);
}

#[test]
fn directories_are_created_where_they_are_needed() {
    let temp = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut directories = Directories::open(&temp.path().join("new/base")).unwrap();
    let base = directories.base().to_owned();
    assert!(base.ends_with("new/base"));

    let name = Path::new("sub/dir/x");
    assert_eq!(*directories.place(None, name).unwrap(), base.join(name));
    assert_eq!(*directories.place(Some(Path::new("d")), name).unwrap(), base.join("d/sub/dir/x"));
    assert_eq!(*directories.place(Some(Path::new("./d/.")), name).unwrap(), base.join("d/sub/dir/x"));
    let absolute = directories.place(Some(elsewhere.path()), name).unwrap();
    assert!(absolute.starts_with(elsewhere.path().canonicalize().unwrap()));
    for target in [base.join(name), base.join("d/sub/dir/x"), absolute.into()] {
        let parent = target.parent().unwrap();
        assert_eq!(fs::read_dir(parent).unwrap().count(), 0, "{parent:?} is there, without a probe");
    }
}

#[test]
fn a_link_that_leads_out_is_refused_and_one_that_stays_inside_is_seen_through() {
    let temp = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let mut directories = Directories::open(temp.path()).unwrap();
    let base = directories.base().to_owned();
    fs::create_dir(base.join("real")).unwrap();
    symlink(outside.path(), base.join("out")).unwrap();
    symlink("real", base.join("alias")).unwrap();
    symlink("nowhere", base.join("dangling")).unwrap();
    fs::write(base.join("file"), "").unwrap();

    let mut place = |name: &str| directories.place(None, Path::new(name)).map_err(|error| error.to_string());
    assert!(place("out/x").unwrap_err().contains("leads out"));
    assert!(place("out/sub/x").unwrap_err().contains("leads out"));
    assert!(place("dangling/x").unwrap_err().contains("dangling"));
    assert!(place("file/x").unwrap_err().contains("no directory"));
    assert_eq!(*place("alias/x").unwrap(), base.join("real/x"));
    assert!(directories.place(Some(Path::new("out")), Path::new("x")).is_err());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_directory_that_cannot_be_had_is_named() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("file"), "").unwrap();
    let error = Directories::open(&temp.path().join("file/sub")).unwrap_err().to_string();
    assert!(error.contains("file/sub") && error.contains("-d"), "{error}");
    // Unlike a directory without permissions, this one refuses root as well.
    let error = Directories::open(Path::new("/proc/self")).unwrap_err().to_string();
    assert!(error.contains("/proc/"), "{error}");
}

#[test]
fn directories_are_seen_where_files_are_to_go_and_links_are_not_followed() {
    let temp = tempfile::tempdir().unwrap();
    let mut directories = Directories::open(temp.path()).unwrap();
    let base = directories.base().to_owned();
    symlink(&base, base.join("link")).unwrap();
    fs::write(base.join("file"), "").unwrap();
    directories.place(None, Path::new("sub/dir/x")).unwrap();
    assert_eq!(directories.occupied(), HashSet::from([base.join("sub").into()]));
}

proptest! {
    #[test]
    fn whatever_is_accepted_as_a_name_stays_inside(
        name in r"(\.|/|\.\.|[a-z%~\\\x00]|%2[ef]|\.latido){1,8}",
    ) {
        let inside = |name: &Path| {
            !name.as_os_str().is_empty()
                && !name.to_string_lossy().starts_with(OURS)
                && name.components().all(|part| matches!(part, Component::Normal(_)))
        };
        if let Ok(name) = checked_name(name.clone().into()) {
            prop_assert!(inside(&name), "{name:?}");
        }
        let url = Url::parse("http://a/").unwrap().join(&format!("./{name}")).unwrap();
        if let Ok(name) = name_of(&url) {
            prop_assert!(inside(&name) && name.components().count() == 1, "{url} {name:?}");
        }
    }
}
