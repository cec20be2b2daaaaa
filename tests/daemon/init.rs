//! What an init system hears. The test is the init system.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::kit::Place;
use crate::latido::Running;

/// A notify socket, as systemd has one for each service.
pub struct Socket(UnixDatagram);

impl Socket {
    /// Tells `run` of it.
    pub fn at_path(place: &Place, run: &mut Command) -> Self {
        let path = place.path().join("notify");
        let _ = std::fs::remove_file(&path);
        run.env("NOTIFY_SOCKET", &path);
        Self::new(UnixDatagram::bind(path).unwrap())
    }

    pub fn abstract_name(run: &mut Command) -> Self {
        let name = format!("latido-test-{:016x}", fastrand::u64(..));
        run.env("NOTIFY_SOCKET", format!("@{name}"));
        Self::new(UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name).unwrap()).unwrap())
    }

    fn new(socket: UnixDatagram) -> Self {
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(socket)
    }

    /// The next message within a minute.
    #[track_caller]
    pub fn next(&self) -> String {
        let mut buffer = [0; 512];
        let length = self.0.recv(&mut buffer).expect("nothing was said");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// The next that is no sign of life.
    #[track_caller]
    pub fn next_word(&self) -> String {
        std::iter::repeat_with(|| self.next()).find(|said| said != "WATCHDOG=1").unwrap()
    }

    /// Waits until there was no sign of life for `limit`, as an init system does with its `WatchdogSec=`. Answers how many
    /// there were before.
    pub fn silence(&self, limit: Duration) -> usize {
        self.0.set_read_timeout(Some(limit)).unwrap();
        std::iter::repeat_with(|| self.0.recv(&mut [0; 512])).take(100).take_while(Result::is_ok).count()
    }
}

#[test]
fn an_init_system_hears_when_it_is_up_alive_reloading_and_stopping() {
    let place = Place::new();
    for is_abstract in [false, true] {
        let mut run = place.run(&[]);
        run.env("WATCHDOG_USEC", "30000000");
        let socket = match is_abstract {
            false => Socket::at_path(&place, &mut run),
            true => Socket::abstract_name(&mut run),
        };
        let running = Running::of(run);
        let ready = format!("READY=1\nMAINPID={}", running.pid());
        assert_eq!(socket.next_word(), ready);
        // Signs of life come with each beat.
        while socket.next() != "WATCHDOG=1" {}
        while socket.next() != "WATCHDOG=1" {}
        running.signal(Signal::SIGHUP);
        let reloading = socket.next_word();
        let since: u64 = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().parse().unwrap();
        assert!(since > 0);
        assert_eq!(socket.next_word(), ready);
        running.signal(Signal::SIGTERM);
        assert_eq!(socket.next_word(), "STOPPING=1");
        let ended = running.end().with_code(0);
        assert!(ended.stderr.contains("is up") && ended.stderr.contains("has ended"), "{}", ended.stderr);
    }
}

#[test]
fn without_a_watchdog_no_sign_of_life_is_sent() {
    let place = Place::new();
    // And one for another process is none.
    let mut run = place.run(&[]);
    run.env("WATCHDOG_USEC", "100000").env("WATCHDOG_PID", "1");
    let socket = Socket::at_path(&place, &mut run);
    let running = Running::of(run);
    assert!(socket.next().starts_with("READY=1"));
    crate::files::until(|| place.status()["beats"].as_array().unwrap().len() >= 3);
    running.signal(Signal::SIGTERM);
    assert_eq!(socket.next(), "STOPPING=1");
    running.end().with_code(0);
}

#[test]
fn a_start_from_within_a_service_does_not_speak_to_that_services_init_system() {
    let place = Place::new();
    let mut start = Command::new(crate::latido::BINARY);
    start.args(["daemon", "start", "--state"]).arg(place.state()).current_dir(place.path());
    let socket = Socket::at_path(&place, &mut start);
    assert!(start.output().unwrap().status.success());
    place.daemon("stop", &[]).with_code(0);
    // Both have ended, so what they have said is there.
    assert_eq!(socket.silence(Duration::from_millis(1)), 0);
}
