//! Stock counts sent to a shop, and its answer to them.

use serde::Serialize;
use serde_json::Value;

use super::answer::{reasons, retry_of};
use super::document::{body_text, parse};
use super::lenient;
use crate::error::{BadBody, Retry, ShopError, ShopErrors};

/// The count that a SKU is to have at a stock location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StockLevel {
    /// The SKU at the shop.
    pub variant_sku: String,
    /// The stock location's code at the shop.
    pub stock_location_code: String,
    /// Pieces.
    pub stock: u32,
}

/// The answer to [`Client::put_stock_items`](crate::Client::put_stock_items). What is said of
/// [`WriteAnswer`](crate::WriteAnswer) holds here too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StockAnswer {
    success: Vec<StockKey>,
    failure: Vec<StockKey>,
    errors: Vec<StockError>,
}

/// A SKU, and its location where the shop names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StockKey {
    sku: String,
    location: Option<String>,
}

/// Why the shop did not take a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockError {
    /// The SKU.
    pub variant_sku: String,
    /// The shop's code, or empty.
    pub code: String,
    /// The shop's message, short.
    pub message: String,
    /// The errors inside.
    pub causes: ShopErrors,
}

impl StockError {
    /// Whether sending the count again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        retry_of(&self.code, &self.causes)
    }
}

/// What became of one count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockOutcome<'a> {
    /// Taken, by the shop's word.
    Success,
    /// Not taken, with the shop's reason if it gave one.
    Failure(Option<&'a StockError>),
    /// The answer does not say.
    Unknown,
}

impl StockAnswer {
    pub(crate) fn read(body: &[u8]) -> Result<Self, BadBody> {
        let text = body_text(body);
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let answer: Value = parse(&text)?;
        if !answer.is_object() {
            return Err(BadBody::Missing("lists of successes and failures"));
        }
        let list = |name: &str| answer.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let keys = |name: &str| list(name).iter().filter_map(StockKey::read).collect();
        Ok(Self {
            success: keys("success"),
            failure: keys("failure"),
            errors: list("errors").iter().filter_map(stock_error).collect(),
        })
    }

    /// Adds the answer to another part of what was told.
    pub fn join(&mut self, more: Self) {
        self.success.extend(more.success);
        self.failure.extend(more.failure);
        self.errors.extend(more.errors);
    }

    /// Adds a SKU that the shop refuses whenever it is in a call, with its words for that.
    pub fn refuse(&mut self, variant_sku: &str, words: ShopErrors) {
        let (wrapper, causes) = words.unwrapped();
        let ShopError { code, message } = wrapper.unwrap_or_default();
        self.errors.push(StockError { variant_sku: variant_sku.to_owned(), code, message, causes });
    }

    /// The shop's reasons.
    #[must_use]
    pub fn errors(&self) -> &[StockError] {
        &self.errors
    }

    /// What became of the count of a SKU at a location. A record without a location speaks for all; where records
    /// contradict each other, the failure is believed.
    #[must_use]
    pub fn outcome_for(&self, sku: &str, location: &str) -> StockOutcome<'_> {
        let is = |key: &StockKey| key.sku == sku && key.location.as_deref().is_none_or(|named| named == location);
        let success = self.success.iter().any(is);
        let failure = self.failure.iter().any(is);
        // Reasons name the SKU alone: with one location taken and another refused, they belong to the refused one.
        let error = self.errors.iter().find(|error| error.variant_sku == sku);
        match (failure, success, error) {
            (true, _, error) => StockOutcome::Failure(error),
            (false, true, _) => StockOutcome::Success,
            (false, false, Some(error)) => StockOutcome::Failure(Some(error)),
            (false, false, None) => StockOutcome::Unknown,
        }
    }
}

impl StockKey {
    fn read(value: &Value) -> Option<Self> {
        let sku = match value {
            Value::Object(record) => record.get("variant_sku").or_else(|| record.get("id"))?,
            other => other,
        };
        let location = value.get("stock_location_code").and_then(lenient::text);
        Some(Self { sku: lenient::text(sku)?, location })
    }
}

fn stock_error(error: &Value) -> Option<StockError> {
    let (code, message, causes) = reasons(error);
    Some(StockError { variant_sku: error.get("id").and_then(lenient::text)?, code, message, causes })
}
