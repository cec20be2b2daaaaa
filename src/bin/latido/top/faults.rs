//! The faults that are offered: those that the program says the part has. Until it has answered, and if it is too old to
//! say, those that every part has.

use latido::control::wire::{FaultInfo, Inject};
use latido::fault::{Fault, Injection};
use ratatui::crossterm::event::KeyCode;

use super::keys::{Mode, Order};
use super::view::View;

/// What a program has said of one of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Has {
    pub(crate) path: String,
    pub(crate) faults: Vec<FaultInfo>,
}

impl View {
    /// What can be done to the selected part.
    pub(super) fn offered(&self) -> Vec<FaultInfo> {
        match &self.has {
            Some(has) if Some(&has.path) == self.selected.as_ref() => has.faults.clone(),
            _ => Fault::all().iter().map(FaultInfo::from).collect(),
        }
    }

    /// The program has answered. What the user has chosen meanwhile stays chosen.
    pub(crate) fn hear_faults(&mut self, has: Has) {
        let before = self.offered();
        self.has = Some(has);
        if let Mode::Faults { chosen, .. } = &mut self.mode {
            let now = match &self.has {
                Some(has) if Some(&has.path) == self.selected.as_ref() => &has.faults,
                _ => return,
            };
            let same = |fault: &FaultInfo| now.iter().position(|other| other.usage == fault.usage);
            *chosen = match before.get(*chosen) {
                Some(fault) => same(fault).unwrap_or(0),
                None => now.len(),
            };
        }
    }

    pub(super) fn in_faults(&mut self, code: KeyCode, chosen: usize, mut text: String) -> Option<Order> {
        let offered = self.offered();
        let own = offered.len();
        let mut next = chosen;
        match code {
            KeyCode::Esc => {
                self.mode = Mode::Tree;
                return None;
            }
            // In a circle, on which the line to be written on is one step from the first.
            KeyCode::Down => next = if chosen >= own { 0 } else { chosen + 1 },
            KeyCode::Up => next = chosen.checked_sub(1).unwrap_or(own),
            KeyCode::PageDown | KeyCode::End => next = own,
            KeyCode::PageUp | KeyCode::Home => next = 0,
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Char(c) if chosen == own => text.push(c),
            KeyCode::Char('j') => next = (chosen + 1).min(own),
            KeyCode::Char('k') => next = chosen.saturating_sub(1),
            // Whoever writes means that line.
            KeyCode::Char(c) => {
                next = own;
                text.push(c);
            }
            KeyCode::Enter => match offered.get(chosen).map_or(Ok(&*text), ready) {
                Ok(fault) => {
                    let path = self.selected.clone()?;
                    match inject(&path, fault) {
                        Ok(inject) => {
                            self.mode = Mode::Tree;
                            return Some(Order::Inject(inject));
                        }
                        Err(why) => self.refuse(why),
                    }
                }
                Err(begun) => (next, text) = (own, begun),
            },
            _ => {}
        }
        self.mode = Mode::Faults { chosen: next, text };
        None
    }
}

/// The fault as it can be put in as it stands; or else how it begins, for the user to go on.
pub(super) fn ready(fault: &FaultInfo) -> Result<&str, String> {
    match (&fault.example, fault.usage.split_once(':')) {
        (Some(example), _) => Ok(example),
        (None, None) => Ok(&fault.usage),
        (None, Some((name, _))) => Err(format!("{name}:")),
    }
}

/// What is asked of the door for `fault`, which may have a rule: `panic@3`. What cannot be is said at once.
pub(super) fn inject(path: &str, fault: &str) -> Result<Inject, String> {
    let injection = fault.trim().parse::<Injection>().map_err(|error| error.to_string())?;
    Ok(Inject { path: path.to_owned(), fault: injection.to_string(), at_message: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_and_what_is_typed_is_what_a_door_takes() {
        for fault in Fault::all().iter().map(FaultInfo::from) {
            let fault = ready(&fault).unwrap();
            assert_eq!(inject("app/one", fault).unwrap().fault, *fault);
        }
        assert_eq!(inject("app", " panic@3,times=2").unwrap().fault, "panic@3,times=2");
        assert_eq!(inject("app", "cut").unwrap().fault, "cut", "one of the part's own");
        assert!(inject("app", "panic@x").unwrap_err().contains("`x` is no rule"));
    }
}
