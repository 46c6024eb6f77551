//! The fields that a condition can look at, by name.

use serde_json::Value as Json;

use super::apply::{Facts, Goods};
use super::problem::nearest;
use super::value::Value;
use crate::ids::ShippingMethodId;
use crate::jst;
use crate::payment::{Meaning, Payment};
use crate::shipment::{Shipment, ShipmentDetail};

/// All that a condition can look at.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) shipment: &'a Shipment,
    pub(super) detail: &'a ShipmentDetail,
    pub(super) facts: &'a Facts<'a>,
    pub(super) goods: &'a Goods,
}

/// A field, found by its name once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    OrderId,
    OrderNumber,
    OrderState,
    OrderPaymentState,
    OrderTotal,
    OrderUpdatedAt,
    CarrierId,
    CarrierName,
    /// An attribute of the order by the shop's name.
    Attribute(Box<str>),
    ShipTo(AddressPart),
    Status,
    HoldReason,
    Holds,
    Payment,
    PaymentMeaning,
    PaymentMethod,
    ShippingMethod,
    ShipFrom,
    Parcels,
    ItemSku,
    ItemName,
    ItemQuantity,
    ItemCount,
    ItemTemperature,
    Total,
    Subtotal,
    DeliveryFee,
    Charge,
    Discount,
    Points,
    Tax,
    DeliveryNote,
    Tags,
    ShipOn,
    DeliverOn,
    DeliveryTime,
    Connection,
    UnknownSkus,
    DuplicateNumber,
}

/// A part of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressPart {
    Name,
    Kana,
    Company,
    PostalCode,
    Prefecture,
    Address1,
    Address2,
    Address3,
    Phone,
}

const FIELDS: [(&str, Field); 46] = [
    ("order.id", Field::OrderId),
    ("order.number", Field::OrderNumber),
    ("order.state", Field::OrderState),
    ("order.payment_state", Field::OrderPaymentState),
    ("order.total", Field::OrderTotal),
    ("order.updated_at", Field::OrderUpdatedAt),
    ("order.carrier.id", Field::CarrierId),
    ("order.carrier.name", Field::CarrierName),
    ("ship_to.name", Field::ShipTo(AddressPart::Name)),
    ("ship_to.kana", Field::ShipTo(AddressPart::Kana)),
    ("ship_to.company", Field::ShipTo(AddressPart::Company)),
    ("ship_to.postal_code", Field::ShipTo(AddressPart::PostalCode)),
    ("ship_to.prefecture", Field::ShipTo(AddressPart::Prefecture)),
    ("ship_to.address1", Field::ShipTo(AddressPart::Address1)),
    ("ship_to.address2", Field::ShipTo(AddressPart::Address2)),
    ("ship_to.address3", Field::ShipTo(AddressPart::Address3)),
    ("ship_to.phone", Field::ShipTo(AddressPart::Phone)),
    ("status", Field::Status),
    ("hold_reason", Field::HoldReason),
    ("holds", Field::Holds),
    ("payment", Field::Payment),
    ("payment.meaning", Field::PaymentMeaning),
    ("payment_method", Field::PaymentMethod),
    ("shipping_method", Field::ShippingMethod),
    ("ship_from", Field::ShipFrom),
    ("parcels", Field::Parcels),
    ("items.sku", Field::ItemSku),
    ("items.name", Field::ItemName),
    ("items.quantity", Field::ItemQuantity),
    ("items.count", Field::ItemCount),
    ("items.temperature", Field::ItemTemperature),
    ("totals.total", Field::Total),
    ("totals.subtotal", Field::Subtotal),
    ("totals.delivery_fee", Field::DeliveryFee),
    ("totals.charge", Field::Charge),
    ("totals.discount", Field::Discount),
    ("totals.points", Field::Points),
    ("totals.tax", Field::Tax),
    ("delivery_note", Field::DeliveryNote),
    ("tags", Field::Tags),
    ("ship_on", Field::ShipOn),
    ("deliver_on", Field::DeliverOn),
    ("delivery_time", Field::DeliveryTime),
    ("connection.id", Field::Connection),
    ("product.unknown_skus", Field::UnknownSkus),
    ("import.duplicate_number", Field::DuplicateNumber),
];

