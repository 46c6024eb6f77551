//! A shop as it is opened, and as it stands.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Endpoint, OrderOptions};

/// Text that does not print: a password or a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// The text itself, for comparing.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hidden)")
    }
}

/// A shop to open: `POST /shops`. Every field has a default, so `{"name":"hanako"}` opens a usable shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopSpec {
    /// How the control API calls the shop; unique in one simulator.
    pub name: String,
    /// Port of 127.0.0.1 to listen at; 0 picks a free one.
    pub port: u16,
    /// The admin account's e-mail address.
    pub email: String,
    /// The admin account's password.
    pub password: Hidden,
    /// A token handed over ready-made; valid from the start, without a sign-in.
    pub token: Option<Hidden>,
    /// Sign-ins that the shop takes within any hour.
    pub sign_ins_per_hour: usize,
    /// Calls that the shop answers within one UTC date.
    pub daily_call_limit: u64,
    /// The least time between the starts of two calls; shorter ones are counted as violations, not refused.
    pub min_interval_ms: Option<u64>,
    /// Endpoints that the account's rights do not reach: they answer 403.
    pub forbidden: Vec<Endpoint>,
    /// Ignores conditions that the shop does not know, as Ransack does by default, instead of refusing them with 422.
    pub ignore_unknown_conditions: bool,
    /// Decides everything random about the shop.
    pub seed: u64,
    /// Orders to generate at the start.
    pub orders: u64,
    /// What those orders are like.
    pub order_options: OrderOptions,
    /// The shop's own state names.
    pub states: StateNames,
    /// Whether the shop has the vendor's automation option: it moves an order with a tracking number to shipped by itself.
    pub automation_option: bool,
    /// How long the automation option waits.
    pub automation_delay_ms: u64,
    /// How long a write `with_async` takes until it shows.
    pub async_delay_ms: u64,
    /// The shop's carriers.
    pub carriers: Vec<Carrier>,
    /// The shop's products; all of one variant.
    pub products: Vec<Product>,
    /// Codes of the shop's stock locations; ids are given from 1 in this order.
    pub stock_locations: Vec<String>,
}

impl Default for ShopSpec {
    fn default() -> Self {
        Self {
            name: "shop".to_owned(),
            port: 0,
            email: "robot@renkei.example".to_owned(),
            password: "correct-horse".into(),
            token: None,
            sign_ins_per_hour: 5,
            daily_call_limit: 10_000,
            min_interval_ms: None,
            forbidden: Vec::new(),
            ignore_unknown_conditions: false,
            seed: 1,
            orders: 0,
            order_options: OrderOptions::default(),
            states: StateNames::default(),
            automation_option: false,
            automation_delay_ms: 20_000,
            async_delay_ms: 300,
            carriers: vec![Carrier::new(1, "ヤマト運輸"), Carrier::new(2, "佐川急便"), Carrier::new(6, "ネコポス")],
            products: vec![
                Product::new("SERUM-30", "美容液 30ml", 4980, true),
                Product::new("MASK-5", "シートマスク 5枚", 1200, true),
                Product::new("SOAP-80", "石けん 80g", 980, true),
                Product::new("LEAFLET-1", "はじめての方へ（冊子）", 0, false),
            ],
            stock_locations: vec!["default".to_owned()],
        }
    }
}

/// What the shop calls the four states that Renkei has a use for, and any others that it has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StateNames {
    /// 注文確定: to be taken.
    pub fetch: String,
    /// 出荷作業中: taken.
    pub working: String,
    /// 出荷済み.
    pub shipped: String,
    /// キャンセル.
    pub canceled: String,
    /// Others that `bulk_update` accepts, with their labels.
    pub others: BTreeMap<String, String>,
}

impl Default for StateNames {
    fn default() -> Self {
        Self {
            fetch: "complete".to_owned(),
            working: "working".to_owned(),
            shipped: "shipped".to_owned(),
            canceled: "canceled".to_owned(),
            others: BTreeMap::new(),
        }
    }
}

impl StateNames {
    /// The label of a state (`human_state`), or `None` for a state that this shop does not have.
    #[must_use]
    pub fn label(&self, state: &str) -> Option<&str> {
        if state == self.fetch {
            Some("注文確定")
        } else if state == self.working {
            Some("出荷作業中")
        } else if state == self.shipped {
            Some("出荷済み")
        } else if state == self.canceled {
            Some("キャンセル")
        } else {
            self.others.get(state).map(String::as_str)
        }
    }
}

/// A carrier of the shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carrier {
    /// Its id in this shop.
    pub id: u64,
    /// Its name, as orders show it.
    pub name: String,
}

impl Carrier {
    /// A carrier of this id and name.
    #[must_use]
    pub fn new(id: u64, name: &str) -> Self {
        Self { id, name: name.to_owned() }
    }
}

/// A product of the shop, with its single variant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// The variant's SKU.
    pub sku: String,
    /// The product's name.
    pub name: String,
    /// Sales price in whole yen.
    pub price: i64,
    /// Consumption tax rate in percent: 10, or 8 for food.
    #[serde(default = "standard_rate")]
    pub tax_rate: u8,
    /// Units in stock at each location at the start.
    #[serde(default = "plenty")]
    pub stock: i64,
    /// Whether customers order it (a leaflet is only ever added).
    #[serde(default = "yes")]
    pub ordered: bool,
}

impl Product {
    /// A product at the standard tax rate with a thousand in stock.
    #[must_use]
    pub fn new(sku: &str, name: &str, price: i64, ordered: bool) -> Self {
        Self { sku: sku.to_owned(), name: name.to_owned(), price, tax_rate: standard_rate(), stock: plenty(), ordered }
    }

    /// The product's number: the SKU without its last part.
    #[must_use]
    pub fn number(&self) -> &str {
        self.sku.rsplit_once('-').map_or(&self.sku, |(number, _)| number)
    }
}

fn standard_rate() -> u8 {
    10
}

fn plenty() -> i64 {
    1000
}

fn yes() -> bool {
    true
}

/// A shop as it stands: `GET /shops/{name}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShopStatus {
    /// The shop's name.
    pub name: String,
    /// The port it listens at.
    pub port: u16,
    /// What a connection enters as API URL: `http://127.0.0.1:9101`.
    pub url: String,
    /// Orders in all.
    pub orders: u64,
    /// Orders by state; states without orders are left out.
    pub by_state: BTreeMap<String, u64>,
    /// Orders by payment state.
    pub by_payment_state: BTreeMap<String, u64>,
    /// The quota day by the shop's clock: a UTC date.
    pub quota_day: String,
    /// Calls counted on that day; never above the limit.
    pub calls_today: u64,
    /// The limit of that day.
    pub daily_call_limit: u64,
    /// What callers did wrong, by kind: `too_fast`, `overlapping`, `beyond_limit`, `too_many_sign_ins`,
    /// `too_many_records`, `without_accept`. Kinds that did not happen are left out.
    pub violations: BTreeMap<String, u64>,
}
