//! The children of a supervisor, as they come and go.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::node::Node;

/// Children by place, in starting order, and by id.
#[derive(Default)]
pub(crate) struct Roster {
    by_place: BTreeMap<usize, Arc<Node>>,
    places: HashMap<String, usize>,
    next: usize,
}

impl Roster {
    /// Adds a child at the end; `make` is told its place.
    pub(crate) fn add(&mut self, id: &str, make: impl FnOnce(usize) -> Arc<Node>) -> Arc<Node> {
        let place = self.next;
        let node = make(place);
        self.next += 1;
        self.by_place.insert(place, node.clone());
        self.places.insert(id.to_owned(), place);
        node
    }

    pub(crate) fn remove(&mut self, place: usize) -> Option<Arc<Node>> {
        let node = self.by_place.remove(&place)?;
        self.places.remove(node.path().name());
        Some(node)
    }

    pub(crate) fn at(&self, place: usize) -> Option<&Arc<Node>> {
        self.by_place.get(&place)
    }

    pub(crate) fn called(&self, id: &str) -> Option<&Arc<Node>> {
        self.at(*self.places.get(id)?)
    }

    /// In starting order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, &Arc<Node>)> {
        self.by_place.iter().map(|(&place, node)| (place, node))
    }
}
