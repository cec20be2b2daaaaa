//! The thread that hears what happens, draws it, and does what the keys ask for. It is one of its own, so that it goes on
//! while a part of the demo blocks any other.

use std::any::Any;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use latido::control::wire::Instance;
use latido::control::{Client, ClientError};
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use super::faults::Has;
use super::keys::Order;
use super::terminal::{THREAD, Taken};
use super::view::View;
use super::{draw, live_view};
use crate::picture::live::{self, Heard};
use crate::view::Screen;

/// From picture to picture; a key is answered at once.
const DRAW: Duration = Duration::from_millis(100);
/// A key is looked for so often whether anybody still wants it.
const KEYS: Duration = Duration::from_millis(100);
/// Who is told of faster waits, and the program with it.
const AHEAD: usize = 1_024;

/// Why the view ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curtain {
    Quit,
    Interrupted,
}

/// A view that is shown. Dropped, it ends, and the terminal is as it was.
pub(crate) struct Stage {
    thread: Option<JoinHandle<io::Result<Curtain>>>,
    ended: oneshot::Receiver<()>,
    close: Option<oneshot::Sender<()>>,
    screen: Screen,
}

type Heards = mpsc::Receiver<Heard>;
type Answers = mpsc::UnboundedReceiver<Result<Answer, ClientError>>;

/// What came of an order.
enum Answer {
    /// In words.
    Done(String),
    Faults(Has),
}

impl Stage {
    /// Shows a program that runs.
    pub(crate) fn live(client: Client, instance: Instance, screen: &Screen) -> io::Result<Self> {
        Self::begin(live_view(), Some((client, instance)), screen)
    }

    /// Shows what is in the view already.
    pub(crate) fn recording(view: View, screen: &Screen) -> io::Result<Self> {
        Self::begin(view, None, screen)
    }

    fn begin(view: View, live: Option<(Client, Instance)>, screen: &Screen) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (close, closed) = oneshot::channel();
        let (ending, ended) = oneshot::channel::<()>();
        // Lines would be written over the picture.
        screen.hold();
        let thread = thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            let _ending = ending;
            let mut taken = Taken::take()?;
            runtime.block_on(async {
                let (sender, heard) = mpsc::channel(AHEAD);
                if let Some((client, instance)) = live {
                    tokio::spawn(live::follow(client, instance, sender));
                }
                run(&mut taken, view, heard, closed).await
            })
        });
        Ok(Self { thread: Some(thread?), ended, close: Some(close), screen: screen.clone() })
    }

    /// Waits until the user has seen enough. If the view panics, so does this; the terminal is as it was by then.
    pub(crate) async fn curtain(&mut self) -> io::Result<Curtain> {
        let _ = (&mut self.ended).await;
        self.join().unwrap_or(Ok(Curtain::Quit))
    }

    fn join(&mut self) -> Option<io::Result<Curtain>> {
        let joined = self.thread.take()?.join();
        self.screen.release();
        Some(joined.unwrap_or_else(|panic: Box<dyn Any + Send>| std::panic::resume_unwind(panic)))
    }

    /// Ends it, if it has not ended.
    pub(crate) fn close(&mut self) {
        self.close.take();
        let _ = self.join();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.close.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
            self.screen.release();
        }
    }
}

