//! Where alarms are posted. The address is a secret (who has it may write), and it was typed by a person: it is guarded as
//! shops' addresses are, and never shown.

use renkei_ecforce::{AddressPolicy, Timeouts, http_client};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::{Host, Url};

/// What the template writes where there is none.
const NONE: &str = "none";

/// A webhook that takes `{"text": …}`.
pub struct Webhook {
    http: reqwest::Client,
    url: Option<SecretString>,
}

/// Why the webhook cannot be used. Permanent: the deployment's parameter has to be mended.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Neither https, nor this machine on a local stack; or an address inside a network.
    #[error("the parameter NotificationsUrl must be an https address of a public host: correct it and deploy again")]
    Address,
    /// The ranges of addresses cannot be read.
    #[error("RENKEI_ALLOWED_SHOP_ADDRESSES is not a list of address ranges: correct the deployment's template")]
    Ranges,
    /// No HTTP client.
    #[error(transparent)]
    Http(#[from] renkei_ecforce::HttpClientError),
}

/// Why something was not posted. Passing: the topic delivers again.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// No answer. The reason is left out where it would quote the address.
    #[error("the webhook of NotificationsUrl did not answer")]
    NoAnswer,
    /// Another answer than that it is taken.
    #[error("the webhook of NotificationsUrl answered {0}: is it still valid?")]
    Status(u16),
}

impl Webhook {
    /// A webhook at this address; `none` posts nothing.
    pub fn new(url: &str, allowed: &str) -> Result<Self, WebhookError> {
        let policy: AddressPolicy = allowed.parse().map_err(|_| WebhookError::Ranges)?;
        let http = http_client(&policy, &Timeouts::default())?;
        let url = match url {
            NONE => None,
            url => {
                check(url, &policy)?;
                Some(SecretString::from(url))
            }
        };
        Ok(Self { http, url })
    }

    /// Posts one line.
    pub async fn post(&self, text: &str) -> Result<(), TellError> {
        let Some(url) = &self.url else { return Ok(()) };
        let sent = self.http.post(url.expose_secret()).json(&json!({ "text": text })).send().await;
        let status = sent.map_err(|_| TellError::NoAnswer)?.status();
        if status.is_success() { Ok(()) } else { Err(TellError::Status(status.as_u16())) }
    }
}

/// Names are checked once more when they are resolved.
fn check(url: &str, policy: &AddressPolicy) -> Result<(), WebhookError> {
    let url = Url::parse(url).map_err(|_| WebhookError::Address)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(WebhookError::Address);
    }
    let literal = match url.host() {
        Some(Host::Ipv4(ip)) => Some(ip.into()),
        Some(Host::Ipv6(ip)) => Some(ip.into()),
        Some(Host::Domain(_)) => None,
        None => return Err(WebhookError::Address),
    };
    let allowed = literal.is_none_or(|ip| policy.check(ip).is_ok());
    // Plain http only to what a local stack opens, which is no public address.
    let own = literal.is_some_and(|ip| policy.check(ip).is_ok() && AddressPolicy::public_only().check(ip).is_err());
    match url.scheme() {
        "https" if allowed => Ok(()),
        "http" if own => Ok(()),
        _ => Err(WebhookError::Address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken(url: &str, allowed: &str) -> bool {
        Webhook::new(url, allowed).is_ok()
    }

    #[test]
    fn only_public_hosts_over_https_are_told() {
        assert!(is_taken("https://hooks.chat.example/services/T0/B0/secret", ""));
        assert!(is_taken("none", ""));
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
            "x",
        ] {
            assert!(!is_taken(url, ""), "{url}");
        }
        let local = "127.0.0.0/8";
        assert!(is_taken("http://127.0.0.1:9000/hook", local));
        assert!(!is_taken("http://hooks.chat.example/", local));
        assert!(!is_taken("http://169.254.169.254/", local));
    }

    #[test]
    fn what_is_wrong_does_not_show_the_address() {
        let error = Webhook::new("http://hooks.chat.example/secret", "127.0.0.0/8").err().unwrap();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}
