//! A command line with placeholders for what is known of a file.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use latido::actors::process::Command;

use crate::fetch::checksum::Checksum;
use crate::fetch::job::Job;

/// Split into words as a shell splits them, but run without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    form: Form,
    /// As they were given.
    words: Vec<String>,
    parsed: Vec<Vec<Piece>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A child for each file.
    Each,
    /// A child for many: a word with a placeholder is repeated for each file.
    Batch,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Value),
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Path,
    Name,
    Dir,
    Stem,
    Digest,
    Checksum,
    Size,
    Url,
}

const NAMES: [(&str, Value); 9] = [
    ("", Value::Path),
    ("path", Value::Path),
    ("name", Value::Name),
    ("dir", Value::Dir),
    ("stem", Value::Stem),
    ("digest", Value::Digest),
    ("checksum", Value::Checksum),
    ("size", Value::Size),
    ("url", Value::Url),
];

impl Template {
    /// Says what is wrong before anything is downloaded.
    pub(crate) fn parse(line: &str, form: Form) -> Result<Self, String> {
        let words = shell_words::split(line).map_err(|error| format!("{error}; close the quotes"))?;
        let parsed = words.iter().map(|word| pieces(word, form)).collect::<Result<Vec<_>, _>>()?;
        let program = parsed.first().ok_or("the command is empty; write for example 'gzip -k {}'")?;
        if has_value(program) {
            return Err("it would run what was downloaded; begin with a program".to_owned());
        }
        Command::new(text(program, &Values::default())).check().map_err(|error| error.to_string())?;
        let mut template = Self { form, words, parsed };
        if !template.parsed.iter().any(|word| has_value(word)) {
            template.parsed.push(vec![Piece::Value(Value::Path)]);
        }
        Ok(template)
    }

    /// The command for these files.
    pub(crate) fn command<'a>(&self, jobs: impl Iterator<Item = &'a Job> + Clone) -> Command {
        let mut words = self.parsed.iter();
        let program = words.next().map(|word| text(word, &Values::default()));
        let mut command = Command::new(program.unwrap_or_default());
        for word in words {
            command = match has_value(word) {
                true => command.args(jobs.clone().map(|job| text(word, &Values::of(job)))),
                false => command.arg(text(word, &Values::default())),
            };
        }
        match (self.form, jobs.clone().next()) {
            (Form::Each, Some(job)) => Values::of(job).into_environment(command),
            _ => command,
        }
    }

    /// What one file adds to the command line, in bytes: its text, the NUL behind that and the pointer to it.
    pub(crate) fn bytes(&self, job: &Job) -> usize {
        let values = Values::of(job);
        let words = self.parsed.iter().filter(|word| has_value(word));
        words.map(|word| text(word, &values).len() + 1 + size_of::<usize>()).sum()
    }
}

/// As it was given, but for spaces and quotes. It says in the journal what a file was processed by.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.form == Form::Batch {
            f.write_str("--exec-batch ")?;
        }
        f.write_str(&shell_words::join(&self.words))
    }
}

// ===== reading =====

/// A name in braces is a placeholder; in two pairs of them it is itself; behind a `$` it is the shell's. Braces around
/// anything but small letters are no business of ours.
fn pieces(word: &str, form: Form) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = word;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        plain.push_str(before);
        let is_double = from.starts_with("{{");
        let inner = from.trim_start_matches('{');
        let braces = if is_double { 2 } else { 1 };
        let length = inner.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(inner.len());
        let name = &inner[..length];
        let closed = inner[length..].starts_with(&"}}"[..braces]);
        let is_ours = from.len() == inner.len() + braces && closed && !plain.ends_with('$');
        if !is_ours {
            let (first, others) = from.split_at(1);
            plain.push_str(first);
            rest = others;
            continue;
        }
        rest = &inner[length + braces..];
        if is_double {
            plain.push_str(&format!("{{{name}}}"));
            continue;
        }
        let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let value = known.ok_or_else(|| {
            let known: Vec<_> = NAMES.iter().map(|(name, _)| format!("{{{name}}}")).collect();
            format!(
                "{{{name}}} is no placeholder; there are {}, and {{{{{name}}}}} is the text itself",
                known.join(" ")
            )
        })?;
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Value(value));
    }
    plain.push_str(rest);
    // Many write it so to say that there are many.
    if form == Form::Batch && plain == "..." && matches!(pieces.last(), Some(Piece::Value(_))) {
        plain.clear();
    }
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

fn has_value(word: &[Piece]) -> bool {
    word.iter().any(|piece| matches!(piece, Piece::Value(_)))
}

// ===== filling in =====

/// Of one file. A path need not be UTF-8.
#[derive(Default)]
struct Values<'a> {
    path: Option<&'a Path>,
    checksum: Option<&'a Checksum>,
    size: u64,
    url: &'a str,
}

impl<'a> Values<'a> {
    fn of(job: &'a Job) -> Self {
        let path = Some(&*job.request.target);
        Self { path, checksum: job.digest.as_ref(), size: job.bytes, url: job.url() }
    }

    fn get(&self, value: Value) -> OsString {
        let part =
            |part: fn(&'a Path) -> Option<&'a OsStr>| self.path.and_then(part).unwrap_or_default().to_owned();
        let checksum = || self.checksum.map(ToString::to_string).unwrap_or_default();
        match value {
            Value::Path => part(|path| Some(path.as_os_str())),
            Value::Name => part(Path::file_name),
            Value::Dir => part(|path| path.parent().map(Path::as_os_str)),
            Value::Stem => part(Path::file_stem),
            Value::Checksum => checksum().into(),
            Value::Digest => checksum().split_once('=').map(|(_, digits)| digits).unwrap_or_default().into(),
            Value::Size => self.size.to_string().into(),
            Value::Url => self.url.into(),
        }
    }

    /// A script need not have them put into its text.
    fn into_environment(self, command: Command) -> Command {
        let named = NAMES.iter().filter(|(name, _)| !name.is_empty());
        named.fold(command, |command, (name, value)| {
            command.env(format!("LATIDO_{}", name.to_uppercase()), self.get(*value))
        })
    }
}

/// Put together from pieces: a path may be no text.
fn text(word: &[Piece], values: &Values<'_>) -> OsString {
    let mut filled = OsString::new();
    for piece in word {
        match piece {
            Piece::Text(text) => filled.push(text),
            Piece::Value(value) => filled.push(values.get(*value)),
        }
    }
    filled
}

#[cfg(test)]
mod tests;
