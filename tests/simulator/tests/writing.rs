//! Writing states, tracking numbers and stock back to the shop.

mod common;

use std::time::Duration;

use common::{SHOP, Shop, read, spec};
use renkei_simulator::api::{ShopSpec, Writer};
use reqwest::Method;
use serde_json::{Value, json};

const SHIPPING: &str = "admin/orders/shipping.json";
const BULK: &str = "admin/orders/bulk_update.json";

async fn three(shop: &Shop) -> Vec<u64> {
    shop.simulator.orders(SHOP, None).await.unwrap().iter().map(|order| order.id).collect()
}

#[tokio::test]
async fn bulk_update_answers_per_record() {
    let shop = Shop::open(spec(3)).await;
    let ids = three(&shop).await;
    let body = json!({"orders": [
        {"id": ids[0], "state": "working"},
        {"id": ids[1], "state": "elsewhere"},
        {"id": 99_999, "state": "working"},
        {"id": ids[2], "tbc": true, "labels": "urgent", "memo01": "memo"},
    ]});
    let (status, answer) = shop.put(BULK, &body).await;
    assert_eq!(status, 200);
    assert_eq!(answer["success"], json!([ids[0], ids[2]]));
    assert_eq!(answer["failure"], json!([ids[1], 99_999]));
    let codes: Vec<_> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["code"], &error["errors"][0]["code"]))
        .collect();
    assert_eq!(codes, [(&json!("AOR0000"), &json!("AOR3002")), (&json!("AOR0000"), &json!("AOR2001"))]);
    let truth = shop.simulator.order(SHOP, ids[0]).await.unwrap();
    assert_eq!((truth.brief.state.as_str(), truth.brief.written_working), ("working", 1));
    assert_eq!(truth.history[0].by, Writer::Api);
    assert_eq!(shop.state_of(ids[1]).await, "complete");
    // Dropped without a word, save the memo.
    let truth = shop.simulator.order(SHOP, ids[2]).await.unwrap();
    assert_eq!((&truth.attributes["tbc"], &truth.attributes["memo01"]), (&json!(false), &json!("memo")));
    let entry = shop.simulator.ledger(SHOP).await.unwrap().pop().unwrap();
    assert_eq!((entry.records, entry.applied), (4, 2));
}

