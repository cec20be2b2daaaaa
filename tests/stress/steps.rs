//! Takes the steps of a plan, and remembers what came of each.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use futures::future::join_all;
use latido::TreePath;
use latido::supervision::*;
use latido::testing::assert_conserved;
use tokio::task::JoinHandle;

use crate::garden::Garden;
use crate::notes::{Note, Order};
use crate::plan::{Act, How, Number, Step};
use crate::probe::{Child, Slip};

/// A message that was sent, and what came back.
pub(crate) struct Asked {
    pub(crate) to: Arc<Child>,
    pub(crate) act: Act,
    pub(crate) how: How,
    pub(crate) slip: Arc<Slip>,
    pub(crate) answer: Answer,
    /// Names it where it is refused.
    pub(crate) id: usize,
}

#[derive(Debug)]
pub(crate) enum Answer {
    /// The life that gave it.
    By(u64),
    Ask(AskError),
    Closed,
    /// Nobody waits for it.
    Untold,
}

#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) asked: Vec<Asked>,
    pub(crate) downs: Vec<Down>,
    /// What was wrong with the counts while it ran.
    pub(crate) miscounts: Vec<String>,
    /// Orders by name, and whether they were carried out.
    pub(crate) orders: Vec<(Order, Result<(), String>)>,
}

pub(crate) struct Steps {
    pub(crate) garden: Garden,
    pub(crate) tree: Tree,
    paths: HashMap<Number, TreePath>,
    outcome: Rc<RefCell<Outcome>>,
    questions: Vec<JoinHandle<()>>,
    orders: Vec<JoinHandle<()>>,
    monitors: Vec<JoinHandle<()>>,
    /// Starts below one supervisor come one after the other, so that the order of its children is known.
    turns: HashMap<Number, Rc<tokio::sync::Mutex<()>>>,
    next_order: usize,
    next_question: usize,
}

impl Steps {
    pub(crate) fn new(garden: Garden, tree: &Tree, paths: HashMap<Number, TreePath>) -> Self {
        Self {
            garden,
            tree: tree.clone(),
            paths,
            outcome: Rc::default(),
            questions: Vec::new(),
            orders: Vec::new(),
            monitors: Vec::new(),
            turns: HashMap::new(),
            next_order: 1,
            next_question: 1,
        }
    }

    pub(crate) async fn take(&mut self, step: &Step) {
        match step {
            Step::Send { to, act, how } => self.send(*to, act, *how),
            Step::Arm { whom, mishap } => {
                self.garden.all.get(*whom).inspect(|child| child.mishaps.lock().unwrap().push(*mishap));
            }
            Step::Fault { whom, injection } => {
                if let Some(path) = self.paths.get(whom) {
                    // Nobody there by this name, any more or yet, is no fault.
                    let _ = self.tree.inject(path.as_str(), injection.clone());
                }
            }
            Step::Start { below, child } => {
                if let Some(path) = self.paths.get(below).cloned() {
                    let spec = self.garden.node(child, &path.join(&child.name()));
                    self.start(*below, path, &child.name(), spec);
                }
            }
            Step::Terminate(whom) => self.order(Order::Terminate, *whom),
            Step::Restart(whom) => self.order(Order::Restart, *whom),
            Step::Delete(whom) => self.order(Order::Delete, *whom),
            Step::Monitor(whom) => self.monitor(*whom),
            Step::Count => self.count(),
            Step::Yield => tokio::task::yield_now().await,
            Step::Pause(time) => actix::clock::sleep(*time).await,
            Step::Calm => self.calm().await,
        }
    }

    /// Waits until every question and every order has its answer.
    pub(crate) async fn calm(&mut self) {
        for task in join_all(self.questions.drain(..).chain(self.orders.drain(..))).await {
            task.expect("nobody ends it");
        }
    }

    /// Once the tree has ended.
    pub(crate) async fn end(mut self) -> (Garden, Outcome) {
        self.calm().await;
        for task in join_all(self.monitors.drain(..)).await {
            task.expect("nobody ends it");
        }
        (self.garden, self.outcome.take())
    }

    // ===== questions =====

