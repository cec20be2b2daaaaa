//! The scenarios that the program brings along: those of `scenarios/`, one for each way to fail.

pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
}

macro_rules! library {
    ($($name:literal)*) => {
        &[$(Scenario { name: $name, text: include_str!(concat!("../../../../scenarios/", $name, ".toml")) }),*]
    };
}

pub(super) const ALL: &[Scenario] = library! {
    "a-blocked-thread"
    "a-broken-server"
    "a-command-dies-by-signal"
    "a-crash-loop"
    "a-downloader-is-stuck"
    "a-downloader-panics"
    "a-downloader-waits-for-ever"
    "a-full-disk"
    "a-full-disk-of-the-journal"
    "a-ledger-is-stuck"
    "a-part-hangs"
    "a-paused-part"
    "a-stalled-server"
    "a-supervisor-fails"
    "a-supervisor-stopped"
    "all-others-are-stuck"
    "corrupt-bytes"
    "delayed-messages"
    "dropped-messages"
    "every-downloader-crashes"
    "interrupted-and-gone-on-with"
    "killed-and-started-again"
    "starts-that-fail"
    "the-command-runners-crash"
    "the-cpu-pool-crashes"
    "the-heartbeat-crashes"
    "the-ledger-crashes"
};

pub(super) fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

impl Scenario {
    /// What it teaches: the comment at its beginning.
    pub(super) fn lesson(&self) -> String {
        let comment = self.text.lines().map_while(|line| line.strip_prefix('#'));
        comment.map(str::trim).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::super::plan::Plan;
    use super::*;

    #[test]
    fn every_scenario_of_the_directory_is_brought_along_teaches_something_and_can_be_read() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
        let names: BTreeSet<_> =
            files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(names, ALL.iter().map(|scenario| scenario.name.to_owned()).collect());
        for scenario in ALL {
            assert!(
                scenario.text.lines().take_while(|line| line.starts_with("# ")).count() == 2,
                "{}",
                scenario.name
            );
            Plan::read(scenario.name, scenario.text, None).unwrap();
        }
    }
}
