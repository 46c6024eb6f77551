//! What only one of the console's two functions works with: what a page of the other asked for would not be there.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use renkei_ecforce::AddressPolicy;
use renkei_notify::{Messenger, Notices, WebhookError};
use renkei_platform::queue::Queue;
use renkei_setup::Setup;
use renkei_setup::dead_letters::DeadLetters;
use renkei_shop::Shops;
use renkei_store::Store;

use crate::config::{DailyConfig, PublicUrl};
use crate::oidc::Oidc;

/// So many dead letters of a queue are looked at for one page: whoever waits for it does not wait for all there are.
const LOOKED_AT: usize = 300;

/// What one of the two functions has for itself: [`Daily`] or [`Settings`].
pub trait Part: Send + Sync + 'static {}

impl Part for Daily {}
impl Part for Settings {}

/// What the pages of the day's work have.
pub struct Daily {
    /// Where people sign in.
    pub(crate) oidc: Oidc,
    /// Where what a person wants to be looked at goes.
    pub(crate) hints: Queue,
    /// Where starts of robots go, by the functions that carry them out.
    pub(crate) starts: BTreeMap<&'static str, Queue>,
    pub(crate) dead_letters: DeadLetters,
    /// Where warehouses and webhooks call.
    pub(crate) warehouse_url: String,
}

impl Daily {
    pub(crate) fn new(aws: &SdkConfig, config: DailyConfig, store: &Store) -> Self {
        Self {
            oidc: Oidc::new(config.provider),
            hints: Queue::new(aws, config.hints_queue),
            starts: config.queues.iter().map(|queue| (queue.name, Queue::new(aws, &queue.url))).collect(),
            dead_letters: DeadLetters::new(aws, store.clone(), config.queues, LOOKED_AT),
            warehouse_url: config.warehouse_url,
        }
    }
}

/// Why settings' pages cannot start. Permanent: the deployment has to be mended.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The ranges of addresses that shops may have cannot be read.
    #[error("RENKEI_ALLOWED_SHOP_ADDRESSES: {0}")]
    Addresses(String),
    /// Notices cannot be sent.
    #[error(transparent)]
    Notices(#[from] WebhookError),
}

/// What the pages of robots and settings have.
pub struct Settings {
    pub(crate) setup: Setup,
    pub(crate) shops: Shops,
    pub(crate) notices: Notices,
    pub(crate) policy: AddressPolicy,
}

impl Settings {
    /// Over these parts of a stack.
    pub fn new(url: &PublicUrl, setup: Setup, shops: Shops, allowed_shop_addresses: &str) -> Result<Self, StartError> {
        Ok(Self {
            notices: Notices {
                secrets: setup.secrets.clone(),
                messenger: Messenger::new(allowed_shop_addresses)?,
                console: url.at(""),
            },
            setup,
            shops,
            policy: allowed_shop_addresses
                .parse()
                .map_err(|error: renkei_ecforce::PolicyError| StartError::Addresses(error.to_string()))?,
        })
    }
}
