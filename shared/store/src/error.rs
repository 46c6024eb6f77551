//! What can go wrong with the store, and whether it passes.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::codec::VERSION;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB did not answer, or throttled, after the SDK's own retries.
    #[error("the database did not take the request ({operation}: {code}); it is safe to repeat")]
    Unavailable {
        /// Which request.
        operation: &'static str,
        /// The error's code.
        code: String,
    },
    /// DynamoDB refused the request: a defect, or a table or right that is missing.
    #[error("the database refused the request ({operation}: {code} {message}); check the stack's tables and rights")]
    Refused {
        /// Which request.
        operation: &'static str,
        /// The error's code.
        code: String,
        /// DynamoDB's message. It speaks of requests, not of what is in them.
        message: String,
    },
    /// An item is not of a shape that this release reads.
    #[error("a stored {kind} cannot be read: {reason}; tell the operator (docs/operations.md, Data is lost or spoilt)")]
    Unreadable {
        /// What kind of item.
        kind: &'static str,
        /// Why, without the item's content.
        reason: String,
    },
    /// What was handed in belongs to another tenant; nothing was written.
    #[error("the {kind} is not this tenant's: nothing was written; tell the operator")]
    NotOwn {
        /// What kind of item.
        kind: &'static str,
    },
    /// An item was written by a newer release than this one. Nothing of it is guessed at.
    #[error(
        "a stored {kind} has version {version}, and this release reads up to {VERSION}: a newer release has written it; \
         deploy that one again"
    )]
    Newer {
        /// What kind of item.
        kind: &'static str,
        /// Its version.
        version: u64,
    },
    /// Somebody else changed the item in between; the caller reads again and decides anew.
    #[error("the {kind} was changed by somebody else meanwhile; read it again")]
    Conflict {
        /// What kind of item.
        kind: &'static str,
    },
}

impl StoreError {
    /// Will the same request succeed later?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            // While a release is being deployed, functions of the former one may meet what the new one wrote: it is worked on
            // again, by the new one.
            Self::Unavailable { .. } | Self::Conflict { .. } | Self::Newer { .. } => true,
            Self::Refused { .. } | Self::Unreadable { .. } | Self::NotOwn { .. } => false,
        }
    }

    pub(crate) fn from_sdk<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let Some(service) = error.as_service_error() else {
            return Self::Unavailable { operation, code: "no answer".into() };
        };
        Self::from_code(operation, service.code().unwrap_or("unknown"), service.message().unwrap_or_default())
    }

    pub(crate) fn from_code(operation: &'static str, code: &str, message: &str) -> Self {
        match code {
            "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingError"
            | "ThrottlingException"
            | "InternalServerError"
            | "InternalServerErrorException"
            | "ServiceUnavailable"
            | "TransactionConflict"
            | "TransactionConflictException"
            | "TransactionInProgressException"
            | "unknown" => Self::Unavailable { operation, code: code.into() },
            _ => Self::Refused { operation, code: code.into(), message: message.chars().take(200).collect() },
        }
    }
}
