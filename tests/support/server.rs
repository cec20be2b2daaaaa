//! An HTTP server that breaks the wire on demand. It knows no HTTP beyond the end of a request's head: what it
//! sends is written out by the test, byte by byte, so it can say what no proper server would.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, oneshot};

const TLS_HANDSHAKE: u8 = 0x16;
/// A request that has not come by then never will.
const LIMIT: Duration = Duration::from_secs(60);
/// So many repetitions make a flood.
const FLOOD: usize = 1000;

/// One thing done to a connection. After the last of a list the next request is read from it.
#[derive(Clone, Debug)]
pub enum Step {
    Send(Vec<u8>),
    /// Sends it byte by byte, each in a packet of its own.
    Drip(Vec<u8>),
    /// Sends the same again and again until the client goes away.
    Flood(Vec<u8>),
    /// Sends 500 bytes one at a time, a pause after each.
    Trickle,
    /// Ends the connection in good order (FIN).
    Close,
    /// Ends it in bad order (RST).
    Reset,
    /// Says nothing more until the client goes away.
    Stall,
    /// Says nothing more until the server has got so many requests in all.
    Until(usize),
}

#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub head: String,
    /// Which it is of all; counted from 1.
    pub number: usize,
    /// Which connection it came on, and which request it is there; both counted from 1. There may be more connections than
    /// were needed: a client opens one while another is about to be free.
    pub connection: usize,
    pub nth: usize,
}

pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    answer: Box<Answer>,
    requests: Mutex<Vec<Request>>,
    requested: Condvar,
    came: Notify,
    stalls: Semaphore,
}

type Answer = dyn Fn(&Request) -> Vec<Step> + Send + Sync;

impl Server {
    /// Starts one on a free loopback port; `answer` says what to do for each request.
    pub fn start(answer: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            requests: Mutex::default(),
            requested: Condvar::new(),
            came: Notify::new(),
            stalls: Semaphore::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let serving = shared.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = serve(TcpListener::from_std(listener).unwrap(), serving) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The same, as if the server had a certificate.
    pub fn https_url(&self, path: &str) -> String {
        format!("https://{}/{path}", self.address)
    }

    /// The requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Blocks until so many requests have come.
    pub fn wait_for_requests(&self, count: usize) {
        let requests = self.shared.requests.lock().unwrap();
        let few = |requests: &mut Vec<Request>| requests.len() < count;
        let (requests, timeout) = self.shared.requested.wait_timeout_while(requests, LIMIT, few).unwrap();
        let came = requests.len();
        drop(requests);
        assert!(!timeout.timed_out(), "{came} requests came, not {count}");
    }

    /// Waits until one more connection stalls, or is flooded.
    pub async fn stalled(&self) {
        self.shared.stalls.acquire().await.unwrap().forget();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().unwrap().join().is_err() && !std::thread::panicking() {
            panic!("the server panicked");
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    for connection in 1.. {
        let (stream, _) = listener.accept().await.unwrap();
        // What goes wrong on one connection is what the test is about.
        tokio::spawn(converse(stream, connection, shared.clone()));
    }
}

async fn converse(mut stream: TcpStream, connection: usize, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for nth in 1.. {
        let Some(head) = read_head(&mut stream).await? else {
            return Ok(());
        };
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        let request = {
            let mut requests = shared.requests.lock().unwrap();
            let request = Request { path, head, number: requests.len() + 1, connection, nth };
            requests.push(request.clone());
            request
        };
        shared.requested.notify_all();
        shared.came.notify_waiters();
        for step in (shared.answer)(&request) {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes).await?,
                Step::Drip(bytes) => {
                    for byte in bytes {
                        stream.write_all(&[byte]).await?;
                        tokio::task::yield_now().await;
                    }
                }
                Step::Flood(bytes) => {
                    for _ in 0..FLOOD {
                        stream.write_all(&bytes).await?;
                    }
                    shared.stalls.add_permits(1);
                    loop {
                        stream.write_all(&bytes).await?;
                    }
                }
                Step::Trickle => {
                    for _ in 0..500 {
                        stream.write_all(b"x").await?;
                        // The slowness is the subject.
                        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    }
                }
                Step::Close => return Ok(()),
                Step::Reset => return stream.set_zero_linger(),
                Step::Until(count) => loop {
                    let came = shared.came.notified();
                    if shared.requests.lock().unwrap().len() >= count {
                        break;
                    }
                    came.await;
                },
                Step::Stall => {
                    shared.stalls.add_permits(1);
                    while stream.read(&mut [0; 64]).await? > 0 {}
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Reads up to the empty line. `None` when the client closes instead.
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    // A client that begins a TLS handshake waits for an answer, and sends no empty line.
    while !head.ends_with(b"\r\n\r\n") && head != [TLS_HANDSHAKE] {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

/// A status line, the headers given, and an empty line.
pub fn head(status: &str, headers: &[(&str, &str)]) -> Step {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    Step::Send(format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes())
}

pub fn send(bytes: impl Into<Vec<u8>>) -> Step {
    Step::Send(bytes.into())
}

/// A whole and proper answer.
pub fn ok(body: impl AsRef<[u8]>) -> Vec<Step> {
    vec![Step::Send(whole(body))]
}

/// The bytes of a whole and proper answer.
pub fn whole(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