async fn run(
    taken: &mut Taken,
    mut view: View,
    mut heard: Heards,
    mut closed: oneshot::Receiver<()>,
) -> io::Result<Curtain> {
    let mut keys = keys();
    let (answer, mut answers): (_, Answers) = mpsc::unbounded_channel();
    let mut client = None;
    let mut ticks = interval(DRAW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut passed = Instant::now();
    let mut hears = true;
    let mut frames = 0;
    loop {
        let mut is_urgent = false;
        tokio::select! {
            biased;
            _ = &mut closed => return Ok(Curtain::Quit),
            key = keys.recv() => match key {
                Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => {
                    is_urgent = true;
                    match view.press(key) {
                        Some(Order::Quit) => return Ok(Curtain::Quit),
                        Some(Order::Interrupt) => return Ok(Curtain::Interrupted),
                        Some(order) => {
                            if let Some(asked) = asked(&order) {
                                view.say(asked);
                            }
                            if let Some(client) = client.clone() {
                                let answer = answer.clone();
                                tokio::spawn(async move {
                                    if let Some(done) = carry_out(&client, order).await.transpose() {
                                        let _ = answer.send(done); // the view has ended
                                    }
                                });
                            }
                        }
                        None => {}
                    }
                }
                Some(Ok(Event::Resize(..))) => is_urgent = true,
                Some(Ok(_)) => {}
                // The terminal has gone.
                Some(Err(error)) => return Err(error),
                None => return Ok(Curtain::Quit),
            },
            Some(answer) = answers.recv() => {
                is_urgent = true;
                match answer {
                    Ok(Answer::Done(done)) => view.say(done),
                    Ok(Answer::Faults(has)) => view.hear_faults(has),
                    Err(error) => view.refuse(error.to_string()),
                }
            }
            _ = ticks.tick() => is_urgent = true,
            news = heard.recv(), if hears => match news {
                Some(Heard::Here(here)) => {
                    client = Some(here);
                    view.set_gone(None);
                }
                Some(Heard::Entry(entry)) => view.hear(*entry),
                Some(Heard::Gone(why)) => view.set_gone(Some(why)),
                None => hears = false,
            },
        }
        if is_urgent {
            view.pass(passed.elapsed().as_secs_f64());
            passed = Instant::now();
            view.look(now());
            taken.terminal.draw(|frame| draw::draw(frame, &mut view))?;
            frames += 1;
            break_on_purpose(frames);
        }
    }
}

/// `LATIDO_TOP_FAULT=panic@N` breaks the view itself, at its N-th picture: for whoever wants to see that the terminal survives.
fn break_on_purpose(frames: u64) {
    if std::env::var("LATIDO_TOP_FAULT").is_ok_and(|fault| fault == format!("panic@{frames}")) {
        panic!("injected fault");
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// What is typed, read on a thread that ends when nobody wants it any more.
fn keys() -> mpsc::UnboundedReceiver<io::Result<Event>> {
    let (sender, keys) = mpsc::unbounded_channel();
    thread::spawn(move || {
        while !sender.is_closed() {
            let key = match event::poll(KEYS) {
                Ok(false) => continue,
                Ok(true) => event::read(),
                Err(error) => Err(error),
            };
            let has_failed = key.is_err();
            if sender.send(key).is_err() || has_failed {
                return;
            }
        }
    });
    keys
}

fn asked(order: &Order) -> Option<String> {
    match order {
        Order::Inject(inject) => Some(format!("{} is put into {} ...", inject.fault, inject.path)),
        Order::Restart(path) => Some(format!("{path} is stopped and started again ...")),
        Order::Stop(path) => Some(format!("{path} is stopped ...")),
        Order::AskFaults(_) | Order::Quit | Order::Interrupt => None,
    }
}

/// Answers what came of it, if that is to be seen.
async fn carry_out(client: &Client, order: Order) -> Result<Option<Answer>, ClientError> {
    Ok(Some(Answer::Done(match order {
        Order::Inject(inject) => {
            client.inject(&inject).await?;
            let when = inject.at_message.map_or_else(String::new, |n| format!(" at its message {n}"));
            format!("{} was put into {}{when}; w tells why it fails, e all else", inject.fault, inject.path)
        }
        Order::Restart(path) => {
            client.restart(&path).await?;
            format!("{path} was stopped and started again")
        }
        Order::Stop(path) => {
            client.stop(&path).await?;
            format!("{path} was stopped; it stays down until r restarts it")
        }
        // A door that does not know is an old one, and the view has what every part has.
        Order::AskFaults(path) => {
            let faults = client.faults(Some(&path)).await.ok().filter(|faults| !faults.is_empty());
            return Ok(faults.map(|faults| Answer::Faults(Has { path, faults })));
        }
        Order::Quit | Order::Interrupt => return Ok(None),
    })))
}
