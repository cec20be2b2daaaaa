//! The forms of an answer: of a running program's door and of a recording alike.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::wire::Refused;

pub(super) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

pub(super) async fn nothing() -> Response {
    refused(StatusCode::NOT_FOUND, "there is nothing here; /v1/openapi.json says what there is")
}

pub(super) async fn wrong_method() -> Response {
    refused(StatusCode::METHOD_NOT_ALLOWED, "GET to look, POST to act")
}

pub(super) fn json(value: &impl Serialize) -> Response {
    ([(CONTENT_TYPE, "application/json")], json_text(value)).into_response()
}

pub(super) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it has no maps and no bytes")
}

pub(super) fn refused(status: StatusCode, why: impl Into<String>) -> Response {
    let mut response = json(&Refused { error: why.into() });
    *response.status_mut() = status;
    response
}
