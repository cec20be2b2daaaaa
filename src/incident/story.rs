//! An incident in words.

use std::fmt;

use super::{Decision, Incident, Told};
use crate::exit::ExitReason;
use crate::path::TreePath;
use crate::type_name::bare;

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.beginning(f)?;
        self.messages(f)?;
        self.decision(f)?;
        self.others(f)?;
        self.end(f)?;
        self.consequences(f)
    }
}

impl Incident {
    fn beginning(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, path, incarnation, reason, lived, .. } = self;
        write!(f, "incident {id}: {path} #{incarnation} ")?;
        let Some(reason) = reason else {
            if let Some(fault) = &self.injected {
                write!(f, "got a fault on purpose: {fault}")?;
                if let Some(says) = fault.says() {
                    write!(f, "\n  {says}")?;
                }
            }
            if let Some(before) = self.before {
                write!(f, "\n  the same fault has ended an earlier life: incident {before}")?;
            }
            return match self.healed {
                None => {
                    write!(f, "\n  this life has not ended of it, so its supervisor has had nothing to do")
                }
                Some(after) => {
                    write!(f, "\n  this life has not ended of it, and it was healed after {after:.1?}")
                }
            };
        };
        write!(f, "{reason}")?;
        if let ExitReason::Panicked(panic) = reason
            && self.injected.is_none()
            && let Some(trace) = panic.trace()
        {
            for line in trace.lines() {
                write!(f, "\n    {}", line.strip_prefix("   ").unwrap_or(line))?;
            }
        }
        write!(f, "\n  it had run for {lived:.1?}")?;
        match &self.injected {
            Some(fault) => write!(f, "\n  it was put there on purpose: {fault}"),
            None => Ok(()),
        }
    }

    fn messages(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lost > 0 || self.kept > 0 {
            match self.lost {
                0 => write!(f, "\n  lost no message; ")?,
                lost => write!(f, "\n  lost {lost} message that was being handled")?,
            }
            match self.message.filter(|_| self.lost > 0) {
                Some(kind) => write!(f, " ({}); ", bare(kind))?,
                None if self.lost > 0 => write!(f, "; ")?,
                None => {}
            }
            match self.kept {
                0 => write!(f, "none was waiting")?,
                1 => write!(f, "1 that was waiting is kept")?,
                kept => write!(f, "{kept} that were waiting are kept")?,
            }
        }
        Ok(())
    }

    fn decision(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.decision {
            Decision::NotAsked => {}
            Decision::StaysDown if self.path.parent().is_none() => {
                write!(f, "\n  decision: nobody is above it, so the tree ends")?;
            }
            Decision::StaysDown => write!(f, "\n  decision: it stays down")?,
            Decision::RollBack => write!(
                f,
                "\n  decision: no restart at a first start; what was started before it is stopped, and its supervisor fails"
            )?,
            Decision::OutOfThreads => {
                write!(
                    f,
                    "\n  decision: no restart: too many threads were left behind; its supervisor fails"
                )?;
            }
            Decision::GiveUp(budget) => write!(
                f,
                "\n  decision: no restart: it would be number {} of {} in {:?}; its supervisor gives up",
                budget.used, budget.intensity, budget.period
            )?,
            Decision::Restart { delay, wait, budget, .. } => {
                match delay.is_zero() {
                    true => write!(f, "\n  decision: {budget}, at once")?,
                    false => write!(f, "\n  decision: {budget}; wait {delay:.1?} = {wait}")?,
                }
                write!(
                    f,
                    "\n  the oldest of these restarts was to be forgotten {:.1?} later",
                    budget.frees_in
                )?;
            }
        }
        Ok(())
    }

    fn others(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.stopped.is_empty() {
            let stopped: Vec<_> =
                self.stopped.iter().map(|(path, took)| format!("{path} ({took:.1?})")).collect();
            write!(f, "\n  stopped with it: {}", stopped.join(", "))?;
        }
        if !self.moved.is_empty() {
            let moved: Vec<_> = self.moved.iter().map(TreePath::as_str).collect();
            write!(f, "\n  moved to another thread, in their next life: {}", moved.join(", "))?;
        }
        Ok(())
    }

    fn end(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.decision, self.down, self.again) {
            (_, Some(down), _) => {
                write!(f, "\n  up again as #{}, {down:.1?} after it failed", self.incarnation + 1)?;
                match self.answered {
                    Some(answered) => write!(f, "; its first message was handled after {answered:.1?}"),
                    None => Ok(()),
                }
            }
            (_, None, Some(again)) => write!(f, "\n  it failed again before it was up: incident {again}"),
            (Decision::Restart { .. }, None, None) => f.write_str("\n  not up again yet"),
            _ => Ok(()),
        }
    }
    fn consequences(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.consequences.is_empty() {
            write!(f, "\n  what came of it:")?;
        }
        for Told { after, path, text, .. } in &self.consequences {
            write!(f, "\n    {after:.1?} later, {path}: {text}")?;
        }
        match self.untold {
            0 => Ok(()),
            more => write!(f, "\n    and {more} more"),
        }
    }
}
