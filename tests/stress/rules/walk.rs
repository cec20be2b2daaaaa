//! Goes through the story of a family and keeps what every rule has to know at each moment.

use crate::history::{At, End, Family, History, Life, Moment, What};
use crate::notes::Order;

pub(crate) struct Walk<'f, 'a> {
    pub(crate) family: &'f Family<'a>,
    history: &'f History<'a>,
    /// When the supervisor that runs now began: when the one before had ended.
    pub(crate) boss_since: At,
    pub(crate) boss_is_up: bool,
    pub(crate) kids: Vec<Kid<'a>>,
    orders: Vec<Vec<Given>>,
    /// When each life of the supervisor ended.
    boss_ends: Vec<End<'a>>,
}

/// A child, as its supervisor's present life knows it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Kid<'a> {
    /// The incarnation that runs, built or up.
    pub(crate) alive: Option<u64>,
    pub(crate) is_up: bool,
    /// When the last incarnation was seen first.
    pub(crate) began: Option<At>,
    /// Whether the last incarnation was up at some time.
    pub(crate) was_up: bool,
    /// Whether any incarnation was up in the supervisor's present life.
    pub(crate) has_been_up: bool,
    /// Whether it was down for good at some time, as it decided itself.
    pub(crate) is_finished: bool,
    /// How the last incarnation ended, in the supervisor's present life.
    pub(crate) end: Option<End<'a>>,
    /// The incarnation that ended last.
    ended: u64,
}

struct Given {
    id: usize,
    order: Order,
    at: At,
    answered: Option<At>,
}

impl<'f, 'a> Walk<'f, 'a> {
    pub(crate) fn through(
        family: &'f Family<'a>,
        history: &'f History<'a>,
        mut look: impl FnMut(&Self, &'f Moment<'a>),
    ) {
        let mut walk = Self {
            family,
            history,
            boss_since: 0,
            boss_is_up: false,
            kids: vec![Kid::default(); family.members.len()],
            orders: family.members.iter().map(|_| Vec::new()).collect(),
            boss_ends: Vec::new(),
        };
        for moment in &family.story {
            match (moment.child, &moment.what) {
                (Some(child), &What::Ordered(id, order)) => {
                    walk.orders[child].push(Given { id, order, at: moment.at, answered: None });
                }
                (Some(child), &What::Answered(id)) => {
                    let given = walk.orders[child].iter_mut().find(|given| given.id == id);
                    given.into_iter().for_each(|given| given.answered = Some(moment.at));
                }
                (None, What::End(end)) => walk.boss_ends.push(*end),
                _ => {}
            }
        }
        for moment in &family.story {
            // What is left of the lives that a former supervisor started is no business of this one.
            if !walk.is_stale(moment) {
                look(&walk, moment);
            }
            walk.go_on(moment);
        }
    }

    fn is_stale(&self, moment: &Moment<'_>) -> bool {
        let Some(child) = moment.child else { return false };
        if !matches!(moment.what, What::Built | What::Up | What::End(_)) {
            return false;
        }
        let life = self.life(child, moment.event.incarnation);
        self.boss_since > 0
            && life.is_none_or(|life| life.begin() < self.boss_since || self.is_of_before(life))
    }

    /// Whether it was told to end before the supervisor's present life began: so it was not this that started it.
    fn is_of_before(&self, life: &Life<'_>) -> bool {
        let began = self.history.events[self.boss_since].at;
        life.ordered.is_some_and(|ordered| ordered < began)
    }

