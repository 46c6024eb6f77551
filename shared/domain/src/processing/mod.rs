//! 処理ロボット: conditions on a shipment, then what to do with it.
//!
//! Import applies a merchant's robots to each new shipment, and integration robots apply one again later ("error gone →
//! ready" after a status sync). A robot is data ([`ProcessingRobot`], the document's own form), the built-in ones too
//! ([`built_in`]). [`RobotSet::compile`] checks a merchant's robots all at once, and turns them into a form that is
//! evaluated in well under a microsecond each; [`RobotSet::apply`] then decides about one shipment, and
//! [`RobotSet::apply_later`] about one that is stored.
//!
//! Robots run in their order, and later ones see what earlier ones did. The whole list is repeated until a round changes
//! nothing, so that applying robots again changes nothing either, however the list is written; robots that never come to
//! rest (one undoes the other for ever) are undone and the shipment goes on hold for `error`.

mod action;
mod apply;
pub mod built_in;
mod check;
mod compile;
mod condition;
mod effect;
mod field;
mod parcel;
mod problem;
mod target;
mod text;
mod value;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use action::{Action, AddItem, DeliveryDate, SetField, Split};
pub use apply::{Applied, Facts, Goods, ImportDecision, Phase, settle};
pub use compile::RobotSet;
pub use condition::{Condition, Literal, Operator, Test};
pub(crate) use field::attribute_meant;
pub use field::names as field_names;
pub use parcel::{Parcel, ParcelPlan, divide};
pub use problem::Problem;
pub use target::{Target, as_known, became};

use crate::ids::RuleId;

/// How a robot begins to say that a shipment stays on hold; why follows.
pub const STAYS: &str = "stays on hold: ";

/// 処理ロボット: when its condition holds for a shipment, its actions are done, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessingRobot {
    /// Its id in this document.
    pub id: RuleId,
    /// 処理ロボット名.
    pub name: String,
    /// 有効/無効.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// 取込み時のみ / 常に処理: on import; later where an integration robot or a person applies it. `always` also where another
    /// that they apply changes a shipment.
    #[serde(default, skip_serializing_if = "is_on_import")]
    pub run: Run,
    /// 変換ロボット that it is tied to; tied to all if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversion_robots: Vec<RuleId>,
    /// 併用不可: robots that must not be on together with this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<RuleId>,
    /// 条件. Holds for every shipment if left out.
    #[serde(default, skip_serializing_if = "Condition::is_always")]
    pub when: Condition,
    /// 処理.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
}

/// When a processing robot runs by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// 取込み時のみ.
    #[default]
    OnImport,
    /// 常に処理: also where another robot that is applied to a stored shipment changes it.
    Always,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_on_import(run: &Run) -> bool {
    *run == Run::OnImport
}
