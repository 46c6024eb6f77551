//! What a function is told by its deployment, read once at the start from environment variables.
//!
//! A variable that is missing or malformed stops the start with a sentence that names it. There are no defaults: a
//! default is a stand-in, and a stand-in in production is found out by a merchant. Each function asks only for what it
//! uses, so a function has no variable, and no right, that it does not need.
//!
//! | variable | is |
//! |---|---|
//! | `RENKEI_STAGE` | what the stack is for: `production`, `staging`, `local`, … |
//! | `RENKEI_LOG` | level of logs: `info`, or per module as in `warn,renkei_shop=info` |
//! | `RENKEI_SHIPMENTS_TABLE` | table of orders and shipments |
//! | `RENKEI_ROBOTS_TABLE` | table of settings and robots |
//! | `RENKEI_GATE_TABLE` | table of the right to call a shop |
//! | `RENKEI_RUNS_TABLE` | table of runs |
//! | `RENKEI_STOCK_TABLE` | table of warehouses' counts and what shops offer |
//! | `RENKEI_FETCH_ORDERS_QUEUE` | URL of the queue of fetch-orders |
//! | `RENKEI_FETCH_ORDERS_QUEUE_ARN` | its ARN, for schedules |
//! | `RENKEI_IMPORT_ORDERS_QUEUE` | URL of the queue of import-orders |
//! | `RENKEI_PUSH_STATUSES_QUEUE` | URL of the queue of push-statuses |
//! | `RENKEI_PUSH_STATUSES_QUEUE_ARN` | its ARN, for schedules |
//! | `RENKEI_SYNC_PAYMENTS_QUEUE` | URL of the queue of sync-payments |
//! | `RENKEI_SYNC_PAYMENTS_QUEUE_ARN` | its ARN, for schedules |
//! | `RENKEI_SYNC_INVENTORY_QUEUE` | URL of the queue of sync-inventory |
//! | `RENKEI_SYNC_INVENTORY_QUEUE_ARN` | its ARN, for schedules |
//! | `RENKEI_SECRET_PREFIX` | what names of secrets begin with; a slash at its end is allowed |
//! | `RENKEI_SCHEDULE_GROUP` | group of the stack's schedules |
//! | `RENKEI_SCHEDULER_ROLE_ARN` | role with which schedules send messages |
//! | `RENKEI_SERVICE_EMAIL` | address that merchants register for Renkei at their shop |
//! | `RENKEI_ALLOWED_SHOP_ADDRESSES` | ranges of addresses that shops may have although not public, such as `127.0.0.0/8,::1/128`; set, but empty, in the cloud |
//! | `RENKEI_NOTIFICATIONS_URL` | webhook for alarms, or `none`; a secret: asked for by [`Config::required`], which quotes nothing |

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use url::Url;

use crate::telemetry::LogLevel;

const STAGE: &str = "RENKEI_STAGE";
const LOG: &str = "RENKEI_LOG";
const SHIPMENTS_TABLE: &str = "RENKEI_SHIPMENTS_TABLE";
const ROBOTS_TABLE: &str = "RENKEI_ROBOTS_TABLE";
const GATE_TABLE: &str = "RENKEI_GATE_TABLE";
const RUNS_TABLE: &str = "RENKEI_RUNS_TABLE";
const STOCK_TABLE: &str = "RENKEI_STOCK_TABLE";
const SYNC_PAYMENTS_QUEUE: &str = "RENKEI_SYNC_PAYMENTS_QUEUE";
const SYNC_PAYMENTS_QUEUE_ARN: &str = "RENKEI_SYNC_PAYMENTS_QUEUE_ARN";
const SYNC_INVENTORY_QUEUE: &str = "RENKEI_SYNC_INVENTORY_QUEUE";
const SYNC_INVENTORY_QUEUE_ARN: &str = "RENKEI_SYNC_INVENTORY_QUEUE_ARN";
const FETCH_ORDERS_QUEUE: &str = "RENKEI_FETCH_ORDERS_QUEUE";
const FETCH_ORDERS_QUEUE_ARN: &str = "RENKEI_FETCH_ORDERS_QUEUE_ARN";
const IMPORT_ORDERS_QUEUE: &str = "RENKEI_IMPORT_ORDERS_QUEUE";
const PUSH_STATUSES_QUEUE: &str = "RENKEI_PUSH_STATUSES_QUEUE";
const PUSH_STATUSES_QUEUE_ARN: &str = "RENKEI_PUSH_STATUSES_QUEUE_ARN";
const SECRET_PREFIX: &str = "RENKEI_SECRET_PREFIX";
const SCHEDULE_GROUP: &str = "RENKEI_SCHEDULE_GROUP";
const SCHEDULER_ROLE_ARN: &str = "RENKEI_SCHEDULER_ROLE_ARN";
const SERVICE_EMAIL: &str = "RENKEI_SERVICE_EMAIL";
const ALLOWED_SHOP_ADDRESSES: &str = "RENKEI_ALLOWED_SHOP_ADDRESSES";

