use std::path::Path;

use super::super::read;
use super::*;
use crate::fetch::entry::Entry;

fn metalink(files: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\">\n{files}</metalink>\n"
    )
}

fn list(text: &str) -> List {
    read("a.meta4", text.as_bytes()).unwrap()
}

fn errors(text: &str) -> Vec<String> {
    list(text).errors.to_string().lines().map(str::to_owned).collect()
}

fn entries(text: &str) -> Vec<Entry> {
    let list = list(text);
    assert_eq!(list.errors.count(), 0, "{}", list.errors);
    list.entries.iter().map(|(_, entry)| entry).collect()
}

fn hash(algorithm: Algorithm) -> String {
    format!("<hash type=\"{algorithm}\">{}</hash>", "ab".repeat(algorithm.bytes()))
}

#[test]
fn a_file_has_its_name_size_strongest_hash_and_its_urls_with_the_best_first() {
    let text = metalink(&format!(
        "<generator>x</generator><published>2009-05-15T12:23:23Z</published>
        <file name=\"sub/a&amp;b.bin\">
          <size> 14471447 </size><identity>Example</identity><description>A <![CDATA[<url>]]></description>
          {}{}{}
          <pieces length=\"262144\" type=\"sha-1\"><hash>00</hash><hash>01</hash></pieces>
          <url>http://d/x</url>
          <url location=\"de\" priority=\"2\">https://b/x?a=1&amp;b=&#50;</url>
          <url location=\"fr\" priority=\"1\">
            <![CDATA[http://a/x]]>
          </url>
          <url>http://e/x</url>
        </file>
        <file name=\"plain\"><url>http://a/y</url></file>",
        hash(Algorithm::Sha1),
        hash(Algorithm::Sha512),
        hash(Algorithm::Sha256),
    ));
    let found = entries(&text);
    let [first, second] = &found[..] else { panic!("{found:?}") };
    assert_eq!(first.urls, "http://a/x\thttps://b/x?a=1&b=2\thttp://d/x\thttp://e/x");
    assert_eq!((&*first.name, first.size), (Path::new("sub/a&b.bin"), Some(14_471_447)));
    assert_eq!(first.checksum, Some(Checksum::new(Algorithm::Sha512, &[0xab; 64])));
    assert_eq!(first.origin.to_string(), "a.meta4:4");
    assert_eq!((&*second.urls, &second.checksum, second.size), ("http://a/y", &None, None));
    assert_eq!(second.origin.to_string(), "a.meta4:15");

    assert_eq!(entries(&format!("\u{feff} \n{text}").replacen(" \n<?xml", "<?xml", 1)), found);
    let prefixed = text.replace("<metalink xmlns=", "<metalink xmlns:m=").replace("<file ", "<m:file ");
    assert_eq!(errors(&prefixed).len(), 1, "its root is in no namespace");
}

#[test]
fn what_latido_does_not_have_is_told_once() {
    let list = list(&metalink(
        "<file name=\"a\"><hash type=\"sha3-256\">00</hash>
        <metaurl mediatype=\"torrent\">http://a/x.torrent</metaurl><metaurl mediatype=\"torrent\"/>
        <url>ftp://a/x</url><url>rsync://a/x</url><url>http://a/x</url></file>
        <url xmlns=\"urn:other\">nonsense</url>",
    ));
    assert_eq!((list.errors.count(), &*list.entries.iter().next().unwrap().1.urls), (0, "http://a/x"));
    let told: Vec<_> = list.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "a.meta4:3: hash `sha3-256` is not supported and has no effect",
            "a.meta4:4: <metaurl> is not supported and has no effect (it stands on 2 lines)",
            "a.meta4:5: a URL with the scheme `ftp` is not supported and has no effect",
            "a.meta4:5: a URL with the scheme `rsync` is not supported and has no effect",
        ]
    );
}

#[test]
fn what_is_told_of_a_file_cannot_speak_to_the_terminal() {
    let list = list(&metalink(
        "<file name=\"a\"><hash type=\"\u{1b}[2J&#27;\">00</hash><url>http://a/x</url></file>",
    ));
    assert_eq!(
        list.ignored[0].to_string(),
        r"a.meta4:3: hash `\u{1b}[2J\u{1b}` is not supported and has no effect"
    );
}

