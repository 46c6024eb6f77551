//! The document in the console: what waited for something that it brings goes on, as after `renkei apply`.

use std::time::{Duration, Instant};

use renkei_e2e::browser::Browser;
use renkei_e2e::run;
use renkei_e2e::ways::Shop;
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_waited_for_a_product_of_the_document_are_imported() {
    let name = "by-document";
    let shop = Shop::new(name, ShopSpec { order_options: OrderOptions::plain(), ..ShopSpec::default() }, |_| ()).await;
    let odd = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "LATE-1", "quantity": 1 }] });
    let id = shop.simulator.add_order(name, odd).await.expect("an order").id;
    assert_eq!(shop.robot("fetch-orders").code, 4, "it waits for its product");
    let added = run(&["member", "add", "admin@renkei.example", "--tenant", name, "--role", "admin"], None);
    assert_eq!(added.code, 0, "{added:?}");

    let mut browser = Browser::signed_in("admin").await;
    let shown = browser.get(&format!("/t/{name}/document")).await;
    let exported = run(&["export", "--tenant", name], None).out;
    let late = ["LATE-1", "LATE-2"].map(|sku| format!("\n  - sku: {sku}\n    name: 石けん {sku}")).concat();
    let text = exported.replacen("\nproducts:", &format!("\nproducts:{late}"), 1);
    assert_ne!(text, exported, "it has products already");
    let version = shown.hidden("version");
    let fields = [("csrf", shown.csrf()), ("text", text), ("version", version.first().cloned().expect("a version"))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let checked = browser.post(&format!("/t/{name}/document/check"), &fields).await;
    assert!(checked.status == 200 && checked.text.contains("商品 LATE-1 を追加"), "{}", checked.text);
    let of_it = || shop.shipments().into_iter().filter(|it| it["order_id"] == id).collect::<Vec<Value>>();
    assert!(of_it().is_empty(), "a look changes nothing");
    let applied = browser.post(&format!("/t/{name}/document/apply"), &fields).await;
    assert!(applied.status == 303 && applied.location().ends_with("/history?done"), "{applied:?}");
    let began = Instant::now();
    while of_it().is_empty() {
        assert!(began.elapsed().as_secs() < 120, "it is imported");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(of_it().len(), 1, "once");
    let history = browser.open(applied.location()).await;
    assert!(history.text.contains("admin@renkei.example"), "{}", history.text);
}