/// Why a function cannot start. Permanent: the deployment has to be mended.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not set at all, or set to nothing.
    #[error("the environment variable {0} is missing: set it in the deployment's template")]
    Missing(&'static str),
    /// Set to something that it cannot be.
    #[error("the environment variable {name} is {value:?}, which is not {wanted}: correct the deployment's template")]
    Malformed {
        /// Which variable.
        name: &'static str,
        /// What it holds. No variable holds a secret.
        value: String,
        /// What it should hold.
        wanted: &'static str,
    },
}

/// The same sentence: what `main` returns is printed by `Debug`.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The deployment's variables, as they were at the start.
#[derive(Debug, Clone)]
pub struct Config {
    variables: BTreeMap<String, String>,
}

impl Config {
    /// Reads the process's environment, once.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_variables(std::env::vars_os().filter_map(|(name, value)| {
            // A value that is not UTF-8 counts as missing, and is asked for by name.
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// From given variables; other than `RENKEI_…` are left out.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().filter(|(name, _)| name.starts_with("RENKEI_")).collect() }
    }

    /// What the stack is for.
    pub fn stage(&self) -> Result<&str, ConfigError> {
        self.checked(STAGE, "a name of lower-case letters, digits and hyphens", |stage| {
            stage.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
    }

    /// From which level on things are logged.
    pub fn log_level(&self) -> Result<LogLevel, ConfigError> {
        let text = self.required(LOG)?;
        LogLevel::parse(text).ok_or_else(|| ConfigError::Malformed {
            name: LOG,
            value: text.to_owned(),
            wanted: "a level (error, warn, info), or levels per module such as warn,renkei_shop=info",
        })
    }

    /// Table of orders and shipments.
    pub fn shipments_table(&self) -> Result<&str, ConfigError> {
        self.table(SHIPMENTS_TABLE)
    }

    /// Table of settings and robots.
    pub fn robots_table(&self) -> Result<&str, ConfigError> {
        self.table(ROBOTS_TABLE)
    }

    /// Table of the right to call a shop.
    pub fn gate_table(&self) -> Result<&str, ConfigError> {
        self.table(GATE_TABLE)
    }

    /// Table of runs.
    pub fn runs_table(&self) -> Result<&str, ConfigError> {
        self.table(RUNS_TABLE)
    }

    /// Name of the table of warehouses' counts and what shops offer.
    pub fn stock_table(&self) -> Result<&str, ConfigError> {
        self.table(STOCK_TABLE)
    }

    /// URL of the queue of sync-payments.
    pub fn sync_payments_queue(&self) -> Result<&str, ConfigError> {
        self.queue(SYNC_PAYMENTS_QUEUE)
    }

    /// ARN of the queue of sync-payments.
    pub fn sync_payments_queue_arn(&self) -> Result<&str, ConfigError> {
        self.arn(SYNC_PAYMENTS_QUEUE_ARN, "sqs", "the ARN of a queue")
    }

    /// URL of the queue of sync-inventory.
    pub fn sync_inventory_queue(&self) -> Result<&str, ConfigError> {
        self.queue(SYNC_INVENTORY_QUEUE)
    }

    /// ARN of the queue of sync-inventory.
    pub fn sync_inventory_queue_arn(&self) -> Result<&str, ConfigError> {
        self.arn(SYNC_INVENTORY_QUEUE_ARN, "sqs", "the ARN of a queue")
    }

    /// URL of the queue of fetch-orders.
    pub fn fetch_orders_queue(&self) -> Result<&str, ConfigError> {
        self.queue(FETCH_ORDERS_QUEUE)
    }

    /// ARN of the queue of fetch-orders, for wake-ups.
    pub fn fetch_orders_queue_arn(&self) -> Result<&str, ConfigError> {
        self.arn(FETCH_ORDERS_QUEUE_ARN, "sqs", "the ARN of a queue")
    }

    /// URL of the queue of import-orders.
    pub fn import_orders_queue(&self) -> Result<&str, ConfigError> {
        self.queue(IMPORT_ORDERS_QUEUE)
    }

    /// URL of the queue of push-statuses.
    pub fn push_statuses_queue(&self) -> Result<&str, ConfigError> {
        self.queue(PUSH_STATUSES_QUEUE)
    }

    /// ARN of the queue of push-statuses, for wake-ups.
    pub fn push_statuses_queue_arn(&self) -> Result<&str, ConfigError> {
        self.arn(PUSH_STATUSES_QUEUE_ARN, "sqs", "the ARN of a queue")
    }

    /// What names of secrets begin with, without a slash at its end.
    pub fn secret_prefix(&self) -> Result<&str, ConfigError> {
        self.checked(SECRET_PREFIX, "a path such as renkei/my-stack", |prefix| {
            !prefix.trim_end_matches('/').is_empty()
                && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-.".contains(&b))
        })
        .map(|prefix| prefix.trim_end_matches('/'))
    }

    /// Group of the stack's schedules.
    pub fn schedule_group(&self) -> Result<&str, ConfigError> {
        self.checked(SCHEDULE_GROUP, "the name of a schedule group", |group| {
            group.len() <= 64 && group.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        })
    }

    /// Role with which schedules send messages.
    pub fn scheduler_role_arn(&self) -> Result<&str, ConfigError> {
        self.arn(SCHEDULER_ROLE_ARN, "iam", "the ARN of a role")
    }

    /// Address that merchants register for Renkei at their shop.
    pub fn service_email(&self) -> Result<&str, ConfigError> {
        self.checked(SERVICE_EMAIL, "an e-mail address", |email| {
            email
                .split_once('@')
                .is_some_and(|(who, at)| !who.is_empty() && !at.is_empty() && !at.contains('@') && !email.contains(' '))
        })
    }

    /// Ranges of addresses that shops may have although they are not public, separated by commas. Empty means none;
    /// but the variable must be set even so, so that nobody opens or closes them by a slip of the pen.
    pub fn allowed_shop_addresses(&self) -> Result<&str, ConfigError> {
        let ranges = self.variables.get(ALLOWED_SHOP_ADDRESSES).ok_or(ConfigError::Missing(ALLOWED_SHOP_ADDRESSES))?;
        if ranges.is_empty() || ranges.split(',').all(|range| range.parse::<IpNet>().is_ok()) {
            Ok(ranges)
        } else {
            Err(ConfigError::Malformed {
                name: ALLOWED_SHOP_ADDRESSES,
                value: ranges.clone(),
                wanted: "a list of address ranges such as 127.0.0.0/8,::1/128",
            })
        }
    }

    /// A variable by name, for what only one function has.
    pub fn required(&self, name: &'static str) -> Result<&str, ConfigError> {
        match self.variables.get(name) {
            Some(value) if !value.is_empty() => Ok(value),
            Some(_) | None => Err(ConfigError::Missing(name)),
        }
    }

    fn checked(
        &self,
        name: &'static str,
        wanted: &'static str,
        is_valid: impl Fn(&str) -> bool,
    ) -> Result<&str, ConfigError> {
        let value = self.required(name)?;
        if is_valid(value) { Ok(value) } else { Err(ConfigError::Malformed { name, value: value.to_owned(), wanted }) }
    }

    fn table(&self, name: &'static str) -> Result<&str, ConfigError> {
        self.checked(name, "the name of a table", |table| {
            (3..=255).contains(&table.len()) && table.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        })
    }

    fn queue(&self, name: &'static str) -> Result<&str, ConfigError> {
        self.checked(name, "the URL of a queue", |text| {
            Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.path().len() > 1)
        })
    }

    fn arn(&self, name: &'static str, service: &str, wanted: &'static str) -> Result<&str, ConfigError> {
        self.checked(name, wanted, |arn| {
            let parts: Vec<&str> = arn.splitn(6, ':').collect();
            parts.len() == 6 && parts[0] == "arn" && parts[2] == service && !parts[5].is_empty()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Config {
        Config::from_variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn what_is_missing_is_named_also_by_what_main_prints() {
        let error = config(&[("RENKEI_GATE_TABLE", "")]).gate_table().unwrap_err();
        assert_eq!(
            format!("{error:?}"),
            "the environment variable RENKEI_GATE_TABLE is missing: set it in the deployment's template"
        );
        assert_eq!(config(&[]).stage(), Err(ConfigError::Missing(STAGE)));
    }

    #[test]
    fn what_is_malformed_is_named_with_what_is_wanted() {
        let config = config(&[
            (STAGE, "Production"),
            (LOG, "loud"),
            (RUNS_TABLE, "a table"),
            (FETCH_ORDERS_QUEUE, "stack-fetch-orders"),
            (FETCH_ORDERS_QUEUE_ARN, "arn:aws:sns:ap-northeast-1:000000000000:topic"),
            (SECRET_PREFIX, "/"),
            (SCHEDULER_ROLE_ARN, "role"),
            (SERVICE_EMAIL, "renkei"),
            (ALLOWED_SHOP_ADDRESSES, "127.0.0.0/8,::1/129"),
        ]);
        let refused = [
            config.stage().map(str::to_owned),
            config.log_level().map(|_| String::new()),
            config.runs_table().map(str::to_owned),
            config.fetch_orders_queue().map(str::to_owned),
            config.fetch_orders_queue_arn().map(str::to_owned),
            config.secret_prefix().map(str::to_owned),
            config.scheduler_role_arn().map(str::to_owned),
            config.service_email().map(str::to_owned),
            config.allowed_shop_addresses().map(str::to_owned),
        ];
        for answer in refused {
            assert!(matches!(answer, Err(ConfigError::Malformed { .. })), "{answer:?}");
        }
        assert_eq!(
            config.service_email().unwrap_err().to_string(),
            "the environment variable RENKEI_SERVICE_EMAIL is \"renkei\", which is not an e-mail address: correct the \
             deployment's template"
        );
    }

    #[test]
    fn what_is_right_is_taken() {
        let config = config(&[
            (STAGE, "local"),
            (LOG, "info,renkei_shop=debug"),
            (PUSH_STATUSES_QUEUE, "http://localhost:4566/000000000000/stack-push-statuses"),
            (PUSH_STATUSES_QUEUE_ARN, "arn:aws:sqs:ap-northeast-1:000000000000:stack-push-statuses"),
            (SECRET_PREFIX, "renkei/my-stack/"),
            (SCHEDULER_ROLE_ARN, "arn:aws:iam::000000000000:role/stack-SchedulerRole"),
            (SERVICE_EMAIL, "renkei@service.example"),
        ]);
        assert!(config.stage().is_ok() && config.log_level().is_ok() && config.service_email().is_ok());
        assert!(config.push_statuses_queue().is_ok() && config.push_statuses_queue_arn().is_ok());
        assert!(config.scheduler_role_arn().is_ok());
        assert_eq!(config.secret_prefix(), Ok("renkei/my-stack"));
    }

    #[test]
    fn allowed_addresses_may_be_none_but_not_unsaid() {
        assert_eq!(config(&[(ALLOWED_SHOP_ADDRESSES, "")]).allowed_shop_addresses(), Ok(""));
        assert_eq!(
            config(&[(ALLOWED_SHOP_ADDRESSES, "127.0.0.0/8,::1/128")]).allowed_shop_addresses(),
            Ok("127.0.0.0/8,::1/128")
        );
        assert!(config(&[]).allowed_shop_addresses().is_err());
    }
}
