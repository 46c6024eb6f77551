//! What a merchant set up, as data: the form in which it is written in a document, kept, and read by every function.
//!
//! Field names are the document's keys; see `docs/document.md`. Whatever a shop can rename or that differs by contract
//! is here, never in code.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::ids::{ConnectionId, RobotId, RuleId, ShipFromId, ShippingMethodId, Sku, TenantId, WarehouseId};
use crate::payment::PaymentStates;
use crate::processing::ProcessingRobot;
use crate::schedule::{Cron, DailyAt};

/// One merchant's settings: the whole document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// 契約企業.
    pub tenant: TenantId,
    /// 発送元.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ship_froms: Vec<ShipFrom>,
    /// API認証設定.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
    /// 配送方法.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipping_methods: Vec<ShippingMethod>,
    /// 商品マスタ. Products are kept one by one, not with the settings: there may be very many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<Product>,
    /// 変換ロボット of the merchant's own; the standard one, 14448, is always there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversion_robots: Vec<ConversionRobot>,
    /// 処理ロボット.
    #[serde(default)]
    pub processing_robots: ProcessingRobots,
    /// 連携ロボット.
    #[serde(default)]
    pub integration_robots: IntegrationRobots,
}

/// 発送元: where parcels leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipFrom {
    /// Its id in this document.
    pub id: ShipFromId,
    /// 発送元名.
    pub name: String,
    /// 郵便番号, `135-0064`.
    pub postal_code: String,
    /// 都道府県.
    pub prefecture: String,
    /// 住所, below the prefecture.
    pub address: String,
    /// 電話番号.
    pub phone: String,
    /// The warehouse whose key may read this ship-from's shipments.
    pub warehouse: WarehouseId,
}

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
        Self { hold_differences: false, cancellation_answer: Every { minutes: 1_440 } }
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
    100
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_batch(size: &u16) -> bool {
    *size == default_batch()
}

fn captured_states() -> Vec<String> {
    ["captured", "completed", "paid"].map(str::to_owned).into()
}

fn is_captured_states(states: &[String]) -> bool {
    states == captured_states()
}

impl Connection {
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

/// 配送方法.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingMethod {
    /// Its id in this document.
    pub id: ShippingMethodId,
    /// 配送方法名, shown to people.
    pub name: String,
    /// WMS配送方法: what the warehouse calls it.
    pub warehouse_code: String,
    /// キーワード: chosen when one of them stands in the shop's carrier name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// 外部連携配送方法: the carrier's id at each shop.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub carrier_ids: BTreeMap<ConnectionId, u64>,
    /// Chosen when no keyword matches. At most one method.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
}

/// 商品マスタ: a SKU that the merchant ships.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// 商品コード.
    pub sku: Sku,
    /// 商品名.
    pub name: String,
    /// 安全在庫: held back from what is offered at the shop.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stock_buffer: u32,
    /// Leaflets and samples: shipped, but never offered at the shop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_for_sale: bool,
    /// 温度帯.
    #[serde(default, skip_serializing_if = "Temperature::is_ambient")]
    pub temperature: Temperature,
    /// セット商品: what one of it is made of. It is offered as the least of its parts, and takes from them when it is sold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_of: Vec<Part>,
}

/// 温度帯: how a product must be kept and carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Temperature {
    /// 常温.
    #[default]
    Ambient,
    /// 冷蔵.
    Chilled,
    /// 冷凍.
    Frozen,
}

impl Temperature {
    /// All, the warmest first.
    pub const ALL: [Self; 3] = [Self::Ambient, Self::Chilled, Self::Frozen];

    /// Its name in documents, conditions and CSV.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ambient => "ambient",
            Self::Chilled => "chilled",
            Self::Frozen => "frozen",
        }
    }

    /// Its Japanese label, taken in CSV too.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ambient => "常温",
            Self::Chilled => "冷蔵",
            Self::Frozen => "冷凍",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_ambient(&self) -> bool {
        *self == Self::Ambient
    }
}

