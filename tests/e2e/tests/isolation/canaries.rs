//! Marks in every field that somebody else writes: orders, credentials, addresses of webhooks, products, files, requests.
//! After a whole life with all that can go wrong they are in no log, no metric, no run, no reason of a dead letter and in
//! no table but those where they belong.

use std::collections::BTreeSet;

use renkei_e2e::browser::Browser;
use renkei_e2e::warehouse::Caller;
use renkei_e2e::{World, aws, root, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Map, Value, json};

const TENANT: &str = "canaries";
/// What every mark begins with, in the letters of people's names and of secrets.
const MARK: &str = "kanaria";
/// Of what can hold digits only.
const DIGITS: &str = "7391";

/// An order with a mark in every field that people write into.
fn order(payment: &str, more: &Value) -> Value {
    let mark = |field: &str| json!(format!("{MARK}-{field}"));
    let mut address = Map::new();
    for field in
        ["name01", "name02", "kana01", "kana02", "company_name", "addr01", "addr02", "addr03", "shipping_address_note"]
    {
        address.insert(field.into(), mark(field));
    }
    for (field, digits) in [("tel01", "070"), ("tel02", DIGITS), ("tel03", DIGITS)] {
        address.insert(field.into(), json!(digits));
    }
    // Who ordered it is another, so that this is kept too.
    let mut billing = address.clone();
    billing.insert("name01".into(), mark("orderer"));
    let mut order = json!({
        "payment_state": payment, "email": format!("{MARK}@customer.example"), "remark": mark("remark"),
        "memo01": mark("memo01"), "memo02": mark("memo02"), "shipping_addresses": [address], "billing_address": billing,
        "scheduled_delivery_time": mark("time"), "payment_method_name": mark("payment"), "kind": mark("kind"),
    });
    for (name, value) in more.as_object().expect("fields") {
        order[name] = value.clone();
    }
    order
}

