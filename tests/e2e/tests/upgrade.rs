//! A release is deployed over another, with everything in flight: `tests/golden/upgrade` keeps what earlier releases left
//! behind, and this release must bring all of it to its end, with nothing told to a shop twice.
//!
//! A release makes its own snapshot as its last act:
//! `cargo test -p renkei-e2e --test upgrade -- --ignored --exact this_release_leaves_its_state`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use renkei_e2e::snapshot::{QUEUES, Snapshot};
use renkei_e2e::warehouse::Caller;
use renkei_e2e::{Aws, World, aws, hint, run};
use renkei_simulator::api::{OrderBrief, OrderOptions, ShopSpec};
use serde_json::{Value, json};

/// The merchant with orders at every stage.
const MERCHANT: &str = "upgrade";
/// The merchant whose calls of the day were spent.
const SPENT: &str = "upgrade-spent";
/// What a product is called that the merchant has not told us of yet.
const MISSING: &str = "LATE-1";
/// So many orders stand at each stage.
const EACH: usize = 3;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../golden/upgrade")
}

fn spec() -> ShopSpec {
    ShopSpec { orders: 0, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

/// Orders by the stage that they stood at, as the snapshot keeps them.
type Stages = BTreeMap<String, Vec<u64>>;

async fn place(world: &World, attributes: Value) -> Vec<u64> {
    let mut placed = Vec::new();
    for _ in 0..EACH {
        placed.push(world.order(attributes.clone()).await);
    }
    placed
}

async fn imported(world: &World) {
    world.does("fetch-orders");
    let aws = aws();
    world.until("all is imported", async || aws.messages("import-orders").await == 0).await;
}

/// The warehouse takes these, and perhaps says that they are out.
async fn handed_over(world: &World, warehouse: &Caller, orders: &[u64], out: bool) {
    let ids: Vec<String> = orders.iter().map(|order| world.shipment_id(*order)).collect();
    world
        .until("they are on the warehouse's list", async || {
            let ready = warehouse.all("status=ready").await;
            ids.iter().all(|id| ready.iter().any(|shipment| shipment["id"] == json!(id)))
        })
        .await;
    assert_eq!(warehouse.claim(&ids).await.ids("claimed").len(), ids.len());
    if out {
        report(world, warehouse, orders).await;
    }
}

async fn report(world: &World, warehouse: &Caller, orders: &[u64]) {
    let result = |order: &u64| {
        json!({ "id": world.shipment_id(*order), "tracking_number": format!("4000-{order}"), "shipping_method": "yamato",
                "shipped_at": jiff::Timestamp::now() })
    };
    let results: Vec<Value> = orders.iter().map(result).collect();
    let reported = warehouse.json("POST", "/v1/shipments/results", &json!({ "results": results })).await;
    assert_eq!(reported.ids("accepted").len(), orders.len(), "{reported:?}");
}

/// Not a test of anything: makes the snapshot that later releases are tested with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "makes this release's snapshot"]
async fn this_release_leaves_its_state() {
    let world = World::new(MERCHANT, spec(), 10_000).await;
    let aws = aws();
    let made = run(&["warehouse-key", "create", "dc", "--tenant", MERCHANT, "--json"], None);
    let key = made.lines()[0]["key"].as_str().expect("a key").to_owned();
    let warehouse = Caller::new(Some(key.clone()));
    let mut stages = Stages::new();

    let all_told = place(&world, json!({})).await;
    imported(&world).await;
    world.does("state-working");
    handed_over(&world, &warehouse, &all_told, true).await;
    world.does("state-shipped");
    stages.insert("all told".into(), all_told);

    let out = place(&world, json!({})).await;
    let picking = place(&world, json!({})).await;
    let leaving = place(&world, json!({})).await;
    let ready = place(&world, json!({})).await;
    let unpaid = place(&world, json!({ "payment_state": "pending" })).await;
    let hinted = place(&world, json!({ "payment_state": "pending" })).await;
    imported(&world).await;
    world.does("state-working");
    handed_over(&world, &warehouse, &picking, false).await;
    handed_over(&world, &warehouse, &leaving, false).await;
    // Their customers cancel while the warehouse has them in hand; it has not answered yet.
    for order in &leaving {
        let voided = [("payment_state".to_owned(), json!("voided"))].into_iter().collect();
        world.simulator.change_order(MERCHANT, *order, &voided).await.expect("an edit");
    }
    world.does("status-sync");
    assert_eq!(warehouse.all("cancel_requested=true").await.len(), leaving.len(), "the warehouse is asked");

    let untold = place(&world, json!({})).await;
    let lacking = place(&world, json!({ "order_items": [{ "variant_sku": MISSING, "quantity": 1 }] })).await;
    let fetched = world.run("fetch-orders");
    assert!([0, 4].contains(&fetched.code), "{fetched:?}");
    world.until("all is imported", async || aws.messages("import-orders").await == 0).await;

    // The day's calls of another merchant are spent between fetching and telling.
    let spent = World::new(SPENT, ShopSpec { daily_call_limit: 2, ..spec() }, 2).await;
    let blocked = place(&spent, json!({})).await;
    imported(&spent).await;
    assert_eq!(spent.run("state-working").code, 3);

    // From here on functions take nothing: everything stays in flight.
    for queue in ["import-orders", "push-statuses", "sync-payments"] {
        aws.set_taking(queue, false).await;
    }
    handed_over(&world, &warehouse, &out, true).await;
    let queued = place(&world, json!({})).await;
    world.start("fetch-orders");
    // With those that are still in the state that is fetched.
    let waiting = (queued.len() + untold.len() + lacking.len()) as u64;
    world.until("they are queued", async || aws.messages("import-orders").await == waiting).await;
    for order in &hinted {
        world.pay(*order).await;
    }
    hint(MERCHANT, &hinted).await;
    world.start("state-working");
    assert_eq!((aws.messages("push-statuses").await, aws.messages("sync-payments").await), (1, 1));

    let of = [
        ("out", out),
        ("picking", picking),
        ("leaving", leaving),
        ("ready", ready),
        ("unpaid", unpaid),
        ("hinted", hinted),
        ("untold", untold),
        ("lacking", lacking),
        ("queued", queued),
        ("blocked", blocked),
    ];
    stages.extend(of.map(|(stage, orders)| (stage.to_owned(), orders)));
    let shops = [(&world.simulator, &world.shop), (&spent.simulator, &spent.shop)];
    let mut snapshot = Snapshot::record(&aws, &shops).await;
    snapshot.0["stages"] = json!(stages);
    snapshot.0["warehouse_key"] = json!(key);
    let release = snapshot.0["release"].as_str().expect("a release").to_owned();
    let file = std::env::var("RENKEI_UPGRADE").map_or_else(|_| folder().join(format!("{release}.json")), PathBuf::from);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(&file, serde_json::to_string_pretty(&snapshot.0).expect("JSON") + "\n").expect("a file");
    // Whoever deploys another release over this very stack wants everything to stay in flight.
    if std::env::var("RENKEI_UPGRADE").is_err() {
        for queue in QUEUES {
            aws.set_taking(queue, true).await;
        }
    }
    println!("{} is written", file.display());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_in_flight_of_an_earlier_release_comes_to_its_end() {
    renkei_e2e::stack();
    let aws = aws();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).expect("snapshots").map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "a release leaves a snapshot");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a snapshot");
        let snapshot = Snapshot(serde_json::from_str(&text).expect("JSON"));
        println!("== from {}", snapshot.0["release"]);
        let (simulator, shops) = snapshot.lay_down(&aws).await;
        finish(&aws, &snapshot, World::taken_over(MERCHANT, simulator, shops[MERCHANT].clone())).await;
        for tenant in [MERCHANT, SPENT] {
            let erased = run(&["tenant", "erase", tenant, "--confirm", tenant], None);
            assert_eq!(erased.code, 0, "{erased:?}");
        }
    }
}

