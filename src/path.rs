//! Where a child stands in its tree: `app/workers/fetch`.

use std::fmt;
use std::sync::Arc;

/// The name of a child from the root down, its parts joined by `/`. Cheap to clone.
///
/// ```
/// use latido::TreePath;
///
/// let path = TreePath::root("app").join("workers").join("fetch");
/// assert_eq!(path, "app/workers/fetch");
/// assert_eq!(path.name(), "fetch");
/// assert_eq!(path.parent().unwrap(), "app/workers");
/// assert!(path.matches("app/*/fetch") && path.matches("app/**") && !path.matches("app/*"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TreePath(Arc<str>);

impl TreePath {
    /// The path of a tree's root.
    pub fn root(name: &str) -> Self {
        Self(name.into())
    }

    /// The path of the child `name` below this one.
    pub fn join(&self, name: &str) -> Self {
        Self(format!("{}/{name}", self.0).into())
    }

    /// The last part: the child's own id.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The supervisor's path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.into()))
    }

    /// How many supervisors stand above.
    pub fn depth(&self) -> usize {
        self.0.matches('/').count()
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the path fits a glob: `*` stands for any part of one name, `**` for any number of names.
    /// A pattern that is no valid glob matches only itself.
    pub fn matches(&self, pattern: &str) -> bool {
        let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
        match glob::Pattern::new(pattern) {
            Ok(glob) => glob.matches_with(&self.0, options),
            Err(_) => *self == pattern,
        }
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq<str> for TreePath {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for TreePath {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}
