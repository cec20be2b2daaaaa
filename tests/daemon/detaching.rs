//! What a daemon has of the shell that started it: nothing.

use std::fs;
use std::process::Command;

use crate::kit::Place;
use crate::latido::BINARY;

#[test]
fn nothing_of_the_shell_is_kept() {
    let place = Place::new();
    let mut shell = Command::new("sh");
    let script = "umask 077; exec 5< /etc/hostname 7> leak 9>> leak; exec \"$@\"";
    shell.args(["-c", script, "sh", BINARY, "daemon", "start", "--state"]).arg(place.state());
    // Returns when everybody has closed its standard streams, so the daemon has.
    let ended = shell.current_dir(place.path()).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let pid = place.status()["pid"].as_u64().unwrap();
    let proc = |what: &str| format!("/proc/{pid}/{what}");

    let stat = fs::read_to_string(proc("stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let [_, parent, group, session, terminal, ..] = fields[..] else { panic!("{stat}") };
    assert_ne!(parent, std::process::id().to_string());
    assert_eq!((group, session), (&*pid.to_string(), &*pid.to_string()));
    assert_eq!(terminal, "0");
    assert_eq!(fs::read_link(proc("cwd")).unwrap().to_str(), Some("/"));
    let status = fs::read_to_string(proc("status")).unwrap();
    assert!(status.contains("Umask:\t0022\n"), "{status}");

    let open: Vec<_> = fs::read_dir(proc("fd")).unwrap().flatten().collect();
    let leads_to =
        |fd: &fs::DirEntry| fs::read_link(fd.path()).unwrap_or_default().to_string_lossy().into_owned();
    let mut open: Vec<(u32, String)> =
        open.iter().map(|fd| (fd.file_name().to_str().unwrap().parse().unwrap(), leads_to(fd))).collect();
    open.sort();
    let log = place.state().join("daemon.log").to_str().unwrap().to_owned();
    let (standard, others) = open.split_at(3);
    assert_eq!(standard, [(0, "/dev/null".to_owned()), (1, log.clone()), (2, log)]);
    let state = place.state().to_str().unwrap().to_owned();
    for (fd, to) in others {
        let is_own = to.starts_with(&state) || to.starts_with("socket:") || to.starts_with("anon_inode:");
        assert!(is_own, "{fd} is open, and leads to {to}");
    }
}
