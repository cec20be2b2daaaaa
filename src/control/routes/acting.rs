//! What is done for those who may act.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::{BODY, House};
use crate::control::actions;
use crate::control::answers::{json, refused};
use crate::control::wire::{Done, Target};
use crate::supervision::Tree;

/// How long it may take to say what is to be done.
const SPEAKING: Duration = Duration::from_secs(10);

type Door = State<Arc<House>>;

pub(super) async fn inject(State(house): Door, body: Body) -> Response {
    match read(body).await {
        Ok(inject) => done(actions::inject(&house.tree, &inject)),
        Err(refusal) => refusal,
    }
}

pub(super) async fn restart(State(house): Door, body: Body) -> Response {
    act(house, body, actions::restart).await
}

pub(super) async fn stop(State(house): Door, body: Body) -> Response {
    act(house, body, actions::stop).await
}

pub(super) async fn pause(State(house): Door, body: Body) -> Response {
    act(house, body, actions::pause).await
}

pub(super) async fn resume(State(house): Door, body: Body) -> Response {
    act(house, body, actions::resume).await
}

pub(super) async fn drain(State(house): Door, body: Body) -> Response {
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
