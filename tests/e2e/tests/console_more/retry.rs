//! Once more, in the console: an order that was not imported, and what a shop refused to be told of a shipment.

use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_e2e::browser::Browser;
use renkei_e2e::ways::Shop;
use renkei_e2e::{aws, run, store};
use renkei_simulator::api::{FaultRule, OrderOptions, ShopSpec};
use renkei_store::orders::NotImported;
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), ..ShopSpec::default() }
}

fn members(tenant: &str) {
    for who in ["viewer", "operator", "admin"] {
        let added = run(&["member", "add", &format!("{who}@renkei.example"), "--tenant", tenant, "--role", who], None);
        assert_eq!(added.code, 0, "{added:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_not_imported_is_tried_again_on_its_page() {
    let shop = Shop::new("again", plain(1), |_| ()).await;
    let _theirs = Shop::new("again-theirs", plain(0), |_| ()).await;
    let odd = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "NOT-OURS", "quantity": 1 }] });
    shop.simulator.add_order(shop.name, odd).await.expect("an order");
    assert_eq!(shop.robot("fetch-orders").code, 4, "one needs a person");
    members("again");
    let waiting = || -> Vec<Value> {
        let orders = run(&["orders", "--json", "--connection", "again"], None).lines();
        orders.into_iter().filter(|order| order["outcome"] == "quarantined").collect()
    };
    let id = waiting()[0]["order_id"].as_u64().expect("an id");
    let address = format!("/t/again/order/again/{id}");

    let mut viewer = Browser::signed_in("viewer").await;
    let list = viewer.get("/t/again/orders").await;
    assert!(list.text.contains(&format!("{address}\"")), "the list leads to it: {}", list.text);
    let page = viewer.get(&address).await;
    assert!(page.status == 200 && page.text.contains("NOT-OURS"), "{page:?}");
    assert!(page.text.contains("ショップから受け取った注文") && !page.text.contains("/retry\""), "{}", page.text);
    let refused = viewer.post(&format!("{address}/retry"), &[("csrf", &list.csrf())]).await;
    assert_eq!(refused.status, 403);
    for wrong in ["/t/again/order/again/1", "/t/again/order/again-theirs/1", "/t/again/order/again/x"] {
        let page = viewer.get(wrong).await;
        assert!(matches!(page.status, 404 | 400), "{wrong}: {page:?}");
    }
    let theirs = viewer.get(&format!("/t/again-theirs/order/again/{id}")).await;
    assert_eq!(theirs.status, 404, "another merchant's");

    let mut operator = Browser::signed_in("operator").await;
    let csrf = operator.get(&address).await.csrf();
    assert_eq!(operator.post(&format!("{address}/retry"), &[("csrf", "x")]).await.status, 403);
    // Without the product it comes back to where it was.
    let tried = operator.post(&format!("{address}/retry"), &[("csrf", &csrf)]).await;
    assert!(tried.status == 303 && tried.location().ends_with("?done=1&next=0"), "{tried:?}");
    let said = operator.open(tried.location()).await;
    assert!(said.text.contains("もう一度受け付けました"), "{}", said.text);
    assert_eq!(waiting().len(), 1);

    // The product comes beside all that lets waiting orders go, so that nothing but the retry imports the order.
    let all = aws().everything().await;
    let is_known = |item: &Value| item["pk"]["S"] == "P#again" && item["sk"]["S"] == "SERUM-30";
    let (table, known) = all.into_iter().find(|(_, item)| is_known(item)).expect("a product");
    let new: Value = serde_json::from_str(&known.to_string().replace("SERUM-30", "NOT-OURS")).expect("JSON");
    aws().call("dynamodb", "DynamoDB_20120810.PutItem", json!({ "TableName": table, "Item": new })).await;
    assert_eq!(waiting().len(), 1, "by itself it stays where it is");
    let retry = format!("{address}/retry");
    let fields = [("csrf", csrf.as_str())];
    let mut twin = Browser::new();
    twin.cookies = operator.cookies.clone();
    let (first, second) = tokio::join!(operator.post(&retry, &fields), twin.post(&retry, &fields));
    assert!(first.status == 303 && second.status == 303, "{first:?} {second:?}");
    let began = std::time::Instant::now();
    while !waiting().is_empty() {
        assert!(began.elapsed().as_secs() < 120, "it is imported");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    let of_it = shop.shipments().into_iter().filter(|it| it["order_id"] == id).count();
    assert_eq!(of_it, 1, "once");
    let imported = operator.get(&address).await;
    assert!(imported.location().ends_with(&format!("/shipment/again.{id}.1")), "{imported:?}");
    let late = operator.post(&retry, &fields).await;
    assert!(late.status == 303 && late.location().ends_with(&address), "nothing is left to try: {late:?}");

    let mut admin = Browser::signed_in("admin").await;
    let audit = admin.get("/t/again/audit").await;
    assert!(audit.text.contains("<td>再取込</td>") && audit.text.contains(&format!("again.{id}")), "{}", audit.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_that_an_order_waits_for_is_registered_on_its_page() {
    let shop = Shop::new("registered", plain(0), |_| ()).await;
    let odd = json!({ "payment_state": "authed",
                      "order_items": [{ "variant_sku": "NEW-1", "product_name": "新しい石けん", "quantity": 1 }] });
    let id = shop.simulator.add_order(shop.name, odd).await.expect("an order").id;
    assert_eq!(shop.robot("fetch-orders").code, 4, "it waits for its product");
    members("registered");
    let address = format!("/t/registered/order/registered/{id}");
    let mut operator = Browser::signed_in("operator").await;
    let page = operator.get(&address).await;
    assert!(page.text.contains("NEW-1") && !page.text.contains("/product\""), "{}", page.text);
    let fields = |csrf: &str, sku: &str, name: &str| {
        [("csrf", csrf), ("sku", sku), ("name", name)].map(|(key, value)| (key.to_owned(), value.to_owned()))
    };
    let post = async |browser: &mut Browser, fields: [(String, String); 3]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        browser.post(&format!("{address}/product"), &fields).await
    };
    let refused = post(&mut operator, fields(&page.csrf(), "NEW-1", "石けん")).await;
    assert_eq!(refused.status, 403);

    let mut admin = Browser::signed_in("admin").await;
    let page = admin.get(&address).await;
    assert!(page.text.contains("/product\""), "{}", page.text);
    let csrf = page.csrf();
    // Another product than it waits for, and no name.
    assert_eq!(post(&mut admin, fields(&csrf, "OTHER-1", "石けん")).await.status, 404);
    assert_eq!(post(&mut admin, fields(&csrf, "NEW-1", " ")).await.status, 400);
    let done = post(&mut admin, fields(&csrf, "NEW-1", "新しい石けん")).await;
    assert!(done.status == 303 && done.location().ends_with("?done=1&next=0"), "{done:?}");
    let began = std::time::Instant::now();
    while shop.shipments().is_empty() {
        assert!(began.elapsed().as_secs() < 120, "it is imported");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    let listed = run(&["products", "list", "--tenant", "registered", "--json"], None).lines();
    let new = listed.iter().find(|product| product["sku"] == "NEW-1").expect("the product");
    assert_eq!(new["name"], "新しい石けん");
    // Sent again, it says where the order is by now.
    assert_eq!(post(&mut admin, fields(&csrf, "NEW-1", "新しい石けん")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_shop_refused_is_told_again_from_the_shipments_page() {
    let shop = Shop::new("told-again", plain(4), |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.robot_does("state-working");
    shop.ship_all();
    let rule =
        json!([{ "kind": "partial_failure", "endpoint": "shipping", "percent": 100, "code": "AOR2001", "times": 1 }]);
    let rules: Vec<FaultRule> = serde_json::from_value(rule).expect("a fault");
    shop.simulator.set_faults(shop.name, &rules).await.expect("faults");
    assert_eq!(shop.robot("state-shipped").code, 4, "needs a person");
    shop.simulator.clear_faults(shop.name).await.expect("healed");
    members("told-again");
    let refused: Vec<Value> = shop.shipments().into_iter().filter(|it| it["shop_sync"] == "failed").collect();
    assert_eq!(refused.len(), 4, "{refused:?}");
    let id = refused[0]["id"].as_str().expect("an id");
    let address = format!("/t/told-again/shipment/{id}");

    let mut viewer = Browser::signed_in("viewer").await;
    let page = viewer.get(&address).await;
    assert!(page.text.contains("AOR2001") && !page.text.contains("/retry\""), "{}", page.text);
    let no = viewer.post(&format!("{address}/retry"), &[("csrf", &page.csrf())]).await;
    assert_eq!(no.status, 403);

    let mut operator = Browser::signed_in("operator").await;
    let page = operator.get(&address).await;
    assert!(page.text.contains("/retry\""), "{}", page.text);
    let csrf = page.csrf();
    assert_eq!(operator.post(&format!("{address}/retry"), &[("csrf", "")]).await.status, 403);
    let nobodys = operator.post("/t/told-again/shipment/told-again.1.1/retry", &[("csrf", &csrf)]).await;
    assert_eq!(nobodys.status, 404);
    let first = operator.post(&format!("{address}/retry"), &[("csrf", &csrf)]).await;
    let second = operator.post(&format!("{address}/retry"), &[("csrf", &csrf)]).await;
    assert!(first.location().ends_with("?done=retry.1") && second.location().ends_with("?done=retry.0"), "{second:?}");
    let said = operator.open(first.location()).await;
    assert!(said.text.contains("次の実行でショップに通知します") && !said.text.contains("/retry\""), "{}", said.text);

    shop.robot_does("state-shipped");
    let now = shop.shipments();
    for shipment in &refused {
        let now = now.iter().find(|it| it["id"] == shipment["id"]).expect("the shipment");
        let wanted = if shipment["id"] == id { "completed" } else { "failed" };
        assert_eq!(now["shop_sync"], wanted, "only what was asked for is told again: {now}");
    }
    let mut admin = Browser::signed_in("admin").await;
    let audit = admin.get("/t/told-again/audit").await;
    assert_eq!(audit.text.matches("<td>ショップへ再通知</td>").count(), 1, "{}", audit.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_seen_to_at_the_shop_is_taken_off_the_list() {
    let shop = Shop::new("off-list", plain(0), |_| ()).await;
    members("off-list");
    let odd = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "NOT-OURS", "quantity": 1 }] });
    let id = shop.simulator.add_order(shop.name, odd).await.expect("an order").id;
    assert_eq!(shop.robot("fetch-orders").code, 4, "it needs a person");
    let waiting = || -> Vec<Value> {
        let orders = run(&["orders", "--json", "--connection", "off-list"], None).lines();
        orders.into_iter().map(|order| order["order_id"].clone()).collect()
    };
    assert_eq!(waiting(), [json!(id)]);

    let address = format!("/t/off-list/order/off-list/{id}");
    let mut viewer = Browser::signed_in("viewer").await;
    let page = viewer.get(&address).await;
    assert!(page.status == 200 && !page.text.contains("/dismiss"), "{}", page.text);
    let (csrf, dismiss, order) = (page.csrf(), "/t/off-list/orders/dismiss", id.to_string());
    let fields = |csrf| [("csrf", csrf), ("connection", "off-list"), ("order", order.as_str())];
    assert_eq!(viewer.post(dismiss, &fields(&csrf)).await.status, 403);

    // While the shop has it where it is fetched from, it comes back: nothing is lost by a slip.
    let mut operator = Browser::signed_in("operator").await;
    let page = operator.get(&address).await;
    assert!(page.text.contains("一覧から外す"), "{}", page.text);
    let csrf = page.csrf();
    for (turn, said) in [(1, "1件を一覧から外しました"), (2, "すでに一覧から外れています")] {
        let done = operator.post(dismiss, &fields(&csrf)).await;
        assert_eq!(done.status, 303, "{done:?}");
        let list = operator.open(done.location()).await;
        assert!(list.text.contains(said) && waiting().is_empty(), "{turn}: {}", list.text);
    }
    assert_eq!(shop.robot("fetch-orders").code, 4, "it needs a person again");
    assert_eq!(waiting(), [json!(id)]);

    // Seen to there, it does not.
    let shipped = json!({ "state": "shipped" });
    shop.simulator.change_order(shop.name, id, shipped.as_object().expect("an object")).await.expect("an edit");
    let by_id = ["dismiss", "--connection", "off-list", "--order", &order];
    assert_eq!(run(&by_id, None).code, 0);
    shop.robot_does("fetch-orders");
    assert!(waiting().is_empty());
    let again = run(&by_id, None);
    assert!(again.code == 1 && again.err.contains("not among those"), "{again:?}");

    // Rows of which not even an id could be read have no page of their own.
    let tenant = store().await.tenant(TenantId::parse(shop.name).expect("an id"));
    let connection = ConnectionId::parse(shop.name).expect("an id");
    let rows: Vec<NotImported> = (0..3).map(|row| without_id(shop.name, row)).collect();
    for turn in ["page", "command"] {
        tenant.keep_not_imported(&connection, &rows).await.expect("kept");
        assert_eq!(waiting(), [Value::Null, Value::Null, Value::Null]);
        if turn == "page" {
            let list = operator.get("/t/off-list/orders").await;
            assert!(list.text.contains("受注IDを読み取れない行をすべて一覧から外す"), "{}", list.text);
            let all = [("csrf", csrf.as_str()), ("connection", "off-list")];
            let done = operator.post(dismiss, &all).await;
            assert!(done.location().ends_with("&dismissed=3"), "{done:?}");
        } else {
            let done = run(&["dismiss", "--connection", "off-list", "--without-id"], None);
            assert!(done.code == 0 && done.out.starts_with("3 are off the list"), "{done:?}");
        }
        assert!(waiting().is_empty());
    }

    let mut admin = Browser::signed_in("admin").await;
    let audit = admin.get("/t/off-list/audit").await;
    assert!(audit.text.contains("<td>未取込の一覧から除外</td>") && audit.text.contains(&order), "{}", audit.text);
}

/// A row that nobody can read, as fetch-orders gives it to import.
fn without_id(shop: &str, row: u16) -> NotImported {
    let message = json!({
        "v": 1, "tenant": shop, "connection": shop, "run": "01OFF", "place": { "page": 1, "row": row },
        "fetched_at": "2026-11-24T01:00:00Z",
        "order": { "unreadable": { "id": null, "number": null, "reason": "it has no id" } }
    });
    let summary = json!({
        "order_id": null, "order_number": null, "outcome": "quarantined", "reason": "it has no id",
        "at": "2026-11-24T01:00:00Z", "run": "01OFF"
    });
    NotImported {
        summary: serde_json::from_value(summary).expect("a summary"),
        message: serde_json::from_value(message).expect("a message"),
    }
}
