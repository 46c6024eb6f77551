//! Conversion robots, products and what hangs on them, on the deployed stack.

mod products;
mod same_ids;
mod started;
mod taken_out;

use std::time::{Duration, Instant};

use renkei_e2e::{Ended, World, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

const REMARK: &str = "玄関前に置いてください。インターホンは鳴らさないでください。犬がいます。";

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

/// The merchant's document with a conversion robot of these fields.
fn document(world: &World, fields: &Value, products: &[&str]) -> Value {
    let name = &world.shop.name;
    let products: Vec<Value> = products.iter().map(|sku| json!({ "sku": sku, "name": sku })).collect();
    json!({
        "tenant": name,
        "ship_froms": [{ "id": "dc", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                         "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "dc" }],
        "connections": [{ "id": name, "api": "ecforce", "api_url": world.shop.url, "ship_from": "dc",
                          "password": { "env": "SHOP_PASSWORD" }, "daily_call_limit": 10_000, "call_interval_ms": 50 }],
        "shipping_methods": [{ "id": "yamato", "name": "ヤマト", "warehouse_code": "Y", "keywords": ["ヤマト"], "default": true }],
        "products": products,
        "conversion_robots": [{ "id": "own", "name": "独自", "copy_of": 14448, "fields": fields }],
        "processing_robots": {
            "enable": ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"],
            "custom": [{ "id": "dear", "name": "高額", "when": { "field": "order.total", "greater": 0 },
                         "do": [{ "tag": "高額" }, { "notify": "確認してください" }] },
                       { "id": "gift", "name": "ギフト", "enabled": false,
                         "do": [{ "hold": "remark" }, { "set_field": { "field": "delivery_note", "value": "ギフト" } }] }]
        },
        "integration_robots": { "easy_setup": { "connection": name, "conversion_robot": "own", "every": "24 hours" } },
    })
}

fn apply(world: &World, document: &Value) -> Ended {
    // JSON is YAML.
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.yaml", world.shop.name));
    std::fs::write(&path, serde_json::to_string_pretty(document).expect("JSON")).expect("a file");
    run(&["apply", path.to_str().expect("a path")], None)
}

async fn order(world: &World, attributes: Value) -> u64 {
    let mut order = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "SERUM-30", "quantity": 1 }] });
    order.as_object_mut().expect("an object").extend(attributes.as_object().expect("an object").clone());
    world.simulator.add_order(&world.shop.name, order).await.expect("an order").id
}

fn shipment(world: &World, order: u64) -> Value {
    run(&["shipment", &format!("{}.{order}.1", world.shop.name), "--json"], None).lines().remove(0)
}

