//! A listing's query: `page`, `per`, `sort`, `include`, `lighter` and Ransack's `q[…]`.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value;

use super::book::Book;
use super::order::Order;
use crate::time::ShopTime;

/// A span of ids.
type Span = (Bound<u64>, Bound<u64>);

/// Rows of a page at most; more is cut to it silently.
pub const MOST_PER_PAGE: u64 = 100;
/// Rows of a page when the caller does not say.
const DEFAULT_PER_PAGE: u64 = 25;

/// A listing as asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    pub page: u64,
    pub per: u64,
    pub include: Include,
    pub lighter: bool,
    sort: Vec<(Attribute, bool)>,
    conditions: Vec<Condition>,
}

/// Which related resources come along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five independent names of one comma separated list")]
pub struct Include {
    pub customer: bool,
    pub billing_address: bool,
    pub shipping_address: bool,
    pub shipping_addresses: bool,
    pub order_items: bool,
}

/// The page that a listing found.
pub struct Found {
    pub orders: Vec<Arc<Order>>,
    pub total: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Id,
    Number,
    CustomerId,
    SubsOrderId,
    State,
    PaymentState,
    Email,
    Total,
    PaymentTotal,
    ShippingCarrierId,
    StockLocationId,
    Times,
    ShipOn,
    CreatedAt,
    UpdatedAt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Predicate {
    Eq,
    In,
    Cont,
    Lt,
    Lteq,
    Gt,
    Gteq,
}

#[derive(Debug, Clone, PartialEq)]
struct Condition {
    attribute: Attribute,
    predicate: Predicate,
    values: Vec<Field>,
}

/// A value that conditions compare. Ordered within one kind only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Null,
    Number(i64),
    Text(String),
    Time(ShopTime),
}