/// One part of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// 商品コード of the part; not a set itself.
    pub sku: Sku,
    /// How many of it are in one set; at least 1.
    pub quantity: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The number of the built-in conversion robot, "EC Force 出荷指示登録(標準・API用)".
pub const STANDARD_CONVERSION: u32 = 14448;

/// 変換ロボット: the standard one with some fields made otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversionRobot {
    /// Its id in this document.
    pub id: RuleId,
    /// 変換ロボット名.
    pub name: String,
    /// Number of the built-in robot that it was copied from: 14448.
    pub copy_of: u32,
    /// 有効/無効.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// What differs from the standard: field of the shipment → template over the order.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

/// 処理ロボット: which built-in ones are on, and the merchant's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessingRobots {
    /// Built-in robots that are on, in the order in which they are applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enable: Vec<EnabledRobot>,
    /// The merchant's own, applied after the built-in ones in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom: Vec<ProcessingRobot>,
}

/// A built-in robot that is on: its id, or that with what it is tied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EnabledRobot {
    /// For all orders.
    Plain(RuleId),
    /// For the orders of some conversion robots.
    Tied(TiedRobot),
}

/// A built-in robot that is tied to conversion robots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TiedRobot {
    /// The robot.
    pub id: RuleId,
    /// Only for orders that one of these conversion robots converted; for all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversion_robots: Vec<RuleId>,
}

impl EnabledRobot {
    /// The robot.
    #[must_use]
    pub fn id(&self) -> &RuleId {
        match self {
            Self::Plain(id) => id,
            Self::Tied(tied) => &tied.id,
        }
    }

    /// What it is tied to; nothing for all orders.
    #[must_use]
    pub fn conversion_robots(&self) -> &[RuleId] {
        match self {
            Self::Plain(_) => &[],
            Self::Tied(tied) => &tied.conversion_robots,
        }
    }
}

impl From<RuleId> for EnabledRobot {
    fn from(id: RuleId) -> Self {
        Self::Plain(id)
    }
}

/// 連携ロボット.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationRobots {
    /// かんたん設定: all robots of a connection from one line. One, or a list with one for each connection.
    #[serde(default, skip_serializing_if = "OneOrMany::is_empty")]
    pub easy_setup: OneOrMany<EasySetup>,
    /// カスタム設定.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom: Vec<CustomRobot>,
}

/// One value or a list of them: a merchant with one shop writes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// A single one.
    One(Box<T>),
    /// A list.
    Many(Vec<T>),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        match self {
            Self::One(one) => std::slice::from_ref(&**one).iter(),
            Self::Many(many) => many.iter(),
        }
    }

    /// None at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Many(many) if many.is_empty())
    }
}

/// かんたん設定: fetch orders, state → working, state → shipped, status sync and inventory for one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EasySetup {
    /// The shop.
    pub connection: ConnectionId,
    /// 変換ロボット for fetched orders; the standard one if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_robot: Option<RuleId>,
    /// 定期トリガー, such as `15 minutes` or `2 hours`.
    pub every: Every,
    /// 在庫連携. Needs a stock location code.
    #[serde(default)]
    pub inventory: bool,
    /// 出荷済みへの変更: on by default unless the shop has the automation option, with which it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped: Option<bool>,
}

/// How often a robot starts: `N minutes` or `N hours`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Every {
    minutes: u32,
}

impl Every {
    /// From a number of minutes, 1 to 1,440.
    pub fn minutes(minutes: u32) -> Result<Self, String> {
        if (1..=1_440).contains(&minutes) {
            Ok(Self { minutes })
        } else {
            Err("a robot can start every 1 minute to every 24 hours".into())
        }
    }

    /// The number of minutes between two starts.
    #[must_use]
    pub fn as_minutes(self) -> u32 {
        self.minutes
    }
}