/// Everything that is somewhere, with where it is: all but what belongs to customers' shipments.
async fn places() -> Vec<(String, String)> {
    let mut places: Vec<(String, String)> =
        aws().log_lines().await.into_iter().map(|line| ("a log".to_owned(), line)).collect();
    let stored = aws().everything().await;
    let belongs = |table: &str, item: &Value| {
        // Orders are what shipments are made of; products and settings are the merchant's own words.
        let pk = item["pk"]["S"].as_str().unwrap_or_default();
        table.contains("-Shipments-")
            || (table.contains("-Robots-") && ["P#", "T#"].iter().any(|kind| pk.starts_with(kind)))
    };
    places.extend(
        stored.into_iter().filter(|(table, item)| !belongs(table, item)).map(|(table, item)| (table, item.to_string())),
    );
    let queues = aws().call("sqs", "AmazonSQS.ListQueues", json!({})).await;
    for url in queues["QueueUrls"].as_array().expect("queues").iter().filter_map(Value::as_str) {
        let asked = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
        let attributes = aws().call("sqs", "AmazonSQS.GetQueueAttributes", asked).await;
        places.push((url.to_owned(), attributes.to_string()));
    }
    let schedules = aws().rest("scheduler", reqwest::Method::GET, "/schedules", None).await;
    places.push(("the schedules".to_owned(), schedules.to_string()));
    for command in [&["runs", "--json"][..], &["orders", "--json"], &["quota", "--json"], &["history", "--json"]] {
        let told = run(&[command, &["--tenant", TENANT]].concat(), None);
        places.push((command.join(" "), format!("{told:?}")));
    }
    let letters = run(&["dead-letters", "list", "--json"], None);
    assert!(letters.out.contains("import-orders"), "there is a dead letter: {letters:?}");
    places.push(("dead-letters list".into(), format!("{letters:?}")));
    places
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_is_nowhere_but_where_it_belongs() {
    let spec =
        ShopSpec { orders: 0, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() };
    let world = World::new(TENANT, spec, 10_000).await;
    let with_products = |document: &mut Value| document["products"][0]["name"] = json!(format!("{MARK}-product"));
    assert_eq!(world.apply_with(10_000, None, with_products).code, 0);
    let add = async |payment: &str, more: Value| {
        world.simulator.add_order(&world.shop.name, order(payment, &more)).await.expect("an order");
    };
    add("authed", json!({})).await;
    add("authed", json!({})).await;
    add("pending", json!({})).await;
    add("authed", json!({ "number": "DOUBLE-1" })).await;
    add("authed", json!({ "number": "DOUBLE-1" })).await;
    add("authed", json!({ "order_items": [{ "variant_sku": "NOT-OURS", "quantity": 1 }] })).await;
    // Rows that cannot be read: wrong types where a name or an amount should be.
    add("authed", json!({ "shipping_addresses": [{ "name01": [format!("{MARK}-list")], "zip01": { "x": format!("{MARK}-zip") } }] })).await;
    add("authed", json!({ "total": format!("{MARK}-total"), "created_at": format!("{MARK}-created") })).await;
    add("authed", json!({ "customer_id": format!("{MARK}-customer"), "times": format!("{MARK}-times") })).await;
    let told: Vec<String> = ["fetch-orders", "state-working", "status-sync"]
        .iter()
        .map(|robot| format!("{:?}", world.run(robot)))
        .collect();

    let shipments = world.list("shipments");
    let states: BTreeSet<&str> = shipments.iter().filter_map(|it| it["status"].as_str()).collect();
    assert!(states.contains("ready") && states.contains("hold"), "{shipments:?}");
    let ready = shipments.iter().find(|it| it["status"] == "ready").expect("a ready one")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    secrets_and_wrong_requests(&ready).await;
    leaves_and_is_refused(&world, &ready).await;
    console(&ready).await;
    let files = files();

    // A wrong password; and a message that is none.
    assert_eq!(world.apply(10_000, Some(&format!("{MARK}-password"))).code, 0);
    let refused = world.run("fetch-orders");
    assert_ne!(refused.code, 0, "{refused:?}");
    let aws = aws();
    let poison = json!({ "v": 1, "tenant": format!("{MARK} 花子"), "order": order("authed", &json!({})) });
    aws.set_visibility("import-orders", 1).await;
    aws.send("import-orders", &poison.to_string(), "none").await;
    world.until("it is a dead letter", async || aws.messages("import-orders-dead-letters").await >= 1).await;
    aws.set_visibility("import-orders", 360).await;

    let mut places = places().await;
    places.extend(
        told.into_iter().chain(files).chain([format!("{refused:?}")]).map(|told| ("the command line".to_owned(), told)),
    );
    let phone = format!("070{DIGITS}{DIGITS}");
    let phone_with_hyphens = format!("070-{DIGITS}-{DIGITS}");
    for (place, text) in &places {
        for mark in [MARK, &phone, &phone_with_hyphens, "only-for-tests", "rkw_", "rkh_"] {
            assert!(!text.contains(mark), "{mark} is in {place}: {text}");
        }
    }
    assert!(places.len() > 100, "{}", places.len());
    // They are where they belong, or the marks were never planted.
    let whole = run(&["shipment", &ready, "--tenant", TENANT, "--json"], None).out;
    for field in ["name01", "addr01", "company_name"] {
        assert!(whole.contains(&format!("{MARK}-{field}")), "{field}: {whole}");
    }
    aws.call("sqs", "AmazonSQS.PurgeQueue", json!({ "QueueUrl": aws.queue("import-orders-dead-letters") })).await;
}

/// The warehouse's system, and shops' webhooks, with everything wrong that a request can have.
async fn secrets_and_wrong_requests(ready: &str) {
    let made = run(&["warehouse-key", "create", "dc", "--tenant", TENANT, "--json"], None).lines().remove(0);
    let key = made["key"].as_str().expect("a key");
    let caller = Caller::new(Some(key.to_owned()));
    let mark = format!("{MARK}-warehouse");
    for (method, path, body) in [
        ("GET", format!("/v1/shipments/{mark}"), None),
        ("GET", format!("/v1/shipments?status={mark}&{mark}={mark}"), None),
        ("GET", format!("/v1/shipments?cursor={mark}"), None),
        ("POST", "/v1/shipments/claim".into(), Some(json!({ "ids": [mark, { "name": mark }], "more": mark }))),
        (
            "POST",
            "/v1/shipments/results".into(),
            Some(json!({ "results": [{ "id": ready, "tracking_number": mark, "shipped_at": mark }] })),
        ),
        ("POST", format!("/v1/shipments/{ready}/cancellation"), Some(json!({ "accept": mark }))),
        ("POST", format!("/v1/shipments/{ready}/return"), Some(json!({ "reason": mark, "more": mark }))),
        (
            "PUT",
            "/v1/stock".into(),
            Some(json!({ "ship_from": "dc", "counts": [{ "sku": mark, "quantity": mark, "counted_at": mark }] })),
        ),
        ("POST", format!("/v1/{mark}"), Some(json!({ "name": mark }))),
    ] {
        let answer = caller.send(method, &path, body.map(|body| body.to_string().into_bytes())).await;
        assert!(answer.status < 500, "{path}: {answer:?}");
    }
    let broken = caller.send("POST", "/v1/shipments/claim", Some(format!("{{\"ids\": [\"{mark}").into_bytes())).await;
    assert_eq!(broken.status, 400, "{broken:?}");
    let stranger = caller.with_key(Some(&format!("rkw_{mark}"))).get("/v1/shipments").await;
    assert_eq!(stranger.status, 401);
    let made = run(&["webhook", "create", TENANT, "--tenant", TENANT, "--json"], None).lines().remove(0);
    let url = made["url"].as_str().expect("a URL").to_owned();
    for body in [json!({ "order": { "id": 999_999, "name": mark } }).to_string(), format!("{{ {mark}"), mark.clone()] {
        let answer = caller.with_key(None).send("POST", &url, Some(body.into_bytes())).await;
        assert!(answer.status < 500, "{answer:?}");
    }
    let nowhere = caller.with_key(None).send("POST", &format!("/hooks/ecforce/{mark}"), Some(b"{}".to_vec())).await;
    assert_eq!(nowhere.status, 404);
}

/// One leaves, and the shop refuses to be told: for a while, then for good.
async fn leaves_and_is_refused(world: &World, ready: &str) {
    let caller = world.warehouse("dc");
    assert_eq!(caller.claim(&[ready.to_owned()]).await.status, 200);
    let now = jiff::Timestamp::now();
    let results = json!({ "results": [{ "id": ready, "tracking_number": "400000000001", "shipped_at": now }] });
    let shipped = caller.json("POST", "/v1/shipments/results", &results).await;
    assert_eq!(shipped.status, 200, "{shipped:?}");
    for rules in [
        json!([{ "kind": "partial_failure", "percent": 100, "code": "AOR0102", "endpoint": "shipping" }]),
        json!([{ "kind": "server_error", "endpoint": "shipping" }]),
    ] {
        let rules: Vec<renkei_simulator::api::FaultRule> = serde_json::from_value(rules).expect("fault rules");
        world.simulator.set_faults(&world.shop.name, &rules).await.expect("faults");
        let _fails = (world.run("write-back"), world.run("state-shipped"));
    }
    world.simulator.clear_faults(&world.shop.name).await.expect("healed");
}

/// People who mistype, and browsers that send anything.
async fn console(ready: &str) {
    let added = run(&["member", "add", "admin@renkei.example", "--tenant", TENANT, "--role", "admin"], None);
    assert_eq!(added.code, 0, "{added:?}");
    let mut browser = Browser::new();
    let begun = browser.get(&format!("/auth/sign-in?to=/{MARK}")).await;
    let state =
        begun.location().split("state=").nth(1).and_then(|rest| rest.split('&').next()).expect("a state").to_owned();
    let refused = browser.get(&format!("/auth/callback?state={state}&error={MARK}-error")).await;
    assert_eq!(refused.status, 403, "the provider refused: {refused:?}");
    let mut browser = Browser::signed_in("admin").await;
    let csrf = browser.get(&format!("/t/{TENANT}/shipments")).await.csrf();
    for path in [
        format!("/t/{TENANT}/shipments?q={MARK}-name01"),
        format!("/t/{TENANT}/shipment/{MARK}"),
        format!("/t/{TENANT}/{MARK}"),
        format!("/{MARK}?{MARK}"),
        format!("/t/{MARK}"),
        format!("/t/{TENANT}/robot/conversion/{MARK}"),
        format!("/t/{TENANT}/shipment/{ready}"),
    ] {
        assert!(browser.get(&path).await.status < 500, "{path}");
    }
    for (path, fields) in [
        ("shipments/change", vec![("action", MARK), ("id", MARK)]),
        ("document/check", vec![("text", "tenant: canaries\nkanaria: {kanaria: [kanaria"), ("version", "1")]),
        ("orders/retry", vec![("connection", MARK), ("order", MARK)]),
        ("orders/dismiss", vec![("connection", MARK), ("order", MARK)]),
        ("robots/step", vec![("list", MARK), ("robot", MARK), ("step", MARK), ("version", MARK)]),
        ("access/revoke", vec![("kind", "warehouse"), ("name", MARK), ("id", MARK)]),
    ] {
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        assert!(browser.post(&format!("/t/{TENANT}/{path}"), &all).await.status < 500, "{path}");
    }
    let file = format!("sku,name\r\n{MARK}\t,\"{MARK}\r\n");
    for (path, more) in [
        ("products/import", ("step", "import")),
        ("files/results", ("layout", "standard")),
        ("files/counts", ("ship_from", "dc")),
    ] {
        let answer = browser.upload(&format!("/t/{TENANT}/{path}"), &[("csrf", csrf.as_str()), more], &file).await;
        assert!(answer.status < 500 && !answer.text.contains(&format!("{MARK}\t")), "{path}: {answer:?}");
    }
}

/// Files with their columns shifted, as spreadsheets make them. Gives what was said of them.
fn files() -> Vec<String> {
    let folder = root().join("target/canaries");
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let results = write(
        "results.csv",
        format!(
            "出荷指示ID,お問い合わせ番号,出荷日\r\n{MARK} 花子,070-{DIGITS}-{DIGITS},{MARK}市\r\ncanaries.1.1,4000,{MARK}\r\n"
        ),
    );
    let counts = write("counts.csv", format!("sku,quantity\r\n{MARK}\t,{MARK}\r\nSERUM-30,{MARK}\r\n"));
    let products = write("products.csv", format!("sku,name,stock_buffer\r\n{MARK}\t,{MARK},{MARK}\r\n"));
    [
        &["files", "results", "--layout", "standard", "--tenant", TENANT, &results][..],
        &["files", "counts", "--ship-from", "dc", "--tenant", TENANT, &counts],
        &["products", "import", &products, "--tenant", TENANT],
    ]
    .into_iter()
    .map(|command| {
        let said = run(command, None);
        assert_ne!(said.code, 0, "{said:?}");
        format!("{said:?}")
    })
    .collect()
}
