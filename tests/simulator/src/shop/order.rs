//! An order as the shop keeps it.
//!
//! What the shop computes with (state, lines, addresses, times) is typed; anything else that a test sets lies in
//! `overrides` and is laid over the attributes when they are shown.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::api::{OrderBrief, OrderChange, StateNames, Writer};
use crate::time::ShopTime;

/// Text that is mostly one of the generator's constants.
pub type Text = Cow<'static, str>;

/// An order.
#[derive(Clone, PartialEq)]
pub struct Order {
    pub id: u64,
    pub number: String,
    pub state: String,
    pub payment_state: String,
    pub payment_method: Text,
    pub email: String,
    pub customer_id: Option<u64>,
    pub subs_order_id: Option<u64>,
    pub times: u64,
    pub kind: Text,
    pub money: Money,
    pub carrier_id: Option<u64>,
    pub stock_location_id: Option<u64>,
    pub ship_on: Option<ShopTime>,
    pub deliver_on: Option<ShopTime>,
    /// Label and code of the delivery time.
    pub delivery_time: Option<(Text, Text)>,
    pub remark: Text,
    pub memo01: String,
    pub memo02: String,
    pub created_at: ShopTime,
    pub updated_at: ShopTime,
    pub completed_at: Option<ShopTime>,
    pub shipped_at: Option<ShopTime>,
    pub delivered_at: Option<ShopTime>,
    pub paid_at: Option<ShopTime>,
    pub voided_at: Option<ShopTime>,
    /// `None` where it is the first shipping address itself.
    pub billing: Option<Box<Address>>,
    /// Never empty.
    pub ship_to: Vec<ShipTo>,
    pub lines: Vec<Line>,
    pub overrides: Map<String, Value>,
    /// Attributes left out of answers.
    pub omitted: Vec<String>,
    pub history: Vec<OrderChange>,
}

/// What an order costs besides its lines. Whole yen.
#[derive(Clone, Default, PartialEq)]
pub struct Money {
    pub discount: i64,
    pub discount_with_point: i64,
    pub adjustment: i64,
    pub deliv_fee: i64,
    pub charge: i64,
    /// Tax on what is sold at 8%; above 0 only where line prices are without tax.
    pub tax8: i64,
    /// Tax on what is sold at 10%, fees included.
    pub tax10: i64,
    pub point: i64,
}

/// A shipping address with what has been written for it.
#[derive(Clone, PartialEq)]
pub struct ShipTo {
    pub address: Address,
    pub slip: Option<String>,
    pub carrier_id: Option<u64>,
    pub shipped_at: Option<ShopTime>,
}

/// An address.
#[derive(Clone, Default, PartialEq)]
pub struct Address {
    pub id: u64,
    pub name01: Text,
    pub name02: Text,
    pub kana01: Text,
    pub kana02: Text,
    pub company_name: Option<Text>,
    pub zip01: Text,
    pub zip02: Text,
    pub prefecture_id: u8,
    pub prefecture_name: Text,
    pub addr01: Text,
    pub addr02: Text,
    pub addr03: Text,
    pub tel01: Text,
    pub tel02: Text,
    pub tel03: Text,
    pub note: Option<Text>,
    pub overrides: Map<String, Value>,
    pub omitted: Vec<String>,
}

/// A line.
#[derive(Clone, PartialEq)]
pub struct Line {
    pub id: u64,
    pub variant_id: u64,
    pub sku: Text,
    pub product_number: Text,
    pub product_name: Text,
    pub list_price: i64,
    pub price: i64,
    pub quantity: u64,
    pub tax_rate: u8,
    /// Set on items that the shop itself bundled.
    pub bundled_item_id: Option<u64>,
    /// Index of its shipping address.
    pub ship_to: usize,
    pub overrides: Map<String, Value>,
}

impl Order {
    /// Sum of the lines sold at this tax rate.
    pub fn subtotal_at(&self, tax_rate: u8) -> i64 {
        self.lines
            .iter()
            .filter(|line| line.tax_rate == tax_rate)
            .map(|line| line.price * i64::try_from(line.quantity).unwrap_or(i64::MAX))
            .fold(0, i64::saturating_add)
    }

    /// Sum of all lines.
    pub fn subtotal(&self) -> i64 {
        self.subtotal_at(8).saturating_add(self.subtotal_at(10))
    }

    /// What the customer pays.
    pub fn total(&self) -> i64 {
        let money = &self.money;
        let more = money.deliv_fee + money.charge + money.tax8 + money.tax10 + money.adjustment;
        self.subtotal().saturating_add(more - money.discount - money.discount_with_point - money.point)
    }

    /// Whether it goes to several addresses, so that tracking numbers are written per address.
    pub fn is_multiple(&self) -> bool {
        self.ship_to.len() > 1
    }

    /// The tracking number that a read of the order shows: the first address' one that is set.
    pub fn shown_slip(&self) -> Option<&str> {
        self.ship_to.iter().find_map(|ship_to| ship_to.slip.as_deref())
    }

    /// Whether every address has its tracking number.
    pub fn is_wholly_slipped(&self) -> bool {
        self.ship_to.iter().all(|ship_to| ship_to.slip.is_some())
    }

    /// Moves the order to a state and keeps a record, also when it stood there already.
    pub fn move_to(&mut self, state: &str, by: Writer, now: ShopTime) {
        let from = std::mem::replace(&mut self.state, state.to_owned());
        self.record(by, "state", None, from.into(), state.into(), now);
    }

    /// Changes the payment state and keeps a record.
    pub fn pay(&mut self, payment_state: &str, by: Writer, now: ShopTime) {
        let from = std::mem::replace(&mut self.payment_state, payment_state.to_owned());
        match payment_state {
            "captured" | "completed" | "paid" => self.paid_at = self.paid_at.or(Some(now)),
            "voided" | "void" => self.voided_at = self.voided_at.or(Some(now)),
            _ => {}
        }
        self.record(by, "payment_state", None, from.into(), payment_state.into(), now);
    }

    /// Notes a change and stamps the order as updated.
    pub fn record(&mut self, by: Writer, field: &str, address_id: Option<u64>, from: Value, to: Value, now: ShopTime) {
        self.updated_at = now;
        self.history.push(OrderChange { at: now.timestamp(), by, field: field.to_owned(), address_id, from, to });
    }

    /// Notes a tracking number that was dropped without a word: nothing else changed, not even when it last did.
    pub fn note_dropped(&mut self, slip: &str, now: ShopTime) {
        self.history.push(OrderChange {
            at: now.timestamp(),
            by: Writer::Api,
            field: "dropped_slip".to_owned(),
            address_id: self.ship_to.first().map(|ship_to| ship_to.address.id),
            from: Value::Null,
            to: slip.into(),
        });
    }

    /// The order in short.
    pub fn brief(&self, states: &StateNames) -> OrderBrief {
        let written = |field: &str, to: Option<&str>| {
            self.history
                .iter()
                .filter(|change| change.by == Writer::Api && change.field == field)
                .filter(|change| to.is_none_or(|to| change.to == to))
                .count() as u64
        };
        OrderBrief {
            id: self.id,
            number: self.number.clone(),
            state: self.state.clone(),
            payment_state: self.payment_state.clone(),
            shipping_slips: self.ship_to.iter().map(|ship_to| ship_to.slip.clone()).collect(),
            written_working: written("state", Some(&states.working)),
            written_shipped: written("state", Some(&states.shipped)),
            written_slips: written("shipping_slip", None),
        }
    }
}
