//! Pages of rows, in which a bad row is one bad row.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;

use super::document::{Document, Resource, body_text};
use super::failure::short;
use super::lenient;
use super::order::Order;
use super::order_read::{self, Wanted, identity};
use crate::error::BadBody;
use crate::query::MAX_PER;

/// The tracking number's attribute as it stands in a row's text. Within a value its quotes would be escaped.
const SLIP: &str = "\"shipping_slip\"";

/// A page of orders.
///
/// Rows are kept in the shop's order, and a row that the shop sends twice is here twice: whether an order was seen
/// before is for the caller to know.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderPage {
    /// Each row: an order, or what is left of one.
    pub orders: Vec<Result<Order, BadRecord>>,
    /// How many rows the shop sent, bad ones included. What [`OrderPage::is_last`] counts.
    pub rows: usize,
    /// Ids of the orders that the shop shows to have no tracking number. One whose row leaves the attribute out is not among
    /// them: of that nothing is known.
    pub without_number: BTreeSet<u64>,
    /// The shop's own counts; informational, for they have been seen wrong.
    pub meta: Meta,
}

impl OrderPage {
    pub(crate) fn read(body: &[u8], wanted: Wanted) -> Result<Self, BadBody> {
        let text = body_text(body);
        let document = Document::list(&text)?;
        let orders: Vec<_> = document.rows.iter().map(|row| order_read::order(&document, row, wanted)).collect();
        // An order's own form is the same whether the attribute is empty or left out; the row's text tells.
        let shown = document.rows.iter().zip(&orders).filter(|(row, _)| row.get().contains(SLIP));
        let without_number: BTreeSet<u64> = shown
            .filter_map(|(_, order)| order.as_ref().ok())
            .filter(|order| order.shipping_slip.is_none())
            .map(|order| order.id)
            .collect();
        Ok(Self { rows: orders.len(), orders, without_number, meta: Meta::read(document.meta.as_ref()) })
    }

    /// Whether this page is the last one of a query that asked for `per` rows: it has fewer. `meta` is not asked.
    #[must_use]
    pub fn is_last(&self, per: u32) -> bool {
        is_last(self.rows, per)
    }

    /// The orders' ids, as the rows come: shops repeat rows. What shows none is left out.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        self.orders.iter().filter_map(id_of)
    }
}

/// The id that a row of a page shows, be it an order or what is left of one.
#[must_use]
pub fn id_of(row: &Result<Order, BadRecord>) -> Option<u64> {
    row.as_ref().map_or_else(|bad| bad.id, |order| Some(order.id))
}

/// A page of any other list. What is said of [`OrderPage`] holds here too.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// Each row: a record, or what is left of one.
    pub records: Vec<Result<T, BadRecord>>,
    /// How many rows the shop sent, bad ones included.
    pub rows: usize,
    /// The shop's own counts; informational.
    pub meta: Meta,
}

impl<T> Page<T> {
    /// Whether this page is the last one of a request for `per` rows.
    #[must_use]
    pub fn is_last(&self, per: u32) -> bool {
        is_last(self.rows, per)
    }

    pub(crate) fn read(
        body: &[u8],
        what: &str,
        mut record: impl FnMut(&Document<'_>, &Resource) -> Result<T, String>,
    ) -> Result<Self, BadBody> {
        let text: Cow<'_, str> = body_text(body);
        let document = Document::list(&text)?;
        let mut records = Vec::with_capacity(document.rows.len());
        for row in &document.rows {
            let read = document.resource(row).and_then(|resource| record(&document, &resource));
            records.push(read.map_err(|reason| BadRecord::of(row, what, &reason)));
        }
        Ok(Self { rows: records.len(), records, meta: Meta::read(document.meta.as_ref()) })
    }
}

/// Shops cut a larger `per` to their most without a word.
fn is_last(rows: usize, per: u32) -> bool {
    rows < per.clamp(1, MAX_PER) as usize
}

/// The answer to a request for one order.
pub(crate) fn single_order(body: &[u8], wanted: Wanted) -> Result<Result<Order, BadRecord>, BadBody> {
    let text = body_text(body);
    let document = Document::single(&text)?;
    let row: &RawValue = document.rows.first().ok_or(BadBody::Missing("record"))?;
    Ok(order_read::order(&document, row, wanted))
}

/// Longest number of a bad row, in characters: no order's is longer, and it travels in a message of limited size.
const LONGEST_NUMBER: usize = 128;

/// A row that cannot be used. Kept apart, so that a person can look at it and it can be read again once the cause is
/// gone; its page goes on without it. `Debug` and `Display` show no personal data, but `raw` holds it.
#[derive(Clone, PartialEq)]
pub struct BadRecord {
    /// The shop's id, if it can be made out.
    pub id: Option<u64>,
    /// The number that people see, if it can be made out; its first 128 characters, as a row may have anything there.
    pub number: Option<String>,
    /// What is wrong, as a sentence.
    pub reason: String,
    /// The row as the shop sent it (without the records it refers to); its text when it is not even JSON.
    pub raw: Value,
}

impl BadRecord {
    pub(crate) fn of(row: &RawValue, what: &str, reason: &str) -> Self {
        // Text that is no JSON was never a record; the beginning shows what it was.
        let raw = serde_json::from_str(row.get()).unwrap_or_else(|_| Value::from(short(row.get(), 64 * 1024)));
        let (id, number) = identity(&raw);
        let number: Option<String> = number.map(|number| number.chars().take(LONGEST_NUMBER).collect());
        let name = match (&number, id) {
            (Some(number), _) => format!("{what} {}", short(number, 40)),
            (None, Some(id)) => format!("{what} with id {id}"),
            (None, None) => format!("an {what} without number"),
        };
        Self { id, number, reason: format!("{name} cannot be read: {reason}"), raw }
    }
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl fmt::Debug for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, number, reason, raw: _ } = self;
        f.debug_struct("BadRecord")
            .field("id", id)
            .field("number", number)
            .field("reason", reason)
            .finish_non_exhaustive()
    }
}

/// What a list says about itself. To be shown, not to be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// All rows that match.
    pub total_count: Option<u64>,
    /// This page, from 1.
    pub page: Option<u64>,
    /// Rows a page.
    pub per: Option<u64>,
    /// Rows on this page.
    pub count: Option<u64>,
    /// Pages. Seen wrong.
    pub total_pages: Option<u64>,
}

impl Meta {
    fn read(meta: Option<&Value>) -> Self {
        let number = |name: &str| {
            let whole = lenient::whole(meta?.get(name)?).ok().flatten()?;
            u64::try_from(whole).ok()
        };
        Self {
            total_count: number("total_count"),
            page: number("page"),
            per: number("per"),
            count: number("count"),
            total_pages: number("total_pages"),
        }
    }
}

/// Which page of a list, and how many rows on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    page: u32,
    per: u32,
}

impl PageRequest {
    /// Page `page` (from 1) of `per` rows (1 to [`MAX_PER`]); numbers outside are brought inside.
    #[must_use]
    pub fn new(page: u32, per: u32) -> Self {
        Self { page: page.max(1), per: per.clamp(1, MAX_PER) }
    }

    /// The page, from 1.
    #[must_use]
    pub const fn page(self) -> u32 {
        self.page
    }

    /// Rows a page.
    #[must_use]
    pub const fn per(self) -> u32 {
        self.per
    }

    /// The page after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { page: self.page.saturating_add(1), per: self.per }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { page: 1, per: MAX_PER }
    }
}
