//! The warehouse's side, over HTTP against the deployed stack: who may see what, claims, results, cancellations, what is given
//! back, stock.

mod gift;
mod given_back;
mod repeated;
mod since;
mod stock;
mod strangers;

use std::collections::BTreeSet;
use std::time::Instant;

use jiff::Timestamp;
use renkei_e2e::warehouse::Caller;
use renkei_e2e::{World, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

/// A merchant whose orders are imported and ready.
async fn ready(name: &'static str, orders: u64) -> World {
    let world = World::new(name, plain(orders), 10_000).await;
    let fetched = world.run("fetch-orders");
    assert_eq!(fetched.code, 0, "{fetched:?}");
    world
}

fn ids(shipments: &[Value]) -> Vec<String> {
    shipments.iter().map(|shipment| shipment["id"].as_str().expect("an id").to_owned()).collect()
}

fn result(id: &str, tracking_number: &str) -> Value {
    json!({ "id": id, "tracking_number": tracking_number, "shipping_method": "Y", "shipped_at": Timestamp::now() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_claim_a_thousand_and_report_them() {
    const ORDERS: usize = 1_000;
    let world = ready("wh-thousand", ORDERS as u64).await;
    let one = world.warehouse("dc");
    let two = one.clone();

    let whole = one.get("/v1/shipments?status=ready&limit=1000").await.json();
    let ready = ids(whole["shipments"].as_array().expect("shipments"));
    let paged = one.all("status=ready&limit=170").await;
    assert_eq!(ids(&paged), ready, "pages together are the whole, each once, in the same order");
    assert_eq!(ready.iter().collect::<BTreeSet<_>>().len(), ORDERS);
    let millisecond =
        |s: &Value| s["imported_at"].as_str().expect("a time").parse::<Timestamp>().expect("a time").as_millisecond();
    let imported: Vec<i64> = paged.iter().map(millisecond).collect();
    assert!(imported.is_sorted(), "oldest first");
    let first = &paged[0];
    assert!(first["ship_to"]["name"].is_string() && first["items"][0]["sku"].is_string(), "{first}");
    assert_eq!((&first["shipping_method"], &first["shipping_method_id"]), (&json!("Y"), &json!("yamato")));

    let began = Instant::now();
    let (a, b) = tokio::join!(one.claim(&ready), two.claim(&ready));
    println!("2 × 1,000 claims at once: {:.1} s", began.elapsed().as_secs_f64());
    let (a, b): (BTreeSet<String>, BTreeSet<String>) =
        (a.ids("claimed").into_iter().collect(), b.ids("claimed").into_iter().collect());
    assert_eq!(a.intersection(&b).count(), 0, "disjoint");
    assert_eq!(a.len() + b.len(), ORDERS, "none is lost: {} and {}", a.len(), b.len());
    let again = one.claim(&ready).await;
    assert!(again.ids("claimed").is_empty());
    assert!(again.json()["refused"].as_array().expect("refused").iter().all(|r| r["reason"] == "already-claimed"));
    assert!(one.all("status=ready").await.is_empty());

    // One bad record among a thousand loses only itself.
    let mut results: Vec<Value> = ready.iter().enumerate().map(|(n, id)| result(id, &format!("77-{n}"))).collect();
    results[500] = json!({ "id": ready[500], "tracking_number": 5 });
    let body = json!({ "results": results });
    let reported = one.json("POST", "/v1/shipments/results", &body).await;
    assert_eq!(reported.ids("accepted").len(), ORDERS - 1, "{}", &reported.text[..300]);
    assert_eq!(reported.json()["refused"][0]["index"], json!(500));
    assert_eq!(reported.json()["refused"][0]["reason"], json!("malformed"));
    let shipped = one.all("status=shipped&limit=1000").await;
    assert_eq!(shipped.len(), ORDERS - 1);
    assert!(one.json("POST", "/v1/shipments/results", &body).await.ids("accepted").len() == ORDERS - 1);
    assert_eq!(one.all("status=shipped&limit=1000").await, shipped, "repeated, nothing changes");

    // A correction is on record, and waits to be told to the shop.
    let corrected = one.json("POST", "/v1/shipments/results", &json!({ "results": [result(&ready[0], "88-0")] })).await;
    assert_eq!(corrected.ids("accepted"), [ready[0].clone()]);
    let shipment = one.get(&format!("/v1/shipments/{}", ready[0])).await.json();
    assert_eq!((&shipment["tracking_number"], &shipment["status"]), (&json!("88-0"), &json!("shipped")));
    let body = json!({ "results": [result("wh-thousand.999999.1", "1")] });
    let unclaimed = one.json("POST", "/v1/shipments/results", &body).await;
    assert_eq!(unclaimed.json()["refused"][0]["reason"], json!("not-found"));
}

/// No claim of what is not paid is taken: the oldest first, it would hide for ever what may be claimed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ready_but_not_paid_hides_nothing_behind_it() {
    let world = ready("wh-unpaid", 3).await;
    let own = world.warehouse("dc");
    let ready = ids(&own.all("status=ready").await);
    let unpaid = json!({ ":ready": { "S": "ready" }, ":unpaid": { "S": "unpaid" } });
    for id in &ready[..2] {
        world.change_record(id, "SET #status = :ready, payment = :unpaid", unpaid.clone()).await;
    }
    let page = own.get("/v1/shipments?status=ready&limit=1").await;
    assert_eq!(page.ids("shipments"), ready[2..], "{page:?}");
    assert_eq!(ids(&own.all("status=ready").await), ready[2..]);
    let refused = own.claim(&ready[..2]).await.json();
    assert_eq!(refused["claimed"], json!([]));
    assert!(refused["refused"].as_array().expect("refused").iter().all(|r| r["reason"] == "unpaid"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_cannot_be_are_answered_as_problems() {
    let world = ready("wh-limits", 3).await;
    let own = world.warehouse("dc");
    for (path, body) in [
        ("/v1/shipments/claim", json!({ "ids": vec!["x"; 1_001] })),
        ("/v1/shipments/results", json!({ "results": vec![json!({}); 1_001] })),
    ] {
        let answer = own.json("POST", path, &body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, "too-many-records"));
    }
    let most = own.json("POST", "/v1/shipments/claim", &json!({ "ids": vec!["x"; 1_000] })).await;
    assert_eq!((most.status, most.json()["refused"].as_array().map(Vec::len)), (200, Some(1_000)));
    for path in ["/v1/shipments/claim", "/v1/shipments/results"] {
        let large = own.send("POST", path, Some(vec![b' '; 1024 * 1024 + 1])).await;
        assert_eq!((large.status, large.problem().as_str()), (413, "body-too-large"));
        let broken = own.send("POST", path, Some(b"{".to_vec())).await;
        assert_eq!((broken.status, broken.problem().as_str()), (400, "not-json"));
        let other = own.json("POST", path, &json!({ "records": [] })).await;
        assert_eq!((other.status, other.problem().as_str()), (422, "bad-body"));
    }
    let wrong = own.send("DELETE", "/v1/stock", None).await;
    assert_eq!(
        (wrong.status, wrong.problem().as_str(), wrong.allow.as_deref()),
        (405, "method-not-allowed", Some("PUT"))
    );
    for path in ["/", "/v1", "/v1/orders", "/v1/shipments/claim/x", "/hooks/ecforce"] {
        let nothing = own.get(path).await;
        assert_eq!((nothing.status, nothing.problem().as_str()), (404, "not-found"), "{path}");
    }
    for query in ["status=hold", "limit=0", "limit=1001", "updated_since=x", "colour=red", "status=ready&status=ready"]
    {
        let wrong = own.get(&format!("/v1/shipments?{query}")).await;
        assert_eq!((wrong.status, wrong.problem().as_str()), (400, "bad-query"), "{query}");
    }
    let page = own.get("/v1/shipments?status=ready&limit=1").await.json();
    let cursor = page["next_cursor"].as_str().expect("there is more").to_owned();
    let mut changed = cursor.clone();
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    world.add_ship_from("annex", "annex");
    let other = world.warehouse("annex");
    for (caller, query) in [
        (&own, format!("status=ready&cursor={changed}")),
        (&own, format!("status=picking&cursor={cursor}")),
        (&own, "status=ready&cursor=x".to_owned()),
        (&other, format!("status=ready&cursor={cursor}")),
    ] {
        let answer = caller.get(&format!("/v1/shipments?{query}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-cursor"), "{query}");
    }
    // A list that was begun with one key goes on with its successor.
    let rotated = run(&["warehouse-key", "rotate", "dc", "--tenant", "wh-limits", "--json"], None);
    let next = own.with_key(rotated.lines()[0]["key"].as_str());
    for caller in [&own, &next] {
        assert_eq!(caller.get(&format!("/v1/shipments?status=ready&limit=1&cursor={cursor}")).await.status, 200);
    }
    let ended =
        run(&["warehouse-key", "rotate", "dc", "--tenant", "wh-limits", "--overlap-hours", "0", "--json"], None);
    let latest = own.with_key(ended.lines()[0]["key"].as_str());
    let statuses = [own.get("/v1/shipments").await.status, next.get("/v1/shipments").await.status];
    assert_eq!((statuses, latest.get("/v1/shipments").await.status), ([401, 401], 200));
    // Two merchants have a warehouse of this name.
    let _second = ready("wh-limits-2", 1).await;
    let which = run(&["warehouse-key", "create", "dc"], None);
    assert_eq!(which.code, 1);
    assert!(which.err.contains("--tenant"), "{which:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_are_taken_at_their_address_and_nowhere_else() {
    let world = ready("wh-hooks", 1).await;
    let shop = Caller::new(None);
    let address = |command: &[&str]| {
        let made = run(command, None);
        assert_eq!(made.code, 0, "{made:?}");
        made.lines()[0]["url"].as_str().expect("a url").to_owned()
    };
    let first = address(&["webhook", "create", "wh-hooks", "--json"]);
    for body in [&br#"{"order":{"id":1,"number":"EC-1"}}"#[..], b"", b"\xff\xfe", b"id=88111", b"{"] {
        assert_eq!(shop.send("POST", &first, Some(body.to_vec())).await.status, 202, "{body:?}");
    }
    let large = shop.send("POST", &first, Some(vec![b'1'; 1024 * 1024 + 1])).await;
    assert_eq!((large.status, large.problem().as_str()), (413, "body-too-large"));
    assert_eq!(shop.send("POST", &first, Some(vec![b'1'; 1024 * 1024])).await.status, 202);
    let second = address(&["webhook", "rotate", "wh-hooks", "--json"]);
    for address in [&first, &second] {
        assert_eq!(shop.send("POST", address, Some(b"{}".to_vec())).await.status, 202, "both, for a while");
    }
    let revoked = run(&["webhook", "revoke", "wh-hooks"], None);
    assert_eq!(revoked.code, 0, "{revoked:?}");
    for address in [&first, &second] {
        let gone = shop.send("POST", address, Some(b"{}".to_vec())).await;
        assert_eq!((gone.status, gone.problem().as_str()), (404, "not-found"));
    }
    // A webhook's secret is no warehouse's key.
    let secret = first.rsplit('/').next();
    assert_eq!(shop.with_key(secret).get("/v1/shipments").await.status, 401);
    let listed = run(&["webhook", "list", "--tenant", world.tenant_name(), "--json"], None);
    assert!(listed.lines().iter().all(|line| line["state"] == "revoked"), "{listed:?}");
    assert!(!listed.out.contains("rkh_"), "{listed:?}");
}

/// A fuzzer that reads the document finds nothing that the document does not say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_keeps_to_its_document() {
    assert!(renkei_e2e::warehouse::python(&["infra/tools/install.py", "fuzz"]), "the fuzzer is installed");
    let world = ready("wh-fuzz", 20).await;
    let own = world.warehouse("dc");
    let key = own.key.clone().expect("a key");
    let fuzzed = renkei_e2e::warehouse::python(&["infra/tools/fuzz_warehouse.py", &own.url, &key]);
    assert!(fuzzed, "what it found stands above");
}
