//! What to list: a builder for the shop's search parameters (Ransack predicates).
//!
//! Two habits of the shop make this more than string building. It **ignores a condition whose value is blank**, and
//! then lists every order there is; so a blank or empty value here asks for nothing and gets nothing. And an `_eq` on a
//! time misses rows; so times are only compared as half-open windows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use crate::wire::lenient::request_time;
use crate::wire::order_read::Wanted;

/// The most rows a page can have; shops cut more to this without a word.
pub const MAX_PER: u32 = 100;

/// Text attributes that shops filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextAttribute {
    /// The order number.
    Number,
    /// The order state's code.
    State,
    /// The payment state's code.
    PaymentState,
    /// The buyer's e-mail address.
    Email,
}

impl TextAttribute {
    const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::State => "state",
            Self::PaymentState => "payment_state",
            Self::Email => "email",
        }
    }
}

/// Whole-number attributes that shops filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WholeAttribute {
    /// The order's id.
    Id,
    /// The buyer's id.
    CustomerId,
    /// The subscription's id.
    SubsOrderId,
    /// The total, in yen.
    Total,
    /// What is to be paid, in yen.
    PaymentTotal,
    /// The carrier's number at the shop.
    ShippingCarrierId,
    /// The stock location's id.
    StockLocationId,
    /// Which delivery of a subscription.
    Times,
}

impl WholeAttribute {
    const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::CustomerId => "customer_id",
            Self::SubsOrderId => "subs_order_id",
            Self::Total => "total",
            Self::PaymentTotal => "payment_total",
            Self::ShippingCarrierId => "shipping_carrier_id",
            Self::StockLocationId => "stock_location_id",
            Self::Times => "times",
        }
    }
}

/// Times that shops filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeAttribute {
    /// When the order was made.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// When it is to be shipped.
    ScheduledToBeShippedAt,
}

impl TimeAttribute {
    const fn name(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::ScheduledToBeShippedAt => "scheduled_to_be_shipped_at",
        }
    }
}

/// A condition on a text attribute. A blank text matches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// Equal.
    Eq(String),
    /// One of these; blank ones are left out.
    In(Vec<String>),
    /// Contains.
    Cont(String),
}

/// A condition on a whole-number attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WholeTest {
    /// Equal.
    Eq(i64),
    /// One of these; none matches nothing.
    In(Vec<i64>),
    /// Less than.
    Lt(i64),
    /// At most.
    LtEq(i64),
    /// More than.
    Gt(i64),
    /// At least.
    GtEq(i64),
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// The order's id: what paging by [`OrderQuery::id_gt`] needs.
    Id,
    /// When the order was made.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
}

/// Which way rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest or oldest first.
    Ascending,
    /// Largest or newest first.
    Descending,
}

/// Related records that come along with the orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Include {
    /// The buyer.
    Customer,
    /// Who pays.
    BillingAddress,
    /// The main shipping address.
    ShippingAddress,
    /// All shipping addresses.
    ShippingAddresses,
    /// The lines.
    OrderItems,
}

impl Include {
    /// Everything that an [`Order`](crate::Order) is joined from.
    pub const ALL: [Self; 5] =
        [Self::Customer, Self::BillingAddress, Self::ShippingAddress, Self::ShippingAddresses, Self::OrderItems];

    const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::BillingAddress => "billing_address",
            Self::ShippingAddress => "shipping_address",
            Self::ShippingAddresses => "shipping_addresses",
            Self::OrderItems => "order_items",
        }
    }
}

/// A query for a page of orders. A condition on the same attribute with the same predicate replaces the earlier one.
///
/// Rows of a query that includes items or shipping addresses must have them: without, an order is a
/// [`BadRecord`](crate::BadRecord). A query that includes neither (to look at states only) asks nothing of the kind.
///
/// To read everything in a state while rows leave it under one's feet, page by key:
/// `state_eq(…).id_gt(last).sort(SortBy::Id, Ascending)`, not by page number.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderQuery {
    conditions: BTreeMap<String, Vec<String>>,
    nothing: bool,
    sort: (SortBy, Direction),
    page: u32,
    per: u32,
    include: BTreeSet<Include>,
    lighter: Option<bool>,
}

