//! What can go wrong with a call, and whether calling again can help.
//!
//! Every message is a sentence for the person who runs the shop's integration. None carries a body, an address of a
//! customer, a token or a URL with its query: only the HTTP status, the shop's `AOR…` codes and its short messages.

use std::fmt;
use std::time::Duration;

use crate::guard::RefusedAddress;

/// The code under which a shop reports a server error that passes, whatever the HTTP status.
pub(crate) const PASSING_CODE: &str = "AOR9999";
/// The code of an error that wraps others.
const WRAPPER_CODE: &str = "AOR0000";
/// The code of a state that the shop does not have.
pub(crate) const UNKNOWN_STATE_CODE: &str = "AOR3002";

/// Whether calling again can help. How often and when else is the caller's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call can succeed later.
    Passing {
        /// Not before this long, by the shop's own word; `None` leaves it to the caller's schedule.
        after: Option<Duration>,
    },
    /// The same call fails again until a person changes something.
    Permanent,
}

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The shop's name leads to an address that must not be called.
    #[error("{host} was not called: {source}; check the API URL")]
    AddressRefused {
        /// The shop's host.
        host: String,
        /// The address and its network.
        source: RefusedAddress,
    },
    /// The shop's name does not resolve at the moment.
    #[error("{host} was not found: the host name has no address; check the API URL if this lasts")]
    UnknownHost {
        /// The shop's host.
        host: String,
    },
    /// No connection came about: refused, unreachable, TLS failed, or it took too long. Nothing was sent.
    #[error("no connection to {host}: {reason}")]
    Connect {
        /// The shop's host.
        host: String,
        /// The innermost reason, short.
        reason: String,
    },
    /// The call was sent, but its answer did not come in time.
    #[error("{host} did not answer in time")]
    Timeout {
        /// The shop's host.
        host: String,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection to {host} broke before the answer was complete")]
    Reset {
        /// The shop's host.
        host: String,
    },
    /// 429: too fast.
    #[error("the shop asks for fewer calls at a time (429)")]
    TooManyRequests {
        /// The shop's `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// 429 or 403 that speaks of a limit: the day's calls are spent, possibly by other systems.
    #[error("{}", if .after.is_some() {
        format!("the shop's call limit is reached ({status}{errors}); it says from when on it may be called again")
    } else {
        format!("the shop's daily call limit is spent ({status}{errors}); calls work again at 09:00 Japan time")
    })]
    DailyLimit {
        /// The HTTP status.
        status: u16,
        /// The shop's own words.
        errors: ShopErrors,
        /// The shop's `Retry-After`, which wins; without one, until the limit is renewed (00:00 UTC).
        after: Option<Duration>,
    },
    /// 5xx, 408, 425, or a code that stands for a passing server error.
    #[error("the shop has trouble of its own at the moment ({status}{errors})")]
    Server {
        /// The HTTP status.
        status: u16,
        /// The shop's own words.
        errors: ShopErrors,
        /// The shop's `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// 401: the token or the password is not (or no longer) accepted.
    #[error("the shop did not accept the sign-in (401{errors}): check e-mail, password or token")]
    Unauthorized {
        /// The shop's own words.
        errors: ShopErrors,
    },
    /// 403: signed in, but not allowed; or a firewall in front of the shop.
    #[error("{}", if *.page {
        "a firewall in front of the shop turned the call away with a web page (403): ask the shop to admit it".to_owned()
    } else {
        format!("the shop does not allow this (403{errors}): the user's rights are too small")
    })]
    Forbidden {
        /// The shop's own words.
        errors: ShopErrors,
        /// The answer was a web page, so it did not come from the API.
        page: bool,
    },
    /// 404: no such record, or no API at this address.
    #[error("the shop does not have what was asked for (404{errors})")]
    NotFound {
        /// The shop's own words.
        errors: ShopErrors,
    },
    /// 422: the shop understood the request and refuses it.
    #[error("the shop refuses the request as it is (422{errors})")]
    Unprocessable {
        /// The shop's own words.
        errors: ShopErrors,
    },
    /// Any other status that is no success: this request is wrong and stays wrong.
    #[error("the shop refused the request ({status}{errors})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The shop's own words.
        errors: ShopErrors,
    },
    /// 3xx: the API lives elsewhere. Never followed, for the token would go along.
    #[error("the shop redirects to {to} ({status}) instead of answering: enter the address where its API is")]
    Redirect {
        /// The HTTP status.
        status: u16,
        /// Scheme, host and path it points to, without query.
        to: String,
    },
    /// More bytes than the client is willing to hold.
    #[error("the shop's answer is larger than {limit} bytes: ask the operator to report it")]
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A success status whose body is not what the API answers.
    #[error("the shop's answer could not be read: {0}")]
    BadBody(#[from] BadBody),
    /// The call could not even be written down; nothing was sent.
    #[error("the call was not made: {reason}")]
    Request {
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// How a body fails to be the API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// A maintenance page, or a page of the CDN in front.
    #[error("it is a web page instead of data, as during maintenance")]
    Html,
    /// `Retry later` and the like.
    #[error("it is plain text instead of data")]
    Text,
    /// JSON that stops in the middle.
    #[error("it stops in the middle")]
    Truncated,
    /// JSON with a mistake in it.
    #[error("it is damaged")]
    Malformed,
    /// Sound JSON that lacks what the call answers with.
    #[error("it has no {0}")]
    Missing(&'static str),
}

impl Error {
    /// Whether the same call can succeed later.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            // A page or half an answer with status 200 is a proxy or a restart in between.
            Self::UnknownHost { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Reset { .. }
            | Self::BadBody(
                BadBody::Empty
                | BadBody::Html
                | BadBody::Text
                | BadBody::Truncated
                | BadBody::Malformed
                | BadBody::Missing(_),
            ) => Retry::Passing { after: None },
            Self::TooManyRequests { retry_after }
            | Self::Server { retry_after, .. }
            | Self::DailyLimit { after: retry_after, .. } => Retry::Passing { after: *retry_after },
            Self::AddressRefused { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Unprocessable { .. }
            | Self::Refused { .. }
            | Self::Redirect { .. }
            | Self::BodyTooLarge { .. }
            | Self::Request { .. } => Retry::Permanent,
        }
    }

    /// The shop's own words, if it understood the call and refuses it as it is: one of its records may be the reason.
    #[must_use]
    pub fn refusal(&self) -> Option<&ShopErrors> {
        match self {
            Self::NotFound { errors } | Self::Unprocessable { errors } | Self::Refused { errors, .. } => {
                errors.as_slice().iter().any(|error| !error.code.is_empty()).then_some(errors)
            }
            Self::AddressRefused { .. }
            | Self::UnknownHost { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Reset { .. }
            | Self::TooManyRequests { .. }
            | Self::DailyLimit { .. }
            | Self::Server { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::Redirect { .. }
            | Self::BodyTooLarge { .. }
            | Self::BadBody(_)
            | Self::Request { .. } => None,
        }
    }

    /// What a log may hold of it: the sentence with the shop's codes, and without its words, which may name a customer.
    #[must_use]
    pub fn for_log(&self) -> String {
        let sentence = self.to_string();
        match self {
            Self::DailyLimit { errors, .. }
            | Self::Server { errors, .. }
            | Self::Unauthorized { errors }
            | Self::Forbidden { errors, .. }
            | Self::NotFound { errors }
            | Self::Unprocessable { errors }
            | Self::Refused { errors, .. } => match errors.to_string() {
                said if said.is_empty() => sentence,
                said => sentence.replacen(&said, &errors.codes(), 1),
            },
            Self::AddressRefused { .. }
            | Self::UnknownHost { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Reset { .. }
            | Self::TooManyRequests { .. }
            | Self::Redirect { .. }
            | Self::BodyTooLarge { .. }
            | Self::BadBody(_)
            | Self::Request { .. } => sentence,
        }
    }

    /// Whether the shop may have carried out a write although the call failed. A caller that gets `true` must find out
    /// by reading before it counts the write as failed; `false` is certain.
    #[must_use]
    pub const fn maybe_applied(&self) -> bool {
        match self {
            Self::Timeout { .. }
            | Self::Reset { .. }
            | Self::Server { .. }
            | Self::BodyTooLarge { .. }
            | Self::BadBody(
                BadBody::Empty
                | BadBody::Html
                | BadBody::Text
                | BadBody::Truncated
                | BadBody::Malformed
                | BadBody::Missing(_),
            ) => true,
            Self::AddressRefused { .. }
            | Self::UnknownHost { .. }
            | Self::Connect { .. }
            | Self::TooManyRequests { .. }
            | Self::DailyLimit { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Unprocessable { .. }
            | Self::Refused { .. }
            | Self::Redirect { .. }
            | Self::Request { .. } => false,
        }
    }
}

/// One error in the shop's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShopError {
    /// For example `AOR2001`; empty when the shop gave none.
    pub code: String,
    /// Short, one line, without what looks like an e-mail address or a telephone number.
    pub message: String,
}

/// The errors of an answer, nested ones after the one that wraps them. At most ten are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShopErrors(Vec<ShopError>);

impl ShopErrors {
    const MOST: usize = 10;

    pub(crate) fn push(&mut self, error: ShopError) {
        if self.0.len() < Self::MOST {
            self.0.push(error);
        }
    }

    /// What says nothing but that there are others, if it is first; and those.
    pub(crate) fn unwrapped(mut self) -> (Option<ShopError>, Self) {
        let is_wrapped = self.0.len() > 1 && self.0[0].code == WRAPPER_CODE;
        (is_wrapped.then(|| self.0.remove(0)), self)
    }

    /// The errors, outermost first.
    #[must_use]
    pub fn as_slice(&self) -> &[ShopError] {
        &self.0
    }

    /// The codes alone, written as the whole is.
    fn codes(&self) -> String {
        let codes = self.0.iter().map(|error| error.code.as_str()).filter(|code| !code.is_empty());
        match codes.collect::<Vec<_>>() {
            codes if codes.is_empty() => String::new(),
            codes => format!(": {}", codes.join("; ")),
        }
    }

    /// Does the shop say that it has no such order state?
    #[must_use]
    pub fn is_of_state(&self) -> bool {
        self.has_code(UNKNOWN_STATE_CODE)
    }

    /// Whether the shop gave this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.0.iter().any(|error| error.code == code)
    }
}

/// The first ten of them.
impl FromIterator<ShopError> for ShopErrors {
    fn from_iter<T: IntoIterator<Item = ShopError>>(errors: T) -> Self {
        Self(errors.into_iter().take(Self::MOST).collect())
    }
}

/// Written to stand behind a status: `: AOR2001 …; AOR3002 …`, or nothing.
impl fmt::Display for ShopErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, ShopError { code, message }) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { ": " } else { "; " })?;
            f.write_str(code)?;
            f.write_str(if code.is_empty() || message.is_empty() { "" } else { " " })?;
            f.write_str(message)?;
        }
        Ok(())
    }
}