impl Listing {
    /// Reads a query string; the refusal is the sentence that the shop's 422 says.
    pub fn parse(query: &str, ignore_unknown: bool) -> Result<Self, String> {
        let mut listing = Self { page: 1, per: DEFAULT_PER_PAGE, ..Self::default() };
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "page" => listing.page = value.parse().unwrap_or(1).max(1),
                "per" => {
                    listing.per = value.parse().unwrap_or(DEFAULT_PER_PAGE).clamp(1, MOST_PER_PAGE);
                }
                "sort" => listing.sort = parse_sort(&value)?,
                "include" => listing.include = Include::parse(&value)?,
                "lighter" => listing.lighter = matches!(value.as_ref(), "1" | "true"),
                key => {
                    let Some(condition) = key.strip_prefix("q[").and_then(|rest| rest.split_once(']')) else {
                        return Err(format!("不明なパラメータです: {key}"));
                    };
                    match Condition::parse(condition.0, condition.1 == "[]", &value) {
                        Ok(condition) => listing.add(condition),
                        Err(_) if ignore_unknown && Condition::name(condition.0).is_none() => {}
                        Err(refusal) => return Err(refusal),
                    }
                }
            }
        }
        Ok(listing)
    }

    /// Repeated `q[x_in][]` are one condition with several values.
    fn add(&mut self, condition: Condition) {
        let same = self.conditions.iter_mut().find(|known| {
            known.predicate == Predicate::In
                && condition.predicate == Predicate::In
                && known.attribute == condition.attribute
        });
        match same {
            Some(known) => known.values.extend(condition.values),
            None => self.conditions.push(condition),
        }
    }

    /// Forgets after which id it is to begin.
    pub fn begin_at_the_first(&mut self) {
        self.conditions.retain(|one| (one.attribute, one.predicate) != (Attribute::Id, Predicate::Gt));
    }

    /// The page of orders that this listing asks for.
    pub fn run(&self, book: &Book) -> Found {
        let skip = usize::try_from((self.page - 1).saturating_mul(self.per)).unwrap_or(usize::MAX);
        let take = usize::try_from(self.per).unwrap_or(usize::MAX);
        let by_id = match self.sort.as_slice() {
            [] => Some(false),
            [(Attribute::Id, descending), ..] => Some(*descending),
            _ => None,
        };
        // The hot path: a state and a span of ids, in order of id. The index alone answers it, orders stay untouched.
        if let (Some(descending), Some((state, bounds))) = (by_id, self.only_state_and_ids()) {
            let Some(ids) = book.in_state(state) else {
                return Found { orders: Vec::new(), total: 0 };
            };
            if is_empty(bounds) {
                return Found { orders: Vec::new(), total: 0 };
            }
            let range = ids.range(bounds);
            let total = range.clone().count() as u64;
            let orders = if descending {
                range.rev().skip(skip).take(take).filter_map(|id| book.get(*id)).cloned().collect()
            } else {
                range.skip(skip).take(take).filter_map(|id| book.get(*id)).cloned().collect()
            };
            return Found { orders, total };
        }
        let mut matches: Vec<&Arc<Order>> = self.matches(book);
        for (attribute, descending) in self.sort.iter().rev() {
            if (*attribute, *descending) != (Attribute::Id, false) {
                matches.sort_by(|left, right| {
                    let order = attribute.of(left).partial_cmp(&attribute.of(right)).unwrap_or(Ordering::Equal);
                    if *descending { order.reverse() } else { order }
                });
            }
        }
        let total = matches.len() as u64;
        let orders = matches.into_iter().skip(skip).take(take).cloned().collect();
        Found { orders, total }
    }

    /// The last order before this page's first row in order of id: a row that "shifted between pages".
    pub fn row_before(&self, book: &Book, first: u64) -> Option<Arc<Order>> {
        let state =
            self.conditions.iter().find(|one| one.attribute == Attribute::State && one.predicate == Predicate::Eq)?;
        let Some(Field::Text(state)) = state.values.first() else {
            return None;
        };
        let id = book.in_state(state)?.range(..first).next_back()?;
        book.get(*id).cloned()
    }

    /// Matching orders, by id ascending.
    fn matches<'a>(&self, book: &'a Book) -> Vec<&'a Arc<Order>> {
        let fits = |order: &&Arc<Order>| self.conditions.iter().all(|condition| condition.fits(order));
        let named = self.conditions.iter().find(|condition| {
            condition.attribute == Attribute::Id && matches!(condition.predicate, Predicate::Eq | Predicate::In)
        });
        if let Some(named) = named {
            let mut ids: Vec<u64> = named
                .values
                .iter()
                .filter_map(|value| match value {
                    Field::Number(id) => u64::try_from(*id).ok(),
                    Field::Null | Field::Text(_) | Field::Time(_) => None,
                })
                .collect();
            ids.sort_unstable();
            ids.dedup();
            return ids.into_iter().filter_map(|id| book.get(id)).filter(fits).collect();
        }
        let bounds = self.id_bounds();
        if is_empty(bounds) {
            return Vec::new();
        }
        let state = self.conditions.iter().find(|condition| {
            condition.attribute == Attribute::State && matches!(condition.predicate, Predicate::Eq | Predicate::In)
        });
        match state {
            Some(condition) => {
                let mut ids: Vec<u64> = condition
                    .values
                    .iter()
                    .filter_map(|value| match value {
                        Field::Text(state) => book.in_state(state),
                        Field::Null | Field::Number(_) | Field::Time(_) => None,
                    })
                    .flat_map(|ids| ids.range(bounds).copied())
                    .collect();
                ids.sort_unstable();
                ids.dedup();
                ids.into_iter().filter_map(|id| book.get(id)).filter(fits).collect()
            }
            None => book.all().range(bounds).map(|(_, order)| order).filter(fits).collect(),
        }
    }

    fn only_state_and_ids(&self) -> Option<(&str, Span)> {
        let mut state = None;
        for condition in &self.conditions {
            match (condition.attribute, condition.predicate, condition.values.as_slice()) {
                (Attribute::State, Predicate::Eq, [Field::Text(name)]) if state.is_none() => {
                    state = Some(name.as_str());
                }
                (Attribute::Id, Predicate::Lt | Predicate::Lteq | Predicate::Gt | Predicate::Gteq, _) => {}
                _ => return None,
            }
        }
        Some((state?, self.id_bounds()))
    }

    fn id_bounds(&self) -> Span {
        let (mut low, mut high) = (0_u64, u64::MAX);
        for condition in self.conditions.iter().filter(|condition| condition.attribute == Attribute::Id) {
            let Some(Field::Number(id)) = condition.values.first() else {
                continue;
            };
            let id = u64::try_from(*id).unwrap_or(0);
            match condition.predicate {
                Predicate::Gt => low = low.max(id.saturating_add(1)),
                Predicate::Gteq => low = low.max(id),
                Predicate::Lt => high = high.min(id),
                Predicate::Lteq => high = high.min(id.saturating_add(1)),
                Predicate::Eq | Predicate::In | Predicate::Cont => {}
            }
        }
        (Bound::Included(low), Bound::Excluded(high))
    }
}

fn is_empty(bounds: Span) -> bool {
    matches!(bounds, (Bound::Included(low), Bound::Excluded(high)) if low >= high)
}

fn parse_sort(value: &str) -> Result<Vec<(Attribute, bool)>, String> {
    value
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let (name, descending) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
            Attribute::named(name)
                .map(|attribute| (attribute, descending))
                .ok_or_else(|| format!("並び替えできない項目です: {name}"))
        })
        .collect()
}