impl Default for OrderQuery {
    fn default() -> Self {
        Self::new()
    }
}

impl OrderQuery {
    /// All orders by ascending id, [`MAX_PER`] rows, first page, nothing included.
    #[must_use]
    pub fn new() -> Self {
        Self {
            conditions: BTreeMap::new(),
            nothing: false,
            sort: (SortBy::Id, Direction::Ascending),
            page: 1,
            per: MAX_PER,
            include: BTreeSet::new(),
            lighter: None,
        }
    }

    /// Orders in this state.
    #[must_use]
    pub fn state_eq(self, state: impl Into<String>) -> Self {
        self.text(TextAttribute::State, TextTest::Eq(state.into()))
    }

    /// Orders in one of these states.
    #[must_use]
    pub fn state_in<S: Into<String>>(self, states: impl IntoIterator<Item = S>) -> Self {
        self.text(TextAttribute::State, TextTest::In(states.into_iter().map(Into::into).collect()))
    }

    /// Orders after this id.
    #[must_use]
    pub fn id_gt(self, id: u64) -> Self {
        self.condition("id_gt", [id.to_string()])
    }

    /// These orders. At most [`MAX_PER`] make sense: no page shows more.
    #[must_use]
    pub fn id_in(self, ids: impl IntoIterator<Item = u64>) -> Self {
        self.condition("id_in[]", ids.into_iter().map(|id| id.to_string()))
    }

    /// Orders that last changed within `[from, before)`. Both ends are cut to whole seconds, so windows that share an
    /// end neither overlap nor leave a gap.
    #[must_use]
    pub fn updated_at(self, from: Timestamp, before: Timestamp) -> Self {
        self.since(TimeAttribute::UpdatedAt, from).before(TimeAttribute::UpdatedAt, before)
    }

    /// Orders made within `[from, before)`.
    #[must_use]
    pub fn created_at(self, from: Timestamp, before: Timestamp) -> Self {
        self.since(TimeAttribute::CreatedAt, from).before(TimeAttribute::CreatedAt, before)
    }

    /// Orders whose time is this moment or later.
    #[must_use]
    pub fn since(self, attribute: TimeAttribute, from: Timestamp) -> Self {
        self.condition(&format!("{}_gteq", attribute.name()), [request_time(from)])
    }

    /// Orders whose time is before this moment.
    #[must_use]
    pub fn before(self, attribute: TimeAttribute, before: Timestamp) -> Self {
        self.condition(&format!("{}_lt", attribute.name()), [request_time(before)])
    }

    /// A condition on a text attribute.
    #[must_use]
    pub fn text(self, attribute: TextAttribute, test: TextTest) -> Self {
        let name = attribute.name();
        match test {
            TextTest::Eq(value) => self.condition(&format!("{name}_eq"), [value]),
            TextTest::In(values) => self.condition(&format!("{name}_in[]"), values),
            TextTest::Cont(value) => self.condition(&format!("{name}_cont"), [value]),
        }
    }

    /// A condition on a whole-number attribute.
    #[must_use]
    pub fn whole(self, attribute: WholeAttribute, test: WholeTest) -> Self {
        let name = attribute.name();
        match test {
            WholeTest::Eq(number) => self.condition(&format!("{name}_eq"), [number.to_string()]),
            WholeTest::In(numbers) => self.condition(&format!("{name}_in[]"), numbers.iter().map(i64::to_string)),
            WholeTest::Lt(number) => self.condition(&format!("{name}_lt"), [number.to_string()]),
            WholeTest::LtEq(number) => self.condition(&format!("{name}_lteq"), [number.to_string()]),
            WholeTest::Gt(number) => self.condition(&format!("{name}_gt"), [number.to_string()]),
            WholeTest::GtEq(number) => self.condition(&format!("{name}_gteq"), [number.to_string()]),
        }
    }

