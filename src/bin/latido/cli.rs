//! The command line.

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use latido::fault::{Fault, FaultError, When};

use crate::exit::Exit;
use crate::fetch::checksum::Checksum;
use crate::fetch::exec::Exec;
use crate::fetch::job::Stage;
use crate::fetch::sums::SumsFile;

const EXIT_CODES: &str = "\
Exit codes:
  0    every file is there and verified
  1    some job failed
  2    usage, or bad input
  3    the supervision tree gave up
  130  interrupted (Ctrl-C)
  143  terminated (SIGTERM)";

const FETCH_EXAMPLES: &str = "\
Examples:
  latido fetch https://example.org/disk.iso --checksum sha-256=HEX
  latido fetch -i list.txt -d mirror -j 16
  latido fetch https://example.org/disk.iso --sums SHA256SUMS
  latido fetch -i list.txt --exec 'gzip -t' --fault 'latido/exec/*=stop@2'

A list is aria2's: one file per line, its options indented beneath it.
  https://example.org/a.bin
    out=sub/a.bin
    checksum=sha-256=HEX

Or it is a Metalink 4 file. Checksums are md5, sha-1, sha-224, sha-256, sha-384, sha-512 and blake3.

Run the same command again to go on where the last run ended: files that are there, as long and as \
old as they were when they were done, are not fetched again. A file is fetched from its beginning.

";

const JOBS_EXAMPLES: &str = "\
Examples:
  latido jobs -d mirror
  latido jobs -d mirror list --state failed
  latido jobs -d mirror retry a.bin 17
  latido jobs -d mirror forget 'old/*'

A journal belongs to one program at a time. Beside a `latido fetch` that works with it nothing is \
read or changed, and you are told which process that is.

Exit codes:
  0    done
  2    usage, no such job, or the journal is in use or damaged";

const FAULT_HELP: &str = "\
Break a part of the program on purpose and watch it recover

WHEN is the number of a message: the fault strikes while the part handles it. Without it, it strikes at once.
The heartbeat gets no messages; those of the ledger are its writes to the journal, those of a downloader are portions of \
one to sixteen files, those of the cpu pool pieces of files above one MiB.

Faults: panic, fail, stop, block:SECONDS
Paths, `*` for any: latido/heartbeat, latido/ledger, latido/downloaders/0.., latido/cpu, latido/exec/0..

  --fault 'latido/downloaders/*=panic@3'  each downloader panics on its third message
  --fault latido/ledger=block:2           the ledger is stuck for two seconds";

/// Downloads, verifies and post-processes files under supervision
#[derive(Debug, Parser)]
#[command(name = "latido", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Get files, verified, and lose nothing when something crashes
    #[command(after_help = format!("{FETCH_EXAMPLES}{EXIT_CODES}"))]
    Fetch(Box<FetchArgs>),
    /// Read, fetch anew or forget what the journal of a directory has
    #[command(after_help = JOBS_EXAMPLES)]
    Jobs(JobsArgs),
    /// Watch a tree of actors fail and recover, with a server of its own
    #[command(after_help = EXIT_CODES)]
    Demo(DemoArgs),
}

#[derive(Args, Debug)]
pub(crate) struct FetchArgs {
    /// What to get, http or https; each URL is a file of its own, and a .meta4 or .metalink file here is a list
    #[arg(value_name = "URL", required_unless_present = "input")]
    pub(crate) urls: Vec<String>,

    /// Read a list of URLs or a Metalink 4 from FILE, or from standard input with `-`
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,

    /// Put the files into DIR, which is created if need be
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Name of the file in DIR, for a single URL [default: the last part of the URL]
    #[arg(short, long, value_name = "NAME", conflicts_with = "input")]
    pub(crate) out: Option<String>,

    /// Files to download at the same time, up to 1024
    #[arg(short, long, value_name = "N", default_value_t = 8, value_parser = RangedU64ValueParser::<u16>::new().range(1..=1024))]
    pub(crate) jobs: u16,

    /// What the file must be, for a single URL
    #[arg(long, value_name = "sha-256=HEX", conflicts_with = "input")]
    pub(crate) checksum: Option<Checksum>,

    /// What the files must be, by their names, as sha256sum and its relatives write it; each file needs a line. Which
    /// algorithm, the lines say, or the length of the digests; else write ALGORITHM=FILE, such as blake3=FILE
    #[arg(long, visible_alias = "sha256sums", value_name = "FILE")]
    pub(crate) sums: Option<SumsFile>,

    /// Run CMD on each file once it is verified; `{}` in it stands for the file, else that is its last argument. No
    /// shell is used. A file whose CMD fails has failed. After a crash CMD may run again on the same file
    #[arg(long, value_name = "CMD")]
    pub(crate) exec: Option<Exec>,

    /// Where progress is kept for the next run [default: DIR/.latido.db]
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,

    /// Give a file up after N failed tries
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    pub(crate) max_tries: u32,

    /// Call a file whose name another file of this run or a directory has NAME.1.EXT, NAME.2.EXT; without it that is an
    /// error. The same list gives the same names each time
    #[arg(long)]
    pub(crate) auto_rename: bool,

