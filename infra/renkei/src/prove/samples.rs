//! An order, its parcel, and what is known of their shop, for tests.

use jiff::Timestamp;
use renkei_domain::run::Run;
use renkei_domain::shipment::{Shipment, ShipmentDetail};
use renkei_simulator::api::OrderTruth;
use serde_json::json;

use super::ends::Facts;
use super::warehouse::Notes;

/// So many seconds after the parcel was imported.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_824_000 + second).unwrap()
}

/// Order 7, paid, to one address, working at the shop and not told a number.
pub fn order() -> OrderTruth {
    serde_json::from_value(json!({
        "id": 7, "number": "R7", "state": "working", "payment_state": "authed", "shipping_slips": [null],
        "written_working": 1, "written_shipped": 0, "written_slips": 0, "attributes": {}, "order_items": [],
        "history": [],
        "shipping_addresses": [{
            "id": 501, "shipping_slip": null, "shipping_carrier_id": null, "shipped_at": null,
            "attributes": {
                "name01": "見本", "name02": "花子", "zip01": "135", "zip02": "0064", "prefecture_id": 13,
                "prefecture_name": "東京都", "addr01": "江東区見本町", "addr02": "1-1", "addr03": "",
            },
        }],
    }))
    .unwrap()
}

/// Its parcel, in this status, all of which has been told.
pub fn shipment(status: &str) -> Shipment {
    serde_json::from_value(json!({
        "id": "shop.7.1", "order_number": "R7", "address_id": 501, "parcels": 1, "ship_from": "dc", "status": status,
        "payment": "paid", "payment_state": "authed", "shop_sync": "completed", "imported_at": at(0),
        "updated_at": at(0), "run": "r0", "place": { "page": 1, "row": 0 }, "detail": "d",
    }))
    .unwrap()
}

/// What is in it.
pub fn detail() -> ShipmentDetail {
    serde_json::from_value(json!({
        "ship_to": {
            "name": "見本 花子", "postal_code": "135-0064", "prefecture": "東京都", "address1": "江東区見本町",
            "address2": "1-1", "phone": "",
        },
        "items": [], "totals": { "total": 0 },
        "source": {
            "id": 7, "number": "R7", "state": "complete", "payment_state": "authed", "total": 0, "lines": [],
            "addresses": [{
                "id": 501, "name01": "見本", "name02": "花子", "zip01": "135", "zip02": "0064",
                "prefecture_name": "東京都", "addr01": "江東区見本町", "addr02": "1-1",
            }],
        },
    }))
    .unwrap()
}

/// A sync that began and ended then.
pub fn sync(began: i64, ended: i64) -> Run {
    serde_json::from_value(json!({
        "id": format!("sync-{began}"), "connection": "shop", "robot": "shop/status-sync", "action": "status-sync",
        "cause": "schedule", "state": "done", "started_at": at(began), "ended_at": at(ended),
    }))
    .unwrap()
}

/// A shop of which nothing is peculiar.
pub fn facts(notes: &Notes) -> Facts<'_> {
    Facts { runs: &[], notes, automation: false, captures: false, waits: false, edits: &[], wished: None }
}
