//! The built-in conversion robot 14448: each field of a shipment from the order, as the shop has it.

use super::forms::{date, postal_code, whole};
use crate::money::Yen;
use crate::order::{SourceAddress, SourceOrder};
use crate::prefecture;
use crate::shipment::{Item, ShipTo, ShipmentDetail, Totals};

/// The shipment that the standard robot makes of the lines that go to one address.
#[must_use]
pub fn detail(order: &SourceOrder, address: &SourceAddress) -> ShipmentDetail {
    ShipmentDetail {
        ship_to: ship_to(address),
        items: order
            .lines_to(address.id)
            .map(|line| Item {
                sku: line.sku.clone(),
                name: line.name.clone(),
                quantity: line.quantity,
                price: line.price,
                added_by: None,
            })
            .collect(),
        totals: totals(order),
        payment_method: order.text("payment_method_name").unwrap_or_default(),
        delivery_note: order.text("remark").unwrap_or_default(),
        ship_on: order.text("scheduled_to_be_shipped_at").as_deref().and_then(date),
        deliver_on: order.text("scheduled_to_be_delivered_at").as_deref().and_then(date),
        delivery_time: order.text("scheduled_delivery_time").unwrap_or_default(),
        tags: Vec::new(),
        robots: Vec::new(),
        source: order.clone(),
    }
}

/// A person's name and address as labels have them.
#[must_use]
pub fn ship_to(address: &SourceAddress) -> ShipTo {
    let joined = |whole: &str, parts: [&str; 2], by: &str| {
        let whole = address.part(whole);
        if whole.is_empty() { join(parts.map(|p| address.part(p)), by) } else { whole.to_owned() }
    };
    let phone = match address.part("full_tel") {
        "" => join(["tel01", "tel02", "tel03"].map(|p| address.part(p)), "-"),
        whole => whole.to_owned(),
    };
    ShipTo {
        name: joined("full_name", ["name01", "name02"], " "),
        kana: join([address.part("kana01"), address.part("kana02")], " "),
        company: address.part("company_name").to_owned(),
        postal_code: postal_code(&joined("full_zip", ["zip01", "zip02"], "-")),
        prefecture: address.part("prefecture_name").to_owned(),
        address1: address.part("addr01").to_owned(),
        address2: address.part("addr02").to_owned(),
        address3: address.part("addr03").to_owned(),
        phone,
    }
}

fn join<const N: usize>(parts: [&str; N], by: &str) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(by)
}

fn totals(order: &SourceOrder) -> Totals {
    let yen = |name: &str| Yen(order.text(name).and_then(|t| whole(&t)).unwrap_or(0));
    Totals {
        total: order.total,
        subtotal: yen("subtotal"),
        delivery_fee: yen("deliv_fee"),
        charge: yen("charge"),
        discount: yen("discount"),
        points: yen("point"),
        tax: yen("tax"),
    }
}

/// What a carrier's label needs and this address lacks. Such a shipment is held as a bad address, not refused: a person
/// can ask the customer.
#[must_use]
pub fn missing_for_a_label(to: &ShipTo) -> Option<&'static str> {
    if to.name.is_empty() && to.company.is_empty() {
        Some("name")
    } else if !is_postal_code(&to.postal_code) {
        Some("postal code")
    } else if !prefecture::ALL.contains(&to.prefecture.as_str()) {
        Some("prefecture")
    } else if to.address1.is_empty() && to.address2.is_empty() {
        Some("address")
    } else {
        None
    }
}

/// `135-0064`: seven digits with the hyphen in its place. What has a letter among them is no place that a parcel finds.
fn is_postal_code(text: &str) -> bool {
    text.len() == 8
        && text.bytes().enumerate().all(|(place, byte)| if place == 3 { byte == b'-' } else { byte.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_is_made_of_its_own_attribute() {
        let order: SourceOrder = serde_json::from_value(json!({
            "id": 88_111, "number": "H-1001", "state": "complete", "payment_state": "authed", "total": 1_001,
            "addresses": [{
                "id": 120, "name01": "見本", "name02": "花子", "kana01": "ミホン", "kana02": "ハナコ", "company_name": "見本商店",
                "zip01": "135", "zip02": "0064", "prefecture_name": "東京都", "addr01": "江東区架空町", "addr02": "1-1",
                "addr03": "見本荘101", "tel01": "03", "tel02": "0000", "tel03": "0001"
            }],
            "lines": [{ "sku": "SERUM-30", "name": "美容液", "quantity": 2, "price": 4_482 }],
            "attributes": {
                "total": 1_001, "subtotal": 1_002, "deliv_fee": 1_003, "charge": 1_004, "discount": 1_005, "point": 1_006,
                "tax": 1_007, "payment_method_name": "代金引換", "remark": "玄関に", "scheduled_delivery_time": "午前中",
                "scheduled_to_be_shipped_at": "2026/11/25 00:00:00", "scheduled_to_be_delivered_at": "2026/11/27 00:00:00"
            }
        }))
        .unwrap();
        let expected = ShipmentDetail {
            ship_to: ShipTo {
                name: "見本 花子".into(),
                kana: "ミホン ハナコ".into(),
                company: "見本商店".into(),
                postal_code: "135-0064".into(),
                prefecture: "東京都".into(),
                address1: "江東区架空町".into(),
                address2: "1-1".into(),
                address3: "見本荘101".into(),
                phone: "03-0000-0001".into(),
            },
            items: vec![Item {
                sku: order.lines[0].sku.clone(),
                name: "美容液".into(),
                quantity: 2,
                price: Yen(4_482),
                added_by: None,
            }],
            totals: Totals {
                total: Yen(1_001),
                subtotal: Yen(1_002),
                delivery_fee: Yen(1_003),
                charge: Yen(1_004),
                discount: Yen(1_005),
                points: Yen(1_006),
                tax: Yen(1_007),
            },
            payment_method: "代金引換".into(),
            delivery_note: "玄関に".into(),
            ship_on: Some(jiff::civil::date(2026, 11, 25)),
            deliver_on: Some(jiff::civil::date(2026, 11, 27)),
            delivery_time: "午前中".into(),
            tags: Vec::new(),
            robots: Vec::new(),
            source: order.clone(),
        };
        // The types themselves do not print; the person here is invented.
        assert_eq!(json!(detail(&order, &order.addresses[0])), json!(expected));
    }

    #[test]
    fn a_postal_code_has_seven_digits_and_nothing_else() {
        let missing = |code: &str| {
            missing_for_a_label(&ShipTo {
                name: "見本 花子".into(),
                postal_code: code.into(),
                prefecture: "東京都".into(),
                address1: "江東区架空町".into(),
                ..ShipTo::default()
            })
        };
        assert_eq!(missing("135-0064"), None);
        // The first three have the length and the hyphen.
        for wrong in ["ABC-DEFG", "13A-0064", "135-00é", "1350-064", "1350064", "135-00640", "〒135-006", ""] {
            assert_eq!(missing(wrong), Some("postal code"), "{wrong}");
        }
    }
}
