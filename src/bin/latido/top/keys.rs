//! What each key does.

use latido::control::wire::Inject;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::faults;
use super::view::{Source, View};

/// What the keys are for at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Tree,
    /// Which fault; beyond the last one it is `text`.
    Faults {
        chosen: usize,
        text: String,
    },
    /// Whether it is to be stopped.
    Stop,
    Filter,
    Why {
        scroll: u16,
    },
    Help,
}

/// What is to be done that is not a matter of the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Quit,
    /// Quit as Ctrl-C does.
    Interrupt,
    Inject(Inject),
    Restart(String),
    Stop(String),
    /// To find out which faults that part has.
    AskFaults(String),
}

pub(super) const HELP: &[(&str, &str)] = &[
    ("up down  j k", "another part; PgUp, PgDn by ten"),
    ("p", "let the part panic, at once"),
    ("i", "break it in a way to be chosen"),
    ("r", "stop it and start it again"),
    ("s", "stop it, for good; asks first"),
    ("w  enter", "why did it fail, and what came of it"),
    ("/", "only parts with these letters in their path"),
    ("e", "all events, or only failures and what came of them"),
    ("space", "let the picture stand still, or go on"),
    ("left right", "a second back, or forth"),
    ("[ ]", "to the event before, or after"),
    ("Home End", "to the beginning, or to now"),
    ("q", "quit"),
];

impl View {
    pub(crate) fn press(&mut self, key: KeyEvent) -> Option<Order> {
        self.word = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return (key.code == KeyCode::Char('c')).then_some(Order::Interrupt);
        }
        match self.mode.clone() {
            Mode::Tree => return self.in_tree(key.code),
            Mode::Faults { chosen, text } => return self.in_faults(key.code, chosen, text),
            Mode::Stop => {
                self.mode = Mode::Tree;
                match (key.code, self.selected.clone()) {
                    (KeyCode::Char('y'), Some(path)) => return Some(Order::Stop(path)),
                    _ => self.say("it was not stopped"),
                }
            }
            Mode::Filter => self.in_filter(key.code),
            Mode::Why { scroll } => {
                let down = |lines| Mode::Why { scroll: scroll.saturating_add(lines) };
                let up = |lines| Mode::Why { scroll: scroll.saturating_sub(lines) };
                self.mode = match key.code {
                    KeyCode::Down | KeyCode::Char('j') => down(1),
                    KeyCode::PageDown => down(10),
                    KeyCode::Up | KeyCode::Char('k') => up(1),
                    KeyCode::PageUp => up(10),
                    _ => Mode::Tree,
                }
            }
            Mode::Help => self.mode = Mode::Tree,
        }
        None
    }

    fn in_tree(&mut self, code: KeyCode) -> Option<Order> {
        match code {
            KeyCode::Char('q') => return Some(Order::Quit),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::PageDown => self.step(10),
            KeyCode::PageUp => self.step(-10),
            KeyCode::Char('/') => self.mode = Mode::Filter,
            KeyCode::Char('e') => self.all_events = !self.all_events,
            KeyCode::Char('?' | 'h') => self.mode = Mode::Help,
            KeyCode::Char('w') | KeyCode::Enter => self.mode = Mode::Why { scroll: 0 },
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char(' ') => self.pause_or_go_on(),
            KeyCode::Left | KeyCode::Right => {
                let seconds = if code == KeyCode::Left { -1.0 } else { 1.0 };
                if let Some(moment) = self.moment() {
                    self.go(moment + seconds);
                }
            }
            KeyCode::Char('[') => self.go_to_event(false),
            KeyCode::Char(']') => self.go_to_event(true),
            KeyCode::Home => self.go(f64::NEG_INFINITY),
            KeyCode::End => self.go(f64::INFINITY),
            KeyCode::Char('p') => return self.panics(),
            KeyCode::Char('i') => {
                self.turn_to(Mode::Faults { chosen: 0, text: String::new() })?;
                return self.selected.clone().map(Order::AskFaults);
            }
            KeyCode::Char('r') => return self.may_act().map(Order::Restart),
            KeyCode::Char('s') => drop(self.turn_to(Mode::Stop)),
            _ => {}
        }
        None
    }

    /// What comes next ends in an action, if one is allowed.
    fn turn_to(&mut self, mode: Mode) -> Option<()> {
        self.may_act()?;
        self.mode = mode;
        Some(())
    }

    fn panics(&mut self) -> Option<Order> {
        let path = self.may_act()?;
        if !path.contains('/') {
            self.refuse("it would end all of it: nobody is above; choose another part, or i");
            return None;
        }
        faults::inject(&path, "panic").ok().map(Order::Inject)
    }

    fn in_filter(&mut self, code: KeyCode) {
        match code {
            KeyCode::Esc => {
                self.filter.clear();
                self.mode = Mode::Tree;
            }
            KeyCode::Enter => self.mode = Mode::Tree,
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(c) => self.filter.push(c),
            _ => {}
        }
        // What is told of is one of those that are shown.
        self.step(0);
    }

    /// Whether anything may be done to parts.
    pub(super) fn can_act(&self) -> bool {
        self.why_not().is_none()
    }

    /// The part that something may be done to; if nothing may, it is said why, and what to do about it.
    fn may_act(&mut self) -> Option<String> {
        let is_shown = self.rows().iter().any(|part| Some(&part.child.path) == self.selected.as_ref());
        let hidden = || format!("no part has `{}` in its path; esc shows all of them", self.filter);
        match self.why_not().or_else(|| (!is_shown).then(hidden)) {
            Some(why) => self.refuse(why),
            None => return self.selected.clone(),
        }
        None
    }

    fn why_not(&self) -> Option<String> {
        let program = self.past.instance().map(|instance| (instance.actions, &*instance.program));
        Some(match (&self.source, program) {
            (Source::Recording { .. }, _) => {
                "this is a recording: nothing can be done to it; `latido demo --top` can be broken".to_owned()
            }
            (Source::Live { gone: Some(_) }, _) | (_, None) => "nobody is there any more".to_owned(),
            (_, Some((false, program))) if program.starts_with("latido") => {
                "you may look, not act: start that program with --allow-actions".to_owned()
            }
            (_, Some((false, _))) => {
                "you may look, not act: that program has to call Door::allow_actions".to_owned()
            }
            _ if self.at.is_some() => "this is the past: End goes back to now".to_owned(),
            _ => return None,
        })
    }
}
