//! Between the functions and AWS: a proxy that lets calls fail, and functions die, at points that the seed chooses.
//!
//! Every so manieth request of any function is struck. What a function was at when it made the request is the await at
//! which it dies: before AWS heard of it, or after AWS has carried it out and before the answer arrives. Nothing in the
//! functions knows of this.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use futures::stream;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpListener;

use crate::error::CliError;

/// No request of a function, and no answer to one, is larger.
const MOST_BYTES: usize = 64 << 20;
/// Requests between two strikes, at least and at most.
const APART: std::ops::Range<u64> = 15..90;

/// What may happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strike {
    /// The function dies; AWS hears nothing.
    DiesBefore,
    /// AWS carries it out, and the function dies before it hears so.
    DiesAfter,
    /// The line is cut before AWS hears of it.
    CutBefore,
    /// AWS carries it out, and the line is cut before the answer.
    CutAfter,
    /// Late.
    Late,
    /// 400, throttled; nothing is carried out.
    Throttled,
    /// 500; nothing is carried out.
    Failed,
    /// 500, although AWS carried it out.
    FailedAfter,
}

impl Strike {
    fn name(self) -> &'static str {
        match self {
            Self::DiesBefore => "died-before",
            Self::DiesAfter => "died-after",
            Self::CutBefore => "cut-before",
            Self::CutAfter => "cut-after",
            Self::Late => "late",
            Self::Throttled => "throttled",
            Self::Failed => "failed",
            Self::FailedAfter => "failed-after",
        }
    }
}

/// The proxy. It ends with the program.
#[derive(Clone)]
pub struct Proxy {
    /// Where functions find it.
    pub url: String,
    inner: Arc<Inner>,
}

struct Inner {
    upstream: String,
    port: u16,
    http: reqwest::Client,
    plan: Mutex<Plan>,
}

struct Plan {
    /// None while all is well.
    random: Option<fastrand::Rng>,
    until_next: u64,
    struck: BTreeMap<&'static str, u64>,
}

impl Proxy {
    /// Listens, and lets everything through to AWS at this port.
    pub async fn start(aws_port: u16) -> Result<Self, CliError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let http = renkei_http::builder().no_proxy().build();
        let inner = Arc::new(Inner {
            upstream: format!("http://127.0.0.1:{aws_port}"),
            port,
            http: http.map_err(|error| CliError::said(error.to_string()))?,
            plan: Mutex::new(Plan { random: None, until_next: 0, struck: BTreeMap::new() }),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        tokio::spawn(async move {
            // Ends with the program.
            drop(axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await);
        });
        Ok(Self { url: format!("http://127.0.0.1:{port}"), inner })
    }

    /// From now on it strikes.
    pub fn strike(&self, mut random: fastrand::Rng) {
        let mut plan = self.inner.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.until_next = random.u64(APART);
        plan.random = Some(random);
    }

    /// From now on all is well. Gives what was struck since it began.
    pub fn heal(&self) -> BTreeMap<&'static str, u64> {
        let mut plan = self.inner.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.random = None;
        std::mem::take(&mut plan.struck)
    }
}

impl Inner {
    /// What happens to the next request.
    fn next(&self) -> Option<Strike> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let random = plan.random.as_mut()?;
        let strike = match random.u8(..100) {
            0..12 => Strike::DiesBefore,
            12..30 => Strike::DiesAfter,
            30..42 => Strike::CutBefore,
            42..60 => Strike::CutAfter,
            60..72 => Strike::Late,
            72..84 => Strike::Throttled,
            84..92 => Strike::Failed,
            _ => Strike::FailedAfter,
        };
        let apart = random.u64(APART);
        if plan.until_next > 0 {
            plan.until_next -= 1;
            return None;
        }
        plan.until_next = apart;
        Some(strike)
    }

    fn struck(&self, strike: Strike) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        *plan.struck.entry(strike.name()).or_default() += 1;
    }

    async fn forward(&self, path: &str, method: reqwest::Method, headers: &HeaderMap, body: Bytes) -> Response<Body> {
        let mut request = self.http.request(method, format!("{}{path}", self.upstream)).body(body);
        for (name, value) in headers {
            if name != header::HOST && name != header::CONTENT_LENGTH && name != header::CONNECTION {
                request = request.header(name, value);
            }
        }
        let Ok(answer) = request.send().await else { return refusal(StatusCode::BAD_GATEWAY, "BadGateway") };
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if name != header::TRANSFER_ENCODING && name != header::CONTENT_LENGTH && name != header::CONNECTION {
                response = response.header(name, value);
            }
        }
        let Ok(bytes) = answer.bytes().await else { return refusal(StatusCode::BAD_GATEWAY, "BadGateway") };
        response.body(Body::from(bytes)).unwrap_or_default()
    }
}

async fn pass(
    State(proxy): State<Arc<Inner>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else { return Ok(cut()) };
    let strike = proxy.next();
    let forward = || proxy.forward(&path, parts.method.clone(), &parts.headers, body.clone());
    let Some(strike) = strike else { return Ok(forward().await) };
    proxy.struck(strike);
    Ok(match strike {
        Strike::DiesBefore => {
            die(peer.port(), proxy.port);
            cut()
        }
        Strike::DiesAfter => {
            drop(forward().await);
            die(peer.port(), proxy.port);
            cut()
        }
        Strike::CutBefore => cut(),
        Strike::CutAfter => {
            drop(forward().await);
            cut()
        }
        Strike::Late => {
            tokio::time::sleep(Duration::from_millis(700 + u64::from(peer.port()) % 1_500)).await;
            forward().await
        }
        Strike::Throttled => refusal(StatusCode::BAD_REQUEST, "ThrottlingException"),
        Strike::Failed => refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
        Strike::FailedAfter => {
            drop(forward().await);
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
        }
    })
}

/// An answer that never comes whole: the line is closed in the middle of it.
fn cut() -> Response<Body> {
    let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) });
    let mut response = Response::new(Body::from_stream(broken));
    response.headers_mut().insert(header::CONTENT_LENGTH, header::HeaderValue::from_static("512"));
    response
}

/// A refusal in the words of AWS's JSON protocols.
fn refusal(status: StatusCode, code: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!(
        r#"{{"__type":"com.amazonaws#{code}","message":"struck on purpose","Message":"struck on purpose"}}"#
    )));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert("x-amzn-errortype", header::HeaderValue::from_static(code));
    response
}

/// Kills the process at the other end of a connection, at once. Where a system does not show whose connection it is, the
/// line is merely cut.
fn die(peer: u16, port: u16) {
    if let Some(pid) = owner_of(peer, port).and_then(Pid::from_raw) {
        // Gone already is dead too.
        kill_process(pid, Signal::KILL).ok();
    }
}

/// The process that has this connection, by what Linux tells of sockets.
fn owner_of(peer: u16, port: u16) -> Option<i32> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let (local, remote) = (format!(":{peer:04X}"), format!(":{port:04X}"));
    let inode = table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.get(1)?.ends_with(&local) && fields.get(2)?.ends_with(&remote)).then(|| fields.get(9).copied())?
    })?;
    let socket = format!("socket:[{inode}]");
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let has = files
            .flatten()
            .any(|file| std::fs::read_link(file.path()).is_ok_and(|to| to.to_str() == Some(socket.as_str())));
        if has {
            // Only what says of itself that it is a function.
            let environment = std::fs::read(process.path().join("environ")).ok()?;
            let function =
                environment.split(|byte| *byte == 0).any(|line| line.starts_with(b"AWS_LAMBDA_FUNCTION_NAME="));
            return function.then_some(pid);
        }
    }
    None
}
