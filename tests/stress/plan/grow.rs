//! A tree by chance.

use fastrand::Rng;
use latido::supervision::*;

use super::tree::{Kind, NodePlan, Number, Place, SupervisorPlan, WorkerPlan};
use super::{MS, SECOND};

/// Levels of supervisors below the root.
const DEPTH: usize = 7;

/// Threads of their own in a tree: a thread for each of hundreds would show nothing more.
const OWN_THREADS: usize = 12;

pub(crate) struct Grower {
    pub(crate) random: Rng,
    next: Number,
    threads: usize,
}

impl Grower {
    pub(crate) fn new(random: Rng) -> Self {
        Self { random, next: 0, threads: 0 }
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.random.usize(..choices.len())]
    }

    /// Whether something happens that happens once in so many times.
    pub(crate) fn once_in(&mut self, times: u32) -> bool {
        self.random.u32(..times) == 0
    }

    pub(crate) fn root(&mut self, workers: usize) -> NodePlan {
        let mut root = self.supervisor(workers, DEPTH);
        (root.restart, root.place, root.significant) = (Restart::Permanent, Place::Same, false);
        if let Kind::Supervisor(spec) = &mut root.kind {
            // One that gives up early leaves little to see.
            spec.intensity = spec.intensity.filter(|_| self.random.u8(..10) == 0);
            spec.auto_shutdown = AutoShutdown::Never;
            spec.children.iter_mut().for_each(|child| child.significant = false);
        }
        root
    }

    fn node(&mut self, kind: Kind) -> NodePlan {
        let number = self.next;
        self.next += 1;
        let restart = match self.random.u8(..8) {
            0 => Restart::Temporary,
            1 | 2 => Restart::Transient,
            _ => Restart::Permanent,
        };
        let backoffs =
            [Backoff::NONE, Backoff::NONE, Backoff::exponential(MS, 5 * MS).jitter(1.0).reset_after(50 * MS)];
        let shutdowns = [
            Shutdown::Timeout(20 * MS),
            Shutdown::Timeout(20 * MS),
            Shutdown::Timeout(MS),
            Shutdown::BrutalKill,
        ];
        NodePlan {
            number,
            restart,
            shutdown: self.pick(&shutdowns),
            backoff: self.pick(&backoffs),
            place: self.place(),
            significant: false,
            kind,
        }
    }

    fn place(&mut self) -> Place {
        match self.random.u8(..10) {
            0..=4 => Place::Same,
            5..=8 => Place::Shared(self.random.usize(..2)),
            _ if self.threads < OWN_THREADS => {
                self.threads += 1;
                Place::Own
            }
            _ => Place::Same,
        }
    }

    pub(crate) fn worker(&mut self) -> NodePlan {
        let overflows = [Overflow::Block, Overflow::Reject, Overflow::DropNewest, Overflow::DropOldest];
        let bound = (self.random.usize(1..5), self.pick(&overflows));
        let worker = WorkerPlan {
            watched: self.once_in(2),
            listens: self.once_in(4),
            bound: Some(bound).filter(|_| self.once_in(5)),
        };
        self.node(Kind::Worker(worker))
    }

    /// A supervisor with so many workers below it, and at most so many levels of supervisors.
    pub(crate) fn supervisor(&mut self, workers: usize, depth: usize) -> NodePlan {
        let strategy = self.pick(&[Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne]);
        let dynamic = strategy == Strategy::OneForOne && self.once_in(3);
        let auto_shutdowns = [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant];
        let mut spec = SupervisorPlan {
            strategy,
            dynamic,
            max_children: None,
            auto_shutdown: if self.once_in(6) { self.pick(&auto_shutdowns) } else { AutoShutdown::Never },
            intensity: self.pick(&[None, None, Some(1), Some(5), Some(20)]),
            children: Vec::new(),
        };
        let mut node = self.node(Kind::Supervisor(spec.clone()));
        if self.once_in(2) {
            node.restart = Restart::Permanent;
        }
        let mut left = workers;
        while left > 0 {
            let below = if depth == 0 || left < 3 { 1 } else { self.random.usize(1..=left) };
            // Half of the children are workers; the rest of the tree is below the others.
            let child = match below > 2 && self.random.bool() {
                true => self.supervisor(below, depth - 1),
                false => self.worker(),
            };
            left -= if matches!(child.kind, Kind::Worker(_)) { 1 } else { below };
            spec.children.push(child);
        }
        if spec.auto_shutdown != AutoShutdown::Never {
            for child in &mut spec.children {
                child.significant = child.restart != Restart::Permanent && self.random.bool();
            }
        }
        if dynamic && self.once_in(2) {
            spec.max_children = Some(spec.children.len() + self.random.usize(1..4));
        }
        // Long enough for all that is below; now and then too short.
        node.shutdown = match self.random.u8(..12) {
            0 => Shutdown::Timeout(5 * MS),
            1 => Shutdown::BrutalKill,
            2 => Shutdown::Timeout(10 * SECOND),
            _ => Shutdown::Infinity,
        };
        node.kind = Kind::Supervisor(spec);
        node
    }

    /// Something that a step adds: a worker, or now and then a small tree.
    pub(crate) fn newcomer(&mut self) -> NodePlan {
        if self.once_in(6) { self.supervisor(3, 1) } else { self.worker() }
    }
}
