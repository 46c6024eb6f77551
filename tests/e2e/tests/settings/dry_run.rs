//! `renkei run ROBOT --dry-run` on the deployed stack: nothing is written, and what follows is what was said.

use renkei_e2e::run;
use renkei_e2e::ways::Shop;
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Map, Value, json};

/// All that must not change: shipments and orders as we have them, runs, and the shop's books.
async fn books(shop: &Shop) -> Vec<Value> {
    let scope = |command: &str| run(&[command, "--json", "--connection", shop.name], None).lines();
    let mut books = scope("shipments");
    books.extend(scope("orders"));
    books.extend(run(&["runs", "--tenant", shop.name, "--json"], None).lines());
    books.extend(run(&["stock", shop.name, "--json"], None).lines());
    books.extend(shop.orders().await.into_iter().map(|order| serde_json::to_value(order).expect("JSON")));
    let stock = shop.simulator.stock(shop.name).await.expect("stock");
    books.extend(stock.into_iter().map(|stock| serde_json::to_value(stock).expect("JSON")));
    books
}

/// Calls without sign-ins, and sign-ins.
async fn ledger(shop: &Shop) -> (u64, u64) {
    let ledger = shop.simulator.ledger_summary(shop.name).await.expect("the ledger");
    (ledger.calls - ledger.sign_ins, ledger.sign_ins)
}

/// What a robot would do: the lines, and the summary. Nothing may change by asking, and no call be made but those allowed.
async fn dry(shop: &Shop, robot: &str, allowed: u64) -> (Vec<Value>, Value) {
    let (before, calls) = (books(shop).await, ledger(shop).await);
    let ended = run(&["run", robot, "--dry-run", "--json"], None);
    assert_eq!(ended.code, 0, "{robot}: {ended:?}");
    let after = ledger(shop).await;
    assert_eq!(after.0 - calls.0, allowed, "{robot}: calls");
    assert!(after.1 - calls.1 <= allowed, "{robot}: sign-ins");
    assert_eq!(books(shop).await, before, "{robot} wrote something");
    let mut lines = ended.lines();
    let summary = lines.pop().expect("a summary");
    assert_eq!((&summary["kind"], &summary["robot"]), (&json!("summary"), &json!(robot)), "{summary}");
    (lines, summary)
}

/// The run does what the dry run said: the same counts for these words, and calls within what was named.
async fn does(shop: &Shop, robot: &str, said: &Value, words: &[&str]) {
    let calls = ledger(shop).await.0;
    let ended = run(&["run", robot, "--wait", "--timeout", "300", "--json"], None);
    assert!(matches!(ended.code, 0 | 4), "{robot}: {ended:?}");
    let ran = ended.lines().remove(0);
    for word in words {
        let count = |line: &Value| line["counts"][*word].as_u64().unwrap_or(0);
        assert_eq!(count(&ran), count(said), "{robot}: {word}: said {said}, did {ran}");
    }
    let spent = ledger(shop).await.0 - calls;
    let (least, most) = (said["calls"]["least"].as_u64(), said["calls"]["most"].as_u64());
    println!("{robot}: said {} and {}, spent {spent}", said["counts"], said["calls"]);
    assert!(least.is_some_and(|least| least <= spent), "{robot}: {spent} calls, said {said}");
    assert!(most.is_some_and(|most| spent <= most), "{robot}: {spent} calls, said {said}");
}

async fn order(shop: &Shop, attributes: Value) -> u64 {
    shop.simulator.add_order(shop.name, attributes).await.expect("an order").id
}

