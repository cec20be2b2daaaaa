//! What is done with each file once it is right.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::fetch::exec::{Exec, Form, Template};

pub(super) const PLACEHOLDERS: &str = "\
Commands of --exec and --exec-batch are run without a shell. In them stand
  {} or {path}   for the file's full path     {name}      for its last part
  {dir}          for its directory            {stem}      for its name without extension
  {digest}       for the digits of its hash   {checksum}  for sha-256=DIGITS
  {size}         for its length in bytes      {url}       for where it came from
{{name}} is the text {name}, and any other brace is itself. Without a placeholder the path is the last \
argument. The same are in the environment of --exec: LATIDO_PATH, LATIDO_NAME, ... In --exec-batch a word \
with a placeholder is repeated for each file.

";

#[derive(Args, Debug)]
pub(crate) struct ExecArgs {
    /// Run CMD on each file once it is verified; `{}` in it stands for the file, else that is its last argument. No
    /// shell is used. A file whose CMD fails has failed. After a crash CMD may run again on the same file
    #[arg(long, value_name = "CMD", value_parser = |line: &str| Template::parse(line, Form::Each))]
    exec: Option<Template>,

    /// Run CMD on many files at once: a word of it with `{}` is repeated for each. If it fails, it is run on each half of
    /// its files, and so on, until the file that it fails on is alone
    #[arg(long, value_name = "CMD", conflicts_with = "exec", value_parser = |line: &str| Template::parse(line, Form::Batch))]
    exec_batch: Option<Template>,

    /// Most files in one batch, which also ends at 128 KiB of arguments
    #[arg(long, value_name = "N", default_value_t = 256, requires = "exec_batch", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    exec_batch_size: usize,

    /// Ask a command to end after SECONDS, and kill it four seconds later; it has failed [default: no limit]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    exec_timeout: Option<Duration>,

    /// Call a file failed after N failed commands, with a wait of 1 s, 2 s, 4 s ... in between
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    pub(crate) exec_tries: u32,
}

impl ExecArgs {
    /// What is to be run, if anything is.
    pub(crate) fn exec(&self) -> Option<Exec> {
        let most = if self.exec_batch.is_some() { self.exec_batch_size } else { 1 };
        let template = self.exec_batch.as_ref().or(self.exec.as_ref())?;
        Some(Exec { template: template.clone(), most, time_limit: self.exec_timeout })
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|limit| !limit.is_zero())
        .ok_or_else(|| "it is no number of seconds above 0, such as 30 or 0.5".to_owned())
}