impl TryFrom<String> for Every {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a time: write for example `15 minutes` or `2 hours`");
        let (number, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let minutes = match unit.trim() {
            "minute" | "minutes" | "分" => number,
            "hour" | "hours" | "時間" => number.saturating_mul(60),
            _ => return Err(wrong()),
        };
        Self::minutes(minutes)
    }
}

impl From<Every> for String {
    fn from(every: Every) -> String {
        match every.minutes {
            1 => "1 minute".into(),
            60 => "1 hour".into(),
            m if m.is_multiple_of(60) => format!("{} hours", m / 60),
            m => format!("{m} minutes"),
        }
    }
}

impl JsonSchema for Every {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Every".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+ (minutes?|hours?)$",
            "description": "How often: `15 minutes`, `2 hours`; at most 24 hours."
        })
    }
}

/// What an integration robot does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// 出荷指示取得.
    FetchOrders,
    /// ステータス変更(出荷作業中).
    StateWorking,
    /// ステータス変更(出荷済み), with tracking numbers.
    StateShipped,
    /// ステータス同期.
    StatusSync,
    /// 実績戻し alone: tracking numbers, without a state. For shops whose automation option moves states by itself.
    WriteBack,
    /// 在庫連携.
    Inventory,
    /// 処理ロボット適用: a processing robot applied to shipments in a status. Custom robots only.
    ApplyProcessing,
    /// 夜間照合: what the shop has against what we have.
    Reconcile,
}

impl Action {
    /// All, in the order's way.
    pub const ALL: [Self; 8] = [
        Self::FetchOrders,
        Self::StateWorking,
        Self::StateShipped,
        Self::StatusSync,
        Self::WriteBack,
        Self::Inventory,
        Self::ApplyProcessing,
        Self::Reconcile,
    ];

    /// Its name in robots' names and documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FetchOrders => "fetch-orders",
            Self::StateWorking => "state-working",
            Self::StateShipped => "state-shipped",
            Self::StatusSync => "status-sync",
            Self::WriteBack => "write-back",
            Self::Inventory => "inventory",
            Self::ApplyProcessing => "apply-processing",
            Self::Reconcile => "reconcile",
        }
    }
}

/// An integration robot of the merchant's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomRobot {
    /// Its id.
    pub id: RobotId,
    /// 連携ロボット名.
    pub name: String,
    /// 有効/無効.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// トリガー.
    pub on: Trigger,
    /// アクション.
    #[serde(rename = "do")]
    pub action: CustomAction,
}

/// When a custom robot starts: after another robot's end, by the clock, or by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Trigger {
    /// 連携後: once after each end of a robot.
    After {
        /// After each end of this action's robots.
        after: Action,
        /// Of this connection.
        connection: ConnectionId,
    },
    /// 定期.
    Every {
        /// So often.
        every: Every,
        /// For this connection.
        connection: ConnectionId,
    },
    /// 毎日.
    DailyAt {
        /// At this time in Japan.
        daily_at: DailyAt,
        /// For this connection.
        connection: ConnectionId,
    },
    /// 時刻指定.
    Cron {
        /// At these times in Japan.
        cron: Cron,
        /// For this connection.
        connection: ConnectionId,
    },
    /// 手動: `renkei run` only.
    ByHand {
        /// `true`.
        by_hand: bool,
        /// For this connection.
        connection: ConnectionId,
    },
}

