use super::*;

const GOOD: &str = "\
title = \"one\"
[work]
files = 4
[[step]]
when = \"2 files done\"
inject = \"one of latido/downloaders/* panic@p=0.5\"
[[step]]
inject = \"latido/cpu panic\"
[expect]
exit = 0
";

fn said(text: &str) -> String {
    match Plan::read("mine.toml", text, None) {
        Ok(plan) => panic!("it is read: {text}\n{:?}", plan.steps),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_its_word_and_what_may_stand_there() {
    // What is written for what, the line that is told, the word, and what may stand there.
    for (from, to, line, word, advice) in [
        ("files = 4", "file = 4", 3, "`file`", "expected one of `files`, `size`, `downloaders`"),
        ("files = 4", "files = 0", 3, "`files`", "from 1 to 1000"),
        ("files = 4", "files = \"4\"", 3, "\"4\"", "expected usize"),
        ("files = 4", "size = \"64 kB\"", 3, "`64 kB`", "`64 KiB..1 MiB`"),
        ("files = 4", "size = \"2 MiB..1 MiB\"", 3, "`2 MiB..1 MiB`", "for any between"),
        ("files = 4", "rate = \"2 MiB\"", 3, "`2 MiB`", "`2 MiB/s`"),
        ("files = 4", "downloaders = 65", 3, "`downloaders`", "from 1 to 64"),
        ("files = 4", "limit = \"soon\"", 3, "`soon`", "`1.5 s` or `2 min`"),
        ("[work]", "[werk]", 2, "`werk`", "expected one of `title`, `work`, `program`, `step`"),
        ("2 files done", "often", 5, "`often`", "`10 files done`"),
        ("2 files done", "0 files done", 5, "`0 files done`", "`start`, `at 1.5 s`"),
        ("2 files done", "4 files done", 5, "`4 files done`", "the last one is kept back"),
        ("2 files done", "at noon", 5, "`noon`", "`500 ms`"),
        ("2 files done", "latido/gpu started", 5, "`latido/gpu`", "latido/ledger, latido/downloaders"),
        ("latido/cpu panic", "latido/cpu", 8, "`latido/cpu`", "`latido/cpu panic`"),
        ("latido/cpu panic", "latido/cpu sneeze", 8, "`sneeze`", "panic, fail, stop"),
        ("latido/cpu panic", "latido/cpu Panic", 8, "`Panic`", "panic, fail, stop"),
        ("latido/cpu panic", "latido/gpu panic", 8, "`latido/gpu`", "latido/cpu"),
        ("latido/cpu panic", "latido/cpu panic@0", 8, "`0`", "from 1 on"),
        (
            "inject = \"latido/cpu panic\"",
            "stop = \"latido/downloaders/*\"",
            8,
            "`latido/downloaders/*`",
            "`one of ",
        ),
        (
            "inject = \"latido/cpu panic\"",
            "server = \"explode 3\"",
            8,
            "`explode 3`",
            "stall, corrupt, cut, refuse",
        ),
        (
            "inject = \"latido/cpu panic\"",
            "program = \"kill\"",
            8,
            "`kill`",
            "`kill -9`, `interrupt`, `start`",
        ),
        ("inject = \"latido/cpu panic\"", "", 7, "step 2", "one of inject, pause, resume"),
        (
            "inject = \"latido/cpu panic\"",
            "stop = \"latido/cpu\"\npause = \"latido/cpu\"",
            7,
            "step 2",
            "a step of each",
        ),
        ("exit = 0", "exits = 0", 10, "`exits`", "`exit`"),
        ("exit = 0", "jobs = \"most\"", 10, "`most`", "`all done`, `all done once`, `none lost`"),
        ("exit = 0", "untouched = [\"latido/gpu\"]", 10, "`latido/gpu`", "latido/cpu"),
        ("exit = 0", "ended = [\"latido/cpu died\"]", 10, "`latido/cpu died`", "panicked, failed"),
        ("exit = 0", "", 9, "nothing is expected", "at least one line"),
        ("title = \"one\"", "title = one", 1, "one", ""),
        ("exit = 0", "over_within = 5", 10, "`5`", "in quotes, such as `\"5 s\"`"),
        ("exit = 0", "exit = \"0\"", 10, "\"0\"", "without quotes"),
        ("[[step]]\nwhen", "[step]\nwhen", 7, "duplicate key", "`[[step]]`, in two brackets"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let said = said(&GOOD.replace(from, to));
        assert!(said.starts_with(&format!("mine.toml:{line}: ")), "{to}: {said}");
        assert!(said.contains(word) && said.contains(advice), "{to}: {said}");
    }
    let without = said(&GOOD.replace("[expect]\nexit = 0\n", ""));
    assert!(without.contains("missing field `expect`"), "{without}");
    let no_option = said(&GOOD.replace("files = 4", "options = [\"--no-such\"]"));
    assert!(no_option.starts_with("mine.toml: [work]") && no_option.contains("--no-such"), "{no_option}");
}

#[test]
fn the_same_seed_gives_the_same_steps_and_files() {
    let of = |seed| {
        let plan = Plan::read("mine", GOOD, Some(seed)).unwrap();
        let Subject::Fetch(work) = plan.subject else { panic!("it fetches") };
        (plan.steps, work.corpus())
    };
    assert_eq!(of(1), of(1));
    let seeds = 1..=20;
    // One of four is meant, and which one is the seed's to say.
    let chosen: std::collections::BTreeSet<_> = seeds
        .map(|seed| of(seed).0[0].action.to_string().split(" panic").next().unwrap().to_owned())
        .collect();
    assert_eq!(chosen.len(), 4, "{chosen:?}");
    assert_ne!(of(1).1, of(2).1);
    let Action::Inject { injection, .. } = &of(9).0[0].action else { panic!("it injects") };
    assert_eq!(injection.to_string(), "panic@p=0.5,seed=9");
}

#[test]
fn a_step_without_a_moment_is_taken_with_the_one_before() {
    let plan = Plan::read("mine", GOOD, None).unwrap();
    assert_eq!(plan.steps[1].when, Moment::at_once());
    let first = Plan::read("mine", &GOOD.replace("when = \"2 files done\"\n", ""), None).unwrap();
    assert_eq!(first.steps[0].when, Moment::Start);
}

const OWN: &str = "\
title = \"mine\"
[program]
command = \"./shop --port '80 80'\"
[[step]]
inject = \"one of shop/tills/* panic\"
[expect]
exit = 0
";

#[test]
fn a_program_of_ones_own_has_what_can_be_said_of_any() {
    let plan = Plan::read("mine.toml", OWN, Some(3)).unwrap();
    let Subject::Own(words, Ends::Interrupted) = plan.subject else { panic!("{:?}", plan.subject) };
    assert_eq!(words, ["./shop", "--port", "80 80"]);
    assert_eq!(plan.seed, 3);
    assert_eq!(plan.steps[0].action.to_string(), "inject one of shop/tills/* panic");
    for (from, to, line, word, advice) in [
        ("./shop --port '80 80'", "./shop '80", 3, "`./shop '80`", "quote"),
        ("./shop --port '80 80'", " ", 3, "command", "a program and its arguments"),
        ("[program]", "[program]\nends = \"never\"", 3, "`never`", "`interrupted` or `by itself`"),
        ("[program]", "[work]\nfiles = 4\n[program]", 4, "[work]", "[program]"),
        ("inject", "when = \"3 files done\"\ninject", 5, "`3 files done`", "has no files"),
        ("inject = \"one of shop/tills/* panic\"", "server = \"cut 1\"", 4, "`server`", "has none"),
        ("inject = \"one of shop/tills/* panic\"", "stop = \"shop/*\"", 5, "`shop/*`", "`one of shop/*`"),
        ("exit = 0", "jobs = \"all done\"", 6, "`jobs`", "cannot be told"),
        ("exit = 0", "tries_failed_at_least = 1", 6, "`tries_failed_at_least`", "cannot be told"),
    ] {
        assert!(OWN.contains(from), "{from}");
        let said = said(&OWN.replace(from, to));
        assert!(said.starts_with(&format!("mine.toml:{line}: ")), "{to}: {said}");
        assert!(said.contains(word) && said.contains(advice), "{to}: {said}");
    }
}
