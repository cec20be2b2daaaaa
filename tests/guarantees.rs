//! Every test that `docs/GUARANTEES.md` names is there.

use std::fs;
use std::path::Path;

#[test]
fn every_guarantee_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/GUARANTEES.md")).unwrap();
    let named: Vec<_> =
        page.split('`').skip(1).step_by(2).filter_map(|code| code.split_once(".rs: ")).collect();
    assert!(named.len() > 50, "only {} tests are named: has the format changed?", named.len());
    for (file, test) in named {
        let source = fs::read_to_string(root.join(file).with_extension("rs")).unwrap_or_default();
        let is_test =
            [format!("fn {test}()"), format!("fn {test}(\n")].iter().any(|head| source.contains(head));
        assert!(is_test, "{file}.rs has no test {test}");
    }
}
