//! What a shop answers to a write on orders: which records it took, which not, and why.

use std::fmt;

use serde_json::Value;

use super::document::{body_text, parse};
use super::failure::{collect, harmless, short};
use super::lenient;
use crate::error::{BadBody, PASSING_CODE, Retry, ShopError, ShopErrors, UNKNOWN_STATE_CODE};

/// A record of an answer: an order, or one address of an order with several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordKey {
    /// The shop's id of the order.
    pub order: u64,
    /// The address, where the answer names one (`"88111-120"`).
    pub address: Option<u64>,
}

impl RecordKey {
    fn read(value: &Value) -> Option<Self> {
        // Some answers wrap the id in an object.
        let value = value.get("id").unwrap_or(value);
        if let Some((order, address)) = value.as_str().and_then(|text| text.trim().split_once('-')) {
            return Some(Self { order: order.parse().ok()?, address: Some(address.parse().ok()?) });
        }
        Some(Self { order: lenient::id(value).ok().flatten()?, address: None })
    }
}

/// Why the shop did not take a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The record.
    pub record: RecordKey,
    /// The shop's code; `AOR0000` wraps the ones in `causes`. Empty when it gave none.
    pub code: String,
    /// The shop's message, short and without what looks like personal data.
    pub message: String,
    /// The errors inside, the deepest last.
    pub causes: ShopErrors,
}

impl RecordError {
    /// Does the shop say that it has no such order state?
    #[must_use]
    pub fn is_of_state(&self) -> bool {
        self.code == UNKNOWN_STATE_CODE || self.causes.is_of_state()
    }

    /// Whether sending the record again can help: only if everything that the shop complains of passes by itself.
    #[must_use]
    pub fn retry(&self) -> Retry {
        retry_of(&self.code, &self.causes)
    }
}

/// A record passes by itself only if everything inside it does; the code that merely wraps others is not asked.
pub(crate) fn retry_of(code: &str, causes: &ShopErrors) -> Retry {
    let causes = causes.as_slice();
    let passing =
        if causes.is_empty() { code == PASSING_CODE } else { causes.iter().all(|cause| cause.code == PASSING_CODE) };
    if passing { Retry::Passing { after: None } } else { Retry::Permanent }
}

/// For example `AOR0000 更新できません: AOR3002 stateが不正です`.
impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.code.is_empty() || self.message.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}{}", self.code, self.message, self.causes)
    }
}

/// The answer to [`Client::bulk_update`](crate::Client::bulk_update) or [`Client::shipping`](crate::Client::shipping).
///
/// **A success is only the shop's word**: fields are dropped silently, so that what counts is what a later read shows.
/// A record that the answer does not mention is *unknown*, as is every record of an answer that is only a job's number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteAnswer {
    /// Records that the shop says it took.
    pub success: Vec<RecordKey>,
    /// Records that it says it did not take.
    pub failure: Vec<RecordKey>,
    /// Its reasons.
    pub errors: Vec<RecordError>,
    /// The job that works on the records later (`with_async`).
    pub job_id: Option<String>,
}

/// What became of one record of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Taken, by the shop's word.
    Success,
    /// Not taken, with the shop's reason if it gave one.
    Failure(Option<&'a RecordError>),
    /// The answer does not say: to be found out by reading.
    Unknown,
}

impl WriteAnswer {
    pub(crate) fn read(body: &[u8]) -> Result<Self, BadBody> {
        let text = body_text(body);
        // An empty success says nothing about any record, which is what an answer without records says.
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let answer: Value = parse(&text)?;
        if !answer.is_object() {
            return Err(BadBody::Missing("lists of successes and failures"));
        }
        let list = |name: &str| answer.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let keys = |name: &str| list(name).iter().filter_map(RecordKey::read).collect();
        Ok(Self {
            success: keys("success"),
            failure: keys("failure"),
            errors: list("errors").iter().filter_map(record_error).collect(),
            job_id: answer.get("job_id").and_then(lenient::text).map(|id| short(&id, 100)),
        })
    }

    /// Adds the answer to another part of what was told.
    pub fn join(&mut self, more: Self) {
        self.success.extend(more.success);
        self.failure.extend(more.failure);
        self.errors.extend(more.errors);
        self.job_id = self.job_id.take().or(more.job_id);
    }

    /// Adds a record that the shop refuses whenever it is in a call, with its words for that.
    pub fn refuse(&mut self, record: RecordKey, words: ShopErrors) {
        let (wrapper, causes) = words.unwrapped();
        let ShopError { code, message } = wrapper.unwrap_or_default();
        self.errors.push(RecordError { record, code, message, causes });
    }

    /// What became of an order, or of one address of it.
    ///
    /// A record that names the same address is the best answer; one that names the order alone speaks for all its
    /// addresses. Asked without an address, all records of the order count. Where records contradict each other, the
    /// failure is believed.
    #[must_use]
    pub fn outcome_for(&self, order: u64, address: Option<u64>) -> Outcome<'_> {
        let exact = |key: &RecordKey| key.order == order && key.address == address;
        let related = |key: &RecordKey| key.order == order && (address.is_none() || key.address.is_none());
        self.outcome(exact).or_else(|| self.outcome(related)).unwrap_or(Outcome::Unknown)
    }

    fn outcome(&self, is: impl Fn(&RecordKey) -> bool) -> Option<Outcome<'_>> {
        let error = self.errors.iter().find(|error| is(&error.record));
        if error.is_some() || self.failure.iter().any(&is) {
            return Some(Outcome::Failure(error));
        }
        self.success.iter().any(&is).then_some(Outcome::Success)
    }
}

fn record_error(error: &Value) -> Option<RecordError> {
    let (code, message, causes) = reasons(error);
    Some(RecordError { record: RecordKey::read(error.get("id")?)?, code, message, causes })
}

/// Code, message and nested errors of one entry.
pub(crate) fn reasons(error: &Value) -> (String, String, ShopErrors) {
    let mut causes = ShopErrors::default();
    collect(error.get("errors"), &mut causes);
    let text = |name: &str| error.get(name).and_then(lenient::text).unwrap_or_default();
    (short(&text("code"), 20), harmless(&text("message")), causes)
}
