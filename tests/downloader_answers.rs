//! A downloader before whatever a server can say. `fuzz/` looks for more of that.
#![cfg(feature = "download")]
#![allow(unreachable_pub)]

#[path = "support/answer.rs"]
mod answer;
#[path = "support/variations.rs"]
mod variations;

#[test]
fn whatever_a_server_says_is_the_file_or_an_error_and_nothing_on_disk() {
    variations::try_all("answer", answer::answer);
}
