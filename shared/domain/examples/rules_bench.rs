//! Prints how long 1,000 processing robots take for one shipment, and the conversion of one order by a robot that makes
//! several fields otherwise: `cargo run --release --example rules_bench`.

use std::hint::black_box;
use std::time::Instant;

use jiff::Timestamp;
use renkei_domain::convert::{ConversionRobots, convert, samples};
use renkei_domain::ids::RuleId;
use renkei_domain::processing::{Facts, Phase, RobotSet};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{Shipment, ShipmentDetail};
use serde_json::{Value, json};

const ROBOTS: usize = 1_000;
const SHIPMENTS: u32 = 2_000;
const CONVERSIONS: u32 = 20_000;

/// A mix as merchants write it; one in ten matches.
fn robot(number: usize) -> Value {
    let when = match number % 10 {
        0 => {
            json!({ "all": [{ "field": "order.kind", "equals": "定期受注" }, { "field": "order.times", "equals": 1 }] })
        }
        1 => json!({ "field": "order.remark", "contains": format!("至急{number}") }),
        2 => json!({ "field": "order.remark", "matches": format!("(至急|急ぎ|大至急).*{number}") }),
        3 => json!({ "field": "items.sku", "in": (0..50).map(|n| format!("SKU-{number}-{n}")).collect::<Vec<_>>() }),
        4 => json!({ "field": "order.total", "greater": 100_000 + number }),
        5 => json!({ "all": [
            { "field": "ship_to.prefecture", "in": ["沖縄県", "北海道"] }, { "field": "shipping_method", "equals": "nekopos" }
        ] }),
        6 => json!({ "any": [
            { "field": "ship_to.name", "not_printable": true }, { "field": "ship_to.address1", "longer_than": 64 }
        ] }),
        7 => json!({ "not": { "field": "order.payment_method_name", "exists": true } }),
        8 => json!({ "field": "payment.meaning", "equals": "cancelled" }),
        _ => json!({ "field": "order.scheduled_to_be_delivered_at", "less": "today" }),
    };
    json!({ "id": format!("robot-{number}"), "name": "計測", "when": when, "do": [{ "tag": format!("tag-{}", number % 20) }] })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings: TenantSettings = serde_json::from_value(json!({
        "tenant": "bench",
        "connections": [{
            "id": "bench-ecforce", "api": "ecforce", "api_url": "api.bench.example", "ship_from": "dc", "daily_call_limit": 1000
        }],
        "shipping_methods": [{ "id": "nekopos", "name": "ネコポス", "warehouse_code": "NEKOPOS" }],
        "processing_robots": { "custom": (0..ROBOTS).map(robot).collect::<Vec<_>>() }
    }))?;
    let number = "B-1";
    let source = json!({
        "id": 1, "number": number, "state": "complete", "payment_state": "authed", "total": 4500,
        "addresses": [{ "id": 1 }], "lines": [{ "sku": "SERUM-30", "name": "美容液", "quantity": 1, "price": 4500 }],
        "attributes": {
            "kind": "定期受注", "times": "1", "remark": "不在時は宅配ボックスへお願いします。到着前にお電話ください。",
            "payment_method_name": "クレジットカード", "scheduled_to_be_delivered_at": "2026/12/01 00:00:00"
        }
    });
    let detail: ShipmentDetail = serde_json::from_value(json!({
        "ship_to": {
            "name": "見本 花子", "postal_code": "135-0064", "prefecture": "東京都", "address1": "江東区青海2-4-24", "phone": "03-0000-0000"
        },
        "items": [{ "sku": "SERUM-30", "name": "美容液", "quantity": 1, "price": 4500 }],
        "totals": { "total": 4500 },
        "source": source
    }))?;
    let shipment: Shipment = serde_json::from_value(json!({
        "id": "bench-ecforce.1.1", "order_number": number, "address_id": 1, "parcels": 1, "ship_from": "dc", "status": "hold",
        "payment": "unpaid", "payment_state": "authed", "shop_sync": "registered", "shipping_method": "nekopos",
        "imported_at": "2026-11-24T01:00:00Z", "updated_at": "2026-11-24T01:00:00Z", "run": "1",
        "place": { "page": 1, "row": 0 }, "detail": "1"
    }))?;

    let start = Instant::now();
    let robots = RobotSet::compile(&settings).map_err(|problems| problems[0].to_string())?;
    println!("compile {ROBOTS} robots: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);

    let facts = Facts {
        connection: &settings.connections[0],
        conversion_robot: None,
        unknown_skus: &[],
        duplicate_number: false,
        now: Timestamp::UNIX_EPOCH,
    };
    let copies: Vec<(Shipment, ShipmentDetail)> = (0..SHIPMENTS).map(|_| (shipment.clone(), detail.clone())).collect();
    let mut matched = 0;
    let start = Instant::now();
    for (mut shipment, mut detail) in copies {
        let applied = robots.apply(Phase::OnImport, &facts, &mut shipment, &mut detail);
        matched += black_box(applied).traces.len();
    }
    let each = start.elapsed() / SHIPMENTS;
    println!(
        "{ROBOTS} robots on a shipment: {:.1} µs ({} match)",
        each.as_secs_f64() * 1e6,
        matched / SHIPMENTS as usize
    );
    conversion()
}

/// Fields as merchants make them otherwise.
fn conversion() -> Result<(), Box<dyn std::error::Error>> {
    let settings: TenantSettings = serde_json::from_value(json!({
        "tenant": "bench",
        "conversion_robots": [{ "id": "own", "name": "独自", "copy_of": 14448, "fields": {
            "delivery_note": "{{ order.remark | truncate(60) }}",
            "ship_to.kana": "{{ shipment.ship_to.kana | half_kana }}",
            "ship_to.phone": "{{ shipment.ship_to.phone | phone }}",
            "ship_to.company": "{% if order.kind == '定期受注' %}{{ order.times }}回目 {% endif %}{{ address.company_name }}",
            "delivery_time": "{{ order.scheduled_delivery_time | default('指定なし') | half_width }}"
        } }]
    }))?;
    let robots = ConversionRobots::compile(&settings).map_err(|problems| problems[0].message.clone())?;
    let own = RuleId::parse("own")?;
    let sample = &samples::all()[2];
    let mut made = 0;
    let start = Instant::now();
    for _ in 0..CONVERSIONS {
        let robot = robots.get(Some(&own));
        made += black_box(convert(&sample.connection, &sample.order, robot.as_ref())?).len();
    }
    let each = start.elapsed() / CONVERSIONS;
    println!("a conversion with 5 fields made otherwise: {:.1} µs ({made} made)", each.as_secs_f64() * 1e6);
    Ok(())
}
