//! An order with everything that hangs on it, joined into one document.
//!
//! The structures here are also this crate's own JSON form of an order: in the shop's attribute names, blanks left out,
//! times with Japan's offset. That form travels through queues, is stored, and is what templates see as
//! `order.<attribute>`; it changes only by additions, and a golden file holds it to that. How a shop's answer becomes
//! one stands in [`super::order_read`].

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attributes::{Kind, Known};
use super::lenient::tokyo;
use super::postal::Address;

/// An order. `Debug` shows its id and number alone.
///
/// Id, number and state are always there; so are items and shipping addresses when the query included them, or the row
/// would be a [`BadRecord`](crate::BadRecord). Everything else is optional, as shops leave out what they please.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's id of the order.
    pub id: u64,
    /// The order number that people see.
    pub number: String,
    /// The order state's code (`complete`); shops define their own.
    pub state: String,
    /// The order state's name (`注文確定`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_state: Option<String>,
    /// The payment state's code (`authed`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_state: Option<String>,
    /// The payment state's name (`仮売上完了`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_human_state: Option<String>,
    /// How the order is paid (`クレジットカード`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method_name: Option<String>,
    /// The buyer's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The shop's id of the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<u64>,
    /// The buyer's number that people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_number: Option<String>,
    /// The subscription that this order belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subs_order_id: Option<u64>,
    /// The subscription's number that people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subs_order_number: Option<String>,
    /// Which delivery of the subscription this is, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Which order of this buyer this is, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Single or subscription (`単品受注`, `定期受注`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Sum of the lines, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtotal: Option<i64>,
    /// The part of it taxed at 8 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtotal8: Option<i64>,
    /// The part of it taxed at 10 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtotal10: Option<i64>,
    /// Discount, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<i64>,
    /// Discount and points together, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_with_point: Option<i64>,
    /// Adjustment by hand, in yen; may be negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjustment: Option<i64>,
    /// Delivery fee, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliv_fee: Option<i64>,
    /// Payment charge, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<i64>,
    /// Tax, in yen. Above 0, the order's line prices and fees are without tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<i64>,
    /// The part of it at 8 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax8: Option<i64>,
    /// The part of it at 10 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax10: Option<i64>,
    /// Points used, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<i64>,
    /// The shop's own total, in yen: the one to show, never a sum of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// The part of it taxed at 8 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total8: Option<i64>,
    /// The part of it taxed at 10 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total10: Option<i64>,
    /// What is to be paid, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_total: Option<i64>,
    /// The carrier's number at the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_carrier_id: Option<u64>,
    /// The carrier's name at the shop (`ヤマト運輸`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_carrier_name: Option<String>,
    /// The tracking number, once told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_slip: Option<String>,
    /// The shop's id of the stock location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock_location_id: Option<u64>,
    /// When to ship; midnight in Japan when the shop gives a date.
    #[serde(default, with = "tokyo", skip_serializing_if = "Option::is_none")]
    pub scheduled_to_be_shipped_at: Option<Timestamp>,
    /// When to deliver; midnight in Japan when the shop gives a date.
    #[serde(default, with = "tokyo", skip_serializing_if = "Option::is_none")]
    pub scheduled_to_be_delivered_at: Option<Timestamp>,
    /// The hours of delivery (`午前中`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_delivery_time: Option<String>,
    /// Their code (`01`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_delivery_time_code: Option<String>,
    /// The order goes to several addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple_shipping: Option<bool>,
    /// The buyer's remark (備考).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// The shop's memo 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo01: Option<String>,
    /// The shop's memo 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo02: Option<String>,
    /// A number from another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_number: Option<String>,
    /// The shop's labels, comma separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Gift wrapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapping: Option<String>,
    /// The shop wants a person to look (要確認).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tbc: Option<bool>,
    /// When the order was made.
    #[serde(default, with = "tokyo", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, with = "tokyo", skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When it was confirmed.
    #[serde(default, with = "tokyo", skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// When it was shipped.
    #[serde(default, with = "tokyo", skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    /// When it was delivered.
    #[serde(default, with = "tokyo", skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// When it was paid.
    #[serde(default, with = "tokyo", skip_serializing_if = "Option::is_none")]
    pub payment_paid_at: Option<Timestamp>,
    /// When its payment was cancelled.
    #[serde(default, with = "tokyo", skip_serializing_if = "Option::is_none")]
    pub payment_voided_at: Option<Timestamp>,
    /// The buyer's record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// Who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// The order's main shipping address; one of `shipping_addresses` as a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// Every address that a parcel of this order goes to, in the shop's order. An order that names only its main
    /// shipping address has that one here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipping_addresses: Vec<Address>,
    /// The lines, in the shop's order. `order_items` in JSON, as at the shop.
    #[serde(default, rename = "order_items", skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<OrderItem>,
    /// Scalar attributes that this crate does not know, under the shop's names beside the others: at most 100, each up
    /// to 2 KB, 64 KB together. Payment access keys and IP addresses are never among them.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

