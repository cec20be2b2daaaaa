//! A web server to download from where there is no network: files made up from a seed, served on loopback.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::stream::{self, Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};

pub(crate) use super::mishap::{Mishap, Mishaps};

/// Large enough to be cheap, small enough that a slow file still moves. The content depends on it: the
/// generator is asked for this much at a time.
const CHUNK: usize = 64 * 1024;

/// Files that exist only as the seed of their bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Corpus {
    files: Vec<File>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: [u8; 32],
    seed: u64,
}

impl Corpus {
    /// One file for each size, the same for the same seed. Computes every byte once, for the digests.
    pub(crate) fn new(seed: u64, sizes: impl IntoIterator<Item = u64>) -> Self {
        let mut seeds = fastrand::Rng::with_seed(seed);
        let files = sizes.into_iter().enumerate().map(|(i, bytes)| {
            let seed = seeds.u64(..);
            let mut sha256 = Sha256::new();
            content(seed, bytes).for_each(|chunk| sha256.update(&chunk));
            File { name: format!("file-{i:04}.bin"), bytes, sha256: sha256.finalize().into(), seed }
        });
        Self { files: files.collect() }
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }
}

/// The bytes of a file, a chunk at a time.
fn content(seed: u64, bytes: u64) -> impl Iterator<Item = Bytes> + Send {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut left = bytes;
    std::iter::from_fn(move || {
        let length = left.min(CHUNK as u64);
        left -= length;
        (length > 0).then(|| {
            let mut chunk = vec![0; length as usize];
            random.fill(&mut chunk);
            Bytes::from(chunk)
        })
    })
}

/// A running server. It ends when dropped, and with it every response under way.
#[derive(Debug)]
pub(crate) struct Origin {
    address: SocketAddr,
    mishaps: Mishaps,
    /// So many files are served; the others wait.
    open: watch::Sender<usize>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Served {
    corpus: Arc<Corpus>,
    bytes_per_second: Option<u64>,
    mishaps: Mishaps,
    open: watch::Receiver<usize>,
}

impl Origin {
    /// Serves `corpus` on a free loopback port, each response no faster than `bytes_per_second`. It has a
    /// thread and a runtime of its own: it stands for another machine, which does not stop when an arbiter of
    /// this one is blocked.
    pub(crate) fn start(corpus: Corpus, bytes_per_second: Option<u64>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mishaps = Mishaps::default();
        let (open, is_open) = watch::channel(usize::MAX);
        let served =
            Served { corpus: Arc::new(corpus), bytes_per_second, mishaps: mishaps.clone(), open: is_open };
        let router = Router::new().route("/{name}", get(serve_file)).with_state(served);
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::select! {
                ended = axum::serve(listener, router) => ended,
                _ = stopped => Ok(()),
            }
        };
        let thread = thread::Builder::new().name("origin".into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve) {
                log::error!("the demo's server ended: {error}");
            }
        })?;
        Ok(Self { address, mishaps, open, stop: Some(stop), thread: Some(thread) })
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// Serves the first so many files, and has who asks for another one wait.
    pub(crate) fn open(&self, files: usize) {
        self.open.send_replace(files);
    }

    /// What is to go wrong with it.
    pub(crate) fn mishaps(&self) -> &Mishaps {
        &self.mishaps
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the demo's server panicked");
        }
    }
}

async fn serve_file(State(served): State<Served>, Path(name): Path<String>) -> Response {
    let Some((place, file)) = served.corpus.files().iter().enumerate().find(|(_, file)| file.name == name)
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // When nobody can open it any more, the server ends.
    let _ = served.open.clone().wait_for(|open| place < *open).await;
    let headers = [
        (header::CONTENT_LENGTH, file.bytes.to_string()),
        (header::ETAG, format!("\"{:016x}-{:x}\"", file.seed, file.bytes)),
    ];
    let chunks = paced(content(file.seed, file.bytes), served.bytes_per_second).map(Ok::<_, Infallible>);
    match served.mishaps.next(&name) {
        None => (headers, Body::from_stream(chunks)).into_response(),
        Some(Mishap::Refuse) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(mishap) => (headers, Body::from_stream(mishap.spoil(chunks))).into_response(),
    }
}

