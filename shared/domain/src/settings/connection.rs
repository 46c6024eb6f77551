//! API認証設定: a shop, how it is signed in to, and all that differs from shop to shop.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Every, is_zero};
use crate::ids::{ConnectionId, ShipFromId};
use crate::payment::PaymentStates;

/// Which kind of shop system a connection speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ShopApi {
    /// ecforce, admin API v2.
    Ecforce,
}

/// Where a secret's value is taken from when the document is applied. The value itself never stands in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretSource {
    /// Name of the environment variable of `renkei apply` that holds the value.
    pub env: String,
}

/// API認証設定: one shop, one set of credentials, and all settings that belong to that shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Its id in this document; names of robots, orders and shipments begin with it.
    pub id: ConnectionId,
    /// Which shop system.
    pub api: ShopApi,
    /// API URL, in any of the forms that a shop hands out; kept in one normal form.
    pub api_url: String,
    /// 発送元 of this shop's parcels.
    pub ship_from: ShipFromId,
    /// メールアドレス to sign in with; the service's own address if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// パスワード: where to take it from. One of `password` and `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// A ready-made token instead of e-mail and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
    /// 在庫ロケーションコード: whose stock is updated at the shop. Needed for inventory only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock_location_code: Option<String>,
    /// The contract's calls a day (00:00–24:00 UTC, from 09:00 in Japan).
    pub daily_call_limit: u32,
    /// Least time between the starts of two calls, in milliseconds.
    #[serde(default = "default_interval")]
    pub call_interval_ms: u32,
    /// Most records in one write to the shop. 100 is what is proven.
    #[serde(default = "default_batch", skip_serializing_if = "is_default_batch")]
    pub batch_size: u16,
    /// 自動化オプション: the shop moves states and sends mails by itself, so we must not.
    #[serde(default)]
    pub automation_option: bool,
    /// 出荷時の売上処理: the payment is captured with an order's first tracking number. Once for each order, ever.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub capture_payment_on_shipping: bool,
    /// 売上済みの決済状況: payment states in which there is nothing left to capture.
    #[serde(default = "captured_states", skip_serializing_if = "is_captured_states")]
    pub captured_payment_states: Vec<String>,
    /// 安全在庫: held back of each SKU that has no `stock_buffer` of its own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stock_buffer: u32,
    /// 対応状況: what this shop calls the states that we read and write.
    #[serde(default)]
    pub states: OrderStates,
    /// 決済状況: what differs from the default meaning of payment states.
    #[serde(default)]
    pub payment_states: PaymentStates,
    /// ステータス同期: what becomes of edits and cancellations that the shop shows after import.
    #[serde(default, skip_serializing_if = "StatusSync::is_default")]
    pub status_sync: StatusSync,
}

/// ステータス同期: what becomes of edits and cancellations that the shop shows after import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StatusSync {
    /// 差分保留: an edit at the shop puts a shipment that nobody has taken yet on hold for review.
    pub hold_differences: bool,
    /// How long a warehouse may take to answer a cancellation request before a person is asked.
    pub cancellation_answer: Every,
}

impl Default for StatusSync {
    fn default() -> Self {
        Self { hold_differences: false, cancellation_answer: Every::DAY }
    }
}

impl StatusSync {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn default_interval() -> u32 {
    1_000
}

fn default_batch() -> u16 {
    Connection::BATCH_SIZE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_batch(size: &u16) -> bool {
    *size == default_batch()
}

fn captured_states() -> Vec<String> {
    Connection::CAPTURED_PAYMENT_STATES.map(str::to_owned).into()
}

fn is_captured_states(states: &[String]) -> bool {
    states == captured_states()
}

impl Connection {
    /// The `batch_size` of a document that names none.
    pub const BATCH_SIZE: u16 = 100;
    /// The `captured_payment_states` of a document that names none.
    pub const CAPTURED_PAYMENT_STATES: [&'static str; 3] = ["captured", "completed", "paid"];

    /// Least time between the starts of two calls.
    #[must_use]
    pub fn call_interval(&self) -> Duration {
        Duration::from_millis(u64::from(self.call_interval_ms))
    }
}

/// The states of a shop that we read and write, by the shop's codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OrderStates {
    /// 取得する対応状況: orders in it are taken.
    pub fetch: String,
    /// 取得後の対応状況: told once we have the order.
    pub working: String,
    /// 出荷済みの対応状況: told once all of an order is out.
    pub shipped: String,
    /// Orders in one of these are cancelled.
    pub cancelled: Vec<String>,
}

impl Default for OrderStates {
    fn default() -> Self {
        Self {
            fetch: "complete".into(),
            working: "working".into(),
            shipped: "shipped".into(),
            cancelled: vec!["canceled".into()],
        }
    }
}
