//! What a command can end with, and the exit code that says so to scripts.

use std::process::ExitCode;

use renkei_platform::aws::AwsFailure;
use renkei_platform::queue::QueueError;
use renkei_platform::secrets::SecretsError;
use renkei_setup::dry_run::DryRunError;
use renkei_setup::run_now::RunNowError;
use renkei_shop::ShopError;
use renkei_shop::error::ShopsError;
use renkei_store::StoreError;

/// How a command ended. Documented in `docs/cli.md`; scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed; the message says what to do.
    Failed,
    /// The shop may not be called now: the day's calls are spent or kept for others, or a run's sign-ins are spent.
    Blocked,
    /// Done, with records that need a person.
    NeedsPerson,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            // 2 is a wrong use of the command line.
            Exit::Blocked => 3,
            Exit::NeedsPerson => 4,
        })
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// In a sentence that says what to do.
    #[error("{0}")]
    Said(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A secret.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Another AWS service.
    #[error(transparent)]
    Aws(#[from] AwsFailure),
    /// A shop.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The way to shops.
    #[error(transparent)]
    Shops(#[from] ShopsError),
    /// Products.
    #[error(transparent)]
    Products(#[from] renkei_products::ProductsError),
    /// Settings that did not come into force.
    #[error(transparent)]
    Setup(#[from] renkei_setup::SetupError),
    /// Dead letters.
    #[error(transparent)]
    DeadLetters(#[from] renkei_setup::dead_letters::DeadLettersError),
    /// Something that was not tried again.
    #[error(transparent)]
    Retry(#[from] renkei_setup::retry::RetryError),
    /// A robot that cannot be tried.
    #[error(transparent)]
    Try(#[from] renkei_setup::try_robot::TryError),
    /// Output or a file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl From<DryRunError> for CliError {
    fn from(error: DryRunError) -> Self {
        match error {
            DryRunError::Robot(sentence) => Self::Said(sentence),
            DryRunError::Store(error) => Self::Store(error),
            DryRunError::Shop(error) => Self::Shop(error),
        }
    }
}

impl From<RunNowError> for CliError {
    fn from(error: RunNowError) -> Self {
        match error {
            RunNowError::Queue(error) => Self::Queue(error),
            RunNowError::Message(error) => Self::Json(error),
        }
    }
}

impl CliError {
    /// A sentence that says what to do.
    pub fn said(sentence: impl Into<String>) -> Self {
        Self::Said(sentence.into())
    }

    /// The reader of our output went away (`renkei shipments | head`): nothing is wrong.
    pub fn is_closed_pipe(&self) -> bool {
        match self {
            Self::Io(error) => error.kind() == std::io::ErrorKind::BrokenPipe,
            Self::Json(error) => error.io_error_kind() == Some(std::io::ErrorKind::BrokenPipe),
            Self::Said(_)
            | Self::Store(_)
            | Self::Queue(_)
            | Self::Secrets(_)
            | Self::Aws(_)
            | Self::Shop(_)
            | Self::Products(_)
            | Self::Setup(_)
            | Self::DeadLetters(_)
            | Self::Retry(_)
            | Self::Try(_)
            | Self::Shops(_) => false,
        }
    }

    /// Its exit code.
    pub fn code(&self) -> Exit {
        match self {
            Self::Shop(ShopError::Closed(_)) => Exit::Blocked,
            _ => Exit::Failed,
        }
    }
}
