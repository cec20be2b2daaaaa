//! Scenarios as the recorder writes them: a tree, and steps with what OTP did.

use std::fmt;

use latido::supervision::*;

/// A tree and what happens to it.
pub(crate) struct Scenario {
    pub(crate) number: usize,
    /// By path, parents before children, siblings in starting order.
    pub(crate) children: Vec<(String, Child)>,
    pub(crate) steps: Vec<Step>,
}

/// One child of a tree, or its root.
#[derive(Clone, Default)]
pub(crate) struct Child {
    pub(crate) restart: Restart,
    pub(crate) significant: bool,
    /// What becomes of each start: `.` it is up, `x` it fails, `~` it declines. All later ones are up.
    pub(crate) starts: String,
    /// If it is a supervisor.
    pub(crate) conduct: Option<Conduct>,
}

#[derive(Clone, Default)]
pub(crate) struct Conduct {
    pub(crate) dynamic: bool,
    pub(crate) strategy: Strategy,
    pub(crate) intensity: u32,
    pub(crate) auto_shutdown: AutoShutdown,
}

/// Something that is done, and what comes of it.
pub(crate) struct Step {
    pub(crate) text: String,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// What an order is answered with.
    pub(crate) answer: String,
    /// `+a` it is up, `-a` it has ended, `!a` it could not start, `~a` it declined, `^s` the supervisor gives up.
    pub(crate) trace: Vec<String>,
    /// Who is up (`a`) and down (`-a`), and how many restarts of a supervisor are used: `app#1 a -b s#0 s/x`.
    pub(crate) state: Vec<String>,
}

pub(crate) fn read(text: &str) -> Vec<Scenario> {
    text.split("\nscenario ").skip(1).map(Scenario::read).collect()
}

impl Scenario {
    fn read(text: &str) -> Self {
        let mut lines = text.lines();
        let number = lines.next().unwrap().parse().unwrap();
        let (mut children, mut steps) = (Vec::new(), Vec::new());
        for line in lines {
            if let Some(step) = line.strip_prefix("> ") {
                steps.push(Step::read(step));
            } else if let Some((path, rules)) = line.trim().split_once(' ') {
                children.push((path.to_owned(), Child::read(rules)));
            }
        }
        Self { number, children, steps }
    }

    pub(crate) fn child(&self, path: &str) -> Option<&Child> {
        self.children.iter().find(|(known, _)| known == path).map(|(_, child)| child)
    }
}

impl Child {
    /// As in `transient significant .x~`, or `permanent one_for_all 2 never`.
    pub(crate) fn read(text: &str) -> Self {
        let mut child = Self::default();
        let mut conduct = Conduct::default();
        // What follows `of` is said of a dynamic supervisor's children, and again where each is started.
        for word in text.split(' ').take_while(|&word| word != "of") {
            match word {
                "permanent" => child.restart = Restart::Permanent,
                "transient" => child.restart = Restart::Transient,
                "temporary" => child.restart = Restart::Temporary,
                "significant" => child.significant = true,
                "one_for_one" => conduct.strategy = Strategy::OneForOne,
                "one_for_all" => conduct.strategy = Strategy::OneForAll,
                "rest_for_one" => conduct.strategy = Strategy::RestForOne,
                "dynamic" => conduct.dynamic = true,
                "never" => conduct.auto_shutdown = AutoShutdown::Never,
                "any_significant" => conduct.auto_shutdown = AutoShutdown::AnySignificant,
                "all_significant" => conduct.auto_shutdown = AutoShutdown::AllSignificant,
                starts if starts.starts_with(['.', 'x', '~']) => child.starts = starts.to_owned(),
                intensity => conduct.intensity = intensity.parse().expect(word),
            }
        }
        child.conduct = child.starts.is_empty().then_some(conduct);
        child
    }
}

impl Step {
    /// The order in it, if there is one: what, about whom, and the rules of a new child.
    pub(crate) fn order(&self) -> Option<(&str, &str, &str)> {
        let text = self.text.split_once(" between ").map_or(&*self.text, |(_, order)| order);
        let (verb, rest) = text.split_once(' ')?;
        let (path, rules) = rest.split_once(' ').unwrap_or((rest, ""));
        matches!(verb, "start" | "terminate" | "restart" | "delete").then_some((verb, path, rules))
    }

    fn read(line: &str) -> Self {
        let [text, answer, trace, state] = line.split(" ; ").collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let (trace, state) = (words(trace), words(state));
        Self { text: text.to_owned(), outcome: Outcome { answer: answer.to_owned(), trace, state } }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ; {} ; {}", self.answer, self.trace.join(" "), self.state.join(" "))
    }
}
