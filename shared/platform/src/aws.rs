//! How AWS is spoken to: one configuration, so that all clients of a function share one pool of connections, one set of
//! time-outs and one way of trying again; and what an AWS error means for the work in hand.
//!
//! Where AWS is comes from the SDK's own variables (`AWS_ENDPOINT_URL`, `AWS_REGION`, …): a local stack is the same to
//! us as the cloud.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

use crate::connections;

const REGION: &str = "AWS_REGION";
const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
const APP_ID: &str = "AWS_SDK_UA_APP_ID";

/// A variable that Lambda sets for each function is not there. Permanent.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is missing, which Lambda sets: this program runs as a Lambda function")]
pub struct NotInLambda(&'static str);

/// The same sentence: what `main` returns is printed by `Debug`.
impl fmt::Debug for NotInLambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The configuration that all of a function's clients are made from, by the variables that Lambda always sets.
///
/// Not by the SDK's search for them: profiles, roles and metadata services, of which a function has none, are a good part
/// of its start and of its size.
pub fn of_function() -> Result<SdkConfig, NotInLambda> {
    of_variables(|name| std::env::var(name).ok())
}

/// The same by given variables.
pub fn of_variables(variable: impl Fn(&'static str) -> Option<String>) -> Result<SdkConfig, NotInLambda> {
    let given = |name| variable(name).filter(|value| !value.is_empty());
    let needed = |name| given(name).ok_or(NotInLambda(name));
    let (id, secret) = (needed(ACCESS_KEY_ID)?, needed(SECRET_ACCESS_KEY)?);
    // They last longer than any process that Lambda gives them to.
    let credentials = Credentials::new(id, secret, given(SESSION_TOKEN), None, "Lambda");
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(needed(REGION)?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(connections::shared())
        .timeout_config(timeouts())
        .retry_config(retries());
    config.set_endpoint_url(given(ENDPOINT_URL));
    // Who calls, for whoever reads what was called: a name that AWS would not take is left out.
    config.set_app_name(given(APP_ID).and_then(|name| AppName::new(name).ok()));
    Ok(config.build())
}

/// A client that is made for its first call: making one reads AWS's table of regions, which takes longer than all else of
/// a function's start; and most invocations need one service or two of those that their function may call.
pub type Late<T> = Arc<LazyLock<T, Box<dyn FnOnce() -> T + Send>>>;

/// Makes it when it is needed.
#[must_use]
pub fn late<T>(make: impl FnOnce() -> T + Send + 'static) -> Late<T> {
    Arc::new(LazyLock::new(Box::new(make)))
}

/// An operator's configuration: whatever the environment, profiles and roles have.
pub async fn load() -> SdkConfig {
    tuned().load().await
}

/// The same before it is loaded, for those that set an endpoint or credentials by hand.
#[must_use]
pub fn tuned() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(connections::shared())
        .timeout_config(timeouts())
        .retry_config(retries())
}

/// An attempt that takes longer than 5 s is lost (a connection that went stale while the function slept), and the next
/// one is quick; 20 s in all leave a run time to put its work back.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(20))
        .build()
}

/// Up to 5 attempts, with back-off and jitter.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(5)
}

/// An AWS call that did not succeed, after the SDK's own attempts.
///
/// Holds no part of the request or of the answer's body except AWS's own message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("AWS {operation} failed: {reason}")]
pub struct AwsFailure {
    /// The operation's name.
    pub operation: &'static str,
    /// AWS's code, such as `AccessDeniedException`; none if there was no answer.
    pub code: Option<String>,
    reason: String,
    passing: bool,
}

impl AwsFailure {
    /// With AWS's message in it. For calls whose contents may be read by anyone.
    pub fn new<E: ProvideErrorMetadata>(operation: &'static str, error: &SdkError<E>) -> Self {
        let mut failure = Self::without_message(operation, error);
        if let Some(message) = error.message() {
            failure.reason.push_str(": ");
            failure.reason.extend(message.chars().take(500));
        }
        failure
    }

    /// Without AWS's message, which may quote what it refuses. For calls that carry secrets.
    pub fn without_message<E: ProvideErrorMetadata>(operation: &'static str, error: &SdkError<E>) -> Self {
        let code = error.code().map(str::to_owned);
        let (reason, passing) = match error {
            SdkError::ConstructionFailure(_) => ("the request could not be made".to_owned(), false),
            SdkError::TimeoutError(_) => ("no answer in time".to_owned(), true),
            SdkError::DispatchFailure(_) => ("no connection".to_owned(), true),
            SdkError::ResponseError(_) => ("the answer could not be read".to_owned(), true),
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let reason = code.clone().unwrap_or_else(|| format!("HTTP {status}"));
                let passing = status >= 500 || status == 429 || code.as_deref().is_some_and(is_throttling);
                (reason, passing)
            }
            // The SDK reserves the right to further kinds; what is not known is not repeated blindly.
            _ => ("an error of a kind that this release does not know".to_owned(), false),
        };
        Self { operation, code, reason, passing }
    }

    /// May the same call succeed later, with nothing mended?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.passing
    }

    /// Is it this error of AWS's?
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

/// The codes with which AWS services ask for patience; some answer them with status 400.
fn is_throttling(code: &str) -> bool {
    [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "KmsThrottled",
        "OverLimit",
    ]
    .contains(&code)
}
