//! The one HTTP client of a process, with everything switched off that could make one call into two, or a call to the
//! shop into a call to somewhere else.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::redirect;

use crate::guard::{self, AddressPolicy, CheckedResolver, Found};

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolving, connecting and TLS together.
    pub connect: Duration,
    /// The whole call, to the last byte of the answer.
    pub total: Duration,
    /// How long an unused connection is kept. Short: shops close them without a word, and a request that goes out on
    /// a dead connection leaves open whether it arrived.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(25), idle: Duration::from_secs(10) }
    }
}

/// The HTTP client could not be built: the machine has no usable TLS roots.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: are the system's TLS root certificates installed?")]
pub struct HttpClientError(#[source] reqwest::Error);

/// Builds the HTTP client for [`Client`](crate::Client). Call it once in a process and clone the result: each build
/// reads the system's TLS roots, and clones share connections.
///
/// No redirects (an API that redirects is at another address, and the token must not follow), no proxies from the
/// environment, no retries, only addresses that pass the policy, and https alone unless the policy opens loopback.
pub fn http_client(policy: &AddressPolicy, timeouts: &Timeouts) -> Result<reqwest::Client, HttpClientError> {
    http_client_looking_up(policy, timeouts, guard::system)
}

/// The same with names looked up by `look_up`, which is asked once for each connection that is opened; its ports are not
/// used. For names that a machine's own resolver does not know, or knows too steadily.
pub fn http_client_looking_up(
    policy: &AddressPolicy,
    timeouts: &Timeouts,
    look_up: impl Fn(String) -> Found + Send + Sync + 'static,
) -> Result<reqwest::Client, HttpClientError> {
    renkei_http::builder()
        .user_agent(concat!("renkei-ecforce/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(CheckedResolver::new(policy.clone(), look_up))
        .https_only(!policy.opens_loopback())
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        .pool_idle_timeout(timeouts.idle)
        .pool_max_idle_per_host(1)
        .build()
        .map_err(HttpClientError)
}

/// An HTTP client that the first call builds: reading the system's TLS roots is a good part of a short process's start, and
/// many that could call a shop never do. Clones share it.
#[derive(Clone, Debug)]
pub struct LateHttp {
    policy: AddressPolicy,
    timeouts: Timeouts,
    built: Arc<OnceLock<reqwest::Client>>,
}

impl LateHttp {
    /// One that [`http_client`] will build of these.
    #[must_use]
    pub fn new(policy: AddressPolicy, timeouts: Timeouts) -> Self {
        Self { policy, timeouts, built: Arc::default() }
    }

    /// The client, built now if it was not before.
    pub fn client(&self) -> Result<&reqwest::Client, HttpClientError> {
        if let Some(built) = self.built.get() {
            return Ok(built);
        }
        let built = http_client(&self.policy, &self.timeouts)?;
        Ok(self.built.get_or_init(|| built))
    }
}
