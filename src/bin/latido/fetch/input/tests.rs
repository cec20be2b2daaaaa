use std::path::{Path, PathBuf};

use super::super::checksum::Checksum;
use super::super::entry::Entry;
use super::*;

fn list(text: impl AsRef<[u8]>) -> List {
    read("list.txt", text.as_ref()).unwrap()
}

fn errors(text: impl AsRef<[u8]>) -> Vec<String> {
    list(text).errors.to_string().lines().map(str::to_owned).collect()
}

/// The entries of a list without errors.
fn entries(text: impl AsRef<[u8]>) -> Vec<Entry> {
    let list = list(text);
    assert_eq!(list.errors.count(), 0, "{}", list.errors);
    list.entries.iter().map(|(_, entry)| entry).collect()
}

#[test]
fn options_beneath_a_url_belong_to_it() {
    let hex = "ab".repeat(32);
    let entries = entries(format!(
        "# mirrors\n\nhttp://a/x\n  out=sub/y\n\tdir=d\n\n  # why\n checksum=sha-256={hex}\nhttps://b/z?q=1\n"
    ));
    let [first, second] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(first.urls, "http://a/x");
    assert_eq!(first.name, Path::new("sub/y"));
    assert_eq!(first.dir, Some(PathBuf::from("d")));
    assert_eq!(first.checksum, Some(Checksum::sha256([0xab; 32])));
    assert_eq!(first.origin.to_string(), "list.txt:3");
    assert_eq!((&*second.urls, &second.dir, &second.checksum), ("https://b/z?q=1", &None, &None));
    assert_eq!(second.name, Path::new("z"));
}

#[test]
fn a_byte_order_mark_carriage_returns_and_a_missing_last_newline_are_taken() {
    let entries = entries("\u{feff}http://a/x\r\n out=y \r\n\r\nhttp://a/z");
    assert_eq!(entries[0].name, Path::new("y"));
    assert_eq!((&*entries[1].urls, entries.len()), ("http://a/z", 2));
}

#[test]
fn several_urls_for_one_file_are_kept_in_order() {
    let entries = entries("http://a/x\thttp://b/y\t\n");
    assert_eq!((&*entries[0].urls, &*entries[0].name), ("http://a/x\thttp://b/y", Path::new("x")));
}

#[test]
fn every_error_is_told_with_its_line() {
    let errors = errors(
        b" out=early\nftp://a/x\n nonsense\nexample.org/x\nhttp://a/x\n checksum=sha-256=abc\n out=../x\n\
        http://a/\xff\nhttp://a/y\n oout=y\n out=y\n out=z\nhttp://a/..%2fz\n",
    );
    assert_eq!(
        errors,
        [
            r#"list.txt:1: "out=early" is indented, but no URL stands above it"#,
            r#"list.txt:2: "ftp://a/x" has the scheme `ftp`, which is not supported; use http or https"#,
            r#"list.txt:3: "nonsense" is no option; write out=NAME, dir=DIR or checksum=sha-256=HEX"#,
            r#"list.txt:4: "example.org/x" is no URL: relative URL without a base; write it in full, such as https://example.org/file"#,
            "list.txt:6: checksum `sha-256=abc` has 3 hex digits, sha-256 needs 64",
            r#"list.txt:7: "../x" has `..`, `.` or an empty part in it; write the path without"#,
            "list.txt:8: the line is no UTF-8; convert the list",
            "list.txt:10: option `oout` is not known; out, dir and checksum are",
            "list.txt:12: option `out` is given twice for one file",
            r#"list.txt:13: "../z", from the end of the URL, has a slash in it; choose another name with out="#,
        ]
    );
}

#[test]
fn a_bad_url_with_good_options_is_one_error() {
    assert_eq!(errors("ftp://a/x\n out=y\n dir=d\n").len(), 1);
}

#[test]
fn a_file_that_is_no_list_is_refused_in_little_memory() {
    assert!(errors([0; 100_000])[0].ends_with("is this a list?"));
    let many = list("\u{1}\n".repeat(50_000)).errors;
    assert_eq!((many.count(), many.to_string().lines().count()), (50_000, 11));
    assert!(many.to_string().ends_with("... and 49990 more"));
}

#[test]
fn an_option_that_only_aria2_has_is_told_once() {
    let list = list("http://a/x\n split=4\n header=A: b=c\nhttp://a/y\n split=2\n");
    let told: Vec<_> = list.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "list.txt:2: option `split` is not supported and has no effect (it stands on 2 lines)",
            "list.txt:3: option `header` is not supported and has no effect",
        ]
    );
    assert_eq!((list.entries.len(), list.errors.count()), (2, 0));
}

#[test]
fn the_options_of_aria2_are_in_order_as_their_search_needs() {
    assert!(ARIA2.is_sorted());
}
