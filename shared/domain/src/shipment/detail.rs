//! The large part of a shipment: what does not change.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::{RuleId, Sku};
use crate::money::Yen;
use crate::order::SourceOrder;

/// 送付先.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipTo {
    /// お届け先名.
    pub name: String,
    /// お届け先名カナ.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kana: String,
    /// 会社名.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company: String,
    /// 郵便番号, `135-0064` where it has seven digits, else as the shop has it.
    pub postal_code: String,
    /// 都道府県.
    pub prefecture: String,
    /// 市区町村・町名: the shop's first line.
    pub address1: String,
    /// 番地: the second.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address2: String,
    /// 建物名・部屋番号: the third.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address3: String,
    /// 電話番号.
    pub phone: String,
}

impl fmt::Debug for ShipTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShipTo(…)")
    }
}

/// 出荷明細.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// 商品コード.
    pub sku: Sku,
    /// 商品名.
    pub name: String,
    /// 数量.
    pub quantity: u32,
    /// 単価.
    pub price: Yen,
    /// The robot that bundled it, for items that the customer did not order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<RuleId>,
}

/// 金額, as the shop computed them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// 合計.
    pub total: Yen,
    /// 小計.
    #[serde(default)]
    pub subtotal: Yen,
    /// 送料.
    #[serde(default)]
    pub delivery_fee: Yen,
    /// 手数料.
    #[serde(default)]
    pub charge: Yen,
    /// 割引.
    #[serde(default)]
    pub discount: Yen,
    /// ポイント.
    #[serde(default)]
    pub points: Yen,
    /// 消費税.
    #[serde(default)]
    pub tax: Yen,
}

/// The large part of a shipment: what import made of the order, and the order itself.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ShipmentDetail {
    /// 送付先.
    pub ship_to: ShipTo,
    /// 出荷明細.
    pub items: Vec<Item>,
    /// 金額 of the whole order.
    pub totals: Totals,
    /// 決済方法.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub payment_method: String,
    /// 納品書・送り状の備考.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delivery_note: String,
    /// 出荷予定日.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_on: Option<Date>,
    /// お届け希望日.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_on: Option<Date>,
    /// お届け希望時間帯.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delivery_time: String,
    /// Labels set by robots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Which robots matched on import, and what they changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub robots: Vec<RobotTrace>,
    /// The order as the shop gave it.
    pub source: SourceOrder,
}

impl fmt::Debug for ShipmentDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShipmentDetail").field("source", &self.source).finish_non_exhaustive()
    }
}

/// What one processing robot did to a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotTrace {
    /// The robot.
    pub robot: RuleId,
    /// What it changed, in a few words each and without personal data; empty when it matched but nothing was left to do.
    pub changes: Vec<String>,
}
