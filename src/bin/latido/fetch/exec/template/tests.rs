use super::*;
use crate::fetch::request::Request;

fn job(path: &str) -> Job {
    let request = Request::new("http://a/first\thttp://b/second", Path::new(path), None);
    Job { turn: 1, bytes: 7, digest: Some(Checksum::sha256([0xab; 32])), ..Job::new(1, request) }
}

fn each(line: &str) -> String {
    let job = job("/d/a b.tar.gz");
    Template::parse(line, Form::Each).unwrap().command([&job].into_iter()).to_string()
}

#[test]
fn placeholders_are_filled_in_and_every_other_brace_is_itself() {
    let digits = "ab".repeat(32);
    #[rustfmt::skip]
    let table = [
        ("echo -n",                 r#"echo -n "/d/a b.tar.gz""#.to_owned()),
        ("echo {} x{path}y",        r#"echo "/d/a b.tar.gz" "x/d/a b.tar.gzy""#.to_owned()),
        ("sh -c 'cat {} | wc -c'",  r#"sh -c "cat /d/a b.tar.gz | wc -c""#.to_owned()),
        ("echo {name} {dir} {stem}", r#"echo "a b.tar.gz" /d "a b.tar""#.to_owned()),
        ("echo {size} {digest}",    format!("echo 7 {digits}")),
        ("echo {checksum} {url}",   format!("echo sha-256={digits} http://b/second")),
        ("echo {size}{size}",       "echo 77".to_owned()),
        // not ours
        ("echo {size} {{name}} {{}}",    "echo 7 {name} {}".to_owned()),
        ("echo {size} {{print}}",        "echo 7 {print}".to_owned()),
        ("echo {size} '${name} ${x}'",   r#"echo 7 "${name} ${x}""#.to_owned()),
        ("echo {size} '{print $1}'",     r#"echo 7 "{print $1}""#.to_owned()),
        ("echo {size} {a,b} {A} } { {",  "echo 7 {a,b} {A} } { {".to_owned()),
        ("echo {size} {{{size}}}",       "echo 7 {{size}}".to_owned()),
        ("echo {size} {size}...",        "echo 7 7...".to_owned()),
    ];
    for (line, wanted) in table {
        assert_eq!(each(line), wanted, "{line}");
    }
}

#[test]
fn a_batch_repeats_the_words_with_placeholders_for_each_file() {
    let jobs = [job("/d/a"), job("/d/b")];
    for (line, wanted) in [
        ("cat", "cat /d/a /d/b"),
        ("cat {}...", "cat /d/a /d/b"),
        ("echo -x --in={} -- {name} end", "echo -x --in=/d/a --in=/d/b -- a b end"),
    ] {
        let template = Template::parse(line, Form::Batch).unwrap();
        let command = template.command(jobs.iter());
        assert_eq!(command.to_string(), wanted, "{line}");
    }
    let template = Template::parse("echo {name} {}", Form::Batch).unwrap();
    assert_eq!(template.bytes(&jobs[0]), "a /d/a ".len() + 2 * size_of::<usize>());
}

#[test]
fn what_cannot_be_run_is_said_before_anything_is_downloaded() {
    for (line, wanted) in [
        ("no-such-program -x", "no-such-program"),
        ("echo 'a", "close the quotes"),
        (" ", "the command is empty"),
        ("{} -x", "begin with a program"),
        ("echo {nmae}", "{nmae} is no placeholder; there are {} {path} {name}"),
        ("echo {nmae}", "{{nmae}} is the text itself"),
    ] {
        let error = Template::parse(line, Form::Each).unwrap_err();
        assert!(error.contains(wanted), "{line}: {error}");
    }
}

#[test]
fn a_batch_of_the_same_words_is_another_command() {
    let text = |form| Template::parse("cat  'a b' {}", form).unwrap().to_string();
    assert_eq!([text(Form::Each), text(Form::Batch)], ["cat 'a b' {}", "--exec-batch cat 'a b' {}"]);
}