fn of(lines: &[Value], order: u64) -> &Value {
    lines.iter().find(|line| line["order_id"] == json!(order)).expect("the order's line")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_writes_nothing_and_the_run_does_what_it_said() {
    let spec = ShopSpec { orders: 0, order_options: OrderOptions::plain(), ..ShopSpec::default() };
    let name = "dry-run";
    let release = format!("{name}-release");
    let shop = Shop::new(name, spec, |document| {
        document["integration_robots"]["custom"] = json!([
            { "id": format!("{name}-release"), "name": "入金済みを出荷待ちへ", "on": { "by_hand": true, "connection": name },
              "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" } }
        ]);
    })
    .await;
    let robot = |action: &str| format!("{name}/{action}");

    // One order is known already, and told to nobody.
    let known = order(&shop, json!({ "payment_state": "authed" })).await;
    shop.robot_does("fetch-orders");
    let paid = order(&shop, json!({ "payment_state": "authed" })).await;
    let unpaid = order(&shop, json!({ "payment_state": "pending" })).await;
    let unknown =
        order(&shop, json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "NEW-1", "quantity": 1 }] }))
            .await;

    let (lines, said) = dry(&shop, &robot("fetch-orders"), 1).await;
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(of(&lines, known)["outcome"], "duplicate");
    assert_eq!((&of(&lines, paid)["outcome"], &of(&lines, paid)["status"]), (&json!("imported"), &json!("ready")));
    assert_eq!(of(&lines, unpaid)["hold_reason"], "awaiting-payment");
    assert_eq!(of(&lines, unknown)["outcome"], "quarantined");
    assert!(of(&lines, unknown)["reason"].as_str().is_some_and(|reason| reason.contains("NEW-1")), "{lines:?}");
    assert_eq!(said["calls"], json!({ "least": 1, "most": 1 }), "{said}");
    does(&shop, &robot("fetch-orders"), &said, &["imported", "duplicate", "quarantined", "refused"]).await;
    for line in lines.iter().filter(|line| line["outcome"] == "imported") {
        let shipments = shop.shipments();
        let made = shipments.iter().find(|made| made["order_id"] == line["order_id"]).expect("its shipment");
        assert_eq!((&made["status"], &made["hold_reason"]), (&line["status"], &line["hold_reason"]), "{made}");
    }

    // The shop is told of three orders.
    let (lines, said) = dry(&shop, &robot("state-working"), 0).await;
    assert_eq!((lines.len(), &said["counts"]["told"]), (3, &json!(3)), "{said}");
    does(&shop, &robot("state-working"), &said, &["told"]).await;
    let (lines, said) = dry(&shop, &robot("state-working"), 0).await;
    assert!(lines.is_empty() && said["calls"]["most"] == 0, "nothing is left: {said}");

    // Paid meanwhile: the sync reads it, the release would let it go.
    let Value::Object(now_paid) = json!({ "payment_state": "paid" }) else { unreachable!() };
    let now_paid: Map<String, Value> = now_paid;
    shop.simulator.change_order(name, unpaid, &now_paid).await.expect("an edit");
    let (_, said) = dry(&shop, &release, 0).await;
    assert_eq!(said["counts"], json!({ "stays-awaiting-payment": 1 }), "not known here yet: {said}");
    let (_, said) = dry(&shop, &robot("status-sync"), 0).await;
    assert_eq!((&said["counts"]["open"], &said["calls"]["most"]), (&json!(3), &json!(1)), "{said}");
    does(&shop, &robot("status-sync"), &said, &["open"]).await;
    let (lines, said) = dry(&shop, &release, 0).await;
    assert_eq!((lines.len(), &said["counts"]), (1, &json!({ "released": 1 })), "{said}");
    assert!(lines[0]["changes"].to_string().contains("\"ready\""), "{lines:?}");
    does(&shop, &release, &said, &["released"]).await;

    // Stock: a count that the shop does not know.
    let counts = shop.file("counts.csv", "sku,quantity,counted_at\nSERUM-30,500,2026-01-01T00:00:00Z\n");
    let counts = counts.to_str().expect("a path");
    let kept = run(&["files", "counts", "--tenant", name, "--ship-from", "dc", counts], None);
    assert_eq!(kept.code, 0, "{kept:?}");
    let (lines, said) = dry(&shop, &robot("inventory"), 0).await;
    assert_eq!((lines.len(), &lines[0]["sku"], &said["calls"]["most"]), (1, &json!("SERUM-30"), &json!(1)), "{said}");
    does(&shop, &robot("inventory"), &said, &["told", "unchanged"]).await;

    // Out: numbers first, then states.
    shop.ship_all();
    let (lines, said) = dry(&shop, &robot("state-shipped"), 0).await;
    assert_eq!((&said["counts"]["written-back"], &said["counts"]["told"]), (&json!(3), &json!(3)), "{said}");
    assert_eq!((lines.len(), &said["calls"]), (6, &json!({ "least": 2, "most": 2 })), "{said}");
    does(&shop, &robot("state-shipped"), &said, &["written-back", "told"]).await;
    shop.assert_numbers_are_where_they_belong().await;

    // The nightly comparison: bounds, and no call.
    let (_, said) = dry(&shop, &robot("reconcile"), 0).await;
    does(&shop, &robot("reconcile"), &said, &[]).await;

    // People read a summary.
    let shown = run(&["run", &robot("fetch-orders"), "--dry-run"], None);
    assert!(shown.code == 0 && shown.out.contains("nothing was written"), "{shown:?}");
    let both = run(&["run", &robot("fetch-orders"), "--dry-run", "--wait"], None);
    assert_eq!(both.code, 2, "one or the other: {both:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_orders_each_page_is_read_and_its_call_is_counted() {
    let spec = ShopSpec { orders: 250, order_options: OrderOptions::plain(), ..ShopSpec::default() };
    let shop = Shop::new("dry-many", spec, |_| ()).await;
    let robot = "dry-many/fetch-orders";
    let (lines, said) = dry(&shop, robot, 3).await;
    assert_eq!((lines.len(), &said["calls"]), (250, &json!({ "least": 3, "most": 3 })), "{said}");
    assert_eq!((&said["counts"]["imported"], &said["notes"]), (&json!(250), &json!([])), "{said}");
    does(&shop, robot, &said, &[]).await;
    assert_eq!(shop.shipments().len(), 250);
}
