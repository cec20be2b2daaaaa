//! What can be asked for, and what is answered.

mod acting;
mod looking;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use super::answers::{nothing, openapi, refused, wrong_method};
use super::guard::{Rate, Token, Way, may_ask};
use super::history::History;
use super::page;
use super::wire::Instance;
use crate::supervision::Tree;

/// What an action says is short.
const BODY: usize = 64 << 10;
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
        .route("/v1/inject", post(acting::inject))
        .route("/v1/restart", post(acting::restart))
        .route("/v1/stop", post(acting::stop))
        .route("/v1/pause", post(acting::pause))
        .route("/v1/resume", post(acting::resume))
        .route("/v1/drain", post(acting::drain))
        .layer(from_fn_with_state(house.clone(), may_act));
    Router::new()
        .route("/v1", get(looking::instance))
        .route("/v1/tree", get(looking::tree))
        .route("/v1/events", get(looking::events))
        .route("/v1/incidents", get(looking::incidents))
        .route("/v1/incidents/{id}", get(looking::incident))
        .route("/v1/faults", get(looking::faults))
        .route("/v1/extra/{name}", get(looking::extra))
        .route("/v1/record", get(looking::record))
        .route("/v1/openapi.json", get(openapi))
        .route("/metrics", get(looking::prometheus))
        .merge(actions)
        .merge(page::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state((house.token.clone(), way), may_ask))
        .with_state(house)
}

async fn may_act(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    if !house.instance.actions {
        return refused(
            StatusCode::FORBIDDEN,
            "this program allows to look, not to act; start it with --allow-actions, or have it call `Door::allow_actions`",
        );
    }
    if !house.actions.take() {
        return refused(StatusCode::TOO_MANY_REQUESTS, "too many actions at once; wait a moment");
    }
    next.run(request).await
}
