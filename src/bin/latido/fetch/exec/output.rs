//! What a command said, for whoever asks later: `latido jobs output` and `--json`.

use latido::actors::process::CommandOutput;

/// As many bytes are kept of each job: a list may have a million.
const KEPT: usize = 4096;

/// The end of both outputs, first the standard one; `None` if it was silent.
pub(crate) fn said(output: &CommandOutput) -> Option<Box<str>> {
    let CommandOutput { stdout, stderr, .. } = output;
    let gap = if stdout.is_empty() || stdout.ends_with('\n') || stderr.is_empty() { "" } else { "\n" };
    let mut text = [stdout, gap, stderr].concat();
    let mut over = text.len().saturating_sub(KEPT);
    while !text.is_char_boundary(over) {
        over += 1;
    }
    text.drain(..over);
    (!text.is_empty()).then(|| text.into())
}