pub(crate) const KNOWN: &Known = &[
    ("id", Kind::Id),
    ("number", Kind::Text),
    ("state", Kind::Text),
    ("human_state", Kind::Text),
    ("payment_state", Kind::Text),
    ("payment_human_state", Kind::Text),
    ("payment_method_name", Kind::Text),
    ("email", Kind::Text),
    ("customer_id", Kind::Id),
    ("customer_number", Kind::Text),
    ("subs_order_id", Kind::Id),
    ("subs_order_number", Kind::Text),
    ("times", Kind::Count),
    ("nth", Kind::Count),
    ("kind", Kind::Text),
    ("subtotal", Kind::MustMoney),
    ("subtotal8", Kind::MustMoney),
    ("subtotal10", Kind::MustMoney),
    ("discount", Kind::MustMoney),
    ("discount_with_point", Kind::MustMoney),
    ("adjustment", Kind::MustMoney),
    ("deliv_fee", Kind::MustMoney),
    ("charge", Kind::MustMoney),
    ("tax", Kind::MustMoney),
    ("tax8", Kind::MustMoney),
    ("tax10", Kind::MustMoney),
    ("point", Kind::MustMoney),
    ("total", Kind::MustMoney),
    ("total8", Kind::MustMoney),
    ("total10", Kind::MustMoney),
    ("payment_total", Kind::MustMoney),
    ("shipping_carrier_id", Kind::Id),
    ("shipping_carrier_name", Kind::Text),
    ("shipping_slip", Kind::Text),
    ("stock_location_id", Kind::Id),
    ("scheduled_to_be_shipped_at", Kind::MustTime),
    ("scheduled_to_be_delivered_at", Kind::MustTime),
    ("scheduled_delivery_time", Kind::Text),
    ("scheduled_delivery_time_code", Kind::Text),
    ("multiple_shipping", Kind::Flag),
    ("remark", Kind::Text),
    ("memo01", Kind::Text),
    ("memo02", Kind::Text),
    ("link_number", Kind::Text),
    ("labels", Kind::Text),
    ("wrapping", Kind::Text),
    ("tbc", Kind::Flag),
    ("created_at", Kind::Time),
    ("updated_at", Kind::Time),
    ("completed_at", Kind::Time),
    ("shipped_at", Kind::Time),
    ("delivered_at", Kind::Time),
    ("payment_paid_at", Kind::Time),
    ("payment_voided_at", Kind::Time),
];

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderItem {
    /// The shop's id of the line.
    pub id: u64,
    /// The shop's id of the variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_id: Option<u64>,
    /// The SKU. Missing when the variant was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_sku: Option<String>,
    /// The product's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_number: Option<String>,
    /// The product's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// List price of one, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_price: Option<i64>,
    /// Sales price of one, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sales_price: Option<i64>,
    /// The price that was charged for one, in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<i64>,
    /// How many.
    pub quantity: u32,
    /// How many pieces one of them is, for sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_item_quantity: Option<u32>,
    /// Tax rate in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_rate: Option<u32>,
    /// Set on lines that the shop itself bundled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_bundled_item_id: Option<u64>,
    /// In an order with several addresses: which one this line goes to. `None` when the shop does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address_id: Option<u64>,
}

pub(crate) const ITEM_KNOWN: &Known = &[
    ("id", Kind::Id),
    ("variant_id", Kind::Id),
    ("variant_sku", Kind::Text),
    ("product_number", Kind::Text),
    ("product_name", Kind::Text),
    ("list_price", Kind::MustMoney),
    ("sales_price", Kind::MustMoney),
    ("price", Kind::MustMoney),
    ("quantity", Kind::MustCount),
    ("set_item_quantity", Kind::MustCount),
    ("tax_rate", Kind::Count),
    ("product_bundled_item_id", Kind::Id),
    ("shipping_address_id", Kind::Id),
];

/// The buyer's record. `Debug` shows its id alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The shop's id.
    pub id: u64,
    /// The number that people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `member` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

pub(crate) const CUSTOMER_KNOWN: &Known =
    &[("id", Kind::Id), ("number", Kind::Text), ("email", Kind::Text), ("state", Kind::Text)];

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").field("id", &self.id).field("number", &self.number).finish_non_exhaustive()
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::attributes::canonical;

    /// A known attribute without a field would vanish: it is neither read nor kept as unknown.
    #[test]
    fn every_known_attribute_has_its_field() {
        let sample = |kind: &Kind| match kind {
            Kind::Time | Kind::MustTime => Value::from("2026/11/23 09:00:00"),
            _ => Value::from("1"),
        };
        let row = |known: &Known| known.iter().map(|(name, kind)| ((*name).to_owned(), sample(kind))).collect();
        let fields = |known: &Known, read: fn(Value) -> serde_json::Result<Value>| {
            let form = canonical(&row(known), known).unwrap();
            let written = read(Value::Object(form)).unwrap();
            for (name, _) in known {
                assert!(written.get(name).is_some(), "{name} has no field");
            }
        };
        fields(KNOWN, |form| {
            let order: Order = serde_json::from_value(form)?;
            assert!(order.extra.is_empty(), "known, but without a field: {:?}", order.extra.keys());
            serde_json::to_value(order)
        });
        fields(ITEM_KNOWN, |form| serde_json::to_value(serde_json::from_value::<OrderItem>(form)?));
        fields(CUSTOMER_KNOWN, |form| serde_json::to_value(serde_json::from_value::<Customer>(form)?));
        fields(crate::wire::postal::KNOWN, |form| serde_json::to_value(serde_json::from_value::<Address>(form)?));
    }
}