/// A trigger as it is written: of the kinds, one. Read in this form, a wrong time of day is told as such and not as "no
/// such trigger".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerForm {
    connection: ConnectionId,
    after: Option<Action>,
    every: Option<Every>,
    daily_at: Option<DailyAt>,
    cron: Option<Cron>,
    by_hand: Option<bool>,
}

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let TriggerForm { connection, after, every, daily_at, cron, by_hand } = Deserialize::deserialize(deserializer)?;
        match (after, every, daily_at, cron, by_hand) {
            (Some(after), None, None, None, None) => Ok(Self::After { after, connection }),
            (None, Some(every), None, None, None) => Ok(Self::Every { every, connection }),
            (None, None, Some(daily_at), None, None) => Ok(Self::DailyAt { daily_at, connection }),
            (None, None, None, Some(cron), None) => Ok(Self::Cron { cron, connection }),
            (None, None, None, None, Some(by_hand)) => Ok(Self::ByHand { by_hand, connection }),
            _ => Err(de::Error::custom("a robot has one trigger: after, every, daily_at, cron or by_hand")),
        }
    }
}

impl Trigger {
    /// The shop that the robot works for.
    #[must_use]
    pub fn connection(&self) -> &ConnectionId {
        match self {
            Self::After { connection, .. }
            | Self::Every { connection, .. }
            | Self::DailyAt { connection, .. }
            | Self::Cron { connection, .. }
            | Self::ByHand { connection, .. } => connection,
        }
    }

    /// The action after whose end it starts, if it does.
    #[must_use]
    pub fn after(&self) -> Option<Action> {
        match self {
            Self::After { after, .. } => Some(*after),
            Self::Every { .. } | Self::DailyAt { .. } | Self::Cron { .. } | Self::ByHand { .. } => None,
        }
    }
}

/// What a custom robot does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CustomAction {
    /// 処理ロボット適用.
    Apply(ApplyProcessing),
    /// What a robot of the easy set-up does.
    Run(Action),
}

/// 処理ロボット適用: a processing robot, and the shipments that it is applied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyProcessing {
    /// This robot …
    pub apply_processing_robot: RuleId,
    /// … to shipments in this status: `ready`, or a reason of being on hold such as `awaiting-payment`.
    pub to_status: String,
}

impl CustomAction {
    /// The action.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::Apply(_) => Action::ApplyProcessing,
            Self::Run(action) => *action,
        }
    }
}

impl IntegrationRobots {
    /// The merchant's own robots that start once after a run of this action ends.
    pub fn after<'a>(&'a self, connection: &'a ConnectionId, action: Action) -> impl Iterator<Item = &'a CustomRobot> {
        self.custom.iter().filter(move |robot| {
            robot.enabled && robot.on.after() == Some(action) && robot.on.connection() == connection
        })
    }
}

impl TenantSettings {
    /// A connection by id.
    #[must_use]
    pub fn connection(&self, id: &ConnectionId) -> Option<&Connection> {
        self.connections.iter().find(|c| c.id == *id)
    }

    /// 変換ロボット: the one that a shop's orders go through; None for the standard one.
    #[must_use]
    pub fn conversion_robot_of(&self, connection: &ConnectionId) -> Option<&RuleId> {
        let setup = self.integration_robots.easy_setup.iter().find(|setup| setup.connection == *connection);
        setup.and_then(|setup| setup.conversion_robot.as_ref())
    }

    /// The robots of a connection's easy set-up: name → action, what the automation option or the merchant excludes
    /// left out.
    #[must_use]
    pub fn easy_robots(&self, setup: &EasySetup) -> Vec<(RobotId, Action)> {
        let automation = self.connection(&setup.connection).is_some_and(|c| c.automation_option);
        Action::ALL
            .into_iter()
            .filter(|action| match action {
                Action::StateShipped => setup.shipped.unwrap_or(!automation),
                // Where the shop moves states by itself, tracking numbers are still ours to tell.
                Action::WriteBack => automation,
                Action::Inventory => setup.inventory,
                Action::FetchOrders | Action::StateWorking | Action::StatusSync | Action::Reconcile => true,
                Action::ApplyProcessing => false,
            })
            .filter_map(|action| {
                let name = format!("{}/{}", setup.connection, action.as_str());
                RobotId::parse(name).ok().map(|id| (id, action))
            })
            .collect()
    }
}
