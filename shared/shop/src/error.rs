//! What can stand between a run and its shop.

use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::gate::Closure;
use renkei_domain::jst;
use renkei_ecforce::{AddressError, Retry};
use renkei_platform::queue::QueueError;
use renkei_platform::secrets::SecretsError;
use renkei_store::StoreError;

/// Sessions cannot be made at all: the deployment's configuration is wrong.
#[derive(Debug, thiserror::Error)]
pub enum ShopsError {
    /// The allowed address ranges.
    #[error(transparent)]
    Policy(#[from] renkei_ecforce::PolicyError),
}

/// Why a call was not made, or failed.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The day's calls, or this lane's share of them, are spent; or the shop said so.
    #[error("blocked until {}", jst::display(.0.until))]
    Closed(Closure),
    /// Another run is talking to the shop.
    #[error("another run of this connection is talking to the shop; this one comes again")]
    Busy,
    /// This run was paused for so long that another took the gate.
    #[error("another run took over meanwhile; this one stops, and what is left is done by the next")]
    LeaseLost,
    /// Five sign-ins in this hour already.
    #[error("the shop bears no further sign-in before {}", jst::display(*.until))]
    SignInsSpent {
        /// When the next may be tried.
        until: Timestamp,
    },
    /// The shop wants to be left alone for longer than anybody keeps its gate for.
    #[error("the shop wants no call before {}", jst::display(*.until))]
    NotBefore {
        /// When it may be called again.
        until: Timestamp,
    },
    /// The run's time is nearly over.
    #[error("the run's time is over; it goes on in a new one")]
    OutOfTime,
    /// The API URL of the connection is not one.
    #[error("the API URL is wrong: {0}")]
    Address(#[from] AddressError),
    /// This machine has no HTTP client to offer.
    #[error(transparent)]
    Http(#[from] renkei_ecforce::HttpClientError),
    /// A ready-made token is not of a form that can be sent.
    #[error("the token cannot be used: {0}; apply the document again with the right one")]
    BadToken(#[from] renkei_ecforce::BadToken),
    /// The shop took neither e-mail and password nor token.
    #[error("{0}")]
    SignInRefused(&'static str),
    /// The shop answered, or failed to.
    #[error(transparent)]
    Shop(#[from] renkei_ecforce::Error),
    /// Our own store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The connection's secret.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The queue that the run's findings go to.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl ShopError {
    /// What a log may hold of it: the shop's codes, and not its words, which may name a customer.
    #[must_use]
    pub fn for_log(&self) -> String {
        match self {
            Self::Shop(error) => error.for_log(),
            ours => ours.to_string(),
        }
    }

    /// Will coming again later help, without anybody doing anything?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Closed(_)
            | Self::Busy
            | Self::LeaseLost
            | Self::SignInsSpent { .. }
            | Self::NotBefore { .. }
            | Self::OutOfTime => true,
            Self::Address(_) | Self::Http(_) | Self::BadToken(_) | Self::SignInRefused(_) => false,
            Self::Shop(error) => matches!(error.retry(), Retry::Passing { .. }),
            Self::Store(error) => error.is_passing(),
            Self::Secrets(error) => error.is_passing(),
            Self::Queue(error) => error.is_passing(),
        }
    }

    /// How long the shop wants to be left alone from `now` on, where it said so.
    #[must_use]
    pub fn not_before(&self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::NotBefore { until } => Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO)),
            Self::Shop(error) => match error.retry() {
                Retry::Passing { after } => after,
                Retry::Permanent => None,
            },
            Self::Closed(_)
            | Self::Busy
            | Self::LeaseLost
            | Self::SignInsSpent { .. }
            | Self::OutOfTime
            | Self::Address(_)
            | Self::Http(_)
            | Self::BadToken(_)
            | Self::SignInRefused(_)
            | Self::Store(_)
            | Self::Secrets(_)
            | Self::Queue(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_shop_said_is_how_long_it_is_left_alone() {
        let now: Timestamp = "2026-11-24T01:00:00Z".parse().unwrap();
        let until = "2026-11-24T01:20:00Z".parse().unwrap();
        assert_eq!(ShopError::NotBefore { until }.not_before(now), Some(Duration::from_mins(20)));
        assert_eq!(ShopError::NotBefore { until: now }.not_before(until), Some(Duration::ZERO), "it is over");
        let asked = Some(Duration::from_mins(30));
        let slower = renkei_ecforce::Error::TooManyRequests { retry_after: asked };
        assert_eq!(ShopError::from(slower).not_before(now), asked);
        assert_eq!(ShopError::OutOfTime.not_before(now), None);
    }

    #[test]
    fn a_shop_that_wants_to_be_left_alone_passes_and_says_until_when() {
        let error = ShopError::NotBefore { until: "2026-11-24T01:20:00Z".parse().unwrap() };
        assert!(error.is_passing());
        assert!(error.to_string().contains("10:20"), "in Japan's time: {error}");
    }
}
