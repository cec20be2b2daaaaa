//! What is wrong with a scenario, and where.

use std::ops::Range;

/// A scenario that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Bad(String);

/// A text under the name of its file.
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Place<'_> {
    pub(super) fn bad(&self, span: Option<Range<usize>>, why: &str) -> Bad {
        let Self { name, text } = self;
        Bad(match span {
            Some(span) => {
                let line = text[..span.start.min(text.len())].matches('\n').count();
                let said = text.lines().nth(line).unwrap_or_default().trim();
                format!("{name}:{}: {why}\n  {said}", line + 1)
            }
            None => format!("{name}: {why}"),
        })
    }
}
