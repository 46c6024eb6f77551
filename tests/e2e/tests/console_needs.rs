//! What needs a person, on the console's first page: with its count, one click from its list; and what that page costs,
//! however many shops there are.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::{ShipmentId, TenantId};
use renkei_domain::shipment::{CancellationState, ShopSync, Status};
use renkei_e2e::browser::{Browser, Page, nobody_was_seen_lately};
use renkei_e2e::ways::Shop;
use renkei_e2e::{run, store};
use renkei_simulator::api::{FaultRule, OrderOptions, ShopSpec};
use renkei_store::Tenant;
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), ..ShopSpec::default() }
}

fn operator(tenant: &str) {
    let added = run(&["member", "add", "operator@renkei.example", "--tenant", tenant, "--role", "operator"], None);
    assert_eq!(added.code, 0, "{added:?}");
}

/// The entries under "what needs a person": where each leads, and what it says.
fn entries(page: &Page) -> BTreeMap<String, String> {
    let part = page.text.split("対応が必要なもの</h2>").nth(1).expect("its part");
    let part = part.split("<div class=\"cols\">").next().unwrap_or_default();
    let links = part.split("<a href=\"").skip(1).filter_map(|link| {
        let (to, rest) = link.split_once("\">")?;
        let to = to.split("/shipments?").nth(1)?.replace("&amp;", "&").replace("&#38;", "&");
        Some((to, rest.split("</a>").next()?.to_owned()))
    });
    links.collect()
}

