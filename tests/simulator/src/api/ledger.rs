//! The ledger: every call that a shop saw, without credentials and personal data.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a call was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /api/v2/admins/sign_in.json`
    SignIn,
    /// `GET /api/v2/admin/orders.json`
    OrdersList,
    /// `GET /api/v2/admin/orders/{id}.json`
    Order,
    /// `PUT /api/v2/admin/orders/bulk_update.json`
    BulkUpdate,
    /// `PUT` or `POST /api/v2/admin/orders/shipping.json`
    Shipping,
    /// `GET` or `PUT /api/v2/admin/stock_items.json`
    StockItems,
    /// `GET /api/v2/admin/shipping_carriers.json`
    Carriers,
    /// `GET /api/v2/admin/products.json`
    Products,
    /// Anything else: 404.
    Unknown,
    /// Every endpoint; only in fault rules.
    Any,
}

impl Endpoint {
    /// The name that the control API uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::OrdersList => "orders_list",
            Self::Order => "order",
            Self::BulkUpdate => "bulk_update",
            Self::Shipping => "shipping",
            Self::StockItems => "stock_items",
            Self::Carriers => "carriers",
            Self::Products => "products",
            Self::Unknown => "unknown",
            Self::Any => "any",
        }
    }
}

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "four independent findings about one call")]
pub struct LedgerEntry {
    /// 1 for the shop's first call, then in order of arrival; goes on when the ledger is emptied.
    pub sequence: u64,
    /// Arrival, by the shop's clock.
    pub started_at: Timestamp,
    /// End of the call by the shop's clock.
    pub ended_at: Timestamp,
    /// Arrival in microseconds since the simulator started; never goes back.
    pub started_us: u64,
    /// End in microseconds since the simulator started.
    pub ended_us: u64,
    /// HTTP method.
    pub method: String,
    /// What the call was for.
    pub endpoint: Endpoint,
    /// Its path with ids replaced: `/api/v2/admin/orders/{id}.json`.
    pub path: String,
    /// Its query, decoded; values of conditions on `email` are blanked.
    pub query: String,
    /// The answer's status; `None` when the caller hung up first or the connection was cut.
    pub status: Option<u16>,
    /// The fault applied to it.
    pub fault: Option<String>,
    /// Rows in the answer.
    pub rows: u64,
    /// Records in the request.
    pub records: u64,
    /// Records that the call changed in the shop.
    pub applied: u64,
    /// Other calls in flight at this shop when this one arrived.
    pub in_flight: u64,
    /// Whether it shared its time with another call, before or after it.
    pub overlap: bool,
    /// Microseconds since the start of the call before.
    pub since_previous_us: Option<u64>,
    /// Whether it came closer to the call before than the shop's `min_interval_ms`.
    pub too_fast: bool,
    /// Whether the day's limit was already spent when it came.
    pub beyond_limit: bool,
    /// Whether it was a sign-in past the five an hour.
    pub beyond_sign_ins: bool,
}

/// The ledger in figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerSummary {
    /// Calls in all.
    pub calls: u64,
    /// Calls by endpoint and method: `GET orders_list`.
    pub by_endpoint: BTreeMap<String, u64>,
    /// Calls by status; `none` where there was no answer.
    pub by_status: BTreeMap<String, u64>,
    /// Calls by fault applied.
    pub by_fault: BTreeMap<String, u64>,
    /// Most calls in flight at once: 1 where the caller behaves.
    pub max_in_flight: u64,
    /// Calls that shared their time with another.
    pub overlapping: u64,
    /// The least time between the starts of two calls, in milliseconds.
    pub min_interval_ms: Option<f64>,
    /// Calls closer than the shop's `min_interval_ms`.
    pub too_fast: u64,
    /// Calls past the day's limit.
    pub beyond_limit: u64,
    /// Sign-ins in all.
    pub sign_ins: u64,
    /// Most sign-ins within any hour.
    pub max_sign_ins_within_an_hour: u64,
    /// Sign-ins that the shop took for too many within an hour.
    pub beyond_sign_ins: u64,
    /// Most calls within one UTC date that were not past the limit, by date.
    pub by_quota_day: BTreeMap<String, u64>,
    /// Rows that the shop has given out.
    pub rows: u64,
    /// Records that calls changed.
    pub applied: u64,
}
