//! `latido fetch`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::exec::ExecArgs;
use super::http::HttpArgs;
use super::injection::{self, Fault};
use super::transfer::TransferArgs;
use super::web::WebArgs;
use crate::fetch::checksum::Checksum;
use crate::fetch::door::Terms;
use crate::fetch::hung::HungAfter;
use crate::fetch::sums::SumsFile;

pub(super) const EXAMPLES: &str = "\
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
old as they were when they were done, are not fetched again. One of 8 MiB or more that was under way is gone on \
with, if its server still has the same; any other is fetched from its beginning.

";

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

    #[command(flatten)]
    pub(crate) transfer: TransferArgs,

    /// What the file must be, for a single URL
    #[arg(long, value_name = "sha-256=HEX", conflicts_with = "input")]
    pub(crate) checksum: Option<Checksum>,

    /// What the files must be, by their names, as sha256sum and its relatives write it; each file needs a line. Which
    /// algorithm, the lines say, or the length of the digests; else write ALGORITHM=FILE, such as blake3=FILE
    #[arg(long, visible_alias = "sha256sums", value_name = "FILE")]
    pub(crate) sums: Option<SumsFile>,

    #[command(flatten)]
    pub(crate) commands: ExecArgs,

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

    /// Leave out what is wrong in a list, and fetch the rest: each such line is told, and the run ends with code 1. Without
    /// it one bad line refuses all of them, before anything is done
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// Say what would be fetched, under which names and with which checksums, as a list on standard output. No server is
    /// asked and nothing on disk changes
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Replace a part that blocks its thread for SECONDS; 0 is never. Not before a disk that is slow at times is done: it costs
    /// work, though no file [default: 30]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) hung_after: Option<HungAfter>,

    #[arg(long = "fault", value_name = "PATH=FAULT[@RULE]", long_help = injection::HELP, help = "Break a part of the program on purpose; see --help")]
    pub(crate) faults: Vec<Fault>,

    /// Make what the faults decide by chance the same in every run
    #[arg(long, value_name = "N")]
    pub(crate) fault_seed: Option<u64>,

    /// Let `latido inject`, `latido restart` and `latido stop` break, restart and stop parts of this run; to look at it,
    /// with `latido tree` and its like, needs no leave
    #[arg(long)]
    pub(crate) allow_actions: bool,

    #[command(flatten)]
    pub(crate) web: WebArgs,

    /// Write what `latido top` shows of this run into FILE, for `latido replay FILE`; what FILE had before becomes FILE.1
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,

    /// Tell what happens in lines of JSON on standard output, for programs; see docs/json.md
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) http: HttpArgs,
}

impl FetchArgs {
    /// What the user has said of the door.
    pub(crate) fn door(&self) -> Terms<'_> {
        Terms { may_act: self.allow_actions, web: self.web.web, record: self.record.as_deref() }
    }
}
