//! Orders out of a shop's documents: joined, in their own form, and bad rows set aside one by one.

mod common;

use common::{ORDERS, client, token};
use renkei_ecforce::{BadRecord, Include, Order, OrderPage, OrderQuery};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn page_of(body: impl Into<Vec<u8>>, query: &OrderQuery) -> OrderPage {
    let server = MockServer::start().await;
    let template = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    Mock::given(any()).respond_with(template).expect(1).mount(&server).await;
    client(&server.uri()).orders(&token(), query).await.unwrap()
}

async fn full_page(document: &Value) -> OrderPage {
    page_of(document.to_string(), &OrderQuery::new().include_all()).await
}

fn document() -> Value {
    serde_json::from_str(ORDERS).unwrap()
}

/// Reads the fixture with one change to its first order.
async fn first_with(change: impl FnOnce(&mut Value)) -> Result<Order, BadRecord> {
    let mut document = document();
    change(&mut document);
    let page = full_page(&document).await;
    assert_eq!(page.rows, 3, "a bad row costs only itself");
    assert!(page.orders[1].is_ok(), "a bad row costs only itself");
    page.orders.into_iter().next().unwrap()
}

#[tokio::test]
async fn an_order_to_several_addresses_in_its_own_form() {
    let page = full_page(&document()).await;
    let order = page.orders[0].as_ref().unwrap();
    insta::assert_json_snapshot!("order_to_several_addresses", order);

    let goes_to: Vec<_> = order.items.iter().map(|item| (item.id, item.shipping_address_id)).collect();
    assert_eq!(goes_to, [(6101, Some(2)), (6102, Some(3)), (6103, Some(3))]);
    let prefectures: Vec<_> = order.shipping_addresses.iter().map(|address| address.prefecture()).collect();
    assert_eq!(prefectures, [Some("北海道"), Some("沖縄県")]);
    assert_eq!(order.created_at, Some("2026-11-30T14:58:00Z".parse().unwrap()));
}

#[tokio::test]
async fn the_own_form_reads_back_as_it_was() {
    for order in full_page(&document()).await.orders.into_iter().flatten() {
        let written = serde_json::to_string(&order).unwrap();
        let read: Order = serde_json::from_str(&written).unwrap();
        assert_eq!(read, order);
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
    }
}

#[tokio::test]
async fn an_order_without_number_is_told_from_one_whose_number_is_not_shown() {
    let mut document = document();
    let rows = document["data"].as_array_mut().unwrap();
    rows[2] = rows[1].clone();
    rows[2]["id"] = json!("70004");
    rows[2]["attributes"]["id"] = json!(70_004);
    // Its name in a buyer's words is not the attribute.
    rows[2]["attributes"]["remark"] = json!("\"shipping_slip\"");
    rows[0]["attributes"]["shipping_slip"] = json!("1234-5678");
    rows[1]["attributes"]["shipping_slip"] = json!(" ");
    let page = full_page(&document).await;
    assert!(page.orders.iter().all(Result::is_ok));
    assert_eq!(page.without_number.into_iter().collect::<Vec<_>>(), [70_002]);
}

/// The least that was ever written must stay readable.
#[test]
fn the_smallest_stored_order_is_still_an_order() {
    let order: Order = serde_json::from_value(json!({"id": 1, "number": "a", "state": "complete"})).unwrap();
    assert_eq!(serde_json::to_value(&order).unwrap(), json!({"id": 1, "number": "a", "state": "complete"}));
}

#[tokio::test]
async fn a_sparse_order_is_an_order() {
    let page = full_page(&document()).await;
    let order = page.orders[1].as_ref().unwrap();
    assert_eq!((order.number.as_str(), order.state.as_str(), order.total), ("70002", "complete", Some(1980)));
    // Unreadable, but nothing that a parcel depends on.
    assert_eq!((order.created_at, order.multiple_shipping, order.times), (None, None, None));
    // It names only its main shipping address, whose prefecture stands in the written address.
    assert_eq!(order.shipping_addresses.len(), 1);
    assert_eq!(order.shipping_addresses[0].prefecture(), Some("大阪府"));
    assert_eq!(order.items[0].shipping_address_id, None);
}

#[tokio::test]
async fn blanks_around_what_is_looked_up_do_not_count() {
    let order = first_with(|document| {
        let attributes = &mut document["data"][0]["attributes"];
        attributes["number"] = json!(" 70001\n");
        attributes["state"] = json!("complete ");
        attributes["payment_state"] = json!(" authed\t");
    });
    let order = order.await.unwrap();
    assert_eq!((order.number.as_str(), order.state.as_str()), ("70001", "complete"));
    assert_eq!(order.payment_state.as_deref(), Some("authed"));
}

