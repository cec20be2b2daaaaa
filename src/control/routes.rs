//! What can be asked for, and what is answered.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::guard::{self, Rate, Token, Way};
use super::history::{History, Portion};
use super::wire::{self, Done, Instance, Refused, Target};
use super::{actions, metrics, page};
use crate::fault::Fault;
use crate::supervision::Tree;

/// What an action says is short.
const BODY: usize = 64 << 10;
/// How long it may take to say it.
const SPEAKING: Duration = Duration::from_secs(10);
/// How many may follow the events at the same time.
const FOLLOWERS: usize = 32;
/// How many actions there may be at once, and a second.
const ACTIONS: (u32, u32) = (50, 20);

/// Anything that the program has to show beside its tree.
pub(super) type Extra = (String, Arc<dyn Fn() -> serde_json::Value + Send + Sync>);

pub(super) struct House {
    pub(super) tree: Tree,
    pub(super) history: Arc<History>,
    pub(super) instance: Instance,
    pub(super) token: Token,
    pub(super) extras: Vec<Extra>,
    followers: Arc<Semaphore>,
    actions: Rate,
}

type Door = State<Arc<House>>;

impl House {
    pub(super) fn new(
        tree: Tree,
        history: Arc<History>,
        instance: Instance,
        token: Token,
        extras: Vec<Extra>,
    ) -> Self {
        let followers = Arc::new(Semaphore::new(FOLLOWERS));
        Self { tree, history, instance, token, extras, followers, actions: Rate::new(ACTIONS.0, ACTIONS.1) }
    }
}

pub(super) fn router(house: Arc<House>, way: Way) -> Router {
    let actions = Router::new()
        .route("/v1/inject", post(inject))
        .route("/v1/restart", post(restart))
        .route("/v1/stop", post(stop))
        .route("/v1/pause", post(pause))
        .route("/v1/resume", post(resume))
        .route("/v1/drain", post(drain))
        .layer(from_fn_with_state(house.clone(), may_act));
    Router::new()
        .route("/v1", get(instance))
        .route("/v1/tree", get(tree))
        .route("/v1/events", get(events))
        .route("/v1/incidents", get(incidents))
        .route("/v1/incidents/{id}", get(incident))
        .route("/v1/faults", get(faults))
        .route("/v1/extra/{name}", get(extra))
        .route("/v1/openapi.json", get(openapi))
        .route("/metrics", get(prometheus))
        .merge(actions)
        .merge(page::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state((house.clone(), way), may_ask))
        .with_state(house)
}

// ===== who may =====

async fn may_ask(State((house, way)): State<(Arc<House>, Way)>, request: Request, next: Next) -> Response {
    let is_page = page::has(request.uri().path());
    let mut response = match guard::check(way, request.headers(), &house.token, is_page) {
        Ok(()) => next.run(request).await,
        Err((status, why)) => refused(status, why),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

async fn may_act(State(house): Door, request: Request, next: Next) -> Response {
    if !house.instance.actions {
        return refused(
            StatusCode::FORBIDDEN,
            "this program allows to look, not to act; start it so that it does",
        );
    }
    if !house.actions.take() {
        return refused(StatusCode::TOO_MANY_REQUESTS, "too many actions at once; wait a moment");
    }
    next.run(request).await
}

// ===== looking =====

async fn instance(State(house): Door) -> Response {
    json(&house.instance)
}

async fn tree(State(house): Door) -> Response {
    json(&wire::Tree::of(&house.tree, house.history.last()))
}

async fn prometheus(State(house): Door) -> Response {
    let tree = wire::Tree::of(&house.tree, house.history.last());
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::text(&tree)).into_response()
}

async fn incidents(State(house): Door) -> Response {
    let incidents: Vec<_> = house.tree.incidents().iter().map(wire::Incident::from).collect();
    json(&incidents)
}

async fn incident(State(house): Door, Path(id): Path<String>) -> Response {
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

async fn extra(State(house): Door, Path(name): Path<String>) -> Response {
    match house.extras.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => json(&value()),
        None => refused(StatusCode::NOT_FOUND, format!("this program has no {name:?} to show")),
    }
}

#[derive(Deserialize)]
struct Whose {
    path: Option<String>,
}

async fn faults(
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

async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

#[derive(Deserialize)]
struct Follow {
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

async fn events(
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

// ===== acting =====

async fn inject(State(house): Door, body: Body) -> Response {
    match read(body).await {
        Ok(inject) => done(actions::inject(&house.tree, &inject)),
        Err(refusal) => refusal,
    }
}

async fn restart(State(house): Door, body: Body) -> Response {
    act(house, body, actions::restart).await
}

async fn stop(State(house): Door, body: Body) -> Response {
    act(house, body, actions::stop).await
}

async fn pause(State(house): Door, body: Body) -> Response {
    act(house, body, actions::pause).await
}

async fn resume(State(house): Door, body: Body) -> Response {
    act(house, body, actions::resume).await
}

async fn drain(State(house): Door, body: Body) -> Response {
    act(house, body, actions::drain).await
}

async fn act<F>(house: Arc<House>, body: Body, action: fn(Tree, String) -> F) -> Response
where
    F: Future<Output = Result<Done, actions::Error>> + Send + 'static,
{
    let Target { path } = match read(body).await {
        Ok(target) => target,
        Err(refusal) => return refusal,
    };
    // Whoever asked may go away; what was begun is not left half done.
    match tokio::spawn(action(house.tree.clone(), path)).await {
        Ok(result) => done(result),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Response> {
    let bytes = tokio::time::timeout(SPEAKING, axum::body::to_bytes(body, BODY)).await;
    let bytes = match bytes {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, "that is more than 64 KiB, or it broke off"));
        }
        Err(_) => return Err(refused(StatusCode::REQUEST_TIMEOUT, "the request did not come to its end")),
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        refused(StatusCode::BAD_REQUEST, format!("the body is not what is asked for: {error}"))
    })
}

fn done(result: Result<Done, actions::Error>) -> Response {
    match result {
        Ok(done) => json(&done),
        Err(error) => refused(error.status(), error.to_string()),
    }
}

// ===== answers =====

async fn nothing() -> Response {
    refused(StatusCode::NOT_FOUND, "there is nothing here; /v1/openapi.json says what there is")
}

async fn wrong_method() -> Response {
    refused(StatusCode::METHOD_NOT_ALLOWED, "GET to look, POST to act")
}

fn json(value: &impl Serialize) -> Response {
    ([(CONTENT_TYPE, "application/json")], json_text(value)).into_response()
}

fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it has no maps and no bytes")
}

fn refused(status: StatusCode, why: impl Into<String>) -> Response {
    let mut response = json(&Refused { error: why.into() });
    *response.status_mut() = status;
    response
}