/// Attributes that shops are known to send. Others are taken too; these serve to notice a misspelling.
const KNOWN_ATTRIBUTES: [&str; 47] = [
    "human_state",
    "payment_human_state",
    "payment_method_name",
    "email",
    "customer_id",
    "customer_number",
    "subs_order_id",
    "subs_order_number",
    "times",
    "nth",
    "kind",
    "subtotal",
    "discount",
    "deliv_fee",
    "charge",
    "tax",
    "point",
    "payment_total",
    "shipping_carrier_id",
    "shipping_carrier_name",
    "shipping_slip",
    "stock_location_id",
    "scheduled_to_be_shipped_at",
    "scheduled_to_be_delivered_at",
    "scheduled_delivery_time",
    "scheduled_delivery_time_code",
    "multiple_shipping",
    "remark",
    "memo01",
    "memo02",
    "link_number",
    "labels",
    "wrapping",
    "tbc",
    "created_at",
    "completed_at",
    "shipped_at",
    "delivered_at",
    "payment_paid_at",
    "payment_voided_at",
    "subtotal8",
    "subtotal10",
    "tax8",
    "tax10",
    "total8",
    "total10",
    "adjustment",
];

/// Names of all fields, except the order's attributes: any `order.<attribute>` is a field as well.
pub fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| *name)
}

/// The known attribute of an order that `order.<name>` looks like a misspelling of.
pub(crate) fn attribute_meant(name: &str) -> Option<&'static str> {
    Field::parse(name)?.looks_like()
}

impl Field {
    /// By name; None if there is no such field.
    pub(super) fn parse(name: &str) -> Option<Self> {
        if let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) {
            return Some(field.clone());
        }
        let attribute = name.strip_prefix("order.")?;
        let is_name = (1..=64).contains(&attribute.len())
            && attribute.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        is_name.then(|| Self::Attribute(attribute.into()))
    }

    /// The known attribute that this one looks like a misspelling of.
    pub(super) fn looks_like(&self) -> Option<&'static str> {
        match self {
            Self::Attribute(name) if !KNOWN_ATTRIBUTES.contains(&&**name) => nearest(name, KNOWN_ATTRIBUTES),
            _ => None,
        }
    }

    /// Does one of the field's values pass? Empty texts are no values.
    pub(super) fn any<'a>(&self, view: View<'a>, mut passes: impl FnMut(Value<'a>) -> bool) -> bool {
        let View { shipment, detail, facts, goods } = view;
        let totals = &detail.totals;
        let value = match self {
            Self::OrderId => number(shipment.id.order.0),
            Self::OrderNumber => Value::Text(shipment.order_number.as_str()),
            Self::OrderState => Value::Text(&detail.source.state),
            // As last read from the shop, which after import is later than what the source order says.
            Self::OrderPaymentState => Value::Text(&shipment.payment_state),
            Self::OrderTotal => Value::Integer(detail.source.total.0),
            Self::OrderUpdatedAt => match detail.source.updated_at {
                Some(at) => Value::Day(jst::date(at)),
                None => return false,
            },
            Self::CarrierId => match detail.source.carrier.as_ref().and_then(|carrier| carrier.id) {
                Some(id) => number(id),
                None => return false,
            },
            Self::CarrierName => optional(detail.source.carrier.as_ref().and_then(|carrier| carrier.name.as_deref())),
            Self::Attribute(name) => match detail.source.attributes.get(&**name) {
                Some(Json::String(text)) => Value::Text(text),
                Some(Json::Bool(flag)) => Value::Flag(*flag),
                Some(Json::Number(number)) => match (number.as_i64(), number.as_f64()) {
                    (Some(number), _) => Value::Integer(number),
                    (None, Some(number)) => Value::Decimal(number),
                    (None, None) => return false,
                },
                Some(Json::Null | Json::Array(_) | Json::Object(_)) | None => return false,
            },
            Self::ShipTo(part) => Value::Text(part.of(detail)),
            Self::Status => Value::Text(shipment.status.as_str()),
            Self::HoldReason => optional(shipment.hold_reason().map(crate::shipment::HoldReason::as_str)),
            Self::Holds => return shipment.holds.iter().any(|reason| passes(Value::Text(reason.as_str()))),
            Self::Payment => Value::Text(payment_name(shipment.payment)),
            Self::PaymentMeaning => {
                Value::Text(meaning_name(facts.connection.payment_states.meaning(&shipment.payment_state)))
            }
            Self::PaymentMethod => Value::Text(&detail.payment_method),
            Self::ShippingMethod => optional(shipment.shipping_method.as_ref().map(ShippingMethodId::as_str)),
            Self::ShipFrom => Value::Text(shipment.ship_from.as_str()),
            Self::Parcels => Value::Integer(i64::from(shipment.parcels)),
            Self::ItemSku => return detail.items.iter().any(|item| passes(Value::Text(item.sku.as_str()))),
            Self::ItemName => return detail.items.iter().any(|item| present(&item.name, &mut passes)),
            Self::ItemQuantity => Value::Integer(detail.items.iter().map(|item| i64::from(item.quantity)).sum()),
            Self::ItemCount => number(detail.items.len() as u64),
            Self::ItemTemperature => {
                let mut kept = detail.items.iter().filter_map(|item| goods.get(&item.sku));
                return kept.any(|temperature| passes(Value::Text(temperature.as_str())));
            }
            Self::Total => Value::Integer(totals.total.0),
            Self::Subtotal => Value::Integer(totals.subtotal.0),
            Self::DeliveryFee => Value::Integer(totals.delivery_fee.0),
            Self::Charge => Value::Integer(totals.charge.0),
            Self::Discount => Value::Integer(totals.discount.0),
            Self::Points => Value::Integer(totals.points.0),
            Self::Tax => Value::Integer(totals.tax.0),
            Self::DeliveryNote => Value::Text(&detail.delivery_note),
            Self::Tags => return detail.tags.iter().any(|tag| present(tag, &mut passes)),
            Self::ShipOn => match detail.ship_on {
                Some(day) => Value::Day(day),
                None => return false,
            },
            Self::DeliverOn => match detail.deliver_on {
                Some(day) => Value::Day(day),
                None => return false,
            },
            Self::DeliveryTime => Value::Text(&detail.delivery_time),
            Self::Connection => Value::Text(shipment.id.connection.as_str()),
            Self::UnknownSkus => return facts.unknown_skus.iter().any(|sku| passes(Value::Text(sku.as_str()))),
            Self::DuplicateNumber => Value::Flag(facts.duplicate_number),
        };
        !value.is_empty() && passes(value)
    }
}

