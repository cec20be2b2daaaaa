//! `--exec` and `--exec-batch`: the command that is run on files once they are right.
//!
//! | file | idea |
//! |---|---|
//! | [`template`] | a command line with placeholders for what is known of a file |
//! | [`queue`] | which files a child gets, and when |
//! | [`output`] | what commands said, kept |

use std::time::Duration;

mod output;
mod queue;
mod template;

pub(crate) use output::said;
pub(crate) use queue::Queue;
pub(crate) use template::{Form, Template};

/// What is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Exec {
    pub(crate) template: Template,
    /// Most files in one child.
    pub(crate) most: usize,
    pub(crate) time_limit: Option<Duration>,
}

impl Exec {
    /// Where the files wait for it.
    pub(crate) fn queue(&self) -> Queue {
        Queue::new(self.most)
    }
}
