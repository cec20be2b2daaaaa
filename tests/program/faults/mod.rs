//! A table of faults. Each row is a server that breaks the wire, lies, or is in the way of a file in some other manner,
//! and a run of the program against it: what the user sees, what is on disk, which exit code.
//!
//! After a row that failed the server comes to its senses, and the same command has to make the file right. Rows about
//! parts that are gone on with, once there are any, belong into a file of their own here.

mod body;
mod chunked;
mod content;
mod disk;
mod head;
mod mirrors;
mod names;
mod redirects;
mod row;
mod several;
mod statuses;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use row::Row;

/// Runs under way at the same time: most of them wait for a second try.
const WORKERS: usize = 24;

#[test]
fn after_every_fault_the_right_file_is_there_or_none_and_the_exit_code_says_which() {
    let classes = [
        wire::rows,
        head::rows,
        body::rows,
        chunked::rows,
        statuses::rows,
        redirects::rows,
        content::rows,
        mirrors::rows,
        disk::rows,
        names::rows,
    ];
    let rows: Vec<_> = classes.iter().flat_map(|rows| rows()).collect();
    let count = rows.len();
    assert!(count > 300, "only {count} rows are left");
    let waiting = Mutex::new(rows);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(row) = take(&waiting) {
                    let name = row.name;
                    if catch_unwind(AssertUnwindSafe(|| row.play())).is_err() {
                        wrong.lock().unwrap().push(name);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {count} rows went otherwise, see above: {wrong:#?}", wrong.len());
}

fn take(rows: &Mutex<Vec<Row>>) -> Option<Row> {
    rows.lock().unwrap().pop()
}
