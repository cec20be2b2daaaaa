//! The page for browsers: files that hold no data. They are given to whoever can name this machine; what they then ask
//! for needs the token.

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::get;

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

macro_rules! files {
    ($($path:literal $kind:ident $file:literal,)*) => {
        &[$(($path, $kind, include_str!(concat!("page/", $file))),)*]
    };
}

const FILES: &[(&str, &str, &str)] = files! {
    "/" HTML "index.html",
    "/page/style.css" STYLE "style.css",
    "/page/frame.css" STYLE "frame.css",
    "/page/tree.css" STYLE "tree.css",
    "/page/stories.css" STYLE "stories.css",
    "/page/times.css" STYLE "times.css",
    "/page/small.css" STYLE "small.css",
    "/page/icon.svg" PICTURE "icon.svg",
    "/page/app.js" SCRIPT "app.js",
    "/page/breaking.js" SCRIPT "breaking.js",
    "/page/charts.js" SCRIPT "charts.js",
    "/page/dom.js" SCRIPT "dom.js",
    "/page/door.js" SCRIPT "door.js",
    "/page/faults.js" SCRIPT "faults.js",
    "/page/format.js" SCRIPT "format.js",
    "/page/happenings.js" SCRIPT "happenings.js",
    "/page/head.js" SCRIPT "head.js",
    "/page/incidents.js" SCRIPT "incidents.js",
    "/page/jobs.js" SCRIPT "jobs.js",
    "/page/live.js" SCRIPT "live.js",
    "/page/log.js" SCRIPT "log.js",
    "/page/part.js" SCRIPT "part.js",
    "/page/picture.js" SCRIPT "picture.js",
    "/page/record.js" SCRIPT "record.js",
    "/page/rows.js" SCRIPT "rows.js",
    "/page/series.js" SCRIPT "series.js",
    "/page/source.js" SCRIPT "source.js",
    "/page/speak.js" SCRIPT "speak.js",
    "/page/story.js" SCRIPT "story.js",
    "/page/timeline.js" SCRIPT "timeline.js",
    "/page/tree.js" SCRIPT "tree.js",
    "/page/verdict.js" SCRIPT "verdict.js",
};

/// Nothing but these files runs there or is shown, nothing is asked of anybody else, and no other page shows it.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether this is one of the page's files.
pub(super) fn has(path: &str) -> bool {
    FILES.iter().any(|(known, ..)| *known == path)
}

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, &(path, kind, text)| {
        router.route(path, get(async move || (headers(kind), text)))
    })
}

fn headers(kind: &'static str) -> HeaderMap {
    let name = HeaderName::from_static;
    [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (name("cross-origin-opener-policy"), "same-origin"),
        (name("cross-origin-resource-policy"), "same-origin"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
    .into_iter()
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_page_is_served_and_asks_for_none_that_is_not() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/control/page");
        let there: BTreeSet<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !matches!(&**name, "index.html" | "package.json"))
            .collect();
        let served: BTreeSet<_> = FILES
            .iter()
            .filter_map(|(path, ..)| path.strip_prefix("/page/"))
            .map(ToOwned::to_owned)
            .collect();
        assert_eq!(there, served);
        for (path, kind, text) in FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT) {
            let asked = text.split("from \"./").skip(1).filter_map(|rest| rest.split_once('"'));
            for (name, _) in asked {
                assert!(has(&format!("/page/{name}")), "{path} ({kind}) asks for {name}");
            }
        }
    }

    #[test]
    fn the_page_holds_no_script_and_no_style_of_its_own() {
        let (.., html) = FILES[0];
        for word in ["<style", "style=", "onclick", "onload", "javascript:", "//cdn", "https:"] {
            assert!(!html.contains(word), "{word}");
        }
        assert_eq!(html.matches("<script").count(), html.matches("<script type=\"module\" src=").count());
    }
}
