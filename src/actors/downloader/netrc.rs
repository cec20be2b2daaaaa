//! The file of passwords that ftp brought up and every download program reads.

use std::fmt;

/// The passwords of a `.netrc`, by the names of the machines they are for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Netrc {
    /// In the order of the file; `default` is for the empty name.
    machines: Vec<Machine>,
}

#[derive(Clone, Default, PartialEq, Eq)]
struct Machine {
    name: Option<String>,
    login: Option<String>,
    password: Option<String>,
}

/// Why a text is no `.netrc`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetrcError {
    /// A word that has no meaning there. It is not told: it may be a part of a password.
    #[error("line {line}: there is a word that is not machine, default, login, password, account or macdef")]
    Unknown {
        /// Counted from 1.
        line: usize,
    },
    /// A word that must be followed by another, and is not.
    #[error("line {line}: nothing follows `{word}`")]
    Ends {
        /// Counted from 1.
        line: usize,
        /// The word.
        word: &'static str,
    },
    /// `login` and the like before any machine.
    #[error("line {line}: `{word}` belongs to no machine; write `machine NAME` or `default` before it")]
    Homeless {
        /// Counted from 1.
        line: usize,
        /// The word.
        word: &'static str,
    },
}

impl Netrc {
    /// Reads the text of a `.netrc`.
    pub fn parse(text: &str) -> Result<Self, NetrcError> {
        let mut words = Words { rest: text, line: 1 };
        let mut machines: Vec<Machine> = Vec::new();
        while let Some(word) = words.next() {
            let line = words.line;
            match &*word {
                "machine" => {
                    let name = Some(words.after("machine")?);
                    machines.push(Machine { name, ..Machine::default() });
                }
                "default" => machines.push(Machine::default()),
                "macdef" => words.skip_macro(),
                "login" => words.of(&mut machines, "login", |machine, value| machine.login = Some(value))?,
                "password" => {
                    words.of(&mut machines, "password", |machine, value| machine.password = Some(value))?;
                }
                "account" => words.of(&mut machines, "account", |_, _| {})?,
                _ => return Err(NetrcError::Unknown { line }),
            }
        }
        Ok(Self { machines })
    }

    /// Who to be on `host`, and with which password: of the first entry that fits, `default` last. With a `login`, only
    /// entries of that login fit.
    pub(super) fn find<'a>(&'a self, host: &str, login: Option<&'a str>) -> Option<(&'a str, &'a str)> {
        let fits = |machine: &&Machine| {
            login.is_none() || machine.login.is_none() || machine.login.as_deref() == login
        };
        let is_it = |name: &str| name.eq_ignore_ascii_case(host);
        let mut named = self.machines.iter().filter(|machine| machine.name.as_deref().is_some_and(is_it));
        let mut default = self.machines.iter().filter(|machine| machine.name.is_none());
        let machine = named.find(fits).or_else(|| default.find(fits))?;
        let login = machine.login.as_deref().or(login)?;
        Some((login, machine.password.as_deref().unwrap_or_default()))
    }
}

/// Shows no password.
impl fmt::Debug for Netrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.machines.iter().map(|machine| machine.name.as_deref().unwrap_or("default"));
        f.debug_list().entries(names).finish()
    }
}

struct Words<'a> {
    rest: &'a str,
    line: usize,
}

impl Words<'_> {
    /// The next word: up to a blank, or in quotation marks, where a backslash takes the next character as it is.
    fn next(&mut self) -> Option<String> {
        loop {
            let start = self.rest.find(|c: char| !c.is_whitespace()).unwrap_or(self.rest.len());
            self.skip(start);
            if !self.rest.starts_with('#') {
                break;
            }
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
        let quoted = self.rest.starts_with('"');
        self.skip(usize::from(quoted));
        let (mut word, mut escaped) = (String::new(), false);
        let mut length = self.rest.len();
        for (at, c) in self.rest.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => {
                    escaped = true;
                    continue;
                }
                '"' if quoted => {
                    length = at + 1;
                    break;
                }
                c if !quoted && c.is_whitespace() => {
                    length = at;
                    break;
                }
                _ => {}
            }
            word.push(c);
        }
        self.skip(length);
        (quoted || !word.is_empty()).then_some(word)
    }

    fn after(&mut self, word: &'static str) -> Result<String, NetrcError> {
        let line = self.line;
        self.next().ok_or(NetrcError::Ends { line, word })
    }

    /// What follows `word`, for the last of the machines.
    fn of(
        &mut self,
        machines: &mut [Machine],
        word: &'static str,
        set: fn(&mut Machine, String),
    ) -> Result<(), NetrcError> {
        let line = self.line;
        let value = self.after(word)?;
        set(machines.last_mut().ok_or(NetrcError::Homeless { line, word })?, value);
        Ok(())
    }

    /// A macro goes on to the next empty line.
    fn skip_macro(&mut self) {
        let end = self.rest.find("\n\n").map_or(self.rest.len(), |end| end + 2);
        self.skip(end);
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# mine
machine a.example login me password secret
machine B.example
    login \"two words\"
    account nobody
    password \"qu\\\"ote # and all\"
macdef init
    machine c.example login never password run

machine a.example login other password another
default login anonymous password guest@
";

    #[test]
    fn the_first_entry_that_fits_is_taken_and_default_last() {
        let netrc = Netrc::parse(TEXT).unwrap();
        for (host, login, found) in [
            ("a.example", None, Some(("me", "secret"))),
            ("a.example", Some("other"), Some(("other", "another"))),
            ("A.Example", None, Some(("me", "secret"))),
            ("b.example", None, Some(("two words", "qu\"ote # and all"))),
            ("c.example", None, Some(("anonymous", "guest@"))),
            ("c.example", Some("me"), None),
            ("sub.a.example", None, Some(("anonymous", "guest@"))),
        ] {
            assert_eq!(netrc.find(host, login), found, "{host} {login:?}");
        }
        let one = Netrc::parse("machine a password alone machine b login user").unwrap();
        assert_eq!(one.find("a", None), None);
        assert_eq!(one.find("a", Some("me")), Some(("me", "alone")));
        assert_eq!(one.find("b", None), Some(("user", "")));
        assert_eq!(Netrc::parse("").unwrap().find("a", None), None);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_no_password_is_shown() {
        let error = |text| Netrc::parse(text).unwrap_err().to_string();
        assert!(error("machine a\n\nlogin").starts_with("line 3: nothing follows `login`"));
        assert!(error("\nlogin me").starts_with("line 2: `login` belongs to no machine"));
        assert!(
            error("machine a password my\nsecret").starts_with("line 2: there is a word that is not machine")
        );
        assert!(!format!("{:?}", Netrc::parse(TEXT)).contains("secret"));
    }
}
