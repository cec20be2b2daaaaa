//! What may be done to a tree from outside.

use axum::http::StatusCode;

use super::wire::{Done, Inject};
use crate::fault::{FaultError, Injection};
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
            Self::Tree(TreeError::UnknownFault { .. } | TreeError::Fault(_)) => StatusCode::BAD_REQUEST,
            Self::Tree(_) | Self::Admin(AdminError::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::Admin(_) => StatusCode::CONFLICT,
        }
    }
}

pub(super) fn inject(tree: &Tree, Inject { path, fault, at_message }: &Inject) -> Result<Done, Error> {
    let injection = match at_message {
        None => fault.parse::<Injection>()?,
        Some(0) => return Err(Error::Message),
        Some(n) if fault.contains('@') => format!("{fault},{n}").parse()?,
        Some(n) => format!("{fault}@{n}").parse()?,
    };
    Ok(Done { children: tree.inject(path, injection)? })
}

/// Has the child's messages wait.
pub(super) async fn pause(tree: Tree, path: String) -> Result<Done, Error> {
    tree.pause(&path)?;
    Ok(Done { children: 1 })
}

/// Lets them flow again.
pub(super) async fn resume(tree: Tree, path: String) -> Result<Done, Error> {
    tree.resume(&path)?;
    Ok(Done { children: 1 })
}

/// Has the child handle what is queued and take nothing new, and stops it then. It is answered when that is done.
pub(super) async fn drain(tree: Tree, path: String) -> Result<Done, Error> {
    tree.drain(&path).await?;
    Ok(Done { children: 1 })
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