/// Ids of the shipments on a list.
fn on(page: &Page) -> Vec<String> {
    let ids = page.text.split("type=\"checkbox\" name=\"id\" value=\"").skip(1);
    ids.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

fn requests(page: &Page) -> u64 {
    let said = page.headers.get("server-timing").expect("each page says what it cost");
    said.split(|c: char| !c.is_ascii_digit()).find_map(|number| number.parse().ok()).expect("a number")
}

async fn tenant(name: &str) -> Tenant {
    store().await.tenant(TenantId::parse(name).expect("an id"))
}

/// A number that no other parcel has.
fn tracking(id: &str) -> String {
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    format!("{digits:0>12}")
}

fn with(shop: &Shop, status: &str) -> Vec<String> {
    let all = shop.shipments().into_iter().filter(|it| it["status"] == status);
    all.map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_need_has_its_count_and_its_list() {
    let name = "needs";
    let shop = Shop::new(name, plain(6), |_| ()).await;
    let odd = json!({ "payment_state": "brand_new_state" });
    shop.simulator.add_order(name, odd).await.expect("an order");
    let _one_waits = shop.robot("fetch-orders");
    shop.robot_does("state-working");
    operator(name);
    let mut browser = Browser::signed_in("operator").await;
    let kinds = ["cancellation", "writeback", "payment"].map(|need| format!("connection={name}&needs={need}"));
    let [cancellations, refusals, payments] = &kinds;

    // An unknown payment state, known with the import.
    let found = entries(&browser.get(&format!("/t/{name}")).await);
    assert!(found[payments].ends_with("決済状況の意味が未設定 1"), "{found:?}");
    assert!(!found.contains_key(cancellations) && !found.contains_key(refusals), "{found:?}");
    let list = browser.get(&format!("/t/{name}/shipments?{payments}")).await;
    assert_eq!(on(&list).len(), 1);
    assert!(list.text.contains("brand_new_state") && list.text.contains("決済状況の対応表"), "{}", list.text);

    // Refusals: all that left but one, which is told.
    shop.claim();
    let picking = with(&shop, "picking");
    assert_eq!(picking.len(), 6);
    let results: Vec<(String, String)> = picking[..3].iter().map(|id| (id.clone(), tracking(id))).collect();
    shop.results(&results);
    let rule =
        json!([{ "kind": "partial_failure", "endpoint": "shipping", "percent": 100, "code": "AOR2001", "times": 1 }]);
    let rules: Vec<FaultRule> = serde_json::from_value(rule).expect("a fault");
    shop.simulator.set_faults(name, &rules).await.expect("faults");
    assert_eq!(shop.robot("state-shipped").code, 4, "needs a person");
    shop.simulator.clear_faults(name).await.expect("healed");
    let found = entries(&browser.get(&format!("/t/{name}")).await);
    assert!(found[refusals].ends_with("ショップへの書き戻しエラー 3"), "{found:?}");
    let list = browser.get(&format!("/t/{name}/shipments?{refusals}")).await;
    let mut listed = on(&list);
    listed.sort();
    let mut expected = picking[..3].to_vec();
    expected.sort();
    assert_eq!(listed, expected);
    assert!(list.text.contains("AOR2001"), "{}", list.text);

    // Cancellations: one that was just asked for is nobody's business yet, one that is a day old is, and so is a refusal.
    let cancelled = json!({ "state": "canceled" });
    for id in &picking[3..] {
        let order = id.split('.').nth(1).and_then(|order| order.parse().ok()).expect("an order's id");
        let cancelled = cancelled.as_object().expect("attributes");
        shop.simulator.change_order(name, order, cancelled).await.expect("cancelled");
    }
    let _asks = shop.robot("status-sync");
    let ours = tenant(name).await;
    let ids: Vec<ShipmentId> = picking[3..].iter().map(|id| id.parse().expect("an id")).collect();
    let found = entries(&browser.get(&format!("/t/{name}")).await);
    assert!(!found.contains_key(cancellations), "asked for a moment ago: {found:?}");
    // But a warehouse without the API hears of them by telephone.
    let asked = format!("connection={name}&needs=asked");
    assert!(found[&asked].ends_with("キャンセル依頼の回答待ち 3"), "{found:?}");
    let list = browser.get(&format!("/t/{name}/shipments?{asked}")).await;
    assert!(on(&list).len() == 3 && list.text.contains("電話などで連絡"), "{}", list.text);
    let long_ago = Timestamp::now() - SignedDuration::from_hours(25);
    let change = async |id: &ShipmentId, state: CancellationState, at: Timestamp| {
        let changed = ours.change(id, |shipment| {
            let asked = shipment.cancellation.as_mut().expect("the warehouse was asked");
            (asked.state, asked.requested_at) = (state, at);
            true
        });
        changed.await.expect("changed").expect("the shipment");
    };
    change(&ids[0], CancellationState::Requested, long_ago).await;
    change(&ids[1], CancellationState::Refused, Timestamp::now()).await;
    let found = entries(&browser.get(&format!("/t/{name}")).await);
    assert!(found[cancellations].ends_with("キャンセルの対応待ち 2"), "{found:?}");
    assert!(found[&asked].ends_with("キャンセル依頼の回答待ち 1"), "{found:?}");
    let list = browser.get(&format!("/t/{name}/shipments?{cancellations}")).await;
    let mut listed = on(&list);
    listed.sort();
    let mut expected = picking[3..5].to_vec();
    expected.sort();
    assert_eq!(listed, expected);
    assert!(requests(&list) <= 12, "{}", requests(&list));
    // Each tab says its count, wherever one is.
    for (need, count) in [("cancellation", 2), ("asked", 1), ("writeback", 3), ("payment", 1)] {
        let tab = list.text.split(&format!("needs={need}\"")).nth(1).and_then(|rest| rest.split("</a>").next());
        assert!(tab.is_some_and(|tab| tab.contains(&format!(">{count}<"))), "{need}: {tab:?}");
    }

    // The tab beside the statuses leads to the most urgent there is.
    let by_status = browser.get(&format!("/t/{name}/shipments?connection={name}")).await;
    assert!(by_status.text.contains("needs=any\""), "{}", by_status.text);
    let any = browser.get(&format!("/t/{name}/shipments?connection={name}&needs=any")).await;
    assert_eq!(on(&any), on(&list));

    // What is seen to is gone from the list.
    let told = run(&["retry", "--refused", "--connection", name], None);
    assert!(told.code == 0 && told.out.contains("3 shipments"), "{told:?}");
    let csrf = list.csrf();
    let address = format!("/t/{name}/shipment/{}/cancellation", ids[1]);
    let answered = browser.post(&address, &[("csrf", &csrf), ("answer", "close")]).await;
    assert_eq!(answered.status, 303, "{answered:?}");
    // The merchant says what the state means.
    shop.apply(|document| document["connections"][0]["payment_states"] = json!({ "paid": ["brand_new_state"] }));
    let found = entries(&browser.get(&format!("/t/{name}")).await);
    assert!(!found.contains_key(refusals) && !found.contains_key(payments), "{found:?}");
    assert!(found[cancellations].ends_with("キャンセルの対応待ち 1"), "{found:?}");
    for wrong in ["needs=lost", "needs=payment&after=x", "needs=payment&connection=nobodys"] {
        assert_eq!(browser.get(&format!("/t/{name}/shipments?{wrong}")).await.status, 404, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_of_needs_is_gone_through_page_by_page() {
    let name = "needs-many";
    let shop = Shop::new(name, plain(120), |_| ()).await;
    assert_eq!(shop.robot("fetch-orders").code, 0);
    operator(name);
    let ours = tenant(name).await;
    let all: Vec<ShipmentId> = with(&shop, "ready").iter().map(|id| id.parse().expect("an id")).collect();
    assert_eq!(all.len(), 120);
    let shipments = ours.shipments(&all).await.expect("shipments");
    // In one go, as robots write.
    ours.change_all(&shipments, |shipment| {
        shipment.shop_sync = ShopSync::Failed;
        true
    })
    .await
    .expect("changed");
    let mut browser = Browser::signed_in("operator").await;
    let found = entries(&browser.get(&format!("/t/{name}")).await);
    assert!(found[&format!("connection={name}&needs=writeback")].ends_with(" 120"), "{found:?}");
    let (mut ids, mut pages) = (Vec::new(), 0);
    let mut address = format!("/t/{name}/shipments?connection={name}&needs=writeback");
    loop {
        let page = browser.get(&address).await;
        assert!(page.status == 200 && requests(&page) <= 12, "{}", page.status);
        ids.extend(on(&page));
        pages += 1;
        let Some(next) = page.text.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next()) else {
            break;
        };
        address = next.replace("&amp;", "&").replace("&#38;", "&");
    }
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), pages), (120, 3));
    // And back, in one go as well.
    let shipments = ours.shipments(&all).await.expect("shipments");
    ours.change_all(&shipments, |shipment| shipment.replay(Timestamp::now(), "the test")).await.expect("changed");
    let found = entries(&browser.get(&format!("/t/{name}")).await);
    assert!(!found.keys().any(|to| to.contains("needs=")), "{found:?}");
}

/// Ids of a list's shipments, page by page, and how many pages it has.
async fn paged(browser: &mut Browser, address: &str) -> (Vec<String>, usize) {
    let (mut ids, mut pages, mut address) = (Vec::new(), 0, address.to_owned());
    loop {
        nobody_was_seen_lately().await;
        let page = browser.get(&address).await;
        assert!(page.status == 200 && requests(&page) <= 12, "{}: {} requests", page.status, requests(&page));
        ids.extend(on(&page));
        pages += 1;
        let Some(next) = page.text.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next()) else {
            return (ids, pages);
        };
        address = next.replace("&amp;", "&").replace("&#38;", "&");
    }
}

