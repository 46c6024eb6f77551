//! 差分: what the shop has otherwise by now than the shipment was made from.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::ids::{AddressId, Sku};
use crate::order::{SourceAddress, SourceOrder};
use crate::prefecture;
use crate::shipment::Difference;

/// The parts of an address that a parcel's way depends on; the shop sends others that are made of these.
const PARTS: [&str; 14] = [
    "name01",
    "name02",
    "kana01",
    "kana02",
    "company_name",
    "zip01",
    "zip02",
    "prefecture_name",
    "addr01",
    "addr02",
    "addr03",
    "tel01",
    "tel02",
    "tel03",
];

/// When the customer wants it. The day on which it is to be shipped is not among these: shops count it anew by themselves.
const DELIVERY: [&str; 2] = ["scheduled_to_be_delivered_at", "scheduled_delivery_time"];

/// What `now` has otherwise than `imported`, as far as it concerns the parcel to this address: sorted, each once.
#[must_use]
pub fn differences(imported: &SourceOrder, now: &SourceOrder, address: AddressId) -> Vec<Difference> {
    let mut found = Vec::new();
    let (before, after) = (address_of(imported, address), address_of(now, address));
    let same_address = match (before, after) {
        (Some(before), Some(after)) => PARTS.iter().all(|name| part(before, name) == part(after, name)),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if !same_address {
        found.push(Difference::Address);
    }
    if lines(imported, before.map(|a| a.id)) != lines(now, after.map(|a| a.id)) {
        found.push(Difference::Lines);
    }
    if imported.text("payment_method_name") != now.text("payment_method_name") {
        found.push(Difference::PaymentMethod);
    }
    if imported.total != now.total {
        found.push(Difference::Total);
    }
    let other = |name: &str| imported.text(name) != now.text(name);
    if DELIVERY.into_iter().any(other) {
        found.push(Difference::Delivery);
    }
    if other("remark") {
        found.push(Difference::Remark);
    }
    found
}

/// A digest of all that is compared, as the order has it now.
#[must_use]
pub fn digest(order: &SourceOrder, address: AddressId) -> String {
    let to = address_of(order, address);
    let parts: Vec<&str> = to.into_iter().flat_map(|to| PARTS.iter().map(|name| part(to, name))).collect();
    let texts: Vec<Option<String>> =
        ["payment_method_name", "remark"].into_iter().chain(DELIVERY).map(|name| order.text(name)).collect();
    let all = serde_json::json!([parts, lines(order, to.map(|to| to.id)), texts, order.total]).to_string();
    Sha256::digest(all.as_bytes())[..8].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// An order's only address stays the parcel's, whatever number the shop gives it.
fn address_of(order: &SourceOrder, address: AddressId) -> Option<&SourceAddress> {
    order.addresses.iter().find(|own| own.id == address).or(match order.addresses.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

/// A part in the one form that addresses are compared in: the prefecture has its part, and the first line is without
/// it. A shop may write it in either place or in both, and earlier releases stored only what the shop wrote.
fn part<'a>(address: &'a SourceAddress, name: &str) -> &'a str {
    match name {
        "prefecture_name" => prefecture_of(address),
        "addr01" => {
            let line = address.part(name);
            line.strip_prefix(prefecture_of(address)).map_or(line, str::trim_start)
        }
        _ => address.part(name),
    }
}

/// The prefecture: the part for it, else the one that the written address begins with.
fn prefecture_of(address: &SourceAddress) -> &str {
    let named = address.part("prefecture_name");
    if !named.is_empty() {
        return named;
    }
    let written = |name: &str| {
        let text = address.part(name);
        prefecture::ALL.into_iter().find(|prefecture| text.starts_with(*prefecture))
    };
    written("full_address").or_else(|| written("addr01")).unwrap_or_default()
}

/// How many of each article go to an address. Of an article of no pieces nothing does: an order that was emptied keeps
/// its lines, and earlier releases kept such lines of any order.
fn lines(order: &SourceOrder, address: Option<AddressId>) -> BTreeMap<&Sku, u64> {
    let mut lines = BTreeMap::new();
    let to_address = address.into_iter().flat_map(|address| order.lines_to(address));
    for line in to_address.filter(|line| line.quantity > 0) {
        *lines.entry(&line.sku).or_default() += u64::from(line.quantity);
    }
    lines
}
