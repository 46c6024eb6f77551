//! The warehouse's side, over HTTP against the deployed stack: who may see what, claims, results, cancellations, what is given
//! back, stock.

#[path = "warehouse/since.rs"]
mod since;

use std::collections::BTreeSet;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use renkei_e2e::browser::Browser;
use renkei_e2e::warehouse::{Answer, Caller};
use renkei_e2e::{World, root, run};
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

/// What a stranger's well-formed call comes to: nothing seen, nothing changed.
fn sees_nothing(method: &str, path: &str, answer: &Answer) {
    match (method, path) {
        ("GET", "/v1/shipments") => {
            assert_eq!(answer.status, 200, "{answer:?}");
            // Its own it may have.
            assert!(answer.ids("shipments").iter().all(|id| id.starts_with("wh-other.")), "{answer:?}");
        }
        ("GET", "/v1/shipments/{id}") | ("POST", "/v1/shipments/{id}/cancellation" | "/v1/shipments/{id}/return") => {
            assert_eq!((answer.status, answer.problem().as_str()), (404, "no-such-shipment"));
        }
        ("POST", "/v1/shipments/claim") => {
            assert_eq!(answer.json()["claimed"], json!([]));
            assert_eq!(answer.json()["refused"][0]["reason"], json!("not-found"));
        }
        ("POST", "/v1/shipments/results") => {
            assert_eq!(answer.json()["accepted"], json!([]));
            assert_eq!(answer.json()["refused"][0]["reason"], json!("not-found"));
        }
        ("PUT", "/v1/stock") => assert_eq!((answer.status, answer.problem().as_str()), (404, "no-such-ship-from")),
        other => panic!("{other:?} has no test of what strangers see: add one here"),
    }
}

/// CRC-32, as keys carry it: a key of the right form that was never handed out.
fn made_up_key() -> String {
    let bits = "0123456789abcdef".repeat(4);
    let crc = bits.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    format!("rkw_{bits}{:08x}", !crc)
}

/// Every address of the document, with every kind of key. One that is missing here fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_address_shows_anything_to_a_stranger() {
    let world = ready("wh-own", 2).await;
    world.add_ship_from("annex", "annex");
    let other = ready("wh-other", 1).await;
    let own = world.warehouse("dc");
    let revoked = world.warehouse("dc");
    let revoked_id = run(&["warehouse-key", "list", "--tenant", "wh-own", "--json"], None).lines()[1]["id"].clone();
    let revoke = run(
        &["warehouse-key", "revoke", "dc", "--tenant", "wh-own", "--id", revoked_id.as_str().expect("an id")],
        None,
    );
    assert_eq!(revoke.code, 0, "{revoke:?}");
    // The other tenant's ship-from for its own stock is called `dc` too; this one's is `annex`.
    let strangers = [("another tenant's", other.warehouse("dc")), ("another warehouse's", world.warehouse("annex"))];
    let shipments = own.all("status=ready").await;
    assert_eq!(shipments.len(), 2, "its own it sees");
    let id = shipments[0]["id"].as_str().expect("an id");
    let document = own.with_key(None).get("/v1/openapi.json").await;
    assert_eq!(document.status, 200);
    let mut addresses = 0;
    for (path, item) in document.json()["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys().map(|method| method.to_uppercase()) {
            addresses += 1;
            let body = match (method.as_str(), path.as_str()) {
                ("GET", "/v1/shipments" | "/v1/shipments/{id}") => None,
                ("POST", "/v1/shipments/claim") => Some(json!({ "ids": [id] })),
                ("POST", "/v1/shipments/results") => Some(json!({ "results": [result(id, "4711")] })),
                ("POST", "/v1/shipments/{id}/cancellation") => Some(json!({ "accept": true })),
                ("POST", "/v1/shipments/{id}/return") => Some(json!({ "reason": "在庫切れ" })),
                ("PUT", "/v1/stock") => Some(
                    json!({ "ship_from": "dc", "counts": [{ "sku": "SERUM-30", "quantity": 1, "counted_at": Timestamp::now() }] }),
                ),
                // These two ask for no key.
                ("GET", "/v1/openapi.json") => continue,
                ("POST", "/hooks/ecforce/{secret}") => {
                    for secret in ["x", &own.key.clone().expect("a key"), &made_up_key().replace("rkw_", "rkh_")] {
                        let answer = own.json("POST", &format!("/hooks/ecforce/{secret}"), &json!({})).await;
                        assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{secret}");
                    }
                    continue;
                }
                other => panic!("{other:?} has no test of who may call it: add one here"),
            };
            let body = body.map(|body| body.to_string().into_bytes());
            let at = path.replace("{id}", id);
            let mut hook_like = own.key.clone().expect("a key");
            hook_like.replace_range(..4, "rkh_");
            let unknown =
                [None, Some("x"), Some(made_up_key().leak() as &str), revoked.key.as_deref(), Some(hook_like.leak())];
            for key in unknown {
                let answer = own.with_key(key).send(&method, &at, body.clone()).await;
                assert_eq!(
                    (answer.status, answer.problem().as_str()),
                    (401, "unauthorized"),
                    "{method} {path} {key:?}"
                );
            }
            for (whose, stranger) in &strangers {
                let answer = stranger.send(&method, &at, body.clone()).await;
                // The other tenant has a ship-from of this name of its own: that it may count, and ours stays without.
                if path == "/v1/stock" && *whose == "another tenant's" {
                    assert_eq!(answer.ids("accepted"), ["SERUM-30"]);
                } else {
                    sees_nothing(&method, path, &answer);
                }
            }
        }
    }
    assert!(addresses >= 9, "the document names its addresses");
    // Nobody changed anything.
    let after = own.all("status=ready").await;
    assert_eq!(after, shipments);
    let counts = world.counts("dc").await;
    assert!(counts.is_empty(), "{counts:?}");
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