impl AddressPart {
    fn of(self, detail: &ShipmentDetail) -> &str {
        let to = &detail.ship_to;
        match self {
            Self::Name => &to.name,
            Self::Kana => &to.kana,
            Self::Company => &to.company,
            Self::PostalCode => &to.postal_code,
            Self::Prefecture => &to.prefecture,
            Self::Address1 => &to.address1,
            Self::Address2 => &to.address2,
            Self::Address3 => &to.address3,
            Self::Phone => &to.phone,
        }
    }

    /// The part itself, to be rewritten.
    pub(super) fn of_mut(self, detail: &mut ShipmentDetail) -> &mut String {
        let to = &mut detail.ship_to;
        match self {
            Self::Name => &mut to.name,
            Self::Kana => &mut to.kana,
            Self::Company => &mut to.company,
            Self::PostalCode => &mut to.postal_code,
            Self::Prefecture => &mut to.prefecture,
            Self::Address1 => &mut to.address1,
            Self::Address2 => &mut to.address2,
            Self::Address3 => &mut to.address3,
            Self::Phone => &mut to.phone,
        }
    }
}

/// Shops count ids from 1; one past what fits is compared as a decimal.
fn number<'a>(number: u64) -> Value<'a> {
    i64::try_from(number).map_or(Value::Decimal(number as f64), Value::Integer)
}

fn optional(text: Option<&str>) -> Value<'_> {
    Value::Text(text.unwrap_or_default())
}

fn present<'a>(text: &'a str, passes: &mut impl FnMut(Value<'a>) -> bool) -> bool {
    !text.trim().is_empty() && passes(Value::Text(text))
}

/// 入金ステータス as documents write it.
pub(super) fn payment_name(payment: Payment) -> &'static str {
    match payment {
        Payment::Unpaid => "unpaid",
        Payment::Paid => "paid",
    }
}

fn meaning_name(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Paid => "paid",
        Meaning::Wait => "wait",
        Meaning::Cancelled => "cancelled",
        Meaning::Unknown => "unknown",
    }
}
