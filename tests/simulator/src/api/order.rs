//! Orders as tests place them, and as they truly are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What generated orders are like. Percentages run from 0 to 100; the defaults are a plausible shop's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrderOptions {
    /// Weights of states; empty puts every order into the shop's fetch state.
    pub states: BTreeMap<String, f64>,
    /// Weights of payment states; empty takes the realistic mix.
    pub payment_states: BTreeMap<String, f64>,
    /// Percentage of orders whose payment is not (yet) good; overrides the mix' own share of about 12.
    pub unpaid_percent: Option<f64>,
    /// Orders with a SKU that is none of the shop's products.
    pub unknown_sku_percent: f64,
    /// Orders to two or three addresses.
    pub multi_address_percent: f64,
    /// Subscription orders (定期受注); a third of them the first of their subscription.
    pub subscription_percent: f64,
    /// Orders with a remark.
    pub remark_percent: f64,
    /// Orders with a remark of up to 5,000 characters.
    pub long_remark_percent: f64,
    /// Orders from which some keys that a client can live without are missing, or null.
    pub missing_keys_percent: f64,
    /// Orders whose line prices are without tax (`tax` above 0).
    pub tax_exclusive_percent: f64,
    /// Addresses of companies.
    pub company_percent: f64,
    /// Orders with a discount.
    pub discount_percent: f64,
    /// Orders that spend points.
    pub point_percent: f64,
    /// Orders whose id is lower than ids given out before: ids are not issued in order of time.
    pub late_id_percent: f64,
    /// The orders were placed within so many hours before now.
    pub span_hours: u32,
}

impl Default for OrderOptions {
    fn default() -> Self {
        Self {
            states: BTreeMap::new(),
            payment_states: BTreeMap::new(),
            unpaid_percent: None,
            unknown_sku_percent: 0.0,
            multi_address_percent: 3.0,
            subscription_percent: 40.0,
            remark_percent: 20.0,
            long_remark_percent: 0.5,
            missing_keys_percent: 5.0,
            tax_exclusive_percent: 10.0,
            company_percent: 5.0,
            discount_percent: 12.0,
            point_percent: 8.0,
            late_id_percent: 2.0,
            span_hours: 48,
        }
    }
}

impl OrderOptions {
    /// Plain orders only: one address, known SKUs, authorised cards, no oddities. For tests that count.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            payment_states: BTreeMap::from([("authed".to_owned(), 1.0)]),
            multi_address_percent: 0.0,
            subscription_percent: 0.0,
            remark_percent: 0.0,
            long_remark_percent: 0.0,
            missing_keys_percent: 0.0,
            tax_exclusive_percent: 0.0,
            company_percent: 0.0,
            discount_percent: 0.0,
            point_percent: 0.0,
            late_id_percent: 0.0,
            ..Self::default()
        }
    }
}

/// Orders to place: `POST /shops/{name}/orders`. Either a number to generate or explicit ones, or both.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewOrders {
    /// So many generated ones.
    pub generate: u64,
    /// Decides them; without it they continue from the shop's seed and differ from those placed before.
    pub seed: Option<u64>,
    /// What generated ones are like; explicit ones are laid over orders made by these options too.
    pub options: Option<OrderOptions>,
    /// Explicit ones: attributes as the shop's API names them, laid over a generated order. Besides attributes:
    /// `shipping_addresses` (list of address attributes), `billing_address`, `order_items` (list of item attributes; `address`
    /// is the index of the shipping address), `omit` (list of attributes that the shop leaves out of its answers).
    pub orders: Vec<Map<String, Value>>,
}

/// An order that was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedOrder {
    /// Its id.
    pub id: u64,
    /// Its number, as the customer knows it.
    pub number: String,
}

/// Who changed an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writer {
    /// A call to the shop's API.
    Api,
    /// The shop's staff: the control API.
    Staff,
    /// The vendor's automation option.
    Automation,
}

/// One change of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderChange {
    /// When, by the shop's clock.
    pub at: Timestamp,
    /// Who.
    pub by: Writer,
    /// The attribute.
    pub field: String,
    /// The shipping address, for what is kept per address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_id: Option<u64>,
    /// What it was.
    pub from: Value,
    /// What it became; the same as before when something was written twice.
    pub to: Value,
}

/// What the shop knows of one of an order's shipping addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddressTruth {
    /// The address' id.
    pub id: u64,
    /// Tracking number written for it.
    pub shipping_slip: Option<String>,
    /// Carrier written for it.
    pub shipping_carrier_id: Option<u64>,
    /// Shipping time written for it.
    pub shipped_at: Option<Timestamp>,
    /// Its attributes as the API shows them.
    pub attributes: Map<String, Value>,
}

/// Everything about one order: `GET /shops/{name}/orders/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderTruth {
    /// The order in short.
    #[serde(flatten)]
    pub brief: OrderBrief,
    /// Its attributes as the API shows them.
    pub attributes: Map<String, Value>,
    /// Its shipping addresses with what was written for each.
    pub shipping_addresses: Vec<AddressTruth>,
    /// Its lines as the API shows them, each with the id of its `shipping_address`.
    pub order_items: Vec<Map<String, Value>>,
    /// Every change since it was placed, oldest first.
    pub history: Vec<OrderChange>,
}

/// An order in short, for assertions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBrief {
    /// Its id.
    pub id: u64,
    /// Its number.
    pub number: String,
    /// 対応状況.
    pub state: String,
    /// 決済状況.
    pub payment_state: String,
    /// Tracking numbers written, one per address, in the addresses' order.
    pub shipping_slips: Vec<Option<String>>,
    /// How often the API wrote the working state.
    pub written_working: u64,
    /// How often the API wrote the shipped state.
    pub written_shipped: u64,
    /// How often the API wrote a tracking number (each address counts).
    pub written_slips: u64,
}

/// Stock of a SKU at a location: `GET /shops/{name}/stock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockTruth {
    /// The variant's SKU.
    pub sku: String,
    /// The location's code.
    pub location: String,
    /// Units now.
    pub stock: i64,
    /// Every count that the API wrote, oldest first.
    pub written: Vec<i64>,
}
