//! The thread of a door, which answers while every arbiter of the tree is blocked; and that of a recording.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task;

use super::guard::Way;
use super::record::Recorder;
use super::routes::{House, router};

/// How many may be connected at the same time; more wait.
const CONNECTIONS: usize = 128;
/// How long a request may take to say what it wants.
const HEADERS: Duration = Duration::from_secs(10);
/// After what the system cannot accept, such as more files than it may open.
const PAUSE: Duration = Duration::from_millis(50);
/// How long those who are connected may take to read the rest, once the door closes.
const LAST_WORDS: Duration = Duration::from_millis(500);

pub(super) struct Listeners {
    pub(super) unix: UnixListener,
    pub(super) tcp: Option<TcpListener>,
}

/// Takes a socket that nobody else may write to.
pub(super) fn bind(socket: &Path) -> io::Result<UnixListener> {
    let unix = UnixListener::bind(socket).map_err(explain(format!("{socket:?} cannot be listened at")))?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    unix.set_nonblocking(true)?;
    Ok(unix)
}

/// Takes a port of the loopback interface.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let why = format!("{address} is open to other machines; take 127.0.0.1 or [::1], and a tunnel");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let tcp = TcpListener::bind(address).map_err(explain(format!("{address} cannot be listened at")))?;
    tcp.set_nonblocking(true)?;
    Ok(tcp)
}

fn explain(what: String) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// Runs until `closed`. Who follows the events reads the last of them: how a program ended is what they wait for.
pub(super) fn run(
    listeners: Listeners,
    house: Arc<House>,
    mut recorder: Option<Recorder>,
    closed: oneshot::Receiver<()>,
) -> io::Result<JoinHandle<()>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("latido-door".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::spawn(house.history.clone().keep());
            let guests = Guests::new();
            let mut entrances = Vec::new();
            if let Some(tcp) = listeners.tcp {
                entrances.push(guests.receive(tcp, router(house.clone(), Way::Tcp)));
            }
            let unix = tokio::net::UnixListener::from_std(listeners.unix)
                .expect("it does not block, and the runtime has I/O");
            let next = async move || Ok(unix.accept().await?.0);
            entrances.push(tokio::spawn(accept(guests.clone(), router(house.clone(), Way::Unix), next)));
            match &mut recorder {
                // Dropped is closed as well.
                None => drop(closed.await),
                Some(recorder) => tokio::select! {
                    () = recorder.keep() => {}
                    _ = closed => {}
                },
            }
            for entrance in entrances {
                entrance.abort();
                let _ = entrance.await;
            }
            house.history.end();
            if let Some(recorder) = &mut recorder {
                recorder.end();
            }
            guests.leave().await;
        });
    })
}

/// Serves what is no door until `closed`: on one port, and of no tree.
pub(super) fn run_apart(
    tcp: TcpListener,
    router: Router,
    closed: oneshot::Receiver<()>,
) -> io::Result<JoinHandle<()>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("latido-replay".to_owned()).spawn(move || {
        runtime.block_on(async {
            let guests = Guests::new();
            let entrance = guests.receive(tcp, router);
            let _ = closed.await;
            entrance.abort();
            let _ = entrance.await;
            guests.leave().await;
        });
    })
}

/// Those who are connected.
#[derive(Clone)]
struct Guests {
    free: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

impl Guests {
    fn new() -> Self {
        Self { free: Arc::new(Semaphore::new(CONNECTIONS)), closing: watch::Sender::new(false) }
    }

    /// Lets in who comes to this port.
    fn receive(&self, tcp: TcpListener, router: Router) -> task::JoinHandle<()> {
        let tcp = tokio::net::TcpListener::from_std(tcp).expect("it does not block, and the runtime has I/O");
        tokio::spawn(accept(self.clone(), router, async move || Ok(tcp.accept().await?.0)))
    }

    /// Lets them read what they were promised, for a while.
    async fn leave(self) {
        self.closing.send_replace(true);
        let all_gone = self.free.acquire_many(CONNECTIONS as u32);
        let _ = tokio::time::timeout(LAST_WORDS, all_gone).await;
    }
}

async fn accept<S>(guests: Guests, router: Router, next: impl AsyncFn() -> io::Result<S>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    loop {
        let Ok(permit) = guests.free.clone().acquire_owned().await else { return };
        match next().await {
            Ok(stream) => {
                drop(tokio::spawn(serve(stream, router.clone(), guests.closing.subscribe(), permit)))
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn serve<S>(
    stream: S,
    router: Router,
    mut closing: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    // Whoever breaks off is gone; nobody need be told.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closing.wait_for(|closing| *closing) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
