//! `--exec`: the command that is run on each file.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use latido::actors::process::Command;

/// A command line, split into words as a shell splits them, but run without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exec {
    words: Vec<String>,
}

/// What stands for the file.
const PLACEHOLDER: &str = "{}";

impl Exec {
    /// The command for the file at `path`. Where it says `{}` the path is put in; where it does not, the path is its
    /// last argument.
    pub(crate) fn command(&self, path: &Path) -> Command {
        let mut words = self.words.iter().map(|word| fill(word, path));
        let command = Command::new(words.next().unwrap_or_default()).args(words);
        match self.words.iter().any(|word| word.contains(PLACEHOLDER)) {
            true => command,
            false => command.arg(path),
        }
    }
}

/// As it was given, but for spaces and quotes.
impl fmt::Display for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shell_words::join(&self.words))
    }
}

/// Paths need not be UTF-8, so the word is put together from pieces.
fn fill(word: &str, path: &Path) -> OsString {
    let mut filled = OsString::new();
    for (n, piece) in word.split(PLACEHOLDER).enumerate() {
        if n > 0 {
            filled.push(path);
        }
        filled.push(piece);
    }
    filled
}

impl FromStr for Exec {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words = shell_words::split(line).map_err(|error| format!("{error}; close the quotes"))?;
        if words.is_empty() {
            return Err("the command is empty; write for example 'gzip -k {}'".to_owned());
        }
        let exec = Self { words };
        exec.command(Path::new("file")).check().map_err(|error| error.to_string())?;
        Ok(exec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> String {
        line.parse::<Exec>().unwrap().command(Path::new("/d/a b")).to_string()
    }

    #[test]
    fn the_path_goes_where_the_placeholder_is_or_to_the_end() {
        assert_eq!(run("echo -n"), r#"echo -n "/d/a b""#);
        assert_eq!(run("sh -c 'cat {} | wc -c' x{}y"), r#"sh -c "cat /d/a b | wc -c" "x/d/a by""#);
    }

    #[test]
    fn what_cannot_be_run_is_said_before_anything_is_downloaded() {
        assert!("no-such-program -x".parse::<Exec>().unwrap_err().contains("no-such-program"));
        assert!("echo 'a".parse::<Exec>().is_err());
        assert!(" ".parse::<Exec>().is_err());
    }
}