/// The shop cancels an order while the warehouse has it.
async fn request_cancellation(world: &World, id: &str) {
    let asked =
        json!({ "M": { "state": { "S": "requested" }, "requested_at": { "S": Timestamp::now().to_string() } } });
    world
        .change_record(
            id,
            "SET #status = :picking, cancellation = :asked",
            json!({ ":asked": asked, ":picking": { "S": "picking" } }),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_request_has_an_answer_whichever_it_is() {
    let world = ready("wh-cancel", 4).await;
    let own = world.warehouse("dc");
    let ids = ids(&own.all("status=ready").await);
    // Before it is claimed there is nothing to ask: it is cancelled, and cannot be claimed.
    world.change_record(&ids[3], "SET #status = :cancelled", json!({ ":cancelled": { "S": "cancelled" } })).await;
    let claimed = own.claim(&ids).await;
    assert_eq!(claimed.ids("claimed"), ids[..3]);
    assert_eq!(claimed.json()["refused"][0]["reason"], json!("cancelled"));
    let answer = async |id: &str, accept: bool| {
        own.json("POST", &format!("/v1/shipments/{id}/cancellation"), &json!({ "accept": accept })).await
    };
    let unasked = answer(&ids[0], true).await;
    assert_eq!((unasked.status, unasked.problem().as_str()), (409, "answer-refused"));
    for id in &ids[..3] {
        request_cancellation(&world, id).await;
    }
    assert_eq!(own.all("cancel_requested=true").await.len(), 3);

    for _ in 0..2 {
        let accepted = answer(&ids[0], true).await;
        assert_eq!(accepted.json(), json!({ "id": ids[0], "status": "cancelled", "cancellation": "accepted" }));
        let refused = answer(&ids[1], false).await;
        assert_eq!(refused.json(), json!({ "id": ids[1], "status": "picking", "cancellation": "refused" }));
    }
    let taken_back = answer(&ids[0], false).await;
    assert_eq!((taken_back.status, taken_back.problem().as_str()), (409, "answer-refused"));
    let left: Vec<Value> = own.all("cancel_requested=true").await;
    assert_eq!(left.len(), 1);

    // A result that overtakes the answer: it is out, and a person is asked.
    let body = json!({ "results": ids[..3].iter().map(|id| result(id, "1")).collect::<Vec<_>>() });
    let reported = own.json("POST", "/v1/shipments/results", &body).await;
    assert_eq!(reported.ids("accepted"), ids[1..3]);
    assert_eq!(reported.json()["refused"][0]["reason"], json!("cancelled"));
    // That one left although it is cancelled is on record, once, for a person to see to.
    own.json("POST", "/v1/shipments/results", &body).await;
    let gone = own.get(&format!("/v1/shipments/{}", ids[0])).await.json();
    assert_eq!((&gone["status"], &gone["cancellation"]), (&json!("cancelled"), &json!("too-late")));
    let history = run(&["shipment", &ids[0], "--json"], None).out;
    assert_eq!(history.matches("left although cancelled").count(), 1, "{history}");
    let late = own.get(&format!("/v1/shipments/{}", ids[2])).await.json();
    assert_eq!((&late["status"], &late["cancellation"]), (&json!("shipped"), &json!("too-late")));
    assert_eq!(answer(&ids[2], true).await.status, 409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_back_waits_for_a_person_and_is_claimed_anew() {
    let world = ready("wh-return", 3).await;
    let own = world.warehouse("dc");
    let ids = ids(&own.all("status=ready").await);
    let give_back = async |id: &str, reason: &str| {
        own.json("POST", &format!("/v1/shipments/{id}/return"), &json!({ "reason": reason })).await
    };
    let report =
        async |id: &str| own.json("POST", "/v1/shipments/results", &json!({ "results": [result(id, "1")] })).await;
    let unclaimed = give_back(&ids[0], "在庫切れ").await;
    assert_eq!((unclaimed.status, unclaimed.problem().as_str()), (409, "return-refused"));
    assert_eq!(own.claim(&ids).await.ids("claimed"), ids);
    for wrong in ["", " \n", &"あ".repeat(101)] {
        let wrong = give_back(&ids[0], wrong).await;
        assert_eq!((wrong.status, wrong.problem().as_str()), (422, "bad-body"));
    }
    // As if the answer was lost.
    for _ in 0..2 {
        let given = give_back(&ids[0], "在庫切れ").await;
        assert_eq!((given.status, given.json()), (200, json!({ "id": ids[0], "status": "hold" })));
    }
    let history = run(&["shipment", &ids[0], "--json"], None).out;
    assert_eq!(history.matches("given back: 在庫切れ").count(), 1, "{history}");
    assert_eq!(own.all("status=picking").await.len(), 2);
    assert_eq!(own.claim(&ids[..1]).await.json()["refused"][0]["reason"], json!("on-hold"));
    assert_eq!(report(&ids[0]).await.json()["refused"][0]["reason"], json!("not-claimed"));

    // Staff let it go, and it is taken and sent as any other.
    let added = run(&["member", "add", "operator@renkei.example", "--tenant", "wh-return", "--role", "operator"], None);
    assert_eq!(added.code, 0, "{added:?}");
    let mut browser = Browser::signed_in("operator").await;
    let page = browser.get(&format!("/t/wh-return/shipment/{}", ids[0])).await;
    assert!(page.text.contains("在庫切れ"), "{}", page.text);
    let csrf = page.csrf();
    let fields = [("csrf", csrf.as_str()), ("action", "release"), ("id", ids[0].as_str())];
    assert_eq!(browser.post("/t/wh-return/shipments/change", &fields).await.status, 303);
    assert_eq!(own.claim(&ids[..1]).await.ids("claimed"), ids[..1]);
    assert_eq!(report(&ids[0]).await.ids("accepted"), ids[..1]);
    let left = give_back(&ids[0], "在庫切れ").await;
    assert_eq!((left.status, left.problem().as_str()), (409, "return-refused"));

    // The shop had asked for it back.
    request_cancellation(&world, &ids[1]).await;
    for _ in 0..2 {
        assert_eq!(give_back(&ids[1], "破損").await.json(), json!({ "id": ids[1], "status": "cancelled" }));
    }
    let cancelled = own.get(&format!("/v1/shipments/{}", ids[1])).await.json();
    assert_eq!(cancelled["cancellation"], json!("accepted"));

    // The warehouse calls by telephone.
    let address = format!("/t/wh-return/shipment/{}", ids[2]);
    assert!(browser.get(&address).await.text.contains("倉庫から戻った（保留にする）"));
    for (reason, status) in [(" ", 400), ("破損", 303), ("破損", 303)] {
        let fields = [("csrf", csrf.as_str()), ("answer", "give-back"), ("reason", reason)];
        let answered = browser.post(&format!("{address}/cancellation"), &fields).await;
        assert_eq!(answered.status, status, "{answered:?}");
    }
    assert!(!browser.get(&address).await.text.contains("倉庫から戻った（"));
    let held = own.get(&format!("/v1/shipments/{}", ids[2])).await.json();
    assert_eq!((&held["status"], &held["claimed_at"]), (&json!("hold"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_says_who_ordered_it() {
    let world = ready("wh-gift", 1).await;
    let gift = json!({
        "payment_state": "authed", "scheduled_to_be_shipped_at": null,
        "billing_address": { "name01": "贈主", "name02": "一郎", "addr01": "港区架空町", "tel01": "03", "tel02": "0000", "tel03": "0001" },
    });
    let gift = world.simulator.add_order("wh-gift", gift).await.expect("an order").id;
    assert_eq!(world.run("fetch-orders").code, 0);
    let gift = format!("wh-gift.{gift}.1");
    let own = world.warehouse("dc");
    let listed = own.all("status=ready").await;
    assert_eq!(listed.len(), 2);
    for shipment in listed {
        let is_gift = shipment["id"] == json!(gift);
        assert_eq!(shipment["orderer"] == shipment["ship_to"], !is_gift, "{shipment}");
        if is_gift {
            let orderer = &shipment["orderer"];
            assert_eq!(
                (&orderer["name"], &orderer["address1"]),
                (&json!("贈主 一郎"), &json!("港区架空町")),
                "{orderer}"
            );
        }
    }

    // Staff see it, and find the order by it.
    let added = run(&["member", "add", "viewer@renkei.example", "--tenant", "wh-gift", "--role", "viewer"], None);
    assert_eq!(added.code, 0, "{added:?}");
    let mut browser = Browser::signed_in("viewer").await;
    let page = browser.get(&format!("/t/wh-gift/shipment/{gift}")).await;
    assert!(page.text.contains("注文者") && page.text.contains("贈主 一郎"), "{}", page.text);
    for q in ["03-0000-0001", "%E8%B4%88%E4%B8%BB"] {
        // The only one that is found is shown at once.
        let found = browser.get(&format!("/t/wh-gift/shipments?q={q}")).await;
        assert!(found.location().ends_with(&format!("/shipment/{gift}")), "{q}: {found:?}");
    }

    // A label in the orderer's name, by a layout of one's own.
    let columns = ["shipment-id", "orderer-name", "orderer-postal-code", "orderer-address", "orderer-phone"];
    let layout = json!({
        "id": "gift", "name": "gift",
        "shipments": {
            "encoding": "utf8", "line_end": "lf", "header": false, "rows": "parcel", "guard_formulas": false,
            "columns": columns.map(|from| json!({ "name": from, "from": from })),
        },
        "results": {
            "encoding": "utf8", "header": true, "shipment": { "names": ["a"], "place": 1 }, "tracking_number": { "names": ["b"], "place": 2 },
        },
    });
    let file = |name: &str| root().join("target").join(name).to_str().expect("a path").to_owned();
    let (form, out) = (file("gift.layout.json"), file("gift.out.csv"));
    std::fs::write(&form, layout.to_string()).expect("a file");
    let _from_before = std::fs::remove_file(&out);
    let exported =
        ["files", "export", "--connection", "wh-gift", "--layout", &form, "--ship-until", "all", "--out", &out];
    let exported = run(&exported, None);
    assert_eq!(exported.code, 0, "{exported:?}");
    let written = std::fs::read_to_string(&out).expect("a file");
    let line = written.lines().find(|line| line.starts_with(&gift)).expect("a line");
    assert!(line.contains(",贈主 一郎,") && line.contains("港区架空町") && line.ends_with(",03-0000-0001"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_count_wins_and_each_record_has_its_answer() {
    let world = ready("wh-stock", 1).await;
    let own = world.warehouse("dc");
    let now = Timestamp::now();
    let at = |minutes: i64| now.checked_add(SignedDuration::from_mins(minutes)).expect("a time");
    let count = |sku: &str, quantity: Value, minutes: i64| json!({ "sku": sku, "quantity": quantity, "counted_at": at(minutes) });
    let put = async |counts: Value| own.json("PUT", "/v1/stock", &json!({ "ship_from": "dc", "counts": counts })).await;

    let first = put(json!([
        count("SERUM-30", json!(120), -10),
        count("NOT-OURS", json!(1), -10),
        count("MASK-5", json!(-1), -10),
        count("SOAP-80", json!(5), 10),
        "what is this",
        count("MASK-5", json!(7), -10),
    ]))
    .await;
    assert_eq!(first.ids("accepted"), ["SERUM-30", "MASK-5"]);
    let reasons: Vec<Value> =
        first.json()["refused"].as_array().expect("refused").iter().map(|r| json!([r["index"], r["reason"]])).collect();
    assert_eq!(
        json!(reasons),
        json!([[1, "unknown-sku"], [2, "bad-quantity"], [3, "bad-counted-at"], [4, "malformed"]])
    );
    let older = put(json!([count("SERUM-30", json!(1), -20)])).await.json();
    assert_eq!(older, json!({ "accepted": [], "stale": ["SERUM-30"], "refused": [] }));
    let same = put(json!([count("SERUM-30", json!(120), -10)])).await;
    assert_eq!(same.ids("accepted"), ["SERUM-30"]);
    // Of several in one request the newest, wherever it stands.
    let several = put(json!([count("SERUM-30", json!(99), -1), count("SERUM-30", json!(3), -5)])).await;
    assert_eq!(several.ids("accepted"), ["SERUM-30"]);
    let mut kept = world.counts("dc").await;
    kept.sort();
    assert_eq!(kept, [("MASK-5".to_owned(), 7), ("SERUM-30".to_owned(), 99)]);
    let nowhere = own.json("PUT", "/v1/stock", &json!({ "ship_from": "moon", "counts": [] })).await;
    assert_eq!((nowhere.status, nowhere.problem().as_str()), (404, "no-such-ship-from"));
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
