//! What functions that run robots are wired from: their configuration, once, at the start.

use aws_config::SdkConfig;
use renkei_platform::Config;
use renkei_platform::config::ConfigError;
use renkei_platform::queue::Queue;
use renkei_platform::secrets::ConnectionSecrets;
use renkei_platform::wakeup::WakeUps;
use renkei_store::{Store, Tables};

use crate::Shops;
use crate::error::ShopsError;
use crate::robot::Robots;

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// Its environment.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its way to shops.
    #[error(transparent)]
    Shops(#[from] ShopsError),
}

impl Robots {
    /// Wires a function that runs robots, over its own queue.
    pub fn wire(
        config: &Config,
        aws: &SdkConfig,
        tables: Tables,
        queue_url: &str,
        queue_arn: &str,
    ) -> Result<Self, WiringError> {
        let secrets = ConnectionSecrets::new(aws, config.secret_prefix()?);
        Ok(Self {
            store: Store::new(aws, tables),
            shops: Shops::new(secrets, config.allowed_shop_addresses()?, config.service_email()?.to_owned())?,
            queue: Queue::new(aws, queue_url),
            triggers: Queue::new(aws, config.sync_payments_queue()?),
            wake_ups: WakeUps::new(aws, config.schedule_group()?, config.scheduler_role_arn()?, queue_arn),
        })
    }
}
