//! What is asked of `DynamoDB`, counted: so that a page can say what it cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::{Client, config};

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    bytes: AtomicU64,
}

/// Counts requests, each attempt of each, and the bytes of their answers.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counts>);

impl Meter {
    /// Requests and bytes since the meter began.
    #[must_use]
    pub fn read(&self) -> (u64, u64) {
        (self.0.requests.load(Ordering::Relaxed), self.0.bytes.load(Ordering::Relaxed))
    }

    pub(crate) fn client(&self, aws: &SdkConfig) -> Client {
        Client::from_conf(config::Builder::from(aws).interceptor(self.clone()).build())
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let length = context.response().headers().get("content-length").and_then(|length| length.parse().ok());
        self.0.bytes.fetch_add(length.unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }
}