/// This release has been deployed over the stack of another, which left its state in the file that `RENKEI_UPGRADE` names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the stack of an earlier release, which left it with RENKEI_UPGRADE set"]
async fn everything_in_flight_on_an_earlier_releases_stack_comes_to_its_end() {
    renkei_e2e::stack_as_it_stands();
    let aws = aws();
    let file = std::env::var("RENKEI_UPGRADE").expect("RENKEI_UPGRADE names the snapshot");
    let snapshot = Snapshot(serde_json::from_str(&std::fs::read_to_string(file).expect("a snapshot")).expect("JSON"));
    let (simulator, shops) = snapshot.take_over(&aws).await;
    finish(&aws, &snapshot, World::taken_over(MERCHANT, simulator, shops[MERCHANT].clone())).await;
}

/// How an order's shop was spoken to since the release was deployed: working, tracking numbers, shipped.
fn told(order: &OrderBrief) -> (u64, u64, u64) {
    (order.written_working, order.written_slips, order.written_shipped)
}

async fn finish(aws: &Aws, snapshot: &Snapshot, world: World) {
    let stages: Stages = serde_json::from_value(snapshot.0["stages"].clone()).expect("stages");
    let warehouse = Caller::new(snapshot.0["warehouse_key"].as_str().map(str::to_owned));
    let runs = |tenant: &str| {
        let listed = run(&["runs", "--json", "--tenant", tenant], None);
        assert_eq!(listed.code, 0, "{listed:?}");
        listed.lines()
    };
    let is_open = |run: &Value| run["state"] == "running" || run["state"] == "blocked";

    // What was in flight moves by itself: nobody starts anything.
    for queue in QUEUES {
        world.until(queue, async || aws.messages(queue).await == 0).await;
    }
    for tenant in [MERCHANT, SPENT] {
        world.until("every run has come to its end", async || !runs(tenant).iter().any(is_open)).await;
    }
    world
        .until("the hints are looked at", async || {
            let paid = |order: &u64| world.shipment(*order)["payment"] == "paid";
            stages["hinted"].iter().all(paid)
        })
        .await;
    let blocked = world.simulator.orders(SPENT, None).await.expect("orders");
    assert!(blocked.iter().all(|order| order.state == "working" && told(order) == (1, 0, 0)), "{blocked:?}");
    assert_eq!(blocked.len(), stages["blocked"].len());

    // The merchant's document goes over the settings of the release before, and says what the product is.
    let applied = world.apply_with(10_000, None, |document| {
        let products = document["products"].as_array_mut().expect("products");
        products.push(json!({ "sku": MISSING, "name": MISSING }));
        document["integration_robots"]["custom"] = json!([{
            "id": "release-when-paid", "name": "入金済みになったら出荷待ちへ",
            "on": { "after": "status-sync", "connection": MERCHANT },
            "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" },
        }]);
    });
    assert_eq!(applied.code, 0, "{applied:?}");
    // What was read by the release before may have changed at the shop since: it is read anew.
    let fetched = world.run("fetch-orders");
    assert!([0, 4].contains(&fetched.code), "{fetched:?}");
    world
        .until("what lacked a product is imported", async || {
            stages["lacking"]
                .iter()
                .all(|order| run(&["shipment", &world.shipment_id(*order), "--json"], None).code == 0)
        })
        .await;
    for order in &stages["unpaid"] {
        world.pay(*order).await;
    }
    world.does("state-working");
    // The simulator does not lay every part of an address down again: some are seen as differences, for a person.
    let synced = world.run("status-sync");
    assert!([0, 4].contains(&synced.code), "{synced:?}");
    world
        .until("what is paid may go", async || {
            let waiting = ["unpaid", "hinted"].iter().flat_map(|stage| &stages[*stage]);
            waiting.into_iter().all(|order| world.shipment(*order)["status"] == "ready")
        })
        .await;

    // The warehouse's key of before opens; it answers, and ships what it had in hand and what it takes now.
    for order in &stages["leaving"] {
        let path = format!("/v1/shipments/{}/cancellation", world.shipment_id(*order));
        assert_eq!(warehouse.json("POST", &path, &json!({ "accept": true })).await.status, 200);
    }
    report(&world, &warehouse, &stages["picking"]).await;
    for stage in ["ready", "unpaid", "hinted", "untold", "lacking", "queued"] {
        handed_over(&world, &warehouse, &stages[stage], true).await;
    }
    world.does("state-shipped");

    let now = world.simulator.orders(MERCHANT, None).await.expect("orders");
    let now: BTreeMap<u64, OrderBrief> = now.into_iter().map(|order| (order.id, order)).collect();
    assert_eq!(now.len(), stages.values().map(Vec::len).sum::<usize>() - blocked.len());
    for (stage, expected) in [
        ("all told", (0, 0, 0)),
        ("leaving", (0, 0, 0)),
        ("out", (0, 1, 1)),
        ("picking", (0, 1, 1)),
        ("ready", (0, 1, 1)),
        ("unpaid", (0, 1, 1)),
        ("hinted", (0, 1, 1)),
        ("untold", (1, 1, 1)),
        ("lacking", (1, 1, 1)),
        ("queued", (1, 1, 1)),
    ] {
        for order in &stages[stage] {
            let order = &now[order];
            assert_eq!(told(order), expected, "{stage}: {order:?}");
            let ends = if stage == "leaving" { "canceled" } else { "shipped" };
            assert_eq!(order.state, ends, "{stage}: {order:?}");
        }
    }
    let statuses: BTreeSet<String> = world.list("shipments").iter().map(|s| s["status"].to_string()).collect();
    assert_eq!(statuses, BTreeSet::from(["\"cancelled\"".to_owned(), "\"shipped\"".to_owned()]));
    for queue in QUEUES {
        assert_eq!(aws.messages(&format!("{queue}-dead-letters")).await, 0, "{queue}");
    }
    let ledger = world.simulator.ledger_summary(MERCHANT).await.expect("the ledger");
    assert_eq!((ledger.overlapping, ledger.beyond_limit), (0, 0), "{ledger:?}");
    println!("{} orders at {} stages have come to their end, each told once", now.len() + blocked.len(), stages.len());
}
