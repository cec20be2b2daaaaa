//! Owns every record until its result is there. What it knows is in a file: `+` a record, `=` its result.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use actix::prelude::*;
use latido::prelude::*;

use super::consumer::{Consumer, Process};

pub(crate) struct Registry {
    file: File,
    /// The number of the next record.
    next: u64,
    /// What has no result yet, in order. The first is with the consumer.
    open: VecDeque<(u64, String)>,
    consumer: Addr<Consumer>,
    is_stopping: bool,
}

/// Takes a record in, and answers with the number of the next.
#[derive(Message)]
#[rtype(result = "u64")]
pub(crate) struct Add(pub(crate) u64, pub(crate) String);

/// So many records have their result.
#[derive(Debug)]
pub(crate) struct Processed(pub(crate) u64);

impl Report for Processed {}

impl fmt::Display for Processed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records processed", self.0)
    }
}

impl Registry {
    /// Goes on where the file ends.
    pub(crate) fn open(path: &Path, consumer: Addr<Consumer>) -> io::Result<Self> {
        let (mut next, mut open) = (0, VecDeque::new());
        for line in fs::read_to_string(path)?.lines() {
            match line.strip_prefix('+').and_then(|record| record.split_once('\t')) {
                Some((_, student)) => {
                    open.push_back((next, student.to_owned()));
                    next += 1;
                }
                None => drop(open.pop_front()), // results come in order
            }
        }
        let file = OpenOptions::new().append(true).open(path)?;
        let is_stopping = false;
        Ok(Self { file, next, open, consumer, is_stopping })
    }

    /// Gives the consumer the first that is open; and the next, or the same again, when it has answered.
    fn hand_out(&mut self, ctx: &mut Context<Self>) {
        let Some((id, student)) = self.open.front().cloned() else {
            if self.is_stopping {
                ctx.stop();
            }
            return;
        };
        let answer = self.consumer.send(Process(id, student)).into_actor(self);
        ctx.spawn(answer.map(move |account, registry, ctx| {
            if let Ok(account) = account {
                registry.write(format!("={id}\t{account}\n"));
                registry.open.pop_front();
                Reporter::current().report(Processed(id + 1));
            }
            registry.hand_out(ctx);
        }));
    }

    /// In one piece, so that a line is in the file or is not.
    fn write(&mut self, line: String) {
        self.file.write_all(line.as_bytes()).unwrap_or_else(|error| crash(error));
    }
}

impl Actor for Registry {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.hand_out(ctx);
    }

    /// Not before all is processed.
    fn stopping(&mut self, _: &mut Context<Self>) -> Running {
        self.is_stopping = true;
        if self.open.is_empty() { Running::Stop } else { Running::Continue }
    }
}

impl Handler<Add> for Registry {
    type Result = u64;

    fn handle(&mut self, Add(id, student): Add, ctx: &mut Context<Self>) -> u64 {
        if id == self.next {
            self.write(format!("+{id}\t{student}\n"));
            self.next += 1;
            self.open.push_back((id, student));
            if self.open.len() == 1 {
                self.hand_out(ctx);
            }
        }
        self.next
    }
}
