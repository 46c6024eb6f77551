//! What the shop has otherwise since import: it is found, and made anew by a person's word.

use std::collections::BTreeSet;

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_e2e::browser::Browser;
use renkei_e2e::ways::Shop;
use renkei_e2e::{run, store};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use renkei_store::sync::Named;
use serde_json::{Value, json};

async fn change(shop: &Shop, id: u64, attributes: Value) {
    let attributes = attributes.as_object().expect("an object").clone();
    shop.simulator.change_order(shop.name, id, &attributes).await.expect("an edit");
}

fn shipment(shop: &Shop, id: u64) -> Value {
    shop.shipments().into_iter().find(|it| it["order_id"] == json!(id)).expect("a shipment")
}

fn history(shop: &Shop, id: u64) -> String {
    run(&["shipment", &format!("{}.{id}.1", shop.name), "--json"], None).out
}

/// Waits until an order's history says this.
async fn until_said(shop: &Shop, id: u64, what: &str) {
    let began = std::time::Instant::now();
    while !history(shop, id).contains(what) {
        assert!(began.elapsed().as_secs() < 120, "{what}: {}", history(shop, id));
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_at_the_shop_is_found_and_made_anew_or_seen() {
    let spec = ShopSpec { order_options: OrderOptions::plain(), ..ShopSpec::default() };
    let shop = Shop::new("made-anew", spec, |_| ()).await;
    let place = async |attributes: Value| shop.simulator.add_order(shop.name, attributes).await.expect("an order").id;
    let held = place(json!({ "payment_state": "authed", "shipping_addresses": [{ "zip01": "", "zip02": "" }] })).await;
    let moved = place(json!({ "payment_state": "authed" })).await;
    let left = place(json!({ "payment_state": "authed" })).await;
    shop.robot_does("fetch-orders");
    for who in ["viewer", "operator"] {
        let added =
            run(&["member", "add", &format!("{who}@renkei.example"), "--tenant", shop.name, "--role", who], None);
        assert_eq!(added.code, 0, "{added:?}");
    }
    assert_eq!(shipment(&shop, held)["hold_reason"], "bad-address");

    // Edited: the sync names them, and the list has them.
    change(&shop, moved, json!({ "shipping_addresses": [{ "addr01": "千代田区霞が関", "addr02": "2-1-1" }] })).await;
    change(&shop, left, json!({ "remark": "玄関に置いてください" })).await;
    let synced = shop.robot("status-sync");
    let line = synced.lines().remove(0);
    assert_eq!((synced.code, &line["counts"]["differences"]), (4, &json!(2)), "{synced:?}");
    for id in [moved, left] {
        let number = shipment(&shop, id)["order_number"].as_str().expect("a number").to_owned();
        assert!(line["notes"].to_string().contains(&number), "{number}: {line}");
    }
    let mut operator = Browser::signed_in("operator").await;
    let list = "/t/made-anew/shipments?connection=made-anew&needs=difference";
    let page = operator.get(list).await;
    let links = |page: &str, id: u64| page.contains(&format!("/shipment/made-anew.{id}.1\""));
    assert!(links(&page.text, moved) && links(&page.text, left) && !links(&page.text, held), "{}", page.text);

    // Seen: it stays as it is, and leaves the list.
    let address = |id: u64| format!("/t/made-anew/shipment/made-anew.{id}.1");
    let csrf = operator.get(&address(left)).await.csrf();
    // Somebody who has seen another page has not seen these.
    let seen = format!("{}/differences", address(left));
    let late = operator.post(&seen, &[("csrf", &csrf), ("answer", "seen"), ("of", "address ")]).await;
    assert_eq!(late.status, 409, "{late:?}");
    let shown = operator.get(&address(left)).await.hidden("of").pop().expect("what is shown");
    let said = operator.post(&seen, &[("csrf", &csrf), ("answer", "seen"), ("of", &shown)]).await;
    assert_eq!(said.status, 303, "{said:?}");
    let page = operator.get(list).await;
    assert!(links(&page.text, moved) && !links(&page.text, left), "{}", page.text);
    assert_eq!(shop.robot("status-sync").code, 0, "nobody is asked twice");

    // Made anew: the one that moved, and the one that was held for its address and is mended at the shop now.
    change(&shop, held, json!({ "shipping_addresses": [{ "zip01": "135", "zip02": "0064" }] })).await;
    for id in [moved, held] {
        let page = operator.get(&address(id)).await;
        assert!(page.text.contains("ショップの最新内容で作り直す"), "{}", page.text);
        let fields = [("csrf", csrf.as_str()), ("answer", "anew")];
        let asked = operator.post(&format!("{}/differences", address(id)), &fields).await;
        assert!(asked.location().ends_with("?done=differences.anew"), "{asked:?}");
        let said = operator.open(asked.location()).await;
        assert!(said.text.contains("それまでは保留にします"), "{}", said.text);
        until_said(&shop, id, "made anew: ready").await;
    }
    let now = shipment(&shop, moved);
    assert_eq!((&now["ship_to"]["address2"], &now["status"]), (&json!("2-1-1"), &json!("ready")), "{now}");
    let now = shipment(&shop, held);
    assert_eq!((&now["ship_to"]["postal_code"], &now["hold_reason"]), (&json!("135-0064"), &json!(null)), "{now}");
    assert!(history(&shop, held).contains("operator@renkei.example"), "who asked for it");
    assert!(!links(&operator.get(list).await.text, moved), "nothing is otherwise any more");
    assert_eq!(shop.robot("status-sync").code, 0, "and the next sync finds nothing");
    // From the command line likewise.
    change(&shop, left, json!({ "shipping_addresses": [{ "addr02": "3-2-1" }] })).await;
    let id = format!("{}.{left}.1", shop.name);
    let asked = run(&["anew", &id], None);
    assert!(asked.code == 0 && asked.out.contains(&format!("renkei shipment {id}")), "{asked:?}");
    until_said(&shop, left, "made anew: ready").await;
    assert_eq!(shipment(&shop, left)["ship_to"]["address2"], "3-2-1");
    let unknown = run(&["anew", &format!("{}.999999.1", shop.name)], None);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    // A second wish finds it done.
    let fields = [("csrf", csrf.as_str()), ("answer", "anew")];
    assert_eq!(operator.post(&format!("{}/differences", address(moved)), &fields).await.status, 303);
    let began = std::time::Instant::now();
    while shipment(&shop, moved)["status"] != "ready" {
        assert!(began.elapsed().as_secs() < 120, "until it is made anew it is on hold");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }

    // With the warehouse: not any more.
    shop.claim();
    let refused = operator.post(&format!("{}/differences", address(held)), &fields).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    let refused = run(&["anew", &id], None);
    assert!(refused.code == 1 && refused.err.contains("with the warehouse"), "{refused:?}");
    let mut viewer = Browser::signed_in("viewer").await;
    let page = viewer.get(&address(moved)).await;
    assert!(!page.text.contains("/differences\""), "{}", page.text);
    let csrf = page.csrf();
    let refused = viewer.post(&format!("{}/differences", address(moved)), &[("csrf", &csrf), ("answer", "seen")]).await;
    assert_eq!(refused.status, 403);
}

/// Its run failed for good, as with a password that was wrong at that moment, or died with its message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_that_nobody_looked_at_is_taken_up_by_the_next_sync() {
    let spec = ShopSpec { order_options: OrderOptions::plain(), ..ShopSpec::default() };
    let shop = Shop::new("wish-left", spec, |_| ()).await;
    let attributes = json!({ "payment_state": "authed" });
    let order = shop.simulator.add_order(shop.name, attributes).await.expect("an order").id;
    shop.robot_does("fetch-orders");
    let tenant = store().await.tenant(TenantId::parse(shop.name).expect("an id"));
    let connection = ConnectionId::parse(shop.name).expect("an id");
    let wish = BTreeSet::from([Named::Anew(order)]);
    tenant.note_hints(&connection, &wish, Some("hana@shop.example"), Timestamp::now()).await.expect("a note");
    shop.robot_does("status-sync");
    until_said(&shop, order, "made anew: nothing is otherwise").await;
    let began = std::time::Instant::now();
    while !tenant.hints(&connection, 9).await.expect("what is noted").is_empty() {
        assert!(began.elapsed().as_secs() < 60, "it is done, and still noted");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}