    pub(crate) fn send(&mut self, to: Number, act: &Act, how: How) {
        let Some(child) = self.garden.all.get(to) else { return };
        let message = child.message(act.clone(), how);
        let slip = message.slip();
        let id = self.next_question;
        self.next_question += 1;
        let mut asked = Asked { to: child.clone(), act: act.clone(), how, slip, answer: Answer::Untold, id };
        let actor = child.actor().clone();
        let answer: Pin<Box<dyn Future<Output = Answer>>> = match how {
            How::Tell => {
                actor.addr().do_send(message);
                self.outcome.borrow_mut().asked.push(asked);
                return self.after(to, act);
            }
            How::Send => {
                let request = actor.addr().send(message);
                Box::pin(async { request.await.map_or(Answer::Closed, Answer::By) })
            }
            How::Ask => {
                Box::pin(async move { actor.ask(message).await.map_or_else(Answer::Ask, Answer::By) })
            }
            How::AskWithin(limit) => Box::pin(async move {
                actor.ask_within(limit, message).await.map_or_else(Answer::Ask, Answer::By)
            }),
        };
        let open = self.garden.record.open(&child.path, format!("{how:?} {act:?} of {}", child.path));
        let (outcome, record) = (self.outcome.clone(), self.garden.record.clone());
        let task = begun(async move {
            asked.answer = answer.await;
            record.is_told(&asked.slip.told);
            if let Answer::Ask(AskError::Down | AskError::NeverStarted) | Answer::Closed = asked.answer {
                record.say(Note::Refused { id, about: asked.to.path.clone() });
            }
            outcome.borrow_mut().asked.push(asked);
            drop(open);
        });
        self.questions.push(task);
        self.after(to, act);
    }

    /// A child that has gone deaf is found out when somebody wants something of it.
    fn after(&mut self, to: Number, act: &Act) {
        if *act == Act::Deaf {
            self.send(to, &Act::Answer, How::Tell);
        }
    }

    fn monitor(&mut self, whom: Number) {
        let Some(path) = self.paths.get(&whom) else { return };
        let Ok(monitor) = self.tree.monitor(path.as_str()) else { return };
        let open = self.garden.record.open(path, format!("monitor of {path}"));
        let outcome = self.outcome.clone();
        self.monitors.push(begun(async move {
            let down = monitor.await;
            outcome.borrow_mut().downs.push(down);
            drop(open);
        }));
    }

    pub(crate) fn count(&mut self) {
        if let Err(wrong) = latido::exit::catch(|| assert_conserved(&self.tree)) {
            self.outcome.borrow_mut().miscounts.push(wrong.to_string());
        }
    }

    // ===== orders =====

    fn start(&mut self, below: Number, supervisor: TreePath, name: &str, spec: AnySpec) {
        let about = supervisor.join(name);
        let turn = self.turns.entry(below).or_default().clone();
        let tree = self.tree.clone();
        self.give(Order::Start, about, async move |ordered: &dyn Fn()| {
            let _turn = turn.lock().await;
            ordered();
            tree.start_child(supervisor.as_str(), spec).await
        });
    }

    fn order(&mut self, order: Order, whom: Number) {
        let Some(path) = self.paths.get(&whom).cloned() else { return };
        let (tree, about) = (self.tree.clone(), path.clone());
        self.give(order, about, async move |ordered: &dyn Fn()| {
            ordered();
            match order {
                Order::Terminate => tree.terminate_child(path.as_str()).await,
                Order::Restart => tree.restart_child(path.as_str()).await,
                _ => tree.delete_child(path.as_str()).await,
            }
        });
    }

    /// Gives an order, and says so on the tree's stream before and after.
    fn give(
        &mut self,
        order: Order,
        about: TreePath,
        give: impl AsyncFnOnce(&dyn Fn()) -> Result<(), AdminError> + 'static,
    ) {
        let id = self.next_order;
        self.next_order += 1;
        let (record, outcome) = (self.garden.record.clone(), self.outcome.clone());
        let open = record.open(&about, format!("{order:?} {about}"));
        self.orders.push(begun(async move {
            let ordered = || record.say(Note::Ordered { id, order, about: about.clone() });
            let result = give(&ordered).await;
            let error = result.as_ref().err().map(ToString::to_string);
            record.say(Note::Answered { id, about: about.clone(), error });
            outcome.borrow_mut().orders.push((order, result.map_err(|error| kind(&error))));
            drop(open);
        }));
    }
}

/// The name of an error's variant.
fn kind(error: &AdminError) -> String {
    let text = format!("{error:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Has it begun, up to where it has to wait, before anything else: what is sent is sent in this order.
fn begun(task: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
    let mut task = Box::pin(task);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match task.as_mut().poll(&mut cx) {
        Poll::Ready(()) => actix::spawn(async {}),
        Poll::Pending => actix::spawn(task),
    }
}