#[tokio::test]
async fn a_bad_row_says_what_it_lacks_and_keeps_the_row() {
    let page = full_page(&document()).await;
    let bad = page.orders[2].as_ref().unwrap_err();
    assert_eq!((bad.id, bad.number.as_deref()), (Some(70_003), Some("b7000003cc")));
    assert_eq!(
        bad.to_string(),
        "order b7000003cc cannot be read: its item 6199 cannot be used: it is not part of the answer"
    );
    assert_eq!(bad.raw["attributes"]["state"], "complete");
}

/// It travels in a queue's message, and one that is too large would hold up all orders after it.
#[tokio::test]
async fn a_bad_rows_number_is_cut() {
    let bad = first_with(|document| {
        document["data"][0]["attributes"]["number"] = json!("注".repeat(300_000));
        document["data"][0]["attributes"]["total"] = json!("lots");
    });
    let bad = bad.await.unwrap_err();
    assert_eq!(bad.number, Some("注".repeat(128)));
    assert!(bad.reason.len() < 1_000, "{bad}");
}

#[tokio::test]
async fn what_an_order_cannot_be_without() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 17] = [
        (|d| d["data"][0]["attributes"]["number"] = json!(null), "it has no number"),
        (|d| d["data"][0]["attributes"]["state"] = json!(" "), "it has no state"),
        (|d| d["data"][0]["id"] = json!("70009"), "its two ids differ"),
        (|d| d["data"][0]["relationships"]["order_items"]["data"] = json!([]), "it has no items"),
        (|d| d["data"][0]["relationships"] = json!(null), "it has no items"),
        (
            |d| {
                d["data"][0]["relationships"]["shipping_addresses"] = json!({"data": []});
                d["data"][0]["relationships"]["shipping_address"] = json!({"data": null});
            },
            "it has no shipping address",
        ),
        (|d| d["data"][0]["attributes"] = json!([1]), "it has no attributes"),
        (|d| d["data"][0] = json!("order"), "it is not a record"),
        (|d| d["data"][0]["attributes"]["total"] = json!("lots"), "total is not an amount in whole yen"),
        (|d| d["data"][0]["attributes"]["total"] = json!(99.5), "total is not an amount in whole yen"),
        (
            |d| d["data"][0]["attributes"]["scheduled_to_be_delivered_at"] = json!("soon"),
            "scheduled_to_be_delivered_at is not a date or time",
        ),
        (|d| d["included"][1]["id"] = json!("999"), "its address 2 cannot be used: it is not part of the answer"),
        (
            |d| d["included"][1]["type"] = json!("customer"),
            "its address 2 cannot be used: it is not part of the answer",
        ),
        (|d| d["included"][1]["attributes"] = json!(null), "its address 2 cannot be used: it has no attributes"),
        (
            |d| d["included"][6]["attributes"]["quantity"] = json!(null),
            "its item 6101 cannot be used: it has no quantity",
        ),
        (
            |d| d["included"][6]["attributes"]["quantity"] = json!(-1),
            "its item 6101 cannot be used: quantity is not a number of pieces",
        ),
        (
            |d| d["included"][6]["relationships"]["shipping_address"]["data"]["id"] = json!("4"),
            "its item 6101 goes to address 4, which is none of the order's",
        ),
    ];
    for (change, expected) in cases {
        let bad = first_with(change).await.unwrap_err();
        assert!(bad.reason.ends_with(&format!("cannot be read: {expected}")), "{bad}: expected {expected}");
    }
}

#[tokio::test]
async fn oddities_that_an_order_survives() {
    type Change = fn(&mut Value);
    let cases: [Change; 7] = [
        |d| d["data"][0]["attributes"]["id"] = json!("70001"),
        |d| drop(d["data"][0].as_object_mut().unwrap().remove("id")),
        |d| {
            d["data"][0]["relationships"]["billing_address"] = json!({"data": {"id": "404", "type": "address"}});
        },
        |d| d["data"][0]["relationships"]["customer"] = json!({"data": []}),
        |d| d["data"][0]["attributes"]["shipping_carrier_id"] = json!({"odd": true}),
        |d| {
            d["included"].as_array_mut().unwrap().push(json!({"odd": true}));
        },
        |d| d["meta"] = json!("none"),
    ];
    for change in cases {
        assert_eq!(first_with(change).await.unwrap().id, 70_001);
    }
    // The same reference twice is one line, not two.
    let order = first_with(|d| {
        let items = d["data"][0]["relationships"]["order_items"]["data"].as_array_mut().unwrap();
        items.push(items[0].clone());
    });
    assert_eq!(order.await.unwrap().items.len(), 3);
    // With a single address, a reference to another record says nothing.
    let order = first_with(|d| {
        d["data"][0]["relationships"]["shipping_addresses"]["data"].as_array_mut().unwrap().pop();
    });
    let order = order.await.unwrap();
    assert_eq!(order.items[1].shipping_address_id, None);
}

