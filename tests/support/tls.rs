//! Servers behind TLS, with certificates that nobody but the tests trusts (see `tls/make.sh`), and a proxy.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Who has signed the servers' certificate.
pub const AUTHORITY: &[u8] = include_bytes!("tls/ca.pem");

/// Something that answers on a port, on a thread of its own.
pub struct Background {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Seen = Arc<Mutex<Vec<String>>>;

impl Background {
    fn start<F: Future<Output = Option<()>> + Send + 'static>(
        converse: impl Fn(TcpStream, Seen) -> F + Send + 'static,
    ) -> Self {
        // On all addresses of loopback: a certificate is not valid for each of them.
        let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let (stop, stopped) = oneshot::channel();
        let seen = Seen::default();
        let noting = seen.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let serve = async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(converse(stream, noting.clone()));
                }
            };
            runtime.block_on(async {
                tokio::select! {
                    () = serve => {}
                    _ = stopped => {}
                }
            });
        });
        Self { port, seen, stop: Some(stop), thread: Some(thread) }
    }

    /// Ends TLS, and goes on with this server in the clear.
    pub fn tls_before(server: SocketAddr) -> Self {
        let acceptor = acceptor(&[]);
        Self::start(move |stream, _| {
            let acceptor = acceptor.clone();
            async move {
                let mut inside = acceptor.accept(stream).await.ok()?;
                let mut server = TcpStream::connect(server).await.ok()?;
                copy_bidirectional(&mut inside, &mut server).await.ok().map(drop)
            }
        })
    }

    /// Offers HTTP/2 and HTTP/1.1, speaks HTTP/2 only, and answers each request with its path. It notes version and path.
    pub fn http2() -> Self {
        let acceptor = acceptor(&[b"h2", b"http/1.1"]);
        Self::start(move |stream, seen| {
            let acceptor = acceptor.clone();
            async move {
                let inside = TokioIo::new(acceptor.accept(stream).await.ok()?);
                seen.lock().unwrap().push("connection".to_owned());
                let answer = service_fn(move |request: Request<Incoming>| {
                    let path = request.uri().path().to_owned();
                    assert_eq!(request.version(), Version::HTTP_2);
                    seen.lock().unwrap().push(path.clone());
                    async move { Ok::<_, std::convert::Infallible>(Response::new(path)) }
                });
                let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                http2.serve_connection(inside, answer).await.ok()
            }
        })
    }

    /// A proxy that makes tunnels. It notes the heads of the requests.
    pub fn tunnels() -> Self {
        Self::start(|mut stream, seen| async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.ok()?);
            }
            let head = String::from_utf8(head).ok()?;
            let to = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
            seen.lock().unwrap().push(head);
            let mut server = TcpStream::connect(to?).await.ok()?;
            stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.ok()?;
            copy_bidirectional(&mut stream, &mut server).await.ok().map(drop)
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn https_url(&self, path: &str) -> String {
        format!("https://localhost:{}/{path}", self.port)
    }

    /// What it has noted.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().unwrap().join().is_err() && !std::thread::panicking() {
            panic!("the server panicked");
        }
    }
}

fn acceptor(protocols: &[&[u8]]) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config).into()
}
