//! What the console is told by its deployment: what both of its functions need, and what only that of the day's work does.
//!
//! | variable | is |
//! |---|---|
//! | `RENKEI_CONSOLE_URL` | where people find the console, without a slash at its end |
//! | `RENKEI_SESSIONS_TABLE` | table of sessions |
//! | `RENKEI_SIGN_IN_DISCOVERY` | address of the provider's discovery document |
//! | `RENKEI_SIGN_IN_ISSUER` | the issuer that its identity tokens must name |
//! | `RENKEI_SIGN_IN_CLIENT` | the console's client id there |
//! | `RENKEI_WAREHOUSE_URL` | where warehouses and webhooks call |
//! | `RENKEI_DEAD_LETTERS` | queues, over which robots are started too, with their dead letters: name, URL, and URL of the dead letters, with commas between queues |
//! | `RENKEI_SIGN_OUT_URL` | where the provider's own session is ended, or `none` |

use renkei_platform::Config;
use renkei_platform::config::ConfigError;
use renkei_setup::dead_letters::{DeadQueue, QUEUES};
use renkei_store::Tables;
use url::{Host, Url};

const URL: &str = "RENKEI_CONSOLE_URL";
const SESSIONS_TABLE: &str = "RENKEI_SESSIONS_TABLE";
const DISCOVERY: &str = "RENKEI_SIGN_IN_DISCOVERY";
const ISSUER: &str = "RENKEI_SIGN_IN_ISSUER";
const CLIENT: &str = "RENKEI_SIGN_IN_CLIENT";
const WAREHOUSE: &str = "RENKEI_WAREHOUSE_URL";
const DEAD_LETTERS: &str = "RENKEI_DEAD_LETTERS";
const SIGN_OUT: &str = "RENKEI_SIGN_OUT_URL";

/// Where people find the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    base: String,
    is_https: bool,
}

impl PublicUrl {
    /// Takes an https address, or plain http of the loopback: nothing else keeps a session's cookie to itself.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_loopback = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let is_https = url.scheme() == "https";
        let fits = (is_https || (url.scheme() == "http" && is_loopback))
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.path().bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-.".contains(&b));
        fits.then(|| Self {
            origin: url.origin().ascii_serialization(),
            base: url.path().trim_end_matches('/').to_owned(),
            is_https,
        })
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path that all of the console's own begin with; empty, or with a slash at its beginning and none at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Is it reached by https? Cookies are then `__Host-…` and `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The whole address of one of the console's paths.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.base)
    }
}

/// The provider that people sign in at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Address of its discovery document.
    pub discovery: String,
    /// The issuer that its identity tokens must name. A setting of its own: a provider behind another address may still
    /// name its first one.
    pub issuer: String,
    /// The console's client id there.
    pub client: String,
    /// Where the provider's own session is ended.
    pub sign_out: Option<String>,
}

/// What both functions need.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// Where people find the console.
    pub url: PublicUrl,
    /// Tables of what is looked at and worked on.
    pub tables: Tables,
    /// Table of sessions.
    pub sessions_table: String,
}

/// What the pages of the day's work need besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyConfig {
    /// Where people sign in.
    pub provider: Provider,
    /// Where what a person wants to be looked at at a shop goes: the queue of sync-payments.
    pub hints_queue: String,
    /// Queues with their dead letters.
    pub queues: Vec<DeadQueue>,
    /// Where warehouses and webhooks call.
    pub warehouse_url: String,
}

/// Queues from `name URL URL,…`.
fn queues(text: &str) -> Option<Vec<DeadQueue>> {
    let queue = |text: &str| {
        let mut words = text.split_whitespace();
        let (named, url, dead_letters) = (words.next()?, words.next()?.to_owned(), words.next()?.to_owned());
        let name = QUEUES.into_iter().find(|name| *name == named)?;
        words.next().is_none().then_some(DeadQueue { name, url, dead_letters })
    };
    text.split(',').map(queue).collect()
}

fn malformed(name: &'static str, value: &str, wanted: &'static str) -> ConfigError {
    ConfigError::Malformed { name, value: value.to_owned(), wanted }
}

impl ConsoleConfig {
    /// From the deployment's variables.
    pub fn read(config: &Config) -> Result<Self, ConfigError> {
        let url = config.required(URL)?;
        Ok(Self {
            url: PublicUrl::parse(url)
                .ok_or_else(|| malformed(URL, url, "an https address (plain http only of this very machine)"))?,
            tables: Tables {
                shipments: config.shipments_table()?.to_owned(),
                robots: config.robots_table()?.to_owned(),
                gate: config.gate_table()?.to_owned(),
                runs: config.runs_table()?.to_owned(),
                stock: config.stock_table()?.to_owned(),
            },
            sessions_table: config.required(SESSIONS_TABLE)?.to_owned(),
        })
    }
}

impl DailyConfig {
    /// From the deployment's variables.
    pub fn read(config: &Config) -> Result<Self, ConfigError> {
        let discovery = config.required(DISCOVERY)?;
        // Tokens go there: the same rule as for the console's own address.
        if PublicUrl::parse(discovery).is_none() {
            return Err(malformed(DISCOVERY, discovery, "an https address (plain http only of this very machine)"));
        }
        let sign_out = config.required(SIGN_OUT)?;
        let dead_letters = config.required(DEAD_LETTERS)?;
        Ok(Self {
            provider: Provider {
                discovery: discovery.to_owned(),
                issuer: config.required(ISSUER)?.to_owned(),
                client: config.required(CLIENT)?.to_owned(),
                sign_out: (sign_out != "none").then(|| sign_out.to_owned()),
            },
            hints_queue: config.sync_payments_queue()?.to_owned(),
            queues: queues(dead_letters).ok_or_else(|| {
                malformed(DEAD_LETTERS, dead_letters, "`name URL URL` of each queue, with commas between")
            })?,
            warehouse_url: config.required(WAREHOUSE)?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_named_with_both_of_their_addresses() {
        let read = queues("fetch-orders https://q/f https://q/fd,import-orders https://q/i https://q/id").unwrap();
        let dead = DeadQueue { name: "import-orders", url: "https://q/i".into(), dead_letters: "https://q/id".into() };
        assert_eq!((read.len(), &read[1]), (2, &dead));
        for wrong in ["", "fetch-orders", "fetch-orders a", "fetch-orders a b c", "lost a b", "fetch-orders a b,"] {
            assert_eq!(queues(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        let local = PublicUrl::parse("http://127.0.0.1:4566/_aws/execute-api/abc/").unwrap();
        assert_eq!((local.origin(), local.base()), ("http://127.0.0.1:4566", "/_aws/execute-api/abc"));
        assert_eq!(local.at("/auth/callback"), "http://127.0.0.1:4566/_aws/execute-api/abc/auth/callback");
        let cloud = PublicUrl::parse("https://console.shop.example").unwrap();
        assert_eq!((cloud.base(), cloud.is_https()), ("", true));
        for wrong in [
            "http://console.shop.example",
            "http://127.0.0.1.evil.example/",
            "ftp://localhost/",
            "console",
            "https://a@b.example/",
            "https://b.example/?x",
            "https://b.example/\"<",
        ] {
            assert_eq!(PublicUrl::parse(wrong).map(|url| url.base), None, "{wrong}");
        }
    }
}
