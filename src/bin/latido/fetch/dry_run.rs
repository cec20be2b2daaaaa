//! `--dry-run`: what would be fetched, said and not done. It is said as a list, which `-i` takes.

use std::io::{self, BufWriter, Write, stdout};
use std::path::Path;

use super::Intake;
use super::text::presentable;
use crate::cli::FetchArgs;
use crate::exit::Exit;
use crate::view::Screen;

/// Checks everything that was asked for, and says it. No server is asked, and nothing on disk changes.
pub(crate) fn show(args: &FetchArgs, screen: &Screen) -> anyhow::Result<Exit> {
    let intake = Intake::new(args)?;
    if !args.quiet {
        intake.warnings.iter().for_each(|warning| screen.line(warning));
    }
    intake.refused.lines().iter().for_each(|line| screen.line(line));
    // A reader that has gone, as `head` does, changes nothing about the result.
    let _ = list(&intake, BufWriter::new(stdout().lock()));
    if !args.quiet {
        let count = match intake.count() {
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        let base = presentable(&intake.directories.base().to_string_lossy());
        let unverified = intake.requests().filter(|request| request.checksum.is_none()).count();
        screen.line(format!(
            "{count} would be fetched to {base}, {unverified} of them without a checksum to verify; those that the \
             journal has as done are not fetched again"
        ));
    }
    Ok(if intake.refused.count() == 0 { Exit::Ok } else { Exit::Failed })
}

fn list(intake: &Intake, mut to: impl Write) -> io::Result<()> {
    let text = |path: &Path| presentable(&path.to_string_lossy());
    let base = intake.directories.base();
    for request in intake.requests() {
        writeln!(to, "{}", request.urls_as_text())?;
        match (request.target.strip_prefix(base), request.target.parent()) {
            (Err(_), Some(parent)) => {
                writeln!(to, "  dir={}", text(parent))?;
                writeln!(to, "  out={}", request.name())?;
            }
            (name, _) => writeln!(to, "  out={}", text(name.unwrap_or(&request.target)))?,
        }
        if let Some(checksum) = &request.checksum {
            writeln!(to, "  checksum={checksum}")?;
        }
        if let Some(size) = request.size {
            writeln!(to, "  # {size} bytes")?;
        }
    }
    to.flush()
}