impl Include {
    /// Reads a comma separated list.
    pub fn parse(value: &str) -> Result<Self, String> {
        let mut include = Self::default();
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "customer" => include.customer = true,
                "billing_address" => include.billing_address = true,
                "shipping_address" => include.shipping_address = true,
                "shipping_addresses" => include.shipping_addresses = true,
                "order_items" => include.order_items = true,
                other => return Err(format!("includeできない関連です: {other}")),
            }
        }
        Ok(include)
    }
}

impl Condition {
    fn name(key: &str) -> Option<(Attribute, Predicate)> {
        let (attribute, predicate) = key.rsplit_once('_')?;
        let predicate = match predicate {
            "eq" => Predicate::Eq,
            "in" => Predicate::In,
            "cont" => Predicate::Cont,
            "lt" => Predicate::Lt,
            "lteq" => Predicate::Lteq,
            "gt" => Predicate::Gt,
            "gteq" => Predicate::Gteq,
            _ => return None,
        };
        Some((Attribute::named(attribute)?, predicate))
    }

    fn parse(key: &str, is_list: bool, value: &str) -> Result<Self, String> {
        let (attribute, predicate) = Self::name(key).ok_or_else(|| format!("検索条件が不正です: {key}"))?;
        if is_list != (predicate == Predicate::In) {
            return Err(format!("検索条件の書き方が不正です: {key}"));
        }
        let value = attribute.read(value).ok_or_else(|| format!("検索条件の値が不正です: {key}"))?;
        if predicate == Predicate::Cont && !matches!(value, Field::Text(_)) {
            return Err(format!("検索条件が不正です: {key}"));
        }
        Ok(Self { attribute, predicate, values: vec![value] })
    }

    fn fits(&self, order: &Order) -> bool {
        let field = self.attribute.of(order);
        if field == Field::Null {
            return false;
        }
        let Some(first) = self.values.first() else {
            return false;
        };
        match self.predicate {
            Predicate::Eq => field == *first,
            Predicate::In => self.values.contains(&field),
            Predicate::Cont => match (&field, first) {
                (Field::Text(text), Field::Text(part)) => text.to_lowercase().contains(&part.to_lowercase()),
                _ => false,
            },
            Predicate::Lt => field < *first,
            Predicate::Lteq => field <= *first,
            Predicate::Gt => field > *first,
            Predicate::Gteq => field >= *first,
        }
    }
}

impl Attribute {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "number" => Self::Number,
            "customer_id" => Self::CustomerId,
            "subs_order_id" => Self::SubsOrderId,
            "state" => Self::State,
            "payment_state" => Self::PaymentState,
            "email" => Self::Email,
            "total" => Self::Total,
            "payment_total" => Self::PaymentTotal,
            "shipping_carrier_id" => Self::ShippingCarrierId,
            "stock_location_id" => Self::StockLocationId,
            "times" => Self::Times,
            "scheduled_to_be_shipped_at" => Self::ShipOn,
            "created_at" => Self::CreatedAt,
            "updated_at" => Self::UpdatedAt,
            _ => return None,
        })
    }

    /// Reads a condition's value in this attribute's kind.
    fn read(self, text: &str) -> Option<Field> {
        match self {
            Self::Number | Self::State | Self::PaymentState | Self::Email => Some(Field::Text(text.to_owned())),
            Self::ShipOn | Self::CreatedAt | Self::UpdatedAt => ShopTime::from_request(text).map(Field::Time),
            Self::Id
            | Self::CustomerId
            | Self::SubsOrderId
            | Self::Total
            | Self::PaymentTotal
            | Self::ShippingCarrierId
            | Self::StockLocationId
            | Self::Times => text.parse().ok().map(Field::Number),
        }
    }

    /// An order's value.
    fn of(self, order: &Order) -> Field {
        let number = |value: u64| Field::Number(i64::try_from(value).unwrap_or(i64::MAX));
        let overridden = |key: &str| order.overrides.get(key).and_then(Value::as_i64);
        match self {
            Self::Id => number(order.id),
            Self::Number => Field::Text(order.number.clone()),
            Self::CustomerId => order.customer_id.map_or(Field::Null, number),
            Self::SubsOrderId => order.subs_order_id.map_or(Field::Null, number),
            Self::State => Field::Text(order.state.clone()),
            Self::PaymentState => Field::Text(order.payment_state.clone()),
            Self::Email => Field::Text(order.email.clone()),
            Self::Total => Field::Number(overridden("total").unwrap_or_else(|| order.total())),
            Self::PaymentTotal => Field::Number(overridden("payment_total").unwrap_or_else(|| order.total())),
            Self::ShippingCarrierId => order.carrier_id.map_or(Field::Null, number),
            Self::StockLocationId => order.stock_location_id.map_or(Field::Null, number),
            Self::Times => number(order.times),
            Self::ShipOn => order.ship_on.map_or(Field::Null, Field::Time),
            Self::CreatedAt => Field::Time(order.created_at),
            Self::UpdatedAt => Field::Time(order.updated_at),
        }
    }
}
