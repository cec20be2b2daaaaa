//! What is shown.

use std::sync::mpsc;
use std::time::Duration;

use latido::EventKind;
use latido::control::Client;
use latido::control::wire::{Decision, State};
use latido::fault::Fault;

use crate::support::{Double, Way, door, status, talk, tree};

#[actix::test]
async fn the_tree_is_shown_with_what_every_child_is_doing() {
    let mut watched = tree().await;
    assert_eq!(watched.worker.send(Double(2)).await, Ok(4));
    watched.tree.inject("app/two", Fault::Panic).unwrap();
    watched.events.until("app/two", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
    let open = door(&watched.tree).open().unwrap();
    let client = Client::new(open.card());

    let instance = client.instance().await.unwrap();
    assert_eq!((&*instance.program, &*instance.root, instance.pid), ("test", "app", std::process::id()));
    let shown = client.tree().await.unwrap();
    let paths: Vec<_> = shown.children.iter().map(|child| &*child.path).collect();
    assert_eq!(paths, ["app", "app/one", "app/two"]);
    let [app, one, two] = &*shown.children else { panic!("{shown:?}") };
    let supervisor = app.supervisor.as_ref().unwrap();
    assert_eq!(
        (&*supervisor.strategy, supervisor.budget.used, supervisor.budget.intensity),
        ("one_for_one", 1, 100)
    );
    assert_eq!((one.state, one.messages.handled, one.incarnation), (State::Running, 1, 1));
    assert_eq!((two.state, two.incarnation), (State::Running, 2));
    assert_eq!(two.last_exit.as_ref().unwrap().kind, "panicked");
}

#[actix::test]
async fn a_failure_is_told_as_a_story_and_found_by_its_number() {
    let mut watched = tree().await;
    watched.tree.inject("app/two", Fault::Fail).unwrap();
    watched.events.until("app/two", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
    let open = door(&watched.tree).open().unwrap();
    let [incident] = &*Client::new(open.card()).incidents().await.unwrap() else { panic!("there is one") };
    assert_eq!((&*incident.path, incident.injected.as_deref()), ("app/two", Some("fail")));
    assert!(matches!(&incident.decision, Decision::Restart { budget, .. } if budget.used == 1));
    assert!(incident.story.contains("restart 1 of 100 in 5s"), "{}", incident.story);

    let get = |id: &str| {
        talk(
            &open,
            Way::Unix,
            &format!("GET /v1/incidents/{id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        )
    };
    assert!(get(&incident.id.to_string()).contains("app/two"));
    for unknown in ["999", "x", "-1"] {
        assert_eq!(status(&get(unknown)), 404, "{unknown}");
    }
}

#[actix::test]
async fn what_the_program_has_to_show_is_shown() {
    let watched = tree().await;
    let open = door(&watched.tree).extra("jobs", || serde_json::json!([{"id": 7}])).open().unwrap();
    let client = Client::new(open.card());
    let jobs: serde_json::Value = client.extra("jobs").await.unwrap();
    assert_eq!(jobs[0]["id"], 7);
    assert!(client.extra::<serde_json::Value>("moons").await.unwrap_err().to_string().contains("moons"));
}

#[actix::test]
async fn prometheus_is_told_in_its_words() {
    let watched = tree().await;
    let open = door(&watched.tree).open().unwrap();
    let answer = talk(&open, Way::Unix, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.contains("latido_child_up{path=\"app/one\"} 1"), "{answer}");
    assert!(answer.contains("latido_supervisor_restarts_allowed{path=\"app\"} 100"), "{answer}");
}

/// The whole tree is on one thread, and one of its actors blocks it.
#[actix::test]
async fn the_door_answers_while_every_arbiter_of_the_tree_is_blocked() {
    let (opened, open) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let program = std::thread::spawn(move || {
        actix::System::new().block_on(async move {
            let watched = tree().await;
            opened.send(door(&watched.tree).open().unwrap()).unwrap();
            released.recv().unwrap(); // The thread does nothing else.
            watched.tree.stop(Duration::from_secs(1)).await;
        });
    });
    let open = open.recv().unwrap();
    let shown = Client::new(open.card()).tree().await.unwrap();
    assert_eq!(shown.children.len(), 3);
    release.send(()).unwrap();
    program.join().unwrap();
    let after = Client::new(open.card()).tree().await.unwrap();
    assert!(after.children.iter().all(|child| child.state != State::Running), "{after:?}");
}

#[actix::test]
async fn the_page_holds_no_data_needs_no_token_and_runs_nothing_but_its_own_files() {
    let watched = tree().await;
    let open = door(&watched.tree).tcp("127.0.0.1:0".parse().unwrap()).open().unwrap();
    let (address, token) = (open.card().address.unwrap(), open.card().token.clone().unwrap());
    assert_eq!(open.card().url().unwrap(), format!("http://{address}/#token={token}"));
    for (path, kind) in
        [("/", "text/html"), ("/page/app.js", "text/javascript"), ("/page/style.css", "text/css")]
    {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let answer = talk(&open, Way::Tcp, &request);
        assert_eq!(status(&answer), 200, "{answer}");
        for header in [
            &format!("content-type: {kind}; charset=utf-8"),
            "content-security-policy: default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(answer.contains(header), "{path} has no {header}: {answer}");
        }
        assert!(!answer.contains(&token) && !answer.contains("app/one"), "{answer}");
    }
    let socket_only = door(&watched.tree).open().unwrap();
    assert_eq!(socket_only.card().url(), None);
}

#[actix::test]
async fn only_this_machine_is_listened_to() {
    let watched = tree().await;
    let error = door(&watched.tree).tcp("0.0.0.0:0".parse().unwrap()).open().unwrap_err();
    assert!(error.to_string().contains("0.0.0.0:0 is open to other machines"), "{error}");
}

#[actix::test]
async fn what_is_documented_for_programs_is_there_and_has_the_fields_that_it_says() {
    let mut watched = tree().await;
    watched.tree.inject("app/two", Fault::Panic).unwrap();
    watched.events.until("app/two", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
    let open = door(&watched.tree).allow_actions().extra("jobs", || 7.into()).open().unwrap();
    let ask = |line: &str| {
        let answer =
            talk(&open, Way::Unix, &format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
        (status(&answer), body)
    };
    let incidents = Client::new(open.card()).incidents().await.unwrap();
    let api: serde_json::Value = serde_json::from_str(&ask("GET /v1/openapi.json").1).unwrap();
    for (path, methods) in api["paths"].as_object().unwrap() {
        let place = path.replace("{id}", &incidents[0].id.to_string()).replace("{name}", "jobs");
        match &**path {
            "/v1/events" => continue, // It has no end; `following` reads it.
            "/v1/record" => continue, // It is a recording's; `replaying` reads it.
            _ => {}
        }
        for (method, operation) in methods.as_object().unwrap() {
            let (status, body) = ask(&format!("{} {place}", method.to_uppercase()));
            // An action without a body is refused for that, not for being unknown.
            assert_eq!(status, if method == "get" { 200 } else { 400 }, "{method} {place}: {body}");
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            if let (200, Ok(value)) = (status, serde_json::from_str(&body)) {
                has_all(&value, schema, &api, place.clone());
            }
        }
    }
}

/// Every field that is documented is there, and none that is not.
fn has_all(value: &serde_json::Value, schema: &serde_json::Value, api: &serde_json::Value, at: String) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => &api["components"]["schemas"][name.rsplit('/').next().unwrap()],
        None => schema,
    };
    if let Some(either) = schema["anyOf"].as_array().filter(|_| !value.is_null()) {
        has_all(value, &either[0], api, at);
    } else if let Some(items) = value.as_array() {
        items.iter().for_each(|item| has_all(item, &schema["items"], api, format!("{at}[]")));
    } else if let (Some(fields), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        let is_tagged = known.contains_key("kind");
        known.keys().for_each(|name| assert!(fields.contains_key(name), "{at} has no {name}"));
        for (name, field) in fields {
            assert!(is_tagged || known.contains_key(name), "{at}.{name} is not documented");
            if let Some(schema) = known.get(name) {
                has_all(field, schema, api, format!("{at}.{name}"));
            }
        }
    }
}