/// Were each compared with all others, this would take minutes.
#[test]
fn what_a_file_makes_up_by_the_ten_thousand_is_read_in_no_time() {
    let many = |piece: fn(usize) -> String| (0..100_000).map(piece).collect::<String>();
    let kinds = many(|n| format!("<hash type=\"k{n}\">0</hash>"));
    let attributes = many(|n| format!(" a{n}=\"\""));
    let list = list(&metalink(&format!("<file name=\"a\"{attributes}>{kinds}<url>http://h/x</url></file>")));
    assert_eq!((list.errors.count(), list.entries.len(), list.ignored.len()), (0, 1, 100));
}

#[test]
fn every_mistake_in_a_file_is_told_with_its_line() {
    let url = "<url>http://h/x</url>";
    for (file, said) in [
        (format!("<file name=\"../../x\">{url}</file>"), "\"../../x\" has `..`"),
        (format!("<file name=\"a/..&#47;..&#x2f;x\">{url}</file>"), "has `..`"),
        (format!("<file name=\"/etc/passwd\">{url}</file>"), "is absolute"),
        (format!("<file name=\"\">{url}</file>"), "the name is empty"),
        (format!("<file name=\".latido.db\">{url}</file>"), "latido's own"),
        (format!("<file>{url}</file>"), "a <file> has no name"),
        ("<file name=\"a\"/>".to_owned(), "no http or https URL; add a <url>"),
        ("<file name=\"a\"><url>ftp://h/x</url></file>".to_owned(), "no http or https URL"),
        ("<file name=\"a\"><url>nonsense</url></file>".to_owned(), "\"nonsense\" is no URL"),
        (format!("<file name=\"a\">{url}<size>-1</size></file>"), "`-1` is no size"),
        (format!("<file name=\"a\">{url}<size>1</size><size>2</size></file>"), "`size` is given twice"),
        (format!("<file name=\"a\">{url}<hash>00</hash></file>"), "a <hash> has no type"),
        (
            format!("<file name=\"a\">{url}<hash type=\"md5\">00</hash></file>"),
            "has 2 hex digits, md5 needs 32",
        ),
        (
            format!(
                "<file name=\"a\">{url}{}<hash type=\"md5\">{}</hash></file>",
                hash(Algorithm::Md5),
                "00".repeat(16)
            ),
            "another md5 already",
        ),
        (
            "<file name=\"a\"><url priority=\"high\">http://h/x</url></file>".to_owned(),
            "`high` is no priority",
        ),
        (format!("<file name=\"a\">{url}&evil;</file>"), "`&evil;` stands for nothing here"),
    ] {
        let errors = errors(&metalink(&file));
        assert!(errors[0].starts_with("a.meta4:3: ") && errors[0].contains(said), "{file}: {errors:?}");
    }
}

#[test]
fn what_is_no_metalink_4_is_refused_in_words() {
    for (text, said) in [
        ("<html><body>Sign in</body></html>".to_owned(), "a.meta4:1: <html> is no <metalink> of RFC 5854"),
        ("<metalink/>".to_owned(), "is no <metalink> of RFC 5854"),
        (
            "<metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\"><files/></metalink>".to_owned(),
            "this is Metalink 3",
        ),
        ("<!-- -->".to_owned(), "ends in the middle"),
        (metalink("<file name=\"a\">").replace("</metalink>\n", ""), "ends in the middle"),
        (metalink("<file name=\"a\"><url>http://h/x</file></url>"), "not XML as it should be"),
        (metalink("<file name=\"a\" name=\"b\"/>"), "`name` is given twice"),
        (metalink(&format!("{}{}", "<x>".repeat(64), "</x>".repeat(64))), "more than 64 elements"),
        (metalink("<file name=\"&evil;\"/>"), "not XML as it should be"),
    ] {
        let found = errors(&text);
        assert!(found[0].contains(said), "{text}: {found:?}");
        assert!(list(&text).entries.len() == 0 || !found.is_empty());
    }
}

#[test]
fn a_metalink_cut_short_anywhere_is_an_error() {
    let whole = metalink("<file name=\"a\"><size>1</size><url>http://h/x</url></file>");
    let end = whole.trim_end().len();
    for cut in 1..end {
        assert!(list(&whole[..cut]).errors.count() > 0, "{}", &whole[..cut]);
    }
    assert_eq!(entries(&whole[..end]).len(), 1);
}
