//! Conversion robots, products and what hangs on them, on the deployed stack.

use std::time::{Duration, Instant};

use jiff::ToSpan;
use renkei_domain::ids::{ConnectionId, OrderId, TenantId};
use renkei_e2e::ways::Shop;
use renkei_e2e::{Ended, World, aws, root, run, store};
use renkei_simulator::api::{OrderOptions, Product, ShopSpec};
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
async fn products_that_appear_let_their_orders_go() {
    let world = World::new("appears", plain(0), 10_000).await;
    let name = world.shop.name.clone();
    for sku in ["DOC-1", "CSV-1", "NEVER-1"] {
        order(&world, json!({ "order_items": [{ "variant_sku": sku, "quantity": 1 }] })).await;
    }
    assert_eq!(world.run("fetch-orders").code, 4);
    assert!(world.list("shipments").is_empty());

    let applied = apply(&world, &document(&world, &json!({}), &["SERUM-30", "DOC-1"]));
    assert!(applied.code == 0 && applied.out.contains("1 orders that waited for products"), "{applied:?}");
    let shipments = awaited(&world, "shipments", 1);
    assert_eq!(shipments[0]["items"][0]["sku"], "DOC-1");

    // As Excel in Japan writes it.
    let csv = b"\x8f\xa4\x95i\x83R\x81[\x83h,\x8f\xa4\x95i\x96\xbc,\x89\xb7\x93x\x91\xd1\x0d\x0aCSV-1,\x95X\x89\xd9\x81i\x96\x95\x92\x83\x81j,\x97\xe2\x93\x80\x0d\x0a";
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("products.csv");
    std::fs::write(&path, csv).expect("a file");
    let path = path.to_str().expect("a path");
    let dry = run(&["products", "import", path, "--tenant", &name, "--dry-run"], None);
    assert!(dry.code == 0 && dry.out.contains("1 new"), "{dry:?}");
    let imported = run(&["products", "import", path, "--tenant", &name], None);
    assert!(imported.code == 0 && imported.out.contains("1 orders that waited"), "{imported:?}");
    awaited(&world, "shipments", 2);
    let listed = run(&["products", "list", "--tenant", &name, "--json"], None).lines();
    let ice = listed.iter().find(|product| product["sku"] == "CSV-1").expect("the product");
    assert_eq!((&ice["name"], &ice["temperature"]), (&json!("氷菓（抹茶）"), &json!("frozen")));

    std::fs::write(path, "sku,name,stock_buffer\nA,,many\n,x,1\n").expect("a file");
    let wrong = run(&["products", "import", path, "--tenant", &name], None);
    assert!(wrong.code == 1 && wrong.err.contains("line 2: ") && wrong.err.contains("line 3: "), "{wrong:?}");

    // The one that still waits stays, once.
    let waiting = world.list("orders").into_iter().filter(|order| order["outcome"] == "quarantined").count();
    assert_eq!(waiting, 1);

    // What was read long ago is not imported as it was then: the shop has cancelled it since.
    let ours = store().await.tenant(TenantId::parse(&name).expect("an id"));
    let connection = ConnectionId::parse(&name).expect("an id");
    let mut old = ours.not_imported(&connection).await.expect("those that wait");
    for waiting in &mut old {
        waiting.summary.at -= 20.minutes();
    }
    ours.keep_not_imported(&connection, &old).await.expect("kept");
    let cancelled = json!({ "state": "canceled" });
    let never = old[0].summary.order_id.expect("an id");
    let attributes = cancelled.as_object().expect("attributes");
    world.simulator.change_order(&name, never, attributes).await.expect("cancelled");
    std::fs::write(path, "sku,name\nNEVER-1,遅れて登録\n").expect("a file");
    let imported = run(&["products", "import", path, "--tenant", &name], None);
    assert!(imported.code == 0 && imported.out.contains("1 more were read long ago"), "{imported:?}");
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.list("shipments").len(), 2, "the shop does not want it any more");
    // Nor where a person wants it, or where its message comes out of the dead letters.
    let tried = run(&["retry", "--all", "--connection", &name], None);
    assert!(tried.code == 0 && tried.out.contains("0 orders are tried again"), "{tried:?}");
    assert!(tried.out.contains("1 others were read more than 15 minutes ago"), "{tried:?}");
    let mut message = old[0].message.clone();
    message.fetched_at -= 2.hours();
    let body = serde_json::to_string(&message).expect("a message");
    aws().send("import-orders", &body, &format!("{name}/{name}")).await;
    let is_said = async || {
        let kept = ours.not_imported_order(&connection, OrderId(never)).await.expect("the order");
        kept.is_some_and(|kept| kept.summary.reason.contains("too long ago"))
    };
    world.until("its reading is too old", is_said).await;
    assert_eq!(world.list("shipments").len(), 2);
    // Where it is still to be fetched, the next fetch has it as it is by then.
    let wanted = json!({ "state": "complete" });
    let attributes = wanted.as_object().expect("attributes");
    world.simulator.change_order(&name, never, attributes).await.expect("changed");
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.list("shipments").len(), 3);
    assert!(ours.not_imported(&connection).await.expect("those that wait").is_empty());

    let dead: Vec<Value> = run(&["dead-letters", "list", "--json"], None).lines();
    assert!(dead.iter().all(|letter| letter["connection"] != name.as_str()), "{dead:?}");
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
async fn a_shops_products_come_at_a_known_number_of_calls() {
    let mut spec = plain(0);
    spec.products.push(Product::new("SHOP-1", "新商品", 1500, false));
    let world = World::new("shop-products", spec, 10_000).await;
    world.simulator.clear_ledger(&world.shop.name).await.expect("the ledger");
    let dropped = document(&world, &json!({}), &["SERUM-30"]);
    assert_eq!(apply(&world, &dropped).code, 0);
    let imported = run(&["products", "import", "--from-shop", &world.shop.name], None);
    assert!(imported.code == 0 && imported.out.contains("5 products read: 1 new"), "{imported:?}");
    let ledger = world.simulator.ledger_summary(&world.shop.name).await.expect("the ledger");
    // The list, and a sign-in.
    assert_eq!(ledger.calls, 2, "{ledger:?}");
    assert!(imported.out.contains("2 calls spent"), "{imported:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_goes_only_without_open_shipments_and_takes_its_secret_along() {
    let world = World::new("dropped", plain(2), 10_000).await;
    let whole = document(&world, &json!({}), &["SERUM-30", "MASK-5", "SOAP-80"]);
    let mut two = whole.clone();
    let mut second = whole["connections"][0].clone();
    second["id"] = json!("dropped-second");
    two["connections"].as_array_mut().expect("a list").push(second);
    assert_eq!(apply(&world, &two).code, 0);
    let one = apply(&world, &whole);
    assert!(one.code == 0 && one.out.contains("secret of dropped-second is removed"), "{one:?}");
    let again = apply(&world, &whole);
    assert!(again.code == 0 && !again.out.contains("is removed"), "{again:?}");

    assert_eq!(world.run("fetch-orders").code, 0);
    let mut none = whole.clone();
    none["connections"] = json!([]);
    none["integration_robots"] = json!({});
    let refused = apply(&world, &none);
    assert!(refused.code == 1 && refused.err.contains("has open shipments"), "{refused:?}");
    assert!(refused.err.contains("2 orders that the shop has not been told of"), "{refused:?}");
    assert_eq!(world.list("shipments").len(), 2, "the shop is still set up");

    // An order in quarantine alone keeps a connection too, unless it may stay behind.
    let kept = World::new("dropped-kept", plain(0), 10_000).await;
    order(&kept, json!({ "order_items": [{ "variant_sku": "NEVER-2", "quantity": 1 }] })).await;
    let mut none = document(&kept, &json!({}), &["SERUM-30"]);
    assert_eq!(apply(&kept, &none).code, 0);
    assert_eq!(kept.run("fetch-orders").code, 4);
    none["connections"] = json!([]);
    none["integration_robots"] = json!({});
    let refused = apply(&kept, &none);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("dropped-kept.yaml");
    let path = path.to_str().expect("a path").to_owned();
    assert!(refused.code == 1 && refused.err.contains("1 orders in quarantine"), "{refused:?}");
    let gone = run(&["apply", &path, "--leave-quarantined"], None);
    assert!(gone.code == 0 && gone.out.contains("secret of dropped-kept is removed"), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ship_from_goes_only_when_nothing_is_to_leave_from_it() {
    let shop = Shop::new("moved-out", plain(2), |_| ()).await;
    shop.robot_does("fetch-orders");
    // All that comes from now on leaves from elsewhere; what is here carries the former.
    let elsewhere = |document: &mut Value| {
        document["ship_froms"][0]["id"] = json!("new-dc");
        document["connections"][0]["ship_from"] = json!("new-dc");
    };
    let text = std::fs::read_to_string(root().join("target/moved-out.yaml")).expect("the document");
    let mut moved: Value = serde_json::from_str(&text).expect("JSON");
    elsewhere(&mut moved);
    let path = shop.file("moved.yaml", &moved.to_string());
    let refused = run(&["apply", path.to_str().expect("a path")], None);
    let said = "ship_froms: dc is not in the document any more, but has open shipments: 2 ready";
    assert!(refused.code == 1 && refused.err.contains(said), "{refused:?}");
    // What has left is in nobody's way.
    shop.ship_all();
    shop.apply(elsewhere);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_order_is_tried_again_only_where_it_is_certain_which() {
    // Shops count their orders by themselves.
    let waiting = json!({ "id": 99_001, "order_items": [{ "variant_sku": "NEVER-3", "quantity": 1 }] });
    let one = World::new("same-id", plain(0), 10_000).await;
    let other = World::new("same-id-too", plain(0), 10_000).await;
    for world in [&one, &other] {
        order(world, waiting.clone()).await;
        assert_eq!(world.run("fetch-orders").code, 4, "it waits for its product");
    }
    let unsure = run(&["retry", "--order", "99001"], None);
    assert!(unsure.code == 1 && unsure.err.contains("--tenant") && unsure.err.contains("--connection"), "{unsure:?}");
    let sure = run(&["retry", "--order", "99001", "--tenant", "same-id"], None);
    assert!(sure.code == 0 && sure.out.contains("1 orders"), "{sure:?}");
}

/// Shops count their orders by themselves: after a trial shop, the real one has orders of ids that are known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_of_a_known_id_and_another_number_is_not_taken_for_that_one() {
    let world = World::new("another-shop", plain(0), 10_000).await;
    let name = world.shop.name.clone();
    let id = order(&world, json!({ "id": 300 })).await;
    assert_eq!((world.run("fetch-orders").code, world.run("state-working").code), (0, 0));
    let other = json!({ "number": "REAL-300", "state": "complete" });
    let other = world.simulator.change_order(&name, id, other.as_object().expect("attributes")).await;
    assert_eq!(other.expect("changed").brief.number, "REAL-300");
    assert_eq!(world.run("fetch-orders").code, 4, "it waits for a person");
    let waiting: Vec<Value> = world.list("orders").into_iter().filter(|it| it["outcome"] == "quarantined").collect();
    assert_eq!((waiting.len(), &waiting[0]["order_number"]), (1, &json!("REAL-300")), "{waiting:?}");
    assert!(waiting[0]["reason"].as_str().is_some_and(|why| why.contains("with another number")), "{waiting:?}");
    // Told as the one that is known, it would be gone from the shop's list, and nobody would ship it.
    assert_eq!(world.run("state-working").code, 0);
    let states = world.simulator.orders(&name, Some("complete")).await.expect("orders");
    assert_eq!(states.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robot_of_ones_own_starts_by_its_schedule() {
    let world = World::new("by-clock", plain(0), 10_000).await;
    let mut own = document(&world, &json!({}), &["SERUM-30"]);
    own["integration_robots"]["custom"] = json!([
        { "id": "each-minute", "name": "毎分の同期", "on": { "cron": "* * * * *", "connection": world.shop.name },
          "do": "status-sync" }
    ]);
    let applied = apply(&world, &own);
    assert_eq!(applied.code, 0, "{applied:?}");
    let began = Instant::now();
    let runs = || run(&["runs", "--tenant", &world.shop.name, "--json"], None).lines();
    let mine = || runs().into_iter().find(|run| run["robot"] == "each-minute" && run["cause"] == "schedule");
    world.until("the schedule starts its robot", async || mine().is_some_and(|run| run["state"] == "done")).await;
    println!("a robot of each minute ran {:?} after it was applied", began.elapsed());
    // Gone with its robot.
    own["integration_robots"]["custom"] = json!([]);
    let removed = apply(&world, &own);
    assert!(removed.code == 0 && removed.out.contains("is removed with its robot"), "{removed:?}");
}

/// Its schedule fired, or its wake-up was set, before somebody switched it off or took it out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robot_that_is_off_or_gone_does_nothing_by_itself_and_what_a_person_starts_is_done() {
    let world = World::new("taken-out", plain(3), 10_000).await;
    let name = world.shop.name.clone();
    let applied = world.apply_with(10_000, None, |document| {
        document["integration_robots"]["custom"] = json!([
            { "id": "off-fetch", "name": "止めた取込", "enabled": false, "do": "fetch-orders",
              "on": { "every": "24 hours", "connection": name } }
        ]);
    });
    assert_eq!(applied.code, 0, "{applied:?}");
    let calls = async || world.simulator.ledger_summary(&name).await.expect("the ledger").calls;
    let before = calls().await;
    for (robot, cause) in [("off-fetch", "schedule"), ("gone-fetch", "wake-up"), ("gone-fetch", "after")] {
        let start = json!({ "v": 1, "tenant": name, "connection": name, "robot": robot, "action": "fetch-orders",
                            "cause": cause });
        aws().send("fetch-orders", &start.to_string(), &format!("{name}/{name}")).await;
        let ended = || {
            let runs = run(&["runs", "--tenant", &name, "--json"], None).lines();
            runs.into_iter().find(|it| it["robot"] == robot && it["cause"] == cause && it["state"] != "running")
        };
        world.until("its run is over", async || ended().is_some()).await;
        let over = ended().expect("a run");
        assert_eq!((&over["state"], &over["calls"]), (&json!("done"), &json!(0)), "{over}");
        assert!(over["notes"].to_string().contains("it did nothing"), "{over}");
    }
    assert_eq!(calls().await, before);
    assert!(world.list("shipments").is_empty());

    let by_hand = run(&["run", "off-fetch", "--tenant", &name, "--wait", "--json"], None);
    assert_eq!(by_hand.code, 0, "{by_hand:?}");
    assert_eq!(world.list("shipments").len(), 3);
}

/// Applied after a sync: what nothing holds any more may go, if it is paid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_shipment_whose_last_hold_a_robot_takes_away_may_go() {
    let world = World::new("last-hold", plain(0), 10_000).await;
    let mut own = document(&world, &json!({}), &["SERUM-30"]);
    // On import the later one has the last word.
    own["processing_robots"]["custom"] = json!([
        { "id": "asked", "name": "備考を確認済み", "do": [{ "clear_hold": "remark" }] },
        { "id": "ask", "name": "備考を確認", "when": { "field": "order.remark", "contains": "至急" },
          "do": [{ "hold": "remark" }] },
        { "id": "standards", "name": "標準の変換だけ", "conversion_robots": ["14448"], "do": [{ "tag": "標準のみ" }] }
    ]);
    let applied_after_sync = |id: &str, robot: &str, to: &str| {
        json!({ "id": id, "name": id, "on": { "after": "status-sync", "connection": world.shop.name },
                "do": { "apply_processing_robot": robot, "to_status": to } })
    };
    own["integration_robots"]["custom"] = json!([
        applied_after_sync("last-hold-asked", "asked", "remark"),
        applied_after_sync("last-hold-standards", "standards", "awaiting-payment")
    ]);
    let applied = apply(&world, &own);
    assert_eq!(applied.code, 0, "{applied:?}");
    let paid = order(&world, json!({ "remark": "至急" })).await;
    let unpaid = order(&world, json!({ "remark": "至急", "payment_state": "pending" })).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(shipment(&world, paid)["hold_reasons"], json!(["remark"]));
    assert_eq!(shipment(&world, unpaid)["hold_reasons"], json!(["remark", "awaiting-payment"]));

    let synced = world.run("status-sync");
    assert_eq!((synced.code, synced.lines().len()), (0, 3), "{synced:?}");
    let gone = shipment(&world, paid);
    assert_eq!(gone["status"], "ready", "{gone}");
    assert!(gone["events"].to_string().contains("hold remark cleared; ready"), "{gone}");
    let waits = shipment(&world, unpaid);
    assert_eq!((&waits["status"], &waits["hold_reasons"]), (&json!("hold"), &json!(["awaiting-payment"])), "{waits}");
    assert!(!waits.to_string().contains("標準のみ"), "its shop's orders go through another conversion robot: {waits}");
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