/// The moment at which the day began in Japan.
fn midnight() -> Timestamp {
    const DAY: i64 = 86_400;
    let in_japan = Timestamp::now().as_second() + 9 * 3_600;
    Timestamp::from_second(in_japan - in_japan.rem_euclid(DAY) - 9 * 3_600).expect("a time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_today_is_a_list_as_long_as_its_number() {
    let name = "taken";
    let theirs = Shop::new("taken-theirs", plain(3), |_| ()).await;
    assert_eq!(theirs.robot("fetch-orders").code, 0);
    let shop = Shop::new(name, plain(150), |_| ()).await;
    assert_eq!(shop.robot("fetch-orders").code, 0);
    operator(name);
    let ours = tenant(name).await;
    let all: Vec<ShipmentId> = with(&shop, "ready").iter().map(|id| id.parse().expect("an id")).collect();
    assert_eq!(all.len(), 150);
    let midnight = midnight();
    let before = midnight - SignedDuration::from_millis(1);
    // How many, in which status, imported when: the first 120 at one time, and some to the millisecond.
    let groups = [
        (60, Status::Ready, midnight),
        (30, Status::Hold, midnight),
        (20, Status::Picking, midnight),
        (10, Status::Cancelled, midnight),
        (6, Status::Ready, before),
        (4, Status::Cancelled, midnight - SignedDuration::from_hours(20)),
        (5, Status::Hold, midnight + SignedDuration::from_millis(1)),
    ];
    let mut from = 0;
    for (count, status, at) in groups {
        let shipments = ours.shipments(&all[from..from + count]).await.expect("shipments");
        ours.change_all(&shipments, |shipment| {
            (shipment.status, shipment.imported_at) = (status, at);
            true
        })
        .await
        .expect("changed");
        from += count;
    }
    // What has left is another list, whenever it was imported.
    let out = ours.shipments(&all[from..from + 7]).await.expect("shipments");
    ours.change_all(&out, |shipment| {
        (shipment.status, shipment.imported_at, shipment.result_at) = (Status::Shipped, before, Some(midnight));
        true
    })
    .await
    .expect("changed");
    let gone = ours.shipments(&all[from + 7..from + 9]).await.expect("shipments");
    ours.change_all(&gone, |shipment| {
        (shipment.status, shipment.result_at) = (Status::Shipped, Some(before));
        true
    })
    .await
    .expect("changed");

    let mut browser = Browser::signed_in("operator").await;
    let today = browser.get(&format!("/t/{name}")).await;
    let counts = row(&today, name);
    // 150 but 10 of yesterday and 9 that are out.
    assert_eq!((counts[0].as_str(), counts[5].as_str()), ("131", "7"), "{counts:?}");
    for link in ["shipments?connection=taken&amp;taken=today\"", "charts?connection=taken\"", "&amp;shipped=today\""] {
        assert!(today.text.contains(link), "{link}");
    }
    let (listed, pages) = paged(&mut browser, &format!("/t/{name}/shipments?connection={name}&taken=today")).await;
    let mut wanted: Vec<String> =
        all[..120].iter().chain(&all[130..135]).chain(&all[144..]).map(ToString::to_string).collect();
    assert_eq!((listed.len(), pages), (131, 3));
    // The newest first: those that were not touched, then the five, then all of the same time.
    let behind = listed[6..11].iter().collect::<std::collections::BTreeSet<_>>();
    assert!(all[130..135].iter().all(|id| behind.contains(&id.to_string())), "{listed:?}");
    let mut sorted = listed;
    sorted.sort();
    wanted.sort();
    assert_eq!(sorted, wanted, "each of them, once, and no other");
    let (shipped, _) = paged(&mut browser, &format!("/t/{name}/shipments?connection={name}&shipped=today")).await;
    assert_eq!(shipped.len(), 7);

    // A list as the others: worked from, and come back to.
    let list = browser.get(&format!("/t/{name}/shipments?connection={name}&taken=today")).await;
    let back = list.hidden("back");
    assert_eq!(back.len(), 1);
    assert!(back[0].contains("taken=today"), "{back:?}");
    let csrf = list.csrf();
    let of_ready = all[0].to_string();
    let fields = [("csrf", csrf.as_str()), ("action", "hold"), ("reason", "remark"), ("id", of_ready.as_str())];
    assert_eq!(browser.post(&format!("/t/{name}/shipments/change"), &fields).await.status, 303);
    let (again, _) = paged(&mut browser, &format!("/t/{name}/shipments?taken=today")).await;
    assert_eq!(again.len(), 131, "one that moves stays on the list");
    for wrong in ["taken=yesterday", "shipped=x", "taken=today&after=x", "taken=today&connection=taken-theirs"] {
        assert_eq!(browser.get(&format!("/t/{name}/shipments?{wrong}")).await.status, 404, "{wrong}");
    }
}

/// A shop's counts in the table of the day.
fn row(page: &Page, shop: &str) -> Vec<String> {
    let row = page.text.split(&format!("connection={shop}\">{shop}</a></th>")).nth(1).expect("its row");
    let row = row.split("</tr>").next().unwrap_or_default();
    let cells = row.split("<td").skip(1).map(|cell| {
        let text = cell.split_once('>').map_or("", |(_, text)| text);
        let text = text.split("</td>").next().unwrap_or_default();
        text.rsplit_once("</a>").map_or(text, |(text, _)| text.rsplit('>').next().unwrap_or_default()).to_owned()
    });
    cells.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_days_page_asks_no_more_with_several_shops_and_counts_them_all() {
    let name = "three-shops";
    let spec = |name: &str| ShopSpec { name: name.into(), password: renkei_e2e::PASSWORD.into(), ..plain(0) };
    let shop = Shop::new(name, plain(7), |_| ()).await;
    let mut urls = Vec::new();
    for other in ["three-second", "three-third"] {
        let spec = ShopSpec { email: "renkei@service.example".into(), daily_call_limit: 100_000, ..spec(other) };
        urls.push((other, shop.simulator.add_shop(&spec).await.expect("a shop").url));
    }
    let orders = OrderOptions::plain();
    shop.simulator.generate_orders("three-second", 4, orders).await.expect("orders");
    shop.apply(|document| {
        let first = document["connections"][0].clone();
        let setup = document["integration_robots"]["easy_setup"].clone();
        let mut setups = vec![setup.clone()];
        for (other, url) in &urls {
            let mut connection: Value = first.clone();
            (connection["id"], connection["api_url"]) = (json!(other), json!(url));
            document["connections"].as_array_mut().expect("connections").push(connection);
            document["shipping_methods"][0]["carrier_ids"][*other] = json!(1);
            let mut setup = setup.clone();
            setup["connection"] = json!(other);
            setups.push(setup);
        }
        document["integration_robots"]["easy_setup"] = json!(setups);
    });
    assert_eq!(shop.robot("fetch-orders").code, 0);
    let second = run(&["run", "three-second/fetch-orders", "--wait", "--timeout", "300", "--json"], None);
    assert_eq!(second.code, 0, "{second:?}");
    operator(name);
    let mut browser = Browser::signed_in("operator").await;
    let address = format!("/t/{name}");
    // The day's first visit reckons what is usual.
    let first = browser.get(&address).await;
    assert!(first.text.contains('…') && first.text.contains("load delay:1s"), "not all is counted yet: {}", first.text);
    let mut visits = 1;
    let page = loop {
        nobody_was_seen_lately().await;
        let page = browser.get(&address).await;
        visits += 1;
        assert!(page.status == 200 && requests(&page) <= 12, "{} requests", requests(&page));
        println!("visit {visits}: {} requests", requests(&page));
        if !page.text.contains("load delay:1s") {
            break page;
        }
        assert!(visits < 6, "{}", page.text);
    };
    // Eighteen lists, five a visit.
    assert_eq!(visits, 4);
    assert!(!page.text.contains('…'), "{}", page.text);
    // In today, usually, hold, ready, picking, shipped, not imported.
    for (shop, count) in [(name, "7"), ("three-second", "4"), ("three-third", "0")] {
        let row = row(&page, shop);
        assert_eq!((row[0].as_str(), row[2].as_str(), row[3].as_str()), (count, "0", count), "{shop}: {row:?}");
        assert_eq!((row[4].as_str(), row[5].as_str(), row[6].as_str()), ("0", "0", "0"), "{shop}: {row:?}");
    }
    // What somebody does is seen within as many visits.
    let ready = with(&shop, "ready");
    let page = browser.get(&format!("/t/{name}/shipments?status=ready")).await;
    let csrf = page.csrf();
    let fields = [("csrf", csrf.as_str()), ("action", "hold"), ("reason", "remark"), ("id", ready[0].as_str())];
    assert_eq!(browser.post(&format!("/t/{name}/shipments/change"), &fields).await.status, 303);
    let mut held = String::new();
    for _ in 0..4 {
        held = row(&browser.get(&address).await, name)[2].clone();
    }
    assert_eq!(held, "1");
}