    /// The order of rows.
    #[must_use]
    pub const fn sort(mut self, by: SortBy, direction: Direction) -> Self {
        self.sort = (by, direction);
        self
    }

    /// Rows a page, 1 to [`MAX_PER`]; numbers outside are brought inside.
    #[must_use]
    pub fn per(mut self, per: u32) -> Self {
        self.per = per.clamp(1, MAX_PER);
        self
    }

    /// The page, from 1. Rows shift between numbered pages while orders change; see [`OrderQuery::id_gt`].
    #[must_use]
    pub fn page(mut self, page: u32) -> Self {
        self.page = page.max(1);
        self
    }

    /// Related records to come along.
    #[must_use]
    pub fn include(mut self, records: impl IntoIterator<Item = Include>) -> Self {
        self.include.extend(records);
        self
    }

    /// Everything that an order is joined from.
    #[must_use]
    pub fn include_all(self) -> Self {
        self.include(Include::ALL)
    }

    /// Rows with fewer attributes, where the shop offers them.
    #[must_use]
    pub const fn lighter(mut self, lighter: bool) -> Self {
        self.lighter = Some(lighter);
        self
    }

    /// The rows asked for a page: what [`OrderPage::is_last`](crate::OrderPage::is_last) compares with.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.per
    }

    /// The parameters of the request, unencoded.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        if self.nothing {
            // No order has the id 0. The other conditions are left out: this one alone already matches nothing.
            pairs.push(("q[id_eq]".to_owned(), "0".to_owned()));
        } else {
            for (name, values) in &self.conditions {
                let key = match name.strip_suffix("[]") {
                    Some(name) => format!("q[{name}][]"),
                    None => format!("q[{name}]"),
                };
                pairs.extend(values.iter().map(|value| (key.clone(), value.clone())));
            }
        }
        let by = match self.sort.0 {
            SortBy::Id => "id",
            SortBy::CreatedAt => "created_at",
            SortBy::UpdatedAt => "updated_at",
        };
        let sign = match self.sort.1 {
            Direction::Ascending => "",
            Direction::Descending => "-",
        };
        pairs.push(("sort".to_owned(), format!("{sign}{by}")));
        pairs.push(("per".to_owned(), self.per.to_string()));
        pairs.push(("page".to_owned(), self.page.to_string()));
        if !self.include.is_empty() {
            let names: Vec<&str> = self.include.iter().map(|record| record.name()).collect();
            pairs.push(("include".to_owned(), names.join(",")));
        }
        if let Some(lighter) = self.lighter {
            pairs.push(("lighter".to_owned(), u8::from(lighter).to_string()));
        }
        pairs
    }

    pub(crate) fn wanted(&self) -> Wanted {
        Wanted {
            items: self.include.contains(&Include::OrderItems),
            shipping_addresses: self.include.contains(&Include::ShippingAddresses),
        }
    }

    fn condition(mut self, name: &str, values: impl IntoIterator<Item = String>) -> Self {
        let values: Vec<String> = values.into_iter().filter(|value| !is_blank(value)).collect();
        self.nothing |= values.is_empty();
        self.conditions.insert(name.to_owned(), values);
        self
    }
}

/// What the shop takes for blank: it strips whitespace of every kind.
fn is_blank(value: &str) -> bool {
    value.chars().all(|c| c.is_whitespace() || c.is_control())
}

/// Without the values, which may be a buyer's.
impl fmt::Debug for OrderQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderQuery")
            .field("conditions", &self.conditions.keys())
            .field("page", &self.page)
            .field("per", &self.per)
            .field("include", &self.include)
            .finish_non_exhaustive()
    }
}
