//! Every test that the documentation names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Checks each `file.rs: test` of a page, and says how many there are.
fn check(page: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(page)).unwrap();
    let named = text.split('`').skip(1).step_by(2).filter_map(|code| code.split_once(".rs: "));
    let count = |(file, test): (&str, &str)| {
        let source = fs::read_to_string(root.join(file).with_extension("rs")).unwrap_or_default();
        let is_test =
            [format!("fn {test}()"), format!("fn {test}(\n")].iter().any(|head| source.contains(head));
        assert!(is_test, "{page}: {file}.rs has no test {test}");
    };
    let in_rust = named.map(count).count();
    // Those of the page, in JavaScript, have their sentence in quotes.
    let named = text.split('`').skip(1).step_by(2).filter_map(|code| code.split_once(".test.js: "));
    let count = |(file, test): (&str, &str)| {
        let source = fs::read_to_string(root.join(format!("{file}.test.js"))).unwrap_or_default();
        assert!(source.contains(&format!("\"{test}\"")), "{page}: {file}.test.js has no test {test:?}");
    };
    in_rust + named.map(count).count()
}

#[test]
fn every_guarantee_names_a_test_that_exists() {
    let named = check("docs/GUARANTEES.md");
    assert!(named > 50, "only {named} tests are named: has the format changed?");
}

#[test]
fn every_link_of_the_chain_of_watching_names_a_test_that_exists() {
    assert!(check("docs/daemon.md") > 5);
}

#[test]
fn every_case_of_otps_suite_names_a_test_that_exists_or_says_why_there_is_none() {
    let named = check("docs/OTP.md");
    assert!(named > 88, "only {named} tests are named: has the format changed?");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OTP.md")).unwrap();
    // A case is a row of three cells, the first of which is one name.
    let cells = page.lines().map(|line| line.split(" | ").collect::<Vec<_>>());
    let cases = cells.filter_map(|cells| {
        let name = cells.first()?.strip_prefix("| `")?.strip_suffix('`')?;
        (cells.len() == 3 && !name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
            .then(|| (name.to_owned(), cells[2].to_owned()))
    });
    let mut names = BTreeSet::new();
    for (name, proof) in cases {
        assert!(proof.contains(".rs: ") || proof.starts_with("— "), "{name}: {proof}");
        assert!(names.insert(name.clone()), "{name} is there twice");
    }
    assert_eq!(names.len(), 88);
}