    fn go_on(&mut self, moment: &Moment<'a>) {
        let Some(child) = moment.child else {
            match &moment.what {
                What::Up => self.boss_is_up = true,
                What::End(_) => {
                    (self.boss_since, self.boss_is_up) = (moment.at, false);
                    for kid in &mut self.kids {
                        *kid = Kid {
                            alive: kid.alive,
                            began: kid.began,
                            is_finished: kid.is_finished,
                            ended: kid.ended,
                            ..Kid::default()
                        };
                    }
                }
                _ => {}
            }
            return;
        };
        let incarnation = moment.event.incarnation;
        let stale = self.is_stale(moment);
        let was_up = self.kids[child].was_up && self.kids[child].alive == Some(incarnation);
        let is_finished = match &moment.what {
            What::End(end) => !end.is_orphan() && self.may_be_final(child, end, was_up),
            _ => false,
        };
        let kid = &mut self.kids[child];
        match &moment.what {
            What::Built => {
                (kid.alive, kid.is_up, kid.was_up) = (Some(incarnation), false, false);
                kid.began = Some(moment.at);
            }
            What::Up => {
                if kid.alive != Some(incarnation) {
                    kid.began = Some(moment.at);
                }
                (kid.alive, kid.is_up, kid.was_up) = (Some(incarnation), true, true);
                kid.has_been_up |= !stale;
            }
            // One that was left behind may end after those that came after it.
            What::End(_) if incarnation < kid.ended || kid.alive.is_some_and(|alive| incarnation < alive) => {
            }
            What::End(end) => {
                kid.was_up = was_up;
                kid.is_finished |= is_finished;
                (kid.alive, kid.is_up) = (None, false);
                kid.end = Some(*end).filter(|_| !stale);
                kid.ended = incarnation;
            }
            _ => {}
        }
    }

    pub(crate) fn life(&self, child: usize, incarnation: u64) -> Option<&'f Life<'a>> {
        self.history.life(&self.family.members[child].path, incarnation)
    }

    /// Whether the supervisor has been told to end, and has not: it may hang.
    pub(crate) fn boss_is_told(&self, now: At) -> bool {
        let lives = self.history.lives.get(&self.family.boss).into_iter().flatten();
        let mut present = lives
            .map(|(_, life)| life)
            .filter(|life| life.begin() < now && life.end.is_none_or(|end| end.at > now));
        present.any(|life| life.is_told_before(now, self.history.events))
    }

    /// When the next life of a child begins.
    pub(crate) fn next_begin(&self, child: usize, since: At) -> At {
        let lives = self.history.lives.get(&self.family.members[child].path).into_iter().flatten();
        lives.map(|(_, life)| life.begin()).filter(|begin| *begin > since).min().unwrap_or(At::MAX)
    }

    /// Whether the child runs, and what became of that was no accident of its supervisor's.
    pub(crate) fn is_alive(&self, child: usize) -> bool {
        let life = self.kids[child].alive.and_then(|incarnation| self.life(child, incarnation));
        life.is_some_and(|life| !life.is_orphan() && (self.boss_since == 0 || life.begin() > self.boss_since))
    }

    /// Whether it may have been a former supervisor that started this life, of which nobody has seen much.
    pub(crate) fn may_be_a_remnant(&self, moment: &Moment<'_>) -> bool {
        let life = moment.child.and_then(|child| self.life(child, moment.event.incarnation));
        life.is_none_or(|life| life.up.is_none()) && self.boss_since > 0 && !self.boss_is_up
    }

    /// Whether somebody gave an order about the child that was, or could have been, carried out between these.
    pub(crate) fn was_ordered(&self, child: usize, orders: &[Order], from: At, to: At) -> bool {
        self.orders[child].iter().any(|given| {
            let until = given.answered.unwrap_or(At::MAX);
            orders.contains(&given.order) && given.at < to && until > from
        })
    }

    /// Whether the child may stay down after this, unless somebody asks for it.
    pub(crate) fn may_be_final(&self, child: usize, end: &End<'_>, was_up: bool) -> bool {
        end.may_be_final(self.family.members[child].plan.restart, self.family.plan.strategy, was_up)
    }

    /// Whether the child may be one that its supervisor does not know any more, and nor will the next.
    pub(crate) fn is_forgotten(&self, child: usize, now: At) -> bool {
        let by_hand: &[Order] = if self.family.plan.dynamic { &[Order::Terminate] } else { &[Order::Delete] };
        self.was_ordered(child, by_hand, 0, now) || self.family.plan.dynamic && self.kids[child].is_finished
    }

    /// How the supervisor's present life ends.
    pub(crate) fn boss_end(&self, now: At) -> Option<End<'a>> {
        self.boss_ends.iter().find(|end| end.at > now).copied()
    }

    /// Whether the child is seen to live again between these.
    pub(crate) fn comes_back(&self, child: usize, from: At, to: At) -> bool {
        let lives = self.history.lives.get(&self.family.members[child].path);
        lives.is_some_and(|lives| {
            let mut begins = lives.values().flat_map(|life| [life.built, life.up]).flatten();
            begins.any(|begin| begin > from && begin < to)
        })
    }
}