    /// Say what would be fetched, under which names and with which checksums, as a list on standard output. No server is
    /// asked and nothing on disk changes
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[arg(long = "fault", value_name = "PATH=FAULT[@WHEN]", long_help = FAULT_HELP, help = "Break a part of the program on purpose; see --help")]
    pub(crate) faults: Vec<Injection>,

    /// Tell what happens in lines of JSON on standard output, for programs; see docs/json.md
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    pub(crate) action: Option<Action>,

    /// The DIR of the fetch
    #[arg(short, long, value_name = "DIR", default_value = ".", global = true)]
    pub(crate) dir: PathBuf,

    /// The journal [default: DIR/.latido.db]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) journal: Option<PathBuf>,

    /// One line of JSON for each job; see docs/json.md
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Show them: state, failed tries, size, checksum, and why the last try failed (this is the default)
    List(Which),
    /// Have the next run fetch them anew, with all their tries
    Retry(Which),
    /// Remove them from the journal; files that are there stay
    Forget(Which),
}

#[derive(Args, Debug, Default)]
pub(crate) struct Which {
    /// Numbers or names as `latido jobs` shows them; `*` in a name stands for any text
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<String>,

    /// Only those in this state: queued, processing, done, failed
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<Stage>,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Choose the failures: the same N, the same failures
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Leave the downloaded files in DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// Ends the program over arguments that are not understood: a wrong value in one line, the rest as clap says it.
pub(crate) fn explain(error: clap::Error) -> Cli {
    let text = error.render().to_string();
    let line = match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => text.lines().next(),
        ErrorKind::MissingRequiredArgument if text.contains("<URL>") => {
            Some("there is nothing to fetch: give a URL, or a list with -i FILE")
        }
        _ => None,
    };
    if let Some(line) = line {
        let line = line.trim_start_matches("error: ");
        // Nobody may be there to read it.
        let _ = writeln!(stderr(), "latido: {line}; see --help");
        std::process::exit(Exit::Usage as i32);
    }
    error.exit()
}

/// A fault and where it is to strike: `latido/downloaders/*=panic@3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Injection {
    /// A tree path, or a glob over paths.
    pub(crate) path: String,
    pub(crate) fault: Fault,
    pub(crate) when: When,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InjectionError {
    #[error("no PATH=FAULT; write for example latido/cpu=panic")]
    NoFault,
    #[error(transparent)]
    Fault(#[from] FaultError),
    #[error("`{0}` is no message; they are counted from 1")]
    When(String),
}

impl FromStr for Injection {
    type Err = InjectionError;

    fn from_str(text: &str) -> Result<Self, InjectionError> {
        let (path, strike) =
            text.split_once('=').filter(|(path, _)| !path.is_empty()).ok_or(InjectionError::NoFault)?;
        let (fault, when) = match strike.split_once('@') {
            None => (strike, When::Now),
            Some((fault, message)) => match message.parse() {
                Ok(n @ 1..) => (fault, When::Message(n)),
                _ => return Err(InjectionError::When(message.to_owned())),
            },
        };
        Ok(Self { path: path.to_owned(), fault: fault.parse()?, when })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    fn fetch(line: &str) -> FetchArgs {
        match parse(line).unwrap().command {
            Command::Fetch(args) => *args,
            _ => panic!("not fetch"),
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_url_alone_is_enough() {
        let args = fetch("latido fetch https://example.org/a");
        assert_eq!((args.jobs, args.max_tries), (8, 5));
        assert_eq!(args.dir, PathBuf::from("."));
    }

    #[test]
    fn a_list_replaces_urls_and_may_be_standard_input() {
        assert_eq!(fetch("latido fetch -i -").input, Some(PathBuf::from("-")));
        assert_eq!(parse("latido fetch").unwrap_err().kind(), ErrorKind::MissingRequiredArgument);
    }

    #[test]
    fn what_is_out_of_range_or_contradictory_ends_with_code_2() {
        for line in [
            "latido fetch -j 0 http://a/b",
            "latido fetch -j 1025 http://a/b",
            "latido fetch --max-tries 0 http://a/b",
            "latido fetch -i list -o name",
            "latido fetch --checksum sha-256=abc http://a/b",
            "latido fetch --fault latido/cpu=sneeze http://a/b",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn a_fault_has_a_path_a_kind_and_a_time() {
        let injection = |path: &str, fault, when| Ok(Injection { path: path.to_owned(), fault, when });
        assert_eq!(
            "latido/downloaders/*=panic@3".parse(),
            injection("latido/downloaders/*", Fault::Panic, When::Message(3))
        );
        assert_eq!("latido/cpu=stop".parse(), injection("latido/cpu", Fault::Stop, When::Now));
        for wrong in ["latido/cpu", "=panic", "latido/cpu=panic@0", "latido/cpu=panic@x", "a=b"] {
            assert!(wrong.parse::<Injection>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_help_names_faults_paths_and_exit_codes() {
        let help = parse("latido fetch --help").unwrap_err().to_string();
        for part in ["latido/downloaders/*=panic@3", "block:SECONDS", "latido/exec/0..", "130  interrupted"] {
            assert!(help.contains(part), "{part} is not in\n{help}");
        }
    }
}
