//! The control API, and the simulator as a process of its own.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{SHOP, Shop, ids, spec};
use renkei_simulator::api::{NewOrders, OrderOptions, ShopSpec, Writer};
use renkei_simulator::{ClientError, ControlClient, Simulator};
use serde_json::{Value, json};

#[tokio::test]
async fn shops_open_and_close_side_by_side() {
    let simulator = Simulator::start(0).await.unwrap();
    let first = simulator.add_shop(&ShopSpec { name: "first".into(), orders: 3, ..ShopSpec::default() }).await.unwrap();
    let second = simulator.add_shop(&ShopSpec { name: "second".into(), ..ShopSpec::default() }).await.unwrap();
    assert_ne!(first.port, second.port);
    assert_eq!((first.orders, second.orders), (3, 0));
    let again = simulator.add_shop(&ShopSpec { name: "first".into(), ..ShopSpec::default() }).await;
    assert!(matches!(again, Err(ClientError::Refused { status: 409, .. })));
    let taken = simulator.add_shop(&ShopSpec { name: "third".into(), port: first.port, ..ShopSpec::default() }).await;
    assert!(matches!(taken, Err(ClientError::Refused { status: 409, .. })));
    simulator.remove_shop("first").await.unwrap();
    assert_eq!(simulator.shops().await.unwrap().len(), 1);
    assert!(matches!(simulator.shop("first").await, Err(ClientError::Refused { status: 404, .. })));
    simulator.add_shop(&ShopSpec { name: "third".into(), port: first.port, ..ShopSpec::default() }).await.unwrap();
}

#[tokio::test]
async fn orders_are_placed_exactly_as_asked() {
    let shop = Shop::open(spec(0)).await;
    let order = json!({
        "id": 500_000,
        "number": "SAME",
        "payment_state": "credit_exam_hold",
        "state": "complete",
        "total": "7930",
        "remark": null,
        "tbc": "0",
        "omit": ["kind", "email"],
        "billing_address": {"name01": "請求"},
        "shipping_addresses": [{"name01": "山﨑", "zip01": "", "addr03": null, "omit": ["tel01"]}],
        "order_items": [{"variant_sku": "SERUM-30", "quantity": 3, "price": "4980"}],
    });
    shop.simulator.add_order(SHOP, order).await.unwrap();
    let twin = shop.simulator.add_order(SHOP, json!({"number": "SAME"})).await.unwrap();
    assert!(twin.id > 500_000);
    let truth = shop.simulator.order(SHOP, 500_000).await.unwrap();
    let attributes = &truth.attributes;
    assert_eq!(
        (&attributes["total"], &attributes["remark"], &attributes["tbc"]),
        (&json!("7930"), &Value::Null, &json!("0"))
    );
    assert!(!attributes.contains_key("kind") && !attributes.contains_key("email"));
    let address = &truth.shipping_addresses[0].attributes;
    assert_eq!((&address["name01"], &address["zip01"], &address["addr03"]), (&json!("山﨑"), &json!(""), &Value::Null));
    assert!(!address.contains_key("tel01"));
    assert_eq!(truth.order_items.len(), 1);
    assert_eq!((&truth.order_items[0]["quantity"], &truth.order_items[0]["price"]), (&json!(3), &json!("4980")));
    let page = shop.page("q[number_eq]=SAME&include=billing_address").await;
    assert_eq!(ids(&page), [500_000, twin.id]);
    assert_eq!(page["included"][0]["attributes"]["name01"], "請求");

    for bad in [
        json!({"id": 500_000}),
        json!({"state": 5}),
        json!({"shipping_addresses": []}),
        json!({"order_items": [{"address": 4}]}),
    ] {
        let refused = shop.simulator.add_order(SHOP, bad.clone()).await;
        assert!(matches!(refused, Err(ClientError::Refused { status: 409 | 422, .. })), "{bad}");
    }
    assert_eq!(shop.simulator.shop(SHOP).await.unwrap().orders, 2, "a refused order leaves nothing behind");
}

#[tokio::test]
async fn staff_change_orders_under_the_robots_feet() {
    let shop = Shop::open(spec(2)).await;
    let orders = shop.simulator.orders(SHOP, None).await.unwrap();
    let (first, second) = (orders[0].id, orders[1].id);
    let change = async |id, attributes: Value| {
        let Value::Object(attributes) = attributes else { panic!() };
        shop.simulator.change_order(SHOP, id, &attributes).await
    };
    let address = json!({"shipping_address": {"addr01": "那覇市"}, "remark": "至急", "payment_state": "paid"});
    let truth = change(first, address).await.unwrap();
    assert_eq!(truth.shipping_addresses[0].attributes["addr01"], "那覇市");
    assert_eq!((truth.brief.payment_state.as_str(), truth.brief.state.as_str()), ("paid", "complete"));
    assert!(truth.history.iter().all(|change| change.by == Writer::Staff));
    assert_ne!(truth.attributes["payment_paid_at"], Value::Null);

    let truth = change(second, json!({"payment_state": "voided"})).await.unwrap();
    assert_eq!(truth.brief.state, "canceled", "ecforce cancels what is voided");
    assert_eq!(ids(&shop.page("q[state_eq]=complete").await), [first], "the index knows");
    assert!(change(first, json!({"state": 7})).await.is_err());
    assert!(change(1, json!({})).await.is_err());
}

#[tokio::test]
async fn generated_orders_follow_their_seed() {
    let shop = Shop::open(spec(0)).await;
    let new = NewOrders {
        generate: 50,
        options: Some(OrderOptions { unknown_sku_percent: 100.0, ..OrderOptions::plain() }),
        ..NewOrders::default()
    };
    let first = shop.simulator.add_orders(SHOP, &new).await.unwrap();
    let second = shop.simulator.add_orders(SHOP, &new).await.unwrap();
    assert_eq!(first.len() + second.len(), 100);
    let numbers = |orders: &[renkei_simulator::api::AddedOrder]| -> Vec<String> {
        orders.iter().map(|order| order.number[..5].to_owned()).collect()
    };
    assert_ne!(numbers(&first), numbers(&second), "later orders are others");
    let other = Shop::open(spec(0)).await;
    assert_eq!(other.simulator.add_orders(SHOP, &new).await.unwrap(), first);
}

#[tokio::test]
async fn the_program_serves_until_told_to_stop() {
    let config = std::env::temp_dir().join(format!("renkei-simulator-{}.json", std::process::id()));
    std::fs::write(&config, json!({"shops": [{"name": "hanako", "orders": 5}]}).to_string()).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_renkei-simulator"))
        .args(["serve", "--control-port", "0", "--config"])
        .arg(&config)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let client = ControlClient::new(ready["control_url"].as_str().unwrap()).unwrap();
    assert_eq!(client.shop("hanako").await.unwrap().url, ready["shops"][0]["url"].as_str().unwrap());
    assert_eq!(client.orders("hanako", None).await.unwrap().len(), 5);
    let told = Command::new("kill").args(["-TERM", &program.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert!(program.wait().unwrap().success(), "a clean exit");
    std::fs::remove_file(config).unwrap();
}
