//! What the tests share: a client for a shop on this machine, and shops that misbehave below HTTP.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use renkei_ecforce::{AddressPolicy, ApiAddress, Client, Timeouts, Token, http_client};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub const ORDERS: &str = include_str!("../fixtures/orders.json");

pub fn token() -> Token {
    Token::parse(&"tok-123".to_owned().into()).unwrap()
}

/// A client for a shop on this machine; generous time-outs, so that a busy machine fails no test.
pub fn client(uri: &str) -> Client {
    client_within(uri, Duration::from_secs(20))
}

pub fn client_within(uri: &str, total: Duration) -> Client {
    let policy = AddressPolicy::with_loopback();
    let timeouts = Timeouts { total, ..Timeouts::default() };
    Client::new(http_client(&policy, &timeouts).unwrap(), ApiAddress::parse(uri, &policy).unwrap())
}

/// A shop that writes bytes of its own choosing. Counts the requests that reached it.
pub struct RawShop {
    pub uri: String,
    requests: Arc<AtomicUsize>,
}

impl RawShop {
    /// Answers the n-th request (from 0) by `answer(n)`; after an answer the connection stays open if it says so.
    pub async fn start(answer: fn(usize) -> Answer) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&count), answer));
            }
        });
        Self { uri, requests }
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

pub enum Answer {
    /// These bytes, then wait for the next request on the same connection.
    KeepOpen(String),
    /// These bytes, then close.
    Close(String),
    /// These bytes, then nothing more, without closing.
    Hang(String),
    /// These bytes, and this chunk again and again for as long as someone reads.
    Endless(String, String),
}

async fn serve(mut stream: TcpStream, count: Arc<AtomicUsize>, answer: fn(usize) -> Answer) {
    while read_request(&mut stream).await {
        match answer(count.fetch_add(1, Ordering::SeqCst)) {
            Answer::KeepOpen(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap(),
            Answer::Close(bytes) => {
                let _ = stream.write_all(bytes.as_bytes()).await;
                return;
            }
            Answer::Hang(bytes) => {
                let _ = stream.write_all(bytes.as_bytes()).await;
                std::future::pending::<()>().await;
            }
            Answer::Endless(head, chunk) => {
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(chunk.as_bytes()).await.is_ok() {}
                return;
            }
        }
    }
}

/// Reads one request with its body; false when the connection ends.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return true;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(n) => seen.extend_from_slice(&buffer[..n]),
        }
    }
}
