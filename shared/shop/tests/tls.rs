//! TLS as functions do it, towards shops and towards AWS: who can show a certificate for the name that was asked for, from
//! an authority that the machine trusts, is told a token and a question, and nobody else is told anything.
//!
//! Which authorities a process trusts is read once, from what `SSL_CERT_FILE` names. So the calls are made by a process of
//! their own, which is this program again, with a made-up authority; what reached the servers is counted here.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_ecforce::{AddressPolicy, ApiAddress, Client, OrderQuery, Timeouts, Token, http_client};
use renkei_platform::secrets::ConnectionSecrets;
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion, version};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Names the server to the process that calls it.
const PORT: &str = "RENKEI_TEST_TLS_PORT";

type Authority = CertifiedIssuer<'static, KeyPair>;

/// An authority that nobody but the callers of this test knows.
fn authority(name: &str) -> Authority {
    let mut wanted = CertificateParams::new(Vec::new()).unwrap();
    wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    wanted.distinguished_name.push(rcgen::DnType::CommonName, name);
    Authority::self_signed(wanted, KeyPair::generate().unwrap()).unwrap()
}

/// A server that speaks https, and what is behind it.
struct Server {
    port: u16,
    behind: MockServer,
}

impl Server {
    /// With a certificate for this name, valid from 2020 to the end of a year, speaking one version of TLS.
    async fn start(of: &Authority, name: &str, year: i32, version: &'static SupportedProtocolVersion) -> Self {
        let behind = MockServer::start().await;
        // One body for both: a shop reads `data`, AWS the secret.
        let secret = json!({ "v": 1, "token": "tok-123" }).to_string();
        let body = json!({ "data": [], "SecretString": secret, "VersionId": "v" });
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&behind).await;

        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new([name.to_owned()]).unwrap();
        (wanted.not_before, wanted.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 12, 31));
        let chain = vec![wanted.signed_by(&key, of).unwrap().der().clone()];
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let (port, plain) = (listener.local_addr().unwrap().port(), *behind.address());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut asked = acceptor.accept(stream).await?;
                    let mut answers = TcpStream::connect(plain).await?;
                    copy_bidirectional(&mut asked, &mut answers).await
                });
            }
        });
        Self { port, behind }
    }

    /// What became of a call as to a shop and of one as to AWS, made by a process that trusts this authority; and how many
    /// requests came through.
    async fn called(&self, trusted: &Authority) -> (String, usize) {
        let roots = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{}.pem", self.port));
        std::fs::write(&roots, trusted.pem()).unwrap();
        let mut caller = Command::new(std::env::current_exe().unwrap());
        caller.args(["--exact", "calls_as_functions_make_them", "--ignored", "--nocapture"]);
        caller.env(PORT, self.port.to_string()).env("SSL_CERT_FILE", &roots).env_remove("SSL_CERT_DIR");
        let output = tokio::task::spawn_blocking(move || caller.output()).await.unwrap().unwrap();
        std::fs::remove_file(roots).unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let said: Vec<&str> =
            said.lines().filter(|line| line.starts_with("shop: ") || line.starts_with("AWS: ")).collect();
        (said.join("; "), self.behind.received_requests().await.unwrap().len())
    }
}

#[tokio::test]
#[ignore = "run by the other test of this file, in a process of its own"]
async fn calls_as_functions_make_them() {
    let host = format!("https://localhost:{}", std::env::var(PORT).unwrap());
    let policy = AddressPolicy::with_loopback();
    let http = http_client(&policy, &Timeouts::default()).unwrap();
    let shop = Client::new(http, ApiAddress::parse(&host, &policy).unwrap());
    let token = Token::parse(&"tok-123".to_owned().into()).unwrap();
    match shop.orders(&token, &OrderQuery::new()).await {
        Ok(page) => println!("shop: {} orders", page.orders.len()),
        Err(error) => println!("shop: {error}"),
    }

    let config = renkei_platform::aws::of_variables(|name| match name {
        "AWS_REGION" => Some("ap-northeast-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        "AWS_ENDPOINT_URL" => Some(host.clone()),
        _ => None,
    })
    .unwrap();
    let secrets = ConnectionSecrets::new(&config, "renkei/stack/");
    let (tenant, connection) = (TenantId::parse("hanako").unwrap(), ConnectionId::parse("main").unwrap());
    match secrets.credentials(&tenant, &connection, &host).await {
        Ok(_) => println!("AWS: a secret"),
        Err(error) => println!("AWS: {error}"),
    }
}

#[tokio::test]
async fn who_has_a_trusted_certificate_for_the_name_is_spoken_to_and_nobody_else() {
    let (ours, strange) = (authority("ours"), authority("a stranger"));
    for version in [&version::TLS13, &version::TLS12] {
        let good = Server::start(&ours, "localhost", 2100, version).await;
        assert_eq!(good.called(&ours).await, ("shop: 0 orders; AWS: a secret".to_owned(), 2), "{version:?}");
    }
    let refused = async |issued_by: &Authority, name: &str, until: i32, of: &str| {
        let bad = Server::start(issued_by, name, until, &version::TLS13).await;
        let (said, came_through) = bad.called(&ours).await;
        assert_eq!(came_through, 0, "a certificate of {of} was taken: {said}");
        assert!(said.contains("shop: no connection to localhost: "), "{of}: {said}");
        assert!(said.contains("AWS: ") && !said.contains("AWS: a secret"), "{of}: {said}");
    };
    // At once: an AWS that cannot be reached is asked again and again.
    tokio::join!(
        refused(&strange, "localhost", 2100, "an authority that nobody trusts"),
        refused(&ours, "shop.example", 2100, "another name"),
        refused(&ours, "localhost", 2021, "a time that is over"),
    );
}
