//! Posting one line to a webhook. Its address is a secret, and was typed by a person: it is guarded as shops' addresses
//! are, and never shown.

use std::time::Duration;

use renkei_ecforce::{AddressPolicy, LateHttp, Timeouts};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::{Host, Url};

/// A chat answers at once, or is not waited for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// What a chat shows of one message without folding it.
const LONGEST: usize = 3_000;
/// No address of a webhook is longer.
const LONGEST_ADDRESS: usize = 1_000;

/// Where to post. Prints nothing of itself.
#[derive(Debug, Clone)]
pub struct WebhookAddress(SecretString);

/// Why a webhook cannot be used. Permanent: somebody has to mend it.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Neither https, nor this machine on a local stack; or an address inside a network.
    #[error("the webhook must be an https address of a public host")]
    Address,
    /// The ranges of addresses cannot be read.
    #[error("RENKEI_ALLOWED_SHOP_ADDRESSES is not a list of address ranges: correct the deployment's template")]
    Ranges,
}

/// Why something was not posted. Passing, unless the address is no good any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TellError {
    /// No answer. The reason is left out, for it would quote the address.
    #[error("the webhook did not answer")]
    NoAnswer,
    /// Another answer than that it is taken.
    #[error("the webhook answered {0}: is it still valid?")]
    Status(u16),
}

/// What posts.
pub struct Messenger {
    http: LateHttp,
    policy: AddressPolicy,
}

impl Messenger {
    /// One that reaches public addresses, and these ranges.
    pub fn new(allowed: &str) -> Result<Self, WebhookError> {
        let policy: AddressPolicy = allowed.parse().map_err(|_| WebhookError::Ranges)?;
        let timeouts = Timeouts { total: ANSWERS_WITHIN, ..Timeouts::default() };
        Ok(Self { http: LateHttp::new(policy.clone(), timeouts), policy })
    }

    /// Checks what a person typed. Names are checked once more when they are resolved.
    pub fn address(&self, typed: &str) -> Result<WebhookAddress, WebhookError> {
        let typed = typed.trim();
        if typed.len() > LONGEST_ADDRESS {
            return Err(WebhookError::Address);
        }
        let url = Url::parse(typed).map_err(|_| WebhookError::Address)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookError::Address);
        }
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(WebhookError::Address),
        };
        let allowed = literal.is_none_or(|ip| self.policy.check(ip).is_ok());
        // Plain http only to what a local stack opens, which is no public address.
        let own =
            literal.is_some_and(|ip| self.policy.check(ip).is_ok() && AddressPolicy::public_only().check(ip).is_err());
        match url.scheme() {
            "https" if allowed => Ok(WebhookAddress(typed.into())),
            "http" if own => Ok(WebhookAddress(typed.into())),
            _ => Err(WebhookError::Address),
        }
    }

    /// Posts a text, without what chats carry out.
    pub async fn post(&self, to: &WebhookAddress, text: &str) -> Result<(), TellError> {
        let text: String = text.chars().map(plain).take(LONGEST).collect();
        let http = self.http.client().map_err(|error| {
            tracing::error!(%error, "nothing can be posted");
            TellError::NoAnswer
        })?;
        let sent = http.post(to.0.expose_secret()).json(&json!({ "text": text })).send().await;
        let status = sent.map_err(|_| TellError::NoAnswer)?.status();
        if status.is_success() { Ok(()) } else { Err(TellError::Status(status.as_u16())) }
    }
}

impl WebhookAddress {
    /// For the one place that keeps it.
    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// Slack reads `<…>` as a link or as a call to everybody, and other controls have no place in a line.
fn plain(c: char) -> char {
    match c {
        '<' => '‹',
        '>' => '›',
        '\n' => '\n',
        c if c.is_control() => ' ',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken(url: &str, allowed: &str) -> bool {
        Messenger::new(allowed).unwrap().address(url).is_ok()
    }

    #[test]
    fn only_public_hosts_over_https_are_told() {
        assert!(is_taken("https://hooks.chat.example/services/T0/B0/secret", ""));
        for url in [
            "http://hooks.chat.example/x",
            "https://127.0.0.1/x",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://0x7f.1/",
            "https://user:pass@hooks.chat.example/",
            "ftp://hooks.chat.example/",
            "file:///etc/passwd",
            "none",
            "",
            "x",
        ] {
            assert!(!is_taken(url, ""), "{url}");
        }
        assert!(!is_taken(&format!("https://hooks.chat.example/{}", "x".repeat(LONGEST_ADDRESS)), ""));
        let local = "127.0.0.0/8";
        assert!(is_taken("http://127.0.0.1:9000/hook", local));
        assert!(!is_taken("http://hooks.chat.example/", local));
        assert!(!is_taken("http://169.254.169.254/", local));
    }

    #[test]
    fn nothing_shows_the_address() {
        let messenger = Messenger::new("127.0.0.0/8").unwrap();
        let error = messenger.address("http://hooks.chat.example/canary").unwrap_err();
        let address = messenger.address("https://hooks.chat.example/canary").unwrap();
        assert!(!format!("{error} {error:?} {address:?}").contains("canary"));
    }
}
