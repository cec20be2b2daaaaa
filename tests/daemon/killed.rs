//! SIGKILL, again and again, in the middle of the work.

use nix::sys::signal::Signal;

use crate::files::{Files, names_in, until};
use crate::kit::{Place, signal};

#[test]
fn two_hundred_files_outlive_a_daemon_that_is_killed_again_and_again() {
    let place = Place::new();
    let files = Files::some(200);
    let server = files.serve();
    std::fs::write(place.path().join("list"), files.list(&server)).unwrap();
    place.add(&["-i", "list"]).with_code(0);
    let mut kills = 0;
    let mut pid = place.start(&["--", "-j", "4"]);
    for asked in [5, 25, 60, 100, 140, 180] {
        server.wait_for_requests(asked);
        signal(pid, Signal::SIGKILL);
        kills += 1;
        if place.files().exists() {
            files.assert_none_wrong_in(&place.files());
        }
        pid = place.start(&["--", "-j", "4"]);
    }
    until(|| place.status()["jobs"]["done"] == 200);
    files.assert_all_in(&place.files());
    assert_eq!(names_in(&place.files()).len(), 200, "after {kills} kills nothing else is there");
    assert_eq!(names_in(&place.inbox()), [""; 0]);
}