#[tokio::test]
async fn a_row_that_comes_twice_is_there_twice() {
    let mut document = document();
    let row = document["data"][0].clone();
    document["data"].as_array_mut().unwrap().push(row);
    let page = full_page(&document).await;
    assert_eq!((page.rows, page.orders.len()), (4, 4));
    assert_eq!(page.orders[0], page.orders[3]);
}

#[tokio::test]
async fn damage_within_a_row_stays_within_it() {
    // Half a surrogate pair, a number beyond all bounds, and nesting deeper than any reader follows.
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for damage in [r#""\ud800""#, "1e999", &deep] {
        let body = ORDERS.replacen("\"本店\"", damage, 1);
        let page = page_of(body, &OrderQuery::new().include_all()).await;
        let bad = page.orders[0].as_ref().unwrap_err();
        assert!(bad.reason.contains("it is not valid JSON"), "{bad}");
        assert!(bad.raw.is_string() && page.orders[1].is_ok() && page.rows == 3);
    }
    // Bytes that are not UTF-8: the order they belong to, even through its address, and no other.
    for inside in ["社内メモ", "空色荘"] {
        let at = ORDERS.find(inside).unwrap();
        let mut body = ORDERS.as_bytes().to_vec();
        body[at] = 0xff;
        let page = page_of(body, &OrderQuery::new().include_all()).await;
        let bad = page.orders[0].as_ref().unwrap_err();
        assert!(bad.reason.contains("bytes that are not text"), "{bad}");
        assert!(page.orders[1].is_ok());
    }
}

#[tokio::test]
async fn a_query_for_states_asks_nothing_of_items_and_addresses() {
    let body = json!({"data": [{"id": "1", "type": "order", "attributes": {"number": "a", "state": "complete", "payment_state": "paid"},
        "relationships": {"order_items": {"data": [{"id": "5", "type": "order_item"}]}, "shipping_address": {"data": {"id": "6", "type": "address"}}}}]});
    let page = page_of(body.to_string(), &OrderQuery::new()).await;
    let order = page.orders[0].as_ref().unwrap();
    assert_eq!((order.payment_state.as_deref(), order.items.len()), (Some("paid"), 0));
    let page = page_of(body.to_string(), &OrderQuery::new().include([Include::OrderItems])).await;
    assert!(page.orders[0].is_err());
}

#[tokio::test]
async fn unknown_attributes_are_kept_within_bounds() {
    let order = first_with(|d| {
        let attributes = d["data"][0]["attributes"].as_object_mut().unwrap();
        for n in 0..200 {
            attributes.insert(format!("free_{n:03}"), json!(n));
        }
        attributes.insert("aaa_long".into(), json!("長".repeat(1000)));
        attributes.insert("aaa_fits".into(), json!("長".repeat(600)));
        attributes.insert("customer".into(), json!("not the customer"));
    });
    let order = order.await.unwrap();
    assert_eq!(order.extra.len(), 100);
    assert!(order.extra.contains_key("aaa_fits") && !order.extra.contains_key("aaa_long"));
    assert!(!order.extra.contains_key("customer") && order.customer.is_some());
    assert_eq!(order.extra["free_000"], json!(0));

    let large = first_with(|d| {
        let attributes = d["data"][0]["attributes"].as_object_mut().unwrap();
        for n in 0..90 {
            attributes.insert(format!("free_{n:03}"), json!("x".repeat(2000)));
        }
    });
    assert!(serde_json::to_string(&large.await.unwrap().extra).unwrap().len() < 70 * 1024);
}

#[tokio::test]
async fn nothing_prints_personal_data() {
    let page = full_page(&document()).await;
    let order = page.orders[0].as_ref().unwrap();
    let shown = format!("{page:?} {:?} {:?} {:?}", order.shipping_addresses, order.customer, order.items);
    for secret in ["森", "みどり", "midori", "梅田", "0000-0", "のし", "社内", "open-sesame"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("b7000001aa"));
    let written = serde_json::to_string(order).unwrap();
    for secret in ["open-sesame", "acc-1", "203.0.113.9"] {
        assert!(!written.contains(secret), "{secret} must not be kept");
    }
}

#[tokio::test]
async fn a_bad_row_does_not_print_personal_data_either() {
    let page = full_page(&document()).await;
    let bad = first_with(|d| d["data"][0]["attributes"]["total"] = json!("森みどり")).await.unwrap_err();
    assert!(!format!("{bad:?} {bad}").contains('森'));
    assert!(page.orders[2].is_err());
}
