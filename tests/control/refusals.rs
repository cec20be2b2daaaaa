//! What is not answered: a table of requests, over real sockets.

use crate::support::{Way, door, status, talk, tree};

const NOTHING: &str = "";

#[actix::test]
async fn the_door_refuses_every_request_that_it_should() {
    let watched = tree().await;
    let shut = door(&watched.tree).tcp("127.0.0.1:0".parse().unwrap()).open().unwrap();
    let open = door(&watched.tree).tcp("127.0.0.1:0".parse().unwrap()).allow_actions().open().unwrap();
    let host = |door: &latido::control::OpenDoor| format!("Host: {}\r\n", door.card().address.unwrap());
    let token = |door: &latido::control::OpenDoor| {
        format!("Authorization: Bearer {}\r\n", door.card().token.as_ref().unwrap())
    };
    let inject = r#"{"path":"app/one","fault":"panic"}"#;
    let large = format!(r#"{{"path":"app/one","fault":"{}"}}"#, "x".repeat(65 << 10));
    let long = "x".repeat(1 << 20);
    let page = "Origin: http://example.org\r\n";
    let foreign = "Host: example.org\r\n".to_owned();
    for (what, expected, door, way, head, headers, body) in [
        ("no token", 401, &open, Way::Tcp, "GET /v1/tree", vec![host(&open)], NOTHING),
        (
            "the token of another run",
            401,
            &open,
            Way::Tcp,
            "GET /v1/tree",
            vec![host(&open), token(&shut)],
            NOTHING,
        ),
        ("no token, for what is not there", 401, &open, Way::Tcp, "GET /x", vec![host(&open)], NOTHING),
        ("the page, by a foreign name", 403, &open, Way::Tcp, "GET /", vec![foreign.clone()], NOTHING),
        ("its scripts, the same", 403, &open, Way::Tcp, "GET /page/app.js", vec![foreign.clone()], NOTHING),
        (
            "its scripts, for a foreign page",
            403,
            &open,
            Way::Tcp,
            "GET /page/app.js",
            vec![host(&open), page.to_owned()],
            NOTHING,
        ),
        ("the page, by no name", 403, &open, Way::Tcp, "GET /", vec![], NOTHING),
        ("what the page does not have", 401, &open, Way::Tcp, "GET /page/", vec![host(&open)], NOTHING),
        ("a way out of the page", 401, &open, Way::Tcp, "GET /page/../v1/tree", vec![host(&open)], NOTHING),
        ("the page by POST", 405, &open, Way::Tcp, "POST /", vec![host(&open)], NOTHING),
        ("no token, to act", 401, &open, Way::Tcp, "POST /v1/inject", vec![host(&open)], inject),
        ("no host", 403, &open, Way::Tcp, "GET /v1/tree", vec![token(&open)], NOTHING),
        (
            "a foreign host",
            403,
            &open,
            Way::Tcp,
            "GET /v1/tree",
            vec![foreign.clone(), token(&open)],
            NOTHING,
        ),
        (
            "a foreign page",
            403,
            &open,
            Way::Tcp,
            "GET /v1/tree",
            vec![host(&open), token(&open), page.to_owned()],
            NOTHING,
        ),
        (
            "a foreign page, to act",
            403,
            &open,
            Way::Tcp,
            "POST /v1/stop",
            vec![host(&open), token(&open), page.to_owned()],
            inject,
        ),
        (
            "a page, over the socket",
            403,
            &open,
            Way::Unix,
            "GET /v1/tree",
            vec![foreign.clone(), page.to_owned()],
            NOTHING,
        ),
        (
            "to act where only looking is allowed",
            403,
            &shut,
            Way::Unix,
            "POST /v1/inject",
            vec![foreign.clone()],
            inject,
        ),
        (
            "the same over TCP",
            403,
            &shut,
            Way::Tcp,
            "POST /v1/inject",
            vec![host(&shut), token(&shut)],
            inject,
        ),
        ("the same with nonsense", 403, &shut, Way::Unix, "POST /v1/stop", vec![foreign.clone()], "{"),
        ("what is not there", 404, &open, Way::Unix, "GET /v2/tree", vec![foreign.clone()], NOTHING),
        ("a recording", 404, &open, Way::Unix, "GET /v1/record", vec![foreign.clone()], NOTHING),
        ("to look by POST", 405, &open, Way::Unix, "POST /v1/tree", vec![foreign.clone()], NOTHING),
        ("to act by GET", 405, &open, Way::Unix, "GET /v1/inject", vec![foreign.clone()], NOTHING),
        ("no body", 400, &open, Way::Unix, "POST /v1/inject", vec![foreign.clone()], NOTHING),
        (
            "half a body",
            400,
            &open,
            Way::Unix,
            "POST /v1/inject",
            vec![foreign.clone()],
            r#"{"path":"app/one","#,
        ),
        (
            "a body with more than is known",
            400,
            &open,
            Way::Unix,
            "POST /v1/stop",
            vec![foreign.clone()],
            r#"{"path":"app/one","now":true}"#,
        ),
        (
            "a fault that is none",
            400,
            &open,
            Way::Unix,
            "POST /v1/inject",
            vec![foreign.clone()],
            r#"{"path":"app/one","fault":"sneeze"}"#,
        ),
        (
            "a fault that is no word",
            400,
            &open,
            Way::Unix,
            "POST /v1/inject",
            vec![foreign.clone()],
            r#"{"path":"app/one","fault":"Sneeze!"}"#,
        ),
        (
            "a rule that is none",
            400,
            &open,
            Way::Unix,
            "POST /v1/inject",
            vec![foreign.clone()],
            r#"{"path":"app/one","fault":"panic@often"}"#,
        ),
        (
            "two messages",
            400,
            &open,
            Way::Unix,
            "POST /v1/inject",
            vec![foreign.clone()],
            r#"{"path":"app/one","fault":"panic@3","at_message":4}"#,
        ),
        (
            "to pause a supervisor",
            409,
            &open,
            Way::Unix,
            "POST /v1/pause",
            vec![foreign.clone()],
            r#"{"path":"app"}"#,
        ),
        (
            "to drain nobody",
            404,
            &open,
            Way::Unix,
            "POST /v1/drain",
            vec![foreign.clone()],
            r#"{"path":"app/three"}"#,
        ),
        (
            "to resume where only looking is allowed",
            403,
            &shut,
            Way::Unix,
            "POST /v1/resume",
            vec![foreign.clone()],
            r#"{"path":"app/one"}"#,
        ),
        (
            "the faults of nobody",
            404,
            &open,
            Way::Unix,
            "GET /v1/faults?path=app/three",
            vec![foreign.clone()],
            NOTHING,
        ),
        (
            "message 0",
            400,
            &open,
            Way::Unix,
            "POST /v1/inject",
            vec![foreign.clone()],
            r#"{"path":"app/one","fault":"panic","at_message":0}"#,
        ),
        (
            "a fault for nobody",
            404,
            &open,
            Way::Unix,
            "POST /v1/inject",
            vec![foreign.clone()],
            r#"{"path":"app/three","fault":"panic"}"#,
        ),
        (
            "to stop nobody",
            404,
            &open,
            Way::Unix,
            "POST /v1/stop",
            vec![foreign.clone()],
            r#"{"path":"app/three"}"#,
        ),
        (
            "to stop the root",
            409,
            &open,
            Way::Unix,
            "POST /v1/stop",
            vec![foreign.clone()],
            r#"{"path":"app"}"#,
        ),
        ("too large a body", 413, &open, Way::Unix, "POST /v1/inject", vec![foreign.clone()], &large),
        (
            "a header without end",
            431,
            &open,
            Way::Unix,
            "GET /v1/tree",
            vec![format!("X: {long}\r\n")],
            NOTHING,
        ),
        ("no number", 400, &open, Way::Unix, "GET /v1/events?after=x", vec![foreign.clone()], NOTHING),
        ("no format", 400, &open, Way::Unix, "GET /v1/events?format=xml", vec![foreign.clone()], NOTHING),
    ] {
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let headers = headers.concat();
        let answer =
            talk(door, way, &format!("{head} HTTP/1.1\r\n{headers}{length}Connection: close\r\n\r\n{body}"));
        assert_eq!(status(&answer), expected, "{what}: {answer}");
        assert!(expected == 431 || answer.contains("no-store"), "{what}: {answer}");
        assert!(expected == 431 || answer.contains(r#"{"error":""#), "{what}: {answer}");
        assert!(!answer.to_lowercase().contains("access-control-allow"), "{what}: {answer}");
    }
    assert!(watched.tree.incidents().is_empty(), "none of it was done");
    let (host, token) = (host(&open), token(&open));
    let answer =
        talk(&open, Way::Tcp, &format!("GET /v1/tree HTTP/1.1\r\n{host}{token}Connection: close\r\n\r\n"));
    assert_eq!(status(&answer), 200, "{answer}");
}

#[actix::test]
async fn too_many_actions_at_once_are_refused() {
    let watched = tree().await;
    let open = door(&watched.tree).allow_actions().open().unwrap();
    let body = r#"{"path":"app/three","fault":"panic"}"#;
    let request = format!(
        "POST /v1/inject HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let refused =
        std::iter::repeat_with(|| status(&talk(&open, Way::Unix, &request))).find(|status| *status != 404);
    assert_eq!(refused, Some(429));
}
