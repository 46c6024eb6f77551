//! The connections over which AWS is called: HTTP/1 with *ring*'s TLS, shared by all clients of a function.
//!
//! The SDK's own connector speaks HTTP/2 as well, and cannot be had without: that is in the program three times (for AWS,
//! for shops, for Lambda's runtime, which all know it once one of them does), a quarter of a megabyte of each package that
//! nobody uses. This one is the same client of hyper's, told what to do at the few places where the SDK asks its connector.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

/// Connections for all clients of a function together. Left alone, each client brings connections of its own, and each
/// reads all roots that the machine trusts when it is made; these read them once, for the first call.
pub(crate) fn shared() -> SharedHttpClient {
    // One for each pair of time-outs: a function has one, an operator's search for credentials others.
    let made: Mutex<Vec<(TimeOuts, SharedHttpConnector)>> = Mutex::default();
    http_client_fn(move |settings, _| {
        let wanted = (settings.connect_timeout(), settings.read_timeout());
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connections)) = made.iter().find(|(time_outs, _)| *time_outs == wanted) {
            return connections.clone();
        }
        let connections = SharedHttpConnector::new(Connections { client: client(wanted.0), read: wanted.1 });
        made.push((wanted, connections.clone()));
        connections
    })
}

/// For connecting, and for an answer's head; as the SDK's client wants them.
type TimeOuts = (Option<Duration>, Option<Duration>);

#[derive(Debug)]
struct Connections {
    client: Client<HttpsConnector<Tcp>, SdkBody>,
    read: Option<Duration>,
}

/// TCP has this long to be connected, shared among a name's addresses. Looking the name up and TLS come on top, within the time
/// that the SDK gives an attempt.
fn client(connect_within: Option<Duration>) -> Client<HttpsConnector<Tcp>, SdkBody> {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(connect_within);
    let https = HttpsConnectorBuilder::new().with_tls_config(tls()).https_or_http().enable_http1().wrap_connector(tcp);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https)
}

/// Trusts what the machine trusts. Where that is nothing, a call over TLS fails and says so; a local stack needs none.
fn tls() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let trusted = rustls_native_certs::load_native_certs();
    for error in trusted.errors {
        tracing::warn!(%error, "a certificate that the machine trusts could not be read");
    }
    roots.add_parsable_certificates(trusted.certs);
    ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("ring has what TLS 1.2 and 1.3 want")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

impl HttpConnector for Connections {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(wanted) = request.extensions().get::<CaptureSmithyConnection>() {
            wanted.set_connection_retriever(move || of_sdk(&connection));
        }
        let (sent, read) = (self.client.request(request), self.read);
        HttpConnectorFuture::new(async move {
            let answered = match read {
                None => sent.await,
                Some(within) => timeout(within, sent).await.map_err(|late| ConnectorError::timeout(late.into()))?,
            };
            // Whatever it was, the next attempt may have an answer. How long one may take, the SDK sees to itself.
            let answer = answered.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The connection as the SDK knows it, which has one closed over which an answer came that may be its machine's fault.
fn of_sdk(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    let proxied = connection.connection_metadata().as_ref()?.is_proxied();
    let connection = connection.clone();
    let close = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(proxied).poison_fn(close).build())
}
