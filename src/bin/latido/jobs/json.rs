//! A job in a line for programs. `docs/json.md` says what each field means.

use std::borrow::Cow;

use latido::actors::downloader::redacted;
use serde::Serialize;

use crate::fetch::job::Job;
use crate::view::SCHEMA;

#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    id: i64,
    state: &'a str,
    path: String,
    urls: Vec<Cow<'a, str>>,
    tries: u32,
    bytes: Option<u64>,
    wanted: Option<String>,
    checksum: Option<String>,
    cause: Option<String>,
    error: Option<&'a str>,
    output: Option<&'a str>,
}

/// `action`: what was done about it; the rest is as it was before.
pub(super) fn line(job: &Job, action: Option<&str>) -> String {
    let line = Line {
        schema: SCHEMA,
        action,
        id: job.id,
        state: job.stage.name(),
        path: job.request.target.to_string_lossy().into_owned(),
        urls: job.request.urls().map(redacted).collect(),
        tries: job.failed_tries(),
        bytes: job.digest.as_ref().map(|_| job.bytes),
        wanted: job.request.checksum.as_ref().map(|checksum| checksum.to_string()),
        checksum: job.digest.as_ref().map(|digest| digest.to_string()),
        cause: job.error.as_ref().map(|error| error.cause.to_string()),
        error: job.error.as_ref().map(|error| &*error.text),
        output: job.output.as_deref(),
    };
    serde_json::to_string(&line).expect("texts and numbers are always json")
}
