//! What is asked of `DynamoDB`, counted: so that a page can say what it cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextRef,
    BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use aws_sdk_dynamodb::{Client, config};

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    bytes: AtomicU64,
    /// Halves: a read that need not be consistent costs half a unit.
    read_halves: AtomicU64,
    write_halves: AtomicU64,
}

/// What a meter shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reading {
    /// Requests, each attempt of each.
    pub requests: u64,
    /// Bytes of their answers.
    pub bytes: u64,
    /// Read units, as `DynamoDB` said.
    pub read_units: f64,
    /// Write units, as `DynamoDB` said; those of transactions and of PartiQL statements are not asked for.
    pub write_units: f64,
}

impl Reading {
    /// What came between an earlier reading and this one.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            bytes: self.bytes - earlier.bytes,
            read_units: self.read_units - earlier.read_units,
            write_units: self.write_units - earlier.write_units,
        }
    }
}

/// Counts requests, the bytes of their answers, and the units that they cost.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counts>);

impl Meter {
    /// What came since the meter began.
    #[must_use]
    pub fn read(&self) -> Reading {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Reading {
            requests: of(&self.0.requests),
            bytes: of(&self.0.bytes),
            read_units: of(&self.0.read_halves) as f64 / 2.0,
            write_units: of(&self.0.write_halves) as f64 / 2.0,
        }
    }

    pub(crate) fn client(&self, aws: &SdkConfig) -> Client {
        Client::from_conf(config::Builder::from(aws).interceptor(self.clone()).build())
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    /// Asks for what a request consumes: that is told only where it is asked for, and costs nothing.
    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        macro_rules! ask {
            ($from:expr, $($input:ty),*) => {
                $(if let Some(input) = $from.input_mut().downcast_mut::<$input>() {
                    input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                })*
            };
        }
        ask!(context, GetItemInput, QueryInput, BatchGetItemInput);
        ask!(context, PutItemInput, UpdateItemInput, DeleteItemInput, BatchWriteItemInput);
        Ok(())
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

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        macro_rules! add {
            ($from:expr, $to:expr, $($output:ty),*) => {
                $(if let Some(output) = $from.downcast_ref::<$output>() {
                    $to.fetch_add(halves(output.consumed_capacity()), Ordering::Relaxed);
                })*
            };
        }
        // What was refused costs as well, and does not say how much.
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        add!(output, self.0.read_halves, GetItemOutput, QueryOutput, BatchGetItemOutput);
        add!(output, self.0.write_halves, PutItemOutput, UpdateItemOutput, DeleteItemOutput, BatchWriteItemOutput);
        Ok(())
    }
}

fn halves<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) -> u64 {
    let units: f64 = consumed.into_iter().filter_map(ConsumedCapacity::capacity_units).sum();
    (units * 2.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_units_are_not_lost() {
        let of = |units| ConsumedCapacity::builder().capacity_units(units).build();
        assert_eq!(halves(&[of(0.5), of(2.0), of(0.5)]), 6);
        assert_eq!(halves(Some(&of(1.5))), 3);
        assert_eq!(halves(None), 0);
    }

    #[test]
    fn a_reading_is_told_from_an_earlier_one() {
        let meter = Meter::default();
        meter.0.requests.store(3, Ordering::Relaxed);
        let before = meter.read();
        meter.0.requests.store(10, Ordering::Relaxed);
        meter.0.read_halves.store(5, Ordering::Relaxed);
        let wanted = Reading { requests: 7, read_units: 2.5, ..Reading::default() };
        assert_eq!(meter.read().since(&before), wanted);
    }
}
