//! 変換, 処理 and 連携ロボット, as a merchant sets them up.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::Every;
use crate::ids::{ConnectionId, RobotId, RuleId};
use crate::processing::ProcessingRobot;
use crate::schedule::{Cron, DailyAt};

/// The number of the built-in conversion robot.
pub const STANDARD_CONVERSION: u32 = 14448;

/// Its name.
pub const STANDARD_CONVERSION_NAME: &str = "EC Force 出荷指示登録(標準・API用)";

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
    /// 手動: by いま実行する in the console or `renkei run` only.
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
