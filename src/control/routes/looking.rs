//! What is shown to those who ask.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use super::{FOLLOWERS, House};
use crate::control::answers::{json, json_text, refused};
use crate::control::history::Portion;
use crate::control::{metrics, wire};
use crate::fault::Fault;

type Door = State<Arc<House>>;

pub(super) async fn instance(State(house): Door) -> Response {
    json(&house.instance)
}

pub(super) async fn tree(State(house): Door) -> Response {
    json(&wire::Tree::of(&house.tree, house.history.last()))
}

pub(super) async fn prometheus(State(house): Door) -> Response {
    let tree = wire::Tree::of(&house.tree, house.history.last());
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::text(&tree)).into_response()
}

pub(super) async fn incidents(State(house): Door) -> Response {
    let incidents: Vec<_> = house.tree.incidents().iter().map(wire::Incident::from).collect();
    json(&incidents)
}

pub(super) async fn incident(State(house): Door, Path(id): Path<String>) -> Response {
    let found = house
        .tree
        .incidents()
        .iter()
        .find(|incident| Ok(incident.id) == id.parse())
        .map(wire::Incident::from);
    match found {
        Some(incident) => json(&incident),
        None => refused(
            StatusCode::NOT_FOUND,
            format!("no incident {id:?} is known; /v1/incidents has the last 256"),
        ),
    }
}

pub(super) async fn extra(State(house): Door, Path(name): Path<String>) -> Response {
    match house.extras.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => json(&value()),
        None => refused(StatusCode::NOT_FOUND, format!("this program has no {name:?} to show")),
    }
}

pub(super) async fn record() -> Response {
    refused(
        StatusCode::NOT_FOUND,
        "this program runs: its tree and its events are at /v1/tree and /v1/events; `latido replay FILE --web` serves a \
         recording",
    )
}

#[derive(Deserialize)]
pub(super) struct Whose {
    path: Option<String>,
}

pub(super) async fn faults(
    State(house): Door,
    query: Result<Query<Whose>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let known = match query {
        Ok(Query(Whose { path: Some(path) })) => house.tree.faults(&path),
        Ok(Query(Whose { path: None })) => Ok(Fault::all().to_vec()),
        Err(error) => return refused(StatusCode::BAD_REQUEST, error.body_text()),
    };
    match known {
        Ok(known) => json(&known.iter().map(wire::FaultInfo::from).collect::<Vec<_>>()),
        Err(error) => refused(StatusCode::NOT_FOUND, error.to_string()),
    }
}

#[derive(Deserialize)]
pub(super) struct Follow {
    /// The last event that is known already.
    after: Option<u64>,
    /// `sse` or `ndjson`.
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Sse,
    Ndjson,
}

pub(super) async fn events(
    State(house): Door,
    query: Result<Query<Follow>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Query(Follow { after, format }) = match query {
        Ok(query) => query,
        Err(error) => return refused(StatusCode::BAD_REQUEST, error.body_text()),
    };
    let Ok(permit) = house.followers.clone().try_acquire_owned() else {
        return refused(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{FOLLOWERS} readers follow the events already"),
        );
    };
    // What a browser has read when its connection broke.
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let after = last.or(after).unwrap_or_else(|| house.history.last());
    let kind = match format {
        Format::Sse => "text/event-stream",
        Format::Ndjson => "application/x-ndjson",
    };
    let body = Body::from_stream(lines(
        house.history.clone().read(after),
        house.instance.root.clone(),
        format,
        permit,
    ));
    ([(CONTENT_TYPE, kind)], body).into_response()
}

fn lines(
    portions: impl Stream<Item = Portion> + Send + 'static,
    root: String,
    format: Format,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + 'static {
    portions.map(move |portion| {
        let _one_of_them = &permit;
        let mut text = String::new();
        let mut put = |seq: u64, json: &str| {
            match format {
                Format::Sse => text.extend(["id: ", &seq.to_string(), "\ndata: ", json, "\n\n"]),
                Format::Ndjson => text.extend([json, "\n"]),
            };
        };
        match portion {
            Portion::Lines(lines) => lines.iter().for_each(|line| put(line.seq, &line.json)),
            Portion::Missed { events, seq } => put(seq, &json_text(&wire::Event::missed(&root, seq, events))),
        }
        Ok(text.into())
    })
}
