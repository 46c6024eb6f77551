//! The connections over which AWS is called: HTTP/1 with *ring*'s TLS, shared by all clients of a function.
//!
//! The SDK's own connector speaks HTTP/2 as well, and cannot be had without: that is in the program three times (for AWS,
//! for shops, for Lambda's runtime, which all know it once one of them does), a quarter of a megabyte of each package that
//! nobody uses. This one is the same client of hyper's, told what to do at the few places where the SDK asks its connector.

use std::sync::LazyLock;
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

/// The longest that making a connection may take, until TLS begins on it.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Connections for all clients of a function together. Left alone, each client brings connections of its own, and each
/// reads all roots that the machine trusts when it is made; these read them once, for the first call.
pub(crate) fn shared() -> SharedHttpClient {
    let connections = LazyLock::new(|| SharedHttpConnector::new(Connections(client())));
    http_client_fn(move |_, _| SharedHttpConnector::clone(&connections))
}

#[derive(Debug)]
struct Connections(Client<HttpsConnector<Tcp>, SdkBody>);

fn client() -> Client<HttpsConnector<Tcp>, SdkBody> {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_WITHIN));
    let https = HttpsConnectorBuilder::new().with_tls_config(tls()).https_or_http().enable_http1().wrap_connector(tcp);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https)
}

/// Trusts what the machine trusts. Where that is nothing, a call over TLS fails and says so; a local stack needs none.
fn tls() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
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
        let sent = self.0.request(request);
        HttpConnectorFuture::new(async move {
            // Whatever it was, the next attempt may have an answer. How long one may take, the SDK sees to itself.
            let answer = sent.await.map_err(|error| ConnectorError::io(error.into()))?;
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
