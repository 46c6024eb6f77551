//! An order as the shop gave it, in one compact form.
//!
//! It travels from fetch to import in a queue message, rests beside the shipment as the order's source, and is what
//! conversion templates and conditions see as `order.…`: therefore its attributes keep the shop's own names. It is
//! full of personal data, so `Debug` shows only which order it is.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{AddressId, OrderId, OrderNumber, Sku};
use crate::money::Yen;

/// An order of a shop, with its addresses and lines joined.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceOrder {
    /// The shop's id.
    pub id: OrderId,
    /// 受注番号.
    pub number: OrderNumber,
    /// 対応状況, by the shop's code.
    pub state: String,
    /// 決済状況, by the shop's code.
    pub payment_state: String,
    /// The shop's own total, tax included; never a sum of ours. 0 where the shop said none, see
    /// [`SourceOrder::says_total`].
    pub total: Yen,
    /// When the shop last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// The carrier that the shop names, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<SourceCarrier>,
    /// Where the order goes; never empty.
    pub addresses: Vec<SourceAddress>,
    /// 注文者, by the address of the bill; None where it is that of the only recipient, or the shop names nobody. See
    /// [`SourceOrder::orderer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<SourceAddress>,
    /// What was ordered; never empty.
    pub lines: Vec<SourceLine>,
    /// Every scalar attribute that the shop sent, by the shop's name: `remark`, `kind`, `times`, ….
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
}

impl SourceOrder {
    /// Did the shop say a total? A missing one is no order for nothing: 代金引換 would collect nothing.
    #[must_use]
    pub fn says_total(&self) -> bool {
        self.total != Yen(0) || self.attributes.contains_key("total")
    }

    /// 注文者: who ordered; where it is a gift, that is none of the recipients. None where nobody knows: of several recipients
    /// none is taken for the orderer.
    #[must_use]
    pub fn orderer(&self) -> Option<&SourceAddress> {
        match (&self.billing, self.addresses.as_slice()) {
            (Some(billing), _) => Some(billing),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// A scalar attribute as text; None when the shop left it out, null or empty.
    #[must_use]
    pub fn text(&self, attribute: &str) -> Option<String> {
        match self.attributes.get(attribute)? {
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The lines that go to this address. In an order with one address that is all of them; in one with several, each
    /// line names its address, and one that the shop itself bundled and that names none goes to the first.
    pub fn lines_to(&self, address: AddressId) -> impl Iterator<Item = &SourceLine> {
        let first = self.addresses.first().map(|a| a.id);
        let known = move |id: AddressId| self.addresses.iter().any(|a| a.id == id);
        self.lines.iter().filter(move |line| match line.address.filter(|id| known(*id)) {
            Some(id) => id == address,
            None => first == Some(address),
        })
    }
}

impl fmt::Debug for SourceOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceOrder").field("id", &self.id).field("number", &self.number).finish_non_exhaustive()
    }
}

/// The carrier as the shop calls it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCarrier {
    /// The shop's number for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The shop's name for it; a shipping method's keywords are matched against this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An address, in the shop's parts and by the shop's attribute names. Empty parts are empty texts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceAddress {
    /// The shop's id.
    pub id: AddressId,
    /// The address's attributes by the shop's names: `name01`, `zip01`, `prefecture_name`, `addr01`, `tel01`, ….
    #[serde(flatten)]
    pub parts: BTreeMap<String, String>,
}

impl SourceAddress {
    /// A part, trimmed; empty when the shop left it out.
    #[must_use]
    pub fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", |text| text.trim())
    }
}

impl fmt::Debug for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceAddress").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    /// The article.
    pub sku: Sku,
    /// The article's name at the shop.
    pub name: String,
    /// How many. 0 only where nothing of the order is to be shipped any more, and in what earlier releases stored.
    pub quantity: u32,
    /// Price of one.
    pub price: Yen,
    /// In an order with several addresses, where this line goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressId>,
    /// Set on lines that the shop itself bundled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bundled: bool,
}
