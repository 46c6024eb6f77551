//! A merchant's settings come into force here, whether by the command line or in the console: the same checks, the same
//! order, the same words.
//!
//! [`Setup::plan`] compares a document with what is there; [`Plan::problems`] says what forbids it; then come
//! [`Setup::put_in_force`], [`Setup::release`], [`Setup::drop_secrets`] and [`Setup::reconcile`], in this order. Secrets
//! and products go first, then the settings that need them, then the schedules that start robots by them. Each part is
//! compared with what is there and written only if it differs, so applying again after a crash completes what is
//! missing, and applying twice does nothing. What follows after the settings goes by those that are in force by then:
//! somebody else may have saved meanwhile.

pub mod anew;
mod apply;
pub mod dead_letters;
pub mod dry_run;
pub mod grants;
mod leaving;
pub mod retry;
pub mod run_now;
pub mod schedules;
pub mod stock;
pub mod trial;
pub mod try_robot;
pub mod volume;

use renkei_platform::aws::AwsFailure;
use renkei_platform::queue::Queue;
use renkei_platform::secrets::{ConnectionSecrets, SecretsError};
use renkei_products::ProductsError;
use renkei_store::StoreError;

pub use apply::{Consents, Plan, SecretChange, Stored, credential, kept};
pub use schedules::{Schedules, queue_output};

/// The parts of a stack that settings come into force with.
pub struct Setup {
    /// Connections' secrets.
    pub secrets: ConnectionSecrets,
    /// Where orders go that waited for products.
    pub import_orders: Queue,
    /// What starts robots.
    pub schedules: Schedules,
}

/// Why settings did not come into force, or not all of them. Repeating it completes what a passing error left.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// What was shown, and agreed to, is not what would be changed any more. Permanent.
    #[error(
        "somebody else changed the settings of {tenant} meanwhile ({who}): yours were not applied. Apply again to see what they would change now"
    )]
    Conflict {
        /// Whose settings.
        tenant: String,
        /// The version in force, and by whom.
        who: String,
    },
    /// A schedule cannot be written down. Permanent.
    #[error("a schedule could not be written down: {0}")]
    Schedule(#[from] aws_sdk_scheduler::error::BuildError),
    /// A queue's name is missing. Permanent: the deployment has to be mended.
    #[error("the queue of {0} is not known to this deployment; deploy this release's template")]
    Queue(&'static str),
    /// A robot's start cannot be written down. Permanent.
    #[error(transparent)]
    Message(#[from] serde_json::Error),
    /// No randomness for a secret. Passing.
    #[error("no random bits from the system: {0}")]
    Random(#[from] getrandom::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Products.
    #[error(transparent)]
    Products(#[from] ProductsError),
    /// The scheduler.
    #[error(transparent)]
    Aws(#[from] AwsFailure),
}
