//! 処理: the form in which a merchant writes what a robot does.

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::condition::Literal;
use crate::ids::{ShippingMethodId, Sku};
use crate::settings::Temperature;
use crate::shipment::HoldReason;

/// One thing that a robot does. What the warehouse has already taken stays as it is: from `picking` on, a robot can only
/// tag, notify and derive the payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// 入金ステータス確認: payment by the connection's table of payment states.
    DerivePayment,
    /// 出荷待ちへ: from hold to ready, if no reason for being on hold is open.
    ToReady,
    /// 保留: on hold for this reason.
    Hold(#[schemars(schema_with = "hold_reason_schema")] String),
    /// 保留解除: takes this reason away; the shipment stays on hold until something moves it to ready.
    ClearHold(#[schemars(schema_with = "hold_reason_schema")] String),
    /// 取り込みしない: the order is not imported, now or later, with this reason. On import only.
    RefuseImport(String),
    /// 取り込み保留: the order is not imported now; it waits in quarantine with this reason, and is tried again. On
    /// import only.
    Quarantine(String),
    /// キャンセル, with this reason.
    Cancel(String),
    /// 項目を書き換え.
    SetField(SetField),
    /// 配送方法を変更.
    SetShippingMethod(ShippingMethodId),
    /// お届け希望日を変更: `none`, `2026-12-01`, or `3 days after import`.
    SetDeliveryDate(DeliveryDate),
    /// お届け希望時間帯を変更.
    SetDeliveryTime(String),
    /// 同梱: adds an item, once per shipment however often the robot runs.
    AddItem(AddItem),
    /// 出荷を分割: puts items into a parcel of their own. On import only.
    Split(Split),
    /// ラベルを付ける.
    Tag(String),
    /// メモ: after import only if the robot also changed something, so that nobody is told the same thing twice.
    Notify(String),
}

fn hold_reason_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": HoldReason::ALL.map(HoldReason::as_str) })
}

/// A field and its new value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetField {
    /// `delivery_note`, `delivery_time`, `payment_method`, or a part of the address: `ship_to.company`, ….
    pub field: String,
    /// Its value from now on; an empty text empties the field.
    pub value: Literal,
}

/// An item to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddItem {
    /// 商品コード.
    pub sku: Sku,
    /// 数量, at least 1.
    #[serde(default = "one")]
    pub quantity: u32,
    /// 商品名 on the delivery note; the product code if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

fn one() -> u32 {
    1
}

/// Items that get a parcel of their own, such as chilled ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// 商品コード of the items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<Sku>,
    /// 温度帯 of the items: all whose product is kept like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// 配送方法 of that parcel; the shipment's own if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<ShippingMethodId>,
}

/// A delivery date as a robot sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeliveryDate {
    /// No wish: as early as possible.
    None,
    /// This day.
    On(Date),
    /// So many days after the day of import in Japan. Counted from import, not from today: a robot that runs again must
    /// not move the date.
    AfterImport(u16),
}

impl TryFrom<String> for DeliveryDate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            format!(
                "{shown:?} is not a delivery date: write `none`, a day such as `2026-12-01`, or `3 days after import`"
            )
        };
        if text == "none" {
            return Ok(Self::None);
        }
        if let Some(days) = text.strip_suffix(" days after import").or_else(|| text.strip_suffix(" day after import")) {
            return days.parse().ok().filter(|days| *days <= 366).map(Self::AfterImport).ok_or_else(wrong);
        }
        text.parse().map(Self::On).map_err(|_| wrong())
    }
}

impl From<DeliveryDate> for String {
    fn from(date: DeliveryDate) -> String {
        match date {
            DeliveryDate::None => "none".into(),
            DeliveryDate::On(day) => day.to_string(),
            DeliveryDate::AfterImport(1) => "1 day after import".into(),
            DeliveryDate::AfterImport(days) => format!("{days} days after import"),
        }
    }
}

impl JsonSchema for DeliveryDate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DeliveryDate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(none|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]+ days? after import)$",
            "description": "`none`, a day such as `2026-12-01`, or `3 days after import`."
        })
    }
}
