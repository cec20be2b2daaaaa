//! What may be done to a tree from outside.

use axum::http::StatusCode;

use super::wire::{Done, Inject};
use crate::fault::{Fault, FaultError, When};
use crate::supervision::{AdminError, Tree, TreeError};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Fault(#[from] FaultError),
    #[error("messages are counted from 1")]
    Message,
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Admin(#[from] AdminError),
}

impl Error {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Fault(_) | Self::Message => StatusCode::BAD_REQUEST,
            Self::Tree(_) | Self::Admin(AdminError::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::Admin(_) => StatusCode::CONFLICT,
        }
    }
}

pub(super) fn inject(tree: &Tree, Inject { path, fault, at_message }: &Inject) -> Result<Done, Error> {
    let fault: Fault = fault.parse()?;
    let when = match at_message {
        None => When::Now,
        Some(0) => return Err(Error::Message),
        Some(n) => When::Message(*n),
    };
    Ok(Done { children: tree.inject_when(path, fault, when)? })
}

/// Stops a child by its shutdown rule, if it runs, and starts it again. It costs its supervisor none of its restarts.
pub(super) async fn restart(tree: Tree, path: String) -> Result<Done, Error> {
    tree.terminate_child(&path).await?;
    tree.restart_child(&path).await?;
    Ok(Done { children: 1 })
}

/// Stops a child by its shutdown rule; it stays down until it is restarted.
pub(super) async fn stop(tree: Tree, path: String) -> Result<Done, Error> {
    tree.terminate_child(&path).await?;
    Ok(Done { children: 1 })
}