/// Lets each chunk out when the bytes before it have had their time.
fn paced(
    chunks: impl Iterator<Item = Bytes> + Send,
    bytes_per_second: Option<u64>,
) -> impl Stream<Item = Bytes> + Send {
    let start = Instant::now();
    stream::iter(chunks)
        .scan(0, move |sent, chunk| {
            let before = *sent;
            *sent += chunk.len() as u64;
            std::future::ready(Some((before, chunk)))
        })
        .then(move |(before, chunk)| async move {
            if let Some(rate) = bytes_per_second {
                sleep_until(start + Duration::from_secs_f64(before as f64 / rate.max(1) as f64)).await;
            }
            chunk
        })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    const SIZES: [u64; 4] = [0, 1, CHUNK as u64, 3 * CHUNK as u64 + 17];

    #[test]
    fn a_seed_says_it_all() {
        assert_eq!(Corpus::new(7, SIZES), Corpus::new(7, SIZES));
        assert_ne!(Corpus::new(7, SIZES), Corpus::new(8, SIZES));
        let files = Corpus::new(7, [1000, 1000]).files;
        assert_ne!(files[0].sha256, files[1].sha256);
    }

    fn get(origin: &Origin, name: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(origin.address).unwrap();
        write!(stream, "GET /{name} HTTP/1.1\r\nhost: origin\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let body = answer.split_off(end);
        (String::from_utf8(answer).unwrap(), body)
    }

    #[test]
    fn what_is_served_has_the_digest_and_the_length() {
        let corpus = Corpus::new(7, SIZES);
        let origin = Origin::start(corpus.clone(), None).unwrap();
        for file in corpus.files() {
            let (head, body) = get(&origin, &file.name);
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
            assert!(head.contains(&format!("content-length: {}\r\n", file.bytes)), "{head}");
            assert!(head.contains("etag: \""), "{head}");
            assert_eq!(<[u8; 32]>::from(Sha256::digest(&body)), file.sha256, "{}", file.name);
        }
        assert!(get(&origin, "no-such-file").0.starts_with("HTTP/1.1 404 "));
    }

    #[test]
    fn a_mishap_befalls_the_next_answers_and_no_other() {
        let corpus = Corpus::new(7, SIZES);
        let origin = Origin::start(corpus.clone(), None).unwrap();
        let file = &corpus.files()[3];
        let right = get(&origin, &file.name).1;
        for mishap in [Mishap::Corrupt, Mishap::Cut, Mishap::Refuse] {
            origin.mishaps().plan(mishap, 1);
            let (head, body) = get(&origin, &file.name);
            match mishap {
                Mishap::Corrupt => {
                    assert_eq!(body.len(), right.len());
                    assert_eq!(body.iter().zip(&right).filter(|(is, was)| is != was).count(), 1);
                }
                Mishap::Refuse => assert!(head.starts_with("HTTP/1.1 503 "), "{head}"),
                _ => assert!(head.starts_with("HTTP/1.1 200 ") && body.len() < right.len()),
            }
            assert_eq!(get(&origin, &file.name).1, right, "{mishap:?}");
        }
        assert_eq!((origin.mishaps().left(), origin.mishaps().done().len()), (0, 3));
    }

    #[test]
    fn a_rate_holds_the_bytes_back_and_an_end_cuts_them_off() {
        let corpus = Corpus::new(7, [2 * CHUNK as u64]);
        // The second chunk is due in 18 hours.
        let origin = Origin::start(corpus.clone(), Some(1)).unwrap();
        let mut stream = TcpStream::connect(origin.address).unwrap();
        write!(stream, "GET /{} HTTP/1.1\r\nhost: origin\r\n\r\n", corpus.files()[0].name).unwrap();
        let mut first = vec![0; CHUNK];
        stream.read_exact(&mut first).unwrap();
        drop(origin);
        let mut rest = Vec::new();
        // However the cut shows, the second chunk never comes.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.len() < CHUNK);
    }
}
