//! A shop, reached through its gate.
//!
//! Nothing calls a shop but through a [`Session`]: it holds the gate for one run, so that calls to one shop never
//! overlap; each of its calls is counted and paced by the gate before it is made; and it knows the token, so that
//! signing in, which a shop bears five times an hour, is shared by everything that talks to the shop.
//!
//! In the order's way this stands between the functions and `ecforce`: fetch-orders, push-statuses and their kin open a
//! session, say what they have to say in the shop's words, and leave.

pub mod diagnosis;
pub mod error;
pub mod order;
pub mod robot;
mod session;
pub mod together;
mod token;
pub mod wiring;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use renkei_domain::gate::GateRules;
use renkei_domain::settings::Connection;
use renkei_ecforce::{AddressPolicy, ApiAddress, Client, LateHttp, Timeouts, Token};
use renkei_platform::secrets::ConnectionSecrets;

pub use error::ShopError;
pub use session::{Session, SessionRequest};

/// What sessions share in one process: HTTP connections, secrets, and the tokens known so far.
#[derive(Clone)]
pub struct Shops {
    http: LateHttp,
    policy: AddressPolicy,
    secrets: ConnectionSecrets,
    service_email: String,
    tokens: Arc<Mutex<HashMap<token::Of, Token>>>,
}

impl Shops {
    /// Over these secrets. `allowed_addresses` are the address ranges besides public ones in which shops may live: none
    /// in a cloud, loopback on a local stack. `service_email` signs in where a connection names no address of its own.
    pub fn new(
        secrets: ConnectionSecrets,
        allowed_addresses: &str,
        service_email: String,
    ) -> Result<Self, error::ShopsError> {
        Self::with_timeouts(secrets, allowed_addresses, service_email, &Timeouts::default())
    }

    /// The same, for whoever cannot wait as long as a robot.
    pub fn with_timeouts(
        secrets: ConnectionSecrets,
        allowed_addresses: &str,
        service_email: String,
        timeouts: &Timeouts,
    ) -> Result<Self, error::ShopsError> {
        let policy: AddressPolicy = allowed_addresses.parse()?;
        let http = LateHttp::new(policy.clone(), *timeouts);
        Ok(Self { http, policy, secrets, service_email, tokens: Arc::default() })
    }

    /// The address that signs in where a connection names none of its own: merchants register it at their shop.
    #[must_use]
    pub fn service_email(&self) -> &str {
        &self.service_email
    }

    fn client(&self, connection: &Connection) -> Result<Client, ShopError> {
        let address = ApiAddress::parse(&connection.api_url, &self.policy)?;
        Ok(Client::new(self.http.client()?.clone(), address))
    }
}

/// The gate's rules for a connection, as its settings have them.
#[must_use]
pub fn gate_rules(connection: &Connection) -> GateRules {
    let mut rules = GateRules::new(connection.daily_call_limit);
    rules.interval = connection.call_interval();
    rules
}

/// A granted call must begin this soon after it was asked for, so that it is over within the gate's lease.
const BEGIN_WITHIN: Duration = Duration::from_secs(30);