/// The listing, once it has so many lines.
fn awaited(world: &World, command: &str, count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let lines = world.list(command);
        if lines.len() == count || began.elapsed() > Duration::from_mins(1) {
            assert_eq!(lines.len(), count, "{lines:?}");
            return lines;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_of_ones_own_arrives_on_the_shipment_and_a_change_is_tried_first() {
    let world = World::new("own-field", plain(0), 10_000).await;
    let fields = json!({ "delivery_note": "{{ order.remark | truncate(60) }}" });
    let applied = apply(&world, &document(&world, &fields, &["SERUM-30"]));
    assert!(applied.code == 0 && !applied.out.contains("delivery_note do not apply"), "{applied:?}");
    let id = order(&world, json!({ "remark": REMARK })).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let before = shipment(&world, id);
    assert_eq!(
        before["delivery_note"], "玄関前に置いてください。インターホンは鳴らさないでください。",
        "30 characters, 60 columns"
    );
    assert!(before["events"].to_string().contains("notice: 確認してください"), "{before}");

    // A change is shown on the stored order, field by field.
    let fields = json!({ "delivery_note": "{{ order.remark | truncate(8) }}", "ship_to.kana": "{{ shipment.ship_to.kana | half_kana }}" });
    let changed = apply(&world, &document(&world, &fields, &["SERUM-30"]));
    assert_eq!(changed.code, 0, "{changed:?}");
    assert!(
        changed.out.contains("delivery_note: \"玄関前に置いて") && changed.out.contains("→ \"玄関前に\""),
        "{changed:?}"
    );
    assert!(changed.out.contains("ship_to.kana"), "{changed:?}");
    let again = apply(&world, &document(&world, &fields, &["SERUM-30"]));
    assert!(again.out.contains("nothing to change") && !again.out.contains("tried on"), "{again:?}");

    // Trying writes nothing.
    let name = format!("{}.{id}.1", world.shop.name);
    let tried = run(&["try", "own", "--shipment", &name, "--json"], None);
    let line = &tried.lines()[0];
    assert_eq!(
        (&line["kind"], &line["changes"][0]["field"], &line["changes"][0]["after"]),
        (&json!("conversion"), &json!("delivery_note"), &json!("玄関前に")),
        "{tried:?}"
    );
    let standard = run(&["try", "14448", "--shipment", &name, "--json"], None);
    assert_eq!(standard.lines()[0]["changes"][0]["after"], REMARK, "{standard:?}");
    let gift = run(&["try", "gift", "--shipment", &name], None);
    assert!(gift.out.contains("status: \"ready\" → \"hold\"") && gift.out.contains("→ \"ギフト\""), "{gift:?}");
    let built_in = run(&["try", "require-product", "--shipment", &name, "--json"], None);
    assert_eq!(built_in.lines()[0]["matches"], false, "{built_in:?}");
    assert_eq!(run(&["try", "nobody", "--shipment", &name], None).code, 1);
    assert_eq!(shipment(&world, id), before, "nothing was written");
}

/// What a robot adds is kept as its product says, in a trial as on import.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_knows_how_what_a_robot_adds_is_kept() {
    let world = World::new("tried-frozen", plain(0), 10_000).await;
    let mut wanted = document(&world, &json!({}), &["SERUM-30"]);
    let products = wanted["products"].as_array_mut().expect("products");
    products.push(json!({ "sku": "ICE-SAMPLE", "name": "冷凍見本", "temperature": "frozen" }));
    let custom = wanted["processing_robots"]["custom"].as_array_mut().expect("robots");
    custom.push(json!({ "id": "cool", "name": "冷凍便", "enabled": false,
                        "do": [{ "add_item": { "sku": "ICE-SAMPLE" } }, { "split": { "temperature": "frozen" } }] }));
    let applied = apply(&world, &wanted);
    assert_eq!(applied.code, 0, "{applied:?}");
    let id = order(&world, json!({})).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let name = format!("{}.{id}.1", world.shop.name);
    let tried = run(&["try", "cool", "--shipment", &name, "--json"], None);
    assert_eq!(tried.lines()[0]["on_import"], "a parcel of its own for ICE-SAMPLE", "{tried:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_that_cannot_work_is_refused_with_its_line() {
    let world = World::new("broken", plain(0), 10_000).await;
    let loops = "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}";
    for (template, reason) in [
        ("{{ order.remark | truncate(60 }}", "cannot be read"),
        ("{{ order.remark | shorten }}", "no such filter"),
        (loops, "too many steps"),
    ] {
        let document = document(&world, &json!({ "delivery_note": template }), &["SERUM-30"]);
        let text = serde_json::to_string_pretty(&document).expect("JSON");
        let line = 1 + text.lines().position(|line| line.contains("\"delivery_note\": ")).expect("the line");
        let refused = apply(&world, &document);
        assert_eq!(refused.code, 1, "{refused:?}");
        let place = format!("line {line}: conversion_robots[0].fields.delivery_note: ");
        assert!(refused.err.contains(&place) && refused.err.contains(reason), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_on_which_a_template_fails_waits_alone() {
    let world = World::new("fails", plain(0), 10_000).await;
    let fields = json!({ "deliver_on": "{% if order.times == 7 %}{{ order.remark }}{% endif %}" });
    assert_eq!(apply(&world, &document(&world, &fields, &["SERUM-30"])).code, 0);
    let good = order(&world, json!({ "remark": REMARK })).await;
    let bad = order(&world, json!({ "remark": REMARK, "times": 7 })).await;
    assert_eq!(world.run("fetch-orders").code, 4, "needs a person");
    let shipments = world.list("shipments");
    assert_eq!((shipments.len(), &shipments[0]["order_id"]), (1, &json!(good)));
    let waiting: Vec<Value> =
        world.list("orders").into_iter().filter(|order| order["outcome"] == "quarantined").collect();
    assert_eq!((waiting.len(), &waiting[0]["order_id"]), (1, &json!(bad)));
    let reason = waiting[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("robot own cannot make deliver_on") && !reason.contains("玄関"), "{reason}");

    // Mended, it is imported; and then the old template would be refused, by the real order.
    let mended = apply(&world, &document(&world, &json!({}), &["SERUM-30"]));
    assert_eq!(mended.code, 0, "{mended:?}");
    std::thread::sleep(Duration::from_secs(11));
    assert_eq!(run(&["retry", "--all", "--connection", &world.shop.name], None).code, 0);
    awaited(&world, "shipments", 2);
    let refused = apply(&world, &document(&world, &fields, &["SERUM-30"]));
    assert!(refused.code == 1 && refused.err.contains("fields.deliver_on: on the order"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_items_of_an_order_are_a_shipment_of_their_own() {
    let world = World::new("frozen", plain(0), 10_000).await;
    let mut document = document(&world, &json!({}), &["SERUM-30"]);
    let frozen = json!({ "sku": "MASK-5", "name": "冷凍の品", "temperature": "frozen" });
    document["products"].as_array_mut().expect("a list").push(frozen);
    document["processing_robots"]["custom"] = json!([{ "id": "cold", "name": "冷凍は別便",
        "when": { "field": "items.temperature", "equals": "frozen" }, "do": [{ "split": { "temperature": "frozen" } }] }]);
    let applied = apply(&world, &document);
    assert_eq!(applied.code, 0, "{applied:?}");
    let both = json!([{ "variant_sku": "SERUM-30", "quantity": 1 }, { "variant_sku": "MASK-5", "quantity": 2 }]);
    let id = order(&world, json!({ "order_items": both })).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let mut held: Vec<(String, String)> = world
        .list("shipments")
        .iter()
        .map(|shipment| (shipment["id"].to_string(), shipment["items"][0]["sku"].to_string()))
        .collect();
    held.sort();
    let parcel = |number: u8| format!("\"frozen.{id}.{number}\"");
    assert_eq!(held, [(parcel(1), "\"SERUM-30\"".to_owned()), (parcel(2), "\"MASK-5\"".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchants_broken_robot_is_its_own_affair() {
    let broken = World::new("broken-robot", plain(0), 10_000).await;
    let sound = World::new("sound-robot", plain(10), 10_000).await;
    // On no sample, and on every order of this shop, it goes round until it is ended.
    let fields = json!({ "delivery_note":
        "{% if order.times == 7 %}{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}{% endif %}" });
    assert_eq!(apply(&broken, &document(&broken, &fields, &["SERUM-30"])).code, 0);
    for _ in 0..120 {
        order(&broken, json!({ "times": 7 })).await;
    }
    broken.start("fetch-orders");
    assert_eq!(sound.run("fetch-orders").code, 0, "another merchant's orders come in beside them");
    assert_eq!(sound.list("shipments").len(), 10);
    let set_aside = awaited(&broken, "orders", 120);
    for order in &set_aside {
        let reason = order["reason"].as_str().unwrap_or_default();
        assert_eq!(order["outcome"], "quarantined");
        assert!(
            reason.contains("robot own cannot make delivery_note") && reason.contains("too many steps"),
            "{reason}"
        );
    }
    assert_eq!(renkei_e2e::aws().messages("import-orders-dead-letters").await, 0, "no message fails for it");
}
