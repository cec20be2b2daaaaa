//! Whatever a server says, as bytes on the wire: a fetch of that ends with the file that was said, or with an error and
//! nothing on disk.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use actix::prelude::*;
use latido::actors::downloader::{Downloader, Fetch, FetchError};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// What was fetched: its bytes, how many it was said to be, and its digest.
type Body = (Vec<u8>, u64, Option<[u8; 32]>);

/// A server that says what it is told to, and a downloader beside it.
struct Scene {
    answer: Arc<Mutex<Vec<u8>>>,
    fetch: UnboundedSender<mpsc::Sender<Result<Body, FetchError>>>,
    dir: PathBuf,
}

static SCENE: LazyLock<Mutex<Scene>> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::<Mutex<Vec<u8>>>::default();
    let said = answer.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let said = said.clone();
            // One for each: a client may open a connection that it then has no use for.
            thread::spawn(move || say(stream.unwrap(), &said));
        }
    });
    let (fetch, mut fetches) = unbounded_channel::<mpsc::Sender<_>>();
    let dir = tempfile::tempdir().unwrap().keep();
    let target = dir.join("file");
    thread::spawn(move || {
        actix::System::new().block_on(async move {
            let downloader = Downloader::default().start();
            while let Some(reply) = fetches.recv().await {
                let _ = reply.send(fetched(&downloader, address, target.clone()).await);
            }
        });
    });
    Mutex::new(Scene { answer, fetch, dir })
});

fn say(mut stream: TcpStream, answer: &Mutex<Vec<u8>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let answer = answer.lock().unwrap().clone();
    // A client that has heard enough hangs up.
    let _ = stream.write_all(&answer);
}

async fn fetched(
    downloader: &Addr<Downloader>,
    address: SocketAddr,
    target: PathBuf,
) -> Result<Body, FetchError> {
    let fetch = Fetch::new(format!("http://{address}/file"), target).sha256();
    let fetched = downloader.send(fetch).await.expect("the downloader lives")?;
    let bytes = fs::read(fetched.part()).unwrap();
    Ok((bytes, fetched.bytes(), fetched.sha256().map(|sha256| sha256.0)))
}

pub fn answer(data: &[u8]) {
    let head = data.to_ascii_lowercase();
    let says = |word: &str| head.windows(word.len()).any(|part| part == word.as_bytes());
    // A redirect would lead to servers that are not ours.
    if says("location") {
        return;
    }
    let scene = SCENE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    *scene.answer.lock().unwrap() = data.to_owned();
    let (reply, replied) = mpsc::channel();
    scene.fetch.send(reply).unwrap();
    let fetched = replied.recv().expect("a downloader answers");
    assert_eq!(fs::read_dir(&scene.dir).unwrap().count(), 0, "something is left: {fetched:?}");
    let Ok((bytes, count, sha256)) = fetched else { return };
    assert_eq!(bytes.len() as u64, count);
    assert_eq!(sha256, Some(Sha256::digest(&bytes).into()));
    // What came in one piece is that piece; chunks are put together.
    if !says("transfer-encoding") {
        let is_there = bytes.is_empty() || data.windows(bytes.len()).any(|piece| piece == bytes);
        assert!(is_there, "{} is not what was said", bytes.escape_ascii());
        assert!(says("200"), "no success was said");
    }
}
