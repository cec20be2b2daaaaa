//! What of a process is an arbiter's, and has to be gone with it.

use std::fs::{read_dir, read_link, read_to_string};
use std::time::{Duration, Instant};

/// Nothing, where nobody can tell.
#[derive(Clone, Copy)]
pub(crate) struct Footprint {
    threads: usize,
    event_loops: usize,
}

impl Footprint {
    pub(crate) fn now() -> Self {
        let names = |dir| read_dir(dir).into_iter().flatten().flatten();
        let threads =
            names("/proc/self/task").filter_map(|task| read_to_string(task.path().join("comm")).ok());
        let files = names("/proc/self/fd").filter_map(|file| read_link(file.path()).ok());
        Self {
            threads: threads.filter(|name| name.starts_with("actix")).count(),
            event_loops: files.filter(|file| file.as_os_str() == "anon_inode:[eventpoll]").count(),
        }
    }

    /// Waits for a while until there is no more than this, and says what there is.
    pub(crate) fn more(self, patience: Duration) -> Option<String> {
        let since = Instant::now();
        loop {
            // Looked at once: one that is just ending, or was just born, is there at one look and not at the next.
            let now = Self::now();
            let threads = now.threads.saturating_sub(self.threads);
            let event_loops = now.event_loops.saturating_sub(self.event_loops);
            if threads + event_loops == 0 {
                return None;
            }
            if since.elapsed() > patience {
                return Some(format!("{threads} threads and {event_loops} event loops more than before"));
            }
            std::thread::yield_now();
        }
    }
}
