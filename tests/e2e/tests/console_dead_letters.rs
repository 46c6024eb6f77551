//! Dead letters in the console: a merchant's own, looked at by all of its members, put back by those who may.

use renkei_e2e::browser::{Browser, Page};
use renkei_e2e::{World, aws, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

const QUEUES: [&str; 5] = ["fetch-orders", "import-orders", "push-statuses", "sync-payments", "sync-inventory"];

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

fn member(who: &str, tenant: &str) {
    let added = run(&["member", "add", &format!("{who}@renkei.example"), "--tenant", tenant, "--role", who], None);
    assert_eq!(added.code, 0, "{added:?}");
}

fn start(tenant: &str, connection: &str, action: &str) -> String {
    json!({ "v": 1, "tenant": tenant, "connection": connection, "robot": format!("{connection}/{action}"),
            "action": action, "cause": "schedule" })
    .to_string()
}

/// An order that could not be read: its import is that it goes to quarantine.
fn import(connection: &str, order: u64) -> String {
    json!({ "v": 1, "tenant": "letters", "connection": connection, "run": "by-hand", "place": { "page": 1, "row": 0 },
            "fetched_at": "2026-11-24T00:00:00Z",
            "order": { "unreadable": { "id": order, "number": null, "reason": "for the test" } } })
    .to_string()
}

/// What became of an order, by the command line.
fn outcome(connection: &str, order: u64) -> Option<String> {
    let orders = run(&["orders", "--json", "--connection", connection], None).lines();
    let found = orders.iter().find(|it| it["order_id"] == order)?;
    found["outcome"].as_str().map(str::to_owned)
}

/// Ids of the dead letters that a page shows.
fn shown(page: &Page) -> Vec<String> {
    page.hidden("message")
}

fn listed(tenant: &str) -> Vec<Value> {
    let all = run(&["dead-letters", "list", "--json"], None).lines();
    all.into_iter().filter(|letter| letter["tenant"] == tenant).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchants_dead_letters_are_seen_and_put_back_by_itself_only() {
    let ours = World::new("letters", plain(4), 10_000).await;
    let _theirs = World::new("others", plain(0), 10_000).await;
    for who in ["operator", "viewer", "admin"] {
        member(who, "letters");
    }
    member("admin", "others");

    // Really poisoned: its shop is not in the document, so the function fails at each delivery, and SQS gives it up.
    aws().set_visibility("import-orders", 1).await;
    aws().send("import-orders", &import("gone", 424_241), "letters/gone").await;
    ours.until("the message is given up", async || aws().messages("import-orders-dead-letters").await == 1).await;
    aws().set_visibility("import-orders", 360).await;
    // Others' and nobody's.
    aws().send("fetch-orders-dead-letters", &start("others", "others", "fetch-orders"), "others/others").await;
    aws().send("fetch-orders-dead-letters", r#"{"v":1,"tenant":"letters","connection":"髙橋 花子"}"#, "x").await;

    let mut viewer = Browser::signed_in("viewer").await;
    let page = viewer.get("/t/letters/dead-letters").await;
    assert_eq!(page.status, 200, "{page:?}");
    let letters = listed("letters");
    assert_eq!(letters.len(), 1, "{letters:?}");
    let id = letters[0]["message_id"].as_str().expect("an id").to_owned();
    assert!(page.text.contains(&id) && page.text.contains("424241"), "{}", page.text);
    assert!(page.text.contains("設定にショップ「gone」がありません"), "the reason: {}", page.text);
    assert!(!page.text.contains("others/fetch-orders") && !page.text.contains("花子"), "{}", page.text);
    assert!(shown(&page).is_empty() && !page.text.contains("dead-letters/replay"), "a viewer has no button");
    assert_eq!(page.text.matches("<tr>").count(), 2, "the heading and one row: {}", page.text);
    let runs = viewer.get("/t/letters/runs").await;
    assert!(runs.text.contains("/t/letters/dead-letters\""), "the way there");
    let refused = viewer.post("/t/letters/dead-letters/replay", &[("csrf", &runs.csrf()), ("message", &id)]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(viewer.get("/t/others/dead-letters").await.status, 404, "another merchant's");

    let mut operator = Browser::signed_in("operator").await;
    let page = operator.get("/t/letters/dead-letters").await;
    assert_eq!(shown(&page), [id.as_str()]);
    assert!(operator.get("/t/letters").await.text.contains("/t/letters/dead-letters\""), "the way there from today");
    own_are_counted(&mut operator, &mut viewer).await;
    for (csrf, message) in [("wrong", id.as_str()), ("", "")] {
        let refused = operator.post("/t/letters/dead-letters/replay", &[("csrf", csrf), ("message", message)]).await;
        assert_eq!(refused.status, 403, "not from our own page");
    }
    // Another merchant's, and one that does not exist: nothing is put back.
    let mut admin = Browser::signed_in("admin").await;
    others_put_nothing_back(&mut admin, &id).await;
    assert_eq!(listed("letters").len(), 1, "it is still there");

    // The shop comes back into the document, as the reason advises, and the message is put back twice in one moment.
    let applied = ours.apply_with(10_000, None, |document| {
        let mut shop = document["connections"][0].clone();
        shop["id"] = json!("gone");
        document["connections"].as_array_mut().expect("shops").push(shop);
    });
    assert_eq!(applied.code, 0, "{applied:?}");
    let csrf = page.csrf();
    let fields = [("csrf", csrf.as_str()), ("message", id.as_str())];
    let mut twin = Browser::new();
    twin.cookies = operator.cookies.clone();
    let (first, second) = tokio::join!(
        operator.post("/t/letters/dead-letters/replay", &fields),
        twin.post("/t/letters/dead-letters/replay", &fields)
    );
    let mut ends: Vec<&str> =
        [&first, &second].map(|page| page.location().rsplit('=').next().expect("a count")).to_vec();
    ends.sort_unstable();
    assert_eq!(ends, ["0", "1"], "{first:?} {second:?}");
    let third = operator.post("/t/letters/dead-letters/replay", &fields).await;
    assert!(third.location().ends_with("done=0"), "{third:?}");
    ours.until("it is worked on", async || outcome("gone", 424_241).as_deref() == Some("quarantined")).await;
    let done = operator.get("/t/letters/dead-letters?done=1").await;
    assert!(done.text.contains("1件をもう一度処理に回しました") && shown(&done).is_empty(), "{}", done.text);
    let audit = admin.get("/t/letters/audit").await;
    assert_eq!(audit.text.matches("<td>メッセージをもう一度処理</td>").count(), 1, "{}", audit.text);
    assert!(audit.text.contains(&format!("import-orders/{id}")), "{}", audit.text);

    // What is others' and nobody's is where it was.
    assert_eq!(listed("others").len(), 1);
    let nobodys = run(&["dead-letters", "list", "--json"], None).lines();
    let nobodys: Vec<_> = nobodys.iter().filter(|letter| letter["tenant"].is_null()).collect();
    assert_eq!(nobodys.len(), 1, "an operator on the command line sees it");

    // All of a merchant's at once, of every queue.
    for queue in QUEUES {
        let body = if queue == "import-orders" {
            import("letters", 424_242)
        } else {
            let action = match queue {
                "push-statuses" => "state-working",
                "sync-payments" => "status-sync",
                "sync-inventory" => "inventory",
                _ => queue,
            };
            start("letters", "letters", action)
        };
        aws().send(&format!("{queue}-dead-letters"), &body, "letters/letters").await;
    }
    let page = operator.get("/t/letters/dead-letters").await;
    assert_eq!(shown(&page).len(), 5, "{}", page.text);
    let all = operator.post("/t/letters/dead-letters/replay", &[("csrf", &page.csrf())]).await;
    assert!(all.location().ends_with("done=5"), "{all:?}");
    ours.until("all are worked on", async || {
        outcome("letters", 424_242).as_deref() == Some("quarantined") && listed("letters").is_empty()
    })
    .await;
    assert_eq!(listed("others").len(), 1);
    leads_from_a_shipment(&ours, &mut operator, &csrf).await;
}

/// At another merchant's place there is nothing of ours to put back.
async fn others_put_nothing_back(admin: &mut Browser, id: &str) {
    let page_of_others = admin.get("/t/others/dead-letters").await;
    assert_eq!(shown(&page_of_others).len(), 1, "their own: {}", page_of_others.text);
    for message in [id, "00000000-0000-0000-0000-000000000000"] {
        let fields = [("csrf", page_of_others.csrf()), ("message", message.to_owned())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let nothing = admin.post("/t/others/dead-letters/replay", &fields).await;
        assert!(nothing.location().ends_with("/dead-letters?done=0"), "{nothing:?}");
    }
}

/// What today's page shows of them: their own, of three, and only to those who may put them back.
async fn own_are_counted(operator: &mut Browser, viewer: &mut Browser) {
    assert_eq!(viewer.get("/t/letters/dead-letters/count").await.status, 403);
    let counted = operator.get("/t/letters/dead-letters/count").await;
    assert_eq!((counted.status, counted.text.as_str()), (200, "自社のもの: 1件"));
}

/// From a shipment's page to the dead letters of its order, if any wait: of its own, not of another's.
async fn leads_from_a_shipment(ours: &World, operator: &mut Browser, csrf: &str) {
    let counted = operator.get("/t/letters/dead-letters/count").await;
    assert_eq!(counted.text, "自社のものはありません", "others' are none of theirs");
    let _whatever_else_it_finds = ours.run("fetch-orders");
    let shipments = ours.list("shipments");
    let of = |shipment: &Value| format!("/t/letters/shipment/{}", shipment["id"].as_str().expect("an id"));
    let page = operator.get(&of(&shipments[0])).await;
    assert!(page.status == 200 && !page.text.contains("/dead-letters?"), "none waits: {}", page.text);
    let order = shipments[0]["order_id"].as_u64().expect("an id");
    aws().send("import-orders-dead-letters", &import("letters", order), "letters/letters").await;
    for (shipment, wanted) in [(&shipments[0], 1), (&shipments[1], 0)] {
        let page = operator.get(&of(shipment)).await;
        let link = page.text.split("<a href=\"").find(|link| link.contains("/dead-letters?connection="));
        let link = link.and_then(|link| link.split('"').next()).expect("the way there");
        let letters = operator.get(&link.replace("&amp;", "&").replace("&#38;", "&")).await;
        assert_eq!((letters.status, shown(&letters).len()), (200, wanted), "{link}: {}", letters.text);
        assert!(letters.text.contains("この受注のものだけ"), "{}", letters.text);
    }
    let again = operator.post("/t/letters/dead-letters/replay", &[("csrf", csrf)]).await;
    assert!(again.location().ends_with("done=1"), "{again:?}");
    ours.until("the order is imported, once", async || aws().messages("import-orders-dead-letters").await == 0).await;
}