#[tokio::test]
async fn a_second_write_shows() {
    let shop = Shop::open(spec(1)).await;
    let ids = three(&shop).await;
    for _ in 0..2 {
        shop.move_to(&ids, "working").await;
    }
    assert_eq!(shop.simulator.orders(SHOP, Some("working")).await.unwrap()[0].written_working, 2);
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_whole() {
    let shop = Shop::open(spec(101)).await;
    let ids = three(&shop).await;
    let (status, _) = shop.move_to(&ids, "working").await;
    assert_eq!(status, 422, "101 records");
    for body in [json!({}), json!({"orders": {}}), json!({"orders": []}), json!({"orders": [1]}), json!([])] {
        assert_eq!(shop.put(BULK, &body).await.0, 422, "{body}");
    }
    let torn = shop.request(Method::PUT, BULK).header("Content-Type", "application/json").body("{\"orders\":[");
    assert_eq!(read(torn.send().await.unwrap()).await.0, 422);
    let form = shop.request(Method::PUT, BULK).header("Content-Type", "text/plain").body("{}");
    assert_eq!(read(form.send().await.unwrap()).await.0, 422);
    let status = shop.simulator.shop(SHOP).await.unwrap();
    assert_eq!(status.by_state["complete"], 101);
    assert_eq!(status.violations["too_many_records"], 1);
    assert_eq!(shop.move_to(&ids[..100], "working").await.0, 200);
}

#[tokio::test]
async fn tracking_numbers_are_written_by_put_and_by_post() {
    let shop = Shop::open(spec(2)).await;
    let ids = three(&shop).await;
    for (method, id) in [(Method::PUT, ids[0]), (Method::POST, ids[1])] {
        let body = json!({"orders": [{
            "id": id, "shipping_slip": "1234-5678", "shipping_carrier_id": 6, "shipped_at": "2026-11-23 10:00:00",
        }], "with_async": 0, "with_sale": 0});
        let (status, answer) = read(shop.request(method, SHIPPING).json(&body).send().await.unwrap()).await;
        assert_eq!((status, &answer["success"]), (200, &json!([id])));
        let truth = shop.simulator.order(SHOP, id).await.unwrap();
        assert_eq!(truth.attributes["shipping_slip"], "1234-5678");
        assert_eq!(truth.attributes["shipping_carrier_name"], "ネコポス");
        assert_eq!(truth.attributes["shipped_at"], "2026/11/23 10:00:00");
        assert_eq!(truth.brief.state, "complete", "the state is another call's");
        assert_eq!(truth.shipping_addresses[0].shipped_at.unwrap().to_string(), "2026-11-23T01:00:00Z");
    }
}

#[tokio::test]
async fn several_addresses_are_written_one_by_one() {
    let shop = Shop::open(spec(0)).await;
    let order = json!({"shipping_addresses": [{}, {}]});
    let id = shop.simulator.add_order(SHOP, order).await.unwrap().id;
    let truth = shop.simulator.order(SHOP, id).await.unwrap();
    let addresses: Vec<u64> = truth.shipping_addresses.iter().map(|address| address.id).collect();
    let record = |address: Value, slip: &str| json!({"id": id, "shipping_slip": slip, "shipping_address_id": address, "shipped_at": "2026-11-23 10:00:00"});
    let body = json!({"orders": [
        record(json!(addresses[1]), "B"),
        record(Value::Null, "lost"),
        record(json!(1), "lost"),
    ]});
    let (_, answer) = shop.put(SHIPPING, &body).await;
    assert_eq!(answer["success"], json!([format!("{id}-{}", addresses[1])]));
    assert_eq!(answer["failure"], json!([id, format!("{id}-1")]));
    let truth = shop.simulator.order(SHOP, id).await.unwrap();
    assert_eq!(truth.brief.shipping_slips, [None, Some("B".to_owned())]);
    assert_eq!(truth.attributes["shipped_at"], Value::Null, "one parcel is still here");
    shop.put(SHIPPING, &json!({"orders": [record(json!(addresses[0]), "A")]})).await;
    let truth = shop.simulator.order(SHOP, id).await.unwrap();
    assert_eq!(truth.brief.shipping_slips, [Some("A".to_owned()), Some("B".to_owned())]);
    assert_eq!(truth.brief.written_slips, 2);
    assert_eq!(truth.attributes["shipped_at"], "2026/11/23 10:00:00");
}

#[tokio::test]
async fn shipping_refuses_what_it_cannot_store() {
    let shop = Shop::open(spec(1)).await;
    let id = three(&shop).await[0];
    for record in [
        json!({"id": id, "shipping_slip": ""}),
        json!({"id": id}),
        json!({"id": id, "shipping_slip": "1", "shipping_carrier_id": 77}),
        json!({"id": id, "shipping_slip": "1", "shipped_at": "2026/11/23 10:00"}),
        json!({"id": id, "shipping_slip": "1", "shipped_at": "2026-11-23T10:00:00+09:00"}),
        json!({"id": id.to_string(), "shipping_slip": "1"}),
    ] {
        let (status, answer) = shop.put(SHIPPING, &json!({"orders": [record]})).await;
        assert_eq!(status, 200);
        assert_eq!(answer["success"], json!([]), "{record}");
    }
    assert_eq!(shop.simulator.order(SHOP, id).await.unwrap().brief.written_slips, 0);
}

#[tokio::test]
async fn a_payment_is_captured_once() {
    let shop = Shop::open(spec(1)).await;
    let id = three(&shop).await[0];
    let body = json!({"orders": [{"id": id, "shipping_slip": "1"}], "with_sale": 1});
    let (_, answer) = shop.put(SHIPPING, &body).await;
    assert_eq!(answer["success"], json!([id]));
    assert_eq!(shop.simulator.order(SHOP, id).await.unwrap().brief.payment_state, "captured");
    let (_, answer) = shop.put(SHIPPING, &body).await;
    assert_eq!((&answer["success"], &answer["failure"]), (&json!([]), &json!([id])));
}

#[tokio::test]
async fn an_asynchronous_write_shows_later() {
    let shop = Shop::open(ShopSpec { async_delay_ms: 50, ..spec(1) }).await;
    let id = three(&shop).await[0];
    let (_, answer) = shop.put(SHIPPING, &json!({"orders": [{"id": id, "shipping_slip": "1"}], "with_async": 1})).await;
    assert_eq!(answer.as_object().unwrap().len(), 1);
    assert!(answer["job_id"].is_string());
    eventually(async || shop.simulator.order(SHOP, id).await.unwrap().brief.shipping_slips[0].is_some()).await;
}

#[tokio::test]
async fn the_automation_option_moves_orders_by_itself() {
    let shop = Shop::open(ShopSpec { automation_option: true, automation_delay_ms: 50, ..spec(2) }).await;
    let ids = three(&shop).await;
    shop.put(SHIPPING, &json!({"orders": [{"id": ids[0], "shipping_slip": "1"}]})).await;
    eventually(async || shop.state_of(ids[0]).await == "shipped").await;
    let truth = shop.simulator.order(SHOP, ids[0]).await.unwrap();
    assert_eq!(truth.history.last().unwrap().by, Writer::Automation);
    assert_eq!(truth.brief.written_shipped, 0, "that was not the API");
    assert_eq!(shop.state_of(ids[1]).await, "complete");
}

#[tokio::test]
async fn stock_is_absolute_and_answers_as_it_was_asked() {
    let shop = Shop::open(spec(0)).await;
    let item = |sku: &str, location: &str, stock: Value| json!({"variant_sku": sku, "stock_location_code": location, "stock": stock});
    let body = json!({"stock_items": [
        item("SERUM-30", "default", json!(10)),
        item("MASK-5", "default", json!("7")),
        item("NOPE", "default", json!(1)),
        item("SOAP-80", "osaka", json!(1)),
        item("SOAP-80", "default", json!(-1)),
    ]});
    let (status, answer) = shop.put("admin/stock_items.json", &body).await;
    assert_eq!(status, 200);
    assert_eq!(answer["success"], json!([body["stock_items"][0], body["stock_items"][1]]));
    assert_eq!(answer["failure"].as_array().unwrap().len(), 3);
    assert_eq!(answer["errors"][0]["id"], "NOPE");
    let stock = shop.simulator.stock(SHOP).await.unwrap();
    let counts: Vec<i64> = stock.iter().map(|item| item.stock).collect();
    assert_eq!(counts, [10, 7, 1000, 1000]);
    assert_eq!(stock[0].written, [10]);
}

async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came true");
}
