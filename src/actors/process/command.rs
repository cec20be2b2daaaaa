//! What to run, as plain data.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::guard::wire::{Launch, Terms};

/// A program and what it is started with. It inherits this program's environment and directory unless told
/// otherwise.
///
/// ```
/// use latido::actors::process::Command;
///
/// let sort = Command::new("sort").arg("-u").env("LC_ALL", "C");
/// assert!(sort.check().is_ok());
/// assert_eq!(sort.to_string(), "sort -u");
///
/// let error = Command::new("srot").check().unwrap_err();
/// assert_eq!(error.to_string(), "there is no program `srot`: install it, or give its full path");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    bare: bool,
    dir: Option<PathBuf>,
    success: Vec<i32>,
    pub(super) terms: Terms,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
}

/// A command that cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// No such file, there or in `PATH`.
    #[error("there is no program `{0}`: install it, or give its full path")]
    NotFound(String),
    /// The file is there, but not as a program.
    #[error("`{}` is not executable: it needs chmod +x", .0.display())]
    NotExecutable(PathBuf),
    /// The directory to run in is missing.
    #[error("there is no directory `{}` to run in: create it first", .0.display())]
    NoDirectory(PathBuf),
    /// There is no such user to run as.
    #[error("there is no user `{0}` to run as")]
    NoUser(String),
    /// There is no such group to run in.
    #[error("there is no group `{0}` to run in")]
    NoGroup(String),
    /// Nobody is there to guard it.
    #[error("programs are guarded: begin `main` with `latido::actors::process::init()`")]
    NoGuard,
    /// What was to guard it could not be started, or does not know how.
    #[error("could not start a guard: {0}")]
    Guard(#[source] io::Error),
    /// The operating system refused to start it.
    #[error("could not start `{command}`: {source}")]
    Start {
        /// The command line.
        command: String,
        /// What the operating system said, its error number included.
        source: io::Error,
    },
}

impl Command {
    /// A program by its path, or by a name that is looked up in `PATH`. No shell is involved.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            bare: false,
            dir: None,
            success: vec![0],
            terms: Terms::default(),
            user: None,
            group: None,
        }
    }

    /// A script for `/bin/sh`. Arguments added to it are its `"$1"`, `"$2"`, ..., so that no file name has to be
    /// quoted into the text.
    ///
    /// ```
    /// use latido::actors::process::Command;
    ///
    /// let unpack = Command::shell(r#"gzip -dc "$1" > "$1.txt""#).arg("a file; not two.gz");
    /// ```
    pub fn shell(script: impl Into<OsString>) -> Self {
        // What follows the script is `$0`: the name the shell gives itself in its messages.
        Self::new("/bin/sh").arg("-c").arg(script).arg("sh")
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the program's environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Leaves it nothing of this program's environment: only what is set by [`env`](Self::env).
    pub fn env_clear(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Sets the directory it runs in.
    pub fn current_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Sets the exit codes that count as success; only 0 unless set. With `grep`, say, 1 is no failure but "not found".
    pub fn success_codes(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.success = codes.into_iter().collect();
        self
    }

    /// Looks, without running anything, whether there is such a program and a directory to run it in.
    pub fn check(&self) -> Result<(), CommandError> {
        if let Some(dir) = &self.dir
            && !dir.is_dir()
        {
            return Err(CommandError::NoDirectory(dir.clone()));
        }
        let files: Vec<PathBuf> = self.candidates().into_iter().filter(|path| path.is_file()).collect();
        if files.iter().any(|path| is_executable(path)) {
            return Ok(());
        }
        Err(match files.into_iter().next() {
            Some(path) => CommandError::NotExecutable(path),
            None => CommandError::NotFound(self.program.display().to_string()),
        })
    }

    pub(super) fn succeeds_with(&self, status: Option<ExitStatus>) -> bool {
        status.and_then(|status| status.code()).is_some_and(|code| self.success.contains(&code))
    }

    /// What a guard has to know.
    pub(super) fn launch(&self) -> Result<Launch, CommandError> {
        let failed = |source| CommandError::Start { command: self.to_string(), source };
        let mut texts = self.args.iter().chain(self.env.iter().flat_map(|(name, value)| [name, value]));
        if texts.any(|text| text.as_bytes().contains(&0)) {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "there is a NUL in it")));
        }
        // A guard has another directory, and may be older than this program's own.
        let here = env::current_dir().map_err(failed)?;
        Ok(Launch {
            program: self.program.clone(),
            args: self.args.clone(),
            env: self.env.clone(),
            bare: self.bare,
            dir: self.dir.as_ref().map_or(here.clone(), |dir| here.join(dir)).into(),
            terms: self.terms()?,
        })
    }

    /// The files that execvp(3) would try, in its order.
    fn candidates(&self) -> Vec<PathBuf> {
        // A relative path is looked up from the directory the program is to run in.
        let base = self.dir.as_deref().unwrap_or(Path::new(""));
        if self.program.as_bytes().contains(&b'/') {
            return vec![base.join(&self.program)];
        }
        let own_path = self.env.iter().rev().find(|(name, _)| name == "PATH");
        let path = own_path
            .map(|(_, value)| value.clone())
            .or_else(|| env::var_os("PATH"))
            .unwrap_or_else(|| OsStr::new("/bin:/usr/bin").to_owned());
        env::split_paths(&path).map(|dir| base.join(dir).join(&self.program)).collect()
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.display())?;
        for arg in &self.args {
            let text = arg.to_string_lossy();
            if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '"') {
                write!(f, " {text:?}")?;
            } else {
                write!(f, " {text}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_executable_is_told_from_one_that_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tool"), "#!/bin/sh\n").unwrap();
        let tool = Command::new("tool").env("PATH", dir.path());

        let error = tool.check().unwrap_err();
        assert!(matches!(&error, CommandError::NotExecutable(path) if path.ends_with("tool")), "{error}");
        let error = Command::new("tool").check().unwrap_err();
        assert!(matches!(&error, CommandError::NotFound(name) if name == "tool"), "{error}");
    }

    #[test]
    fn a_relative_path_is_looked_up_from_the_directory_it_runs_in() {
        assert!(Command::new("./sh").current_dir("/bin").check().is_ok());
        assert!(Command::new("./sh").check().is_err());
    }

    #[test]
    fn a_directory_is_no_program() {
        assert!(matches!(Command::new("/bin/").check(), Err(CommandError::NotFound(_))));
        assert!(matches!(Command::new("").check(), Err(CommandError::NotFound(_))));
    }
}
