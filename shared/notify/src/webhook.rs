//! Posting one line to a webhook. Its address is a secret, and was typed by a person: it is guarded as shops' addresses
//! are, and never shown.

use std::time::Duration;

use jiff::Timestamp;
use renkei_ecforce::{AddressPolicy, LateHttp, Timeouts, retry_after};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::{Host, Url};

/// A chat answers at once, or is not waited for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// How often a message is posted again to a chat that had too many, and how long that is waited for in all: at the first
/// message, somebody in the console waits too.
const AGAIN: u8 = 2;
const PATIENCE: Duration = Duration::from_secs(15);
/// Too many requests.
const TOO_MANY: u16 = 429;
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
    /// Neither https on its usual port, nor this machine on a local stack; or an address inside a network.
    #[error("the webhook must be an https address of a public host, on port 443")]
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
        // Chats listen where https does; another port would be another service of that host, which nobody asks to be called.
        let is_usual = url.port().is_none() || own;
        match url.scheme() {
            "https" if allowed && is_usual => Ok(WebhookAddress(typed.into())),
            "http" if own => Ok(WebhookAddress(typed.into())),
            _ => Err(WebhookError::Address),
        }
    }

    /// Posts a text, without what chats carry out. A chat that had too many messages says when it takes the next: several
    /// alarms come at once.
    pub async fn post(&self, to: &WebhookAddress, text: &str) -> Result<(), TellError> {
        let text: String = text.chars().map(plain).take(LONGEST).collect();
        let http = self.http.client().map_err(|error| {
            tracing::error!(%error, "nothing can be posted");
            TellError::NoAnswer
        })?;
        let body = json!({ "text": text });
        let (mut again, mut patience) = (AGAIN, PATIENCE);
        loop {
            let sent = http.post(to.0.expose_secret()).json(&body).send().await;
            let answer = sent.map_err(|_| TellError::NoAnswer)?;
            let status = answer.status();
            if status.is_success() {
                return Ok(());
            }
            let later = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let wait = later.and_then(|value| retry_after(value, Timestamp::now()));
            match wait.filter(|wait| status.as_u16() == TOO_MANY && again > 0 && *wait <= patience) {
                Some(wait) => {
                    (again, patience) = (again - 1, patience.saturating_sub(wait));
                    tokio::time::sleep(wait).await;
                }
                None => return Err(TellError::Status(status.as_u16())),
            }
        }
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
    use wiremock::matchers::any;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    /// Posts to a chat that refuses so many messages first, each with this wish. Gives what came of it, and how often it was
    /// asked.
    async fn posted(refuses: u64, later: &str) -> (Result<(), TellError>, usize) {
        let chat = MockServer::start().await;
        let refused = ResponseTemplate::new(TOO_MANY).insert_header("retry-after", later);
        Mock::given(any()).respond_with(refused).up_to_n_times(refuses).mount(&chat).await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&chat).await;
        let messenger = Messenger::new("127.0.0.0/8").unwrap();
        let address = messenger.address(&chat.uri()).unwrap();
        let ended = messenger.post(&address, "an alarm").await;
        (ended, chat.received_requests().await.unwrap().len())
    }

    #[tokio::test]
    async fn a_chat_that_had_too_many_messages_is_told_when_it_wants_to_be() {
        assert_eq!(posted(1, "1").await, (Ok(()), 2));
        assert_eq!(posted(2, "0").await, (Ok(()), 3));
        assert_eq!(posted(3, "0").await, (Err(TellError::Status(429)), 3), "it is not asked for ever");
        assert_eq!(posted(1, "60").await, (Err(TellError::Status(429)), 1), "nobody waits for as long");
    }

    fn is_taken(url: &str, allowed: &str) -> bool {
        Messenger::new(allowed).unwrap().address(url).is_ok()
    }

    #[test]
    fn only_public_hosts_over_https_are_told() {
        assert!(is_taken("https://hooks.chat.example/services/T0/B0/secret", ""));
        assert!(is_taken("https://hooks.chat.example:443/services/T0/B0/secret", ""));
        for url in [
            "http://hooks.chat.example/x",
            "https://hooks.chat.example:8443/x",
            "https://hooks.chat.example:80/x",
            "https://hooks.chat.example:22/x",
            "https://93.184.216.34:8443/x",
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
        assert!(is_taken("http://127.0.0.1:9000/hook", local) && is_taken("https://127.0.0.1:9443/hook", local));
        assert!(!is_taken("https://hooks.chat.example:9443/hook", local));
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
