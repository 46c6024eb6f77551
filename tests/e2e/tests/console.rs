//! The console on the deployed stack, as a browser sees it: signed in through the provider, page by page.

use renkei_domain::ids::TenantId;
use renkei_domain::shipment::{CancellationState, Shipment, Status};
use renkei_e2e::browser::{Browser, PEOPLES_PASSWORD, Page};
use renkei_e2e::ways::Shop;
use renkei_e2e::{World, run, store};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

const READING: [&str; 7] = ["", "/shipments", "/orders", "/robots", "/document", "/settings", "/runs"];

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

fn member(tenant: &str, who: &str) {
    let email = format!("{who}@renkei.example");
    let added = run(&["member", "add", &email, "--tenant", tenant, "--role", who], None);
    assert_eq!(added.code, 0, "{added:?}");
}

fn shipment(tenant: &str, id: &str) -> Value {
    run(&["shipment", id, "--tenant", tenant, "--json"], None).lines().remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_sees_and_does_what_it_may() {
    let world = World::new("roles", plain(2), 1_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let id = world.list("shipments")[0]["id"].as_str().expect("an id").to_owned();
    for who in ["owner", "admin", "operator", "viewer"] {
        member("roles", who);
    }
    let listed = run(&["member", "list", "--tenant", "roles", "--json"], None).lines();
    assert_eq!(listed.len(), 4, "{listed:?}");

    for (who, rank) in [("viewer", 0), ("operator", 1), ("admin", 2), ("owner", 3)] {
        let mut browser = Browser::signed_in(who).await;
        for path in READING {
            let page = browser.get(&format!("/t/roles{path}")).await;
            assert_eq!(page.status, 200, "{who} {path}");
            assert!(
                page.text.contains("lang=\"ja\"") && page.text.len() < 100_000,
                "{who} {path}: {}",
                page.text.len()
            );
        }
        let page = browser.get(&format!("/t/roles/shipment/{id}")).await;
        let csrf = page.csrf();
        assert_eq!(page.text.contains("shipments/preview"), rank >= 1, "{who} is offered what they may do");
        let hold = [("csrf", csrf.as_str()), ("action", "hold"), ("reason", "needs-review"), ("id", id.as_str())];
        let robot = [("csrf", csrf.as_str()), ("robot", "hold-unpaid"), ("id", id.as_str())];
        let document = [("csrf", csrf.as_str()), ("text", "tenant: roles"), ("version", "1")];
        let new = [("csrf", csrf.as_str()), ("email", "new@renkei.example"), ("role", "viewer")];
        let plain_form = [("csrf", csrf.as_str())];
        let tries = [
            ("/t/roles/shipments/change", &hold[..], 1),
            ("/t/roles/shipments/robot", &robot[..], 1),
            ("/t/roles/document/check", &document[..], 2),
            ("/t/roles/connection/roles/test", &plain_form[..], 2),
            ("/t/roles/members", &new[..], 3),
        ];
        let preview = browser.get(&format!("/t/roles/shipments/preview?action=hold&reason=remark&id={id}")).await;
        assert_eq!(preview.status, if rank >= 1 { 200 } else { 403 }, "{who}");
        for (path, fields, least) in tries {
            let answer = browser.post(path, fields).await;
            let allowed = matches!(answer.status, 200 | 303);
            assert_eq!(
                (allowed, answer.status == 403),
                (rank >= least, rank < least),
                "{who} {path}: {}",
                answer.status
            );
        }
        let log = browser.get("/t/roles/audit").await;
        assert_eq!(log.status, if rank >= 2 { 200 } else { 403 }, "{who}");
        if rank == 3 {
            // Everything that was refused is written down, with who tried.
            for refused in ["viewer@renkei.example", "/t/roles/members", "operator@renkei.example", "拒否"] {
                assert!(log.text.contains(refused), "{refused}");
            }
            let why = "POST: 作業者以上の役割が必要（役割は閲覧者）";
            for done in ["<td>保留</td>", "<td>担当者の登録・役割変更</td>", why] {
                assert!(log.text.contains(done), "what was done, too: {done}");
            }
        }
    }
    assert_eq!(shipment("roles", &id)["status"], "hold");

    // A membership that is taken away ends with the next click.
    let mut viewer = Browser::signed_in("viewer").await;
    assert_eq!(viewer.get("/t/roles").await.status, 200);
    let removed = run(&["member", "remove", "viewer@renkei.example", "--tenant", "roles"], None);
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(viewer.get("/t/roles").await.status, 404);
}

/// Ids of the shipments on a list.
fn on(page: &Page) -> Vec<String> {
    let ids = page.text.split("type=\"checkbox\" name=\"id\" value=\"").skip(1);
    ids.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_hold_the_right_counts_and_shipments_are_worked_from_them() {
    let world = World::new("counts", plain(60), 10_000).await;
    let odd = json!({ "payment_state": "authed", "order_items": [{ "variant_sku": "NOT-OURS", "quantity": 1 }] });
    world.simulator.add_order(&world.shop.name, odd).await.expect("an order");
    for _ in 0..3 {
        world.simulator.add_order(&world.shop.name, json!({ "payment_state": "pending" })).await.expect("an order");
    }
    let _needs_a_person = world.run("fetch-orders");
    member("counts", "operator");
    let mut browser = Browser::signed_in("operator").await;

    let today = browser.get("/t/counts").await;
    for (status, count) in [("hold", 3), ("ready", 60), ("picking", 0)] {
        let cell = format!("status={status}\">{count}</a>");
        assert!(today.text.contains(&cell), "{cell} in {}", today.text);
    }
    assert!(today.text.contains("orders?connection=counts\">1</a>"), "one is not imported");
    let quota = world.list("quota")[0]["used"].to_string();
    assert!(today.text.contains(&format!("{quota} / 10,000")), "calls spent: {quota}");

    // 60 are ready: 50 on the first page, ten on the second, none twice.
    let first = browser.get("/t/counts/shipments?status=ready").await;
    let next =
        first.text.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a next page");
    let second = browser.get(&next.replace("&amp;", "&").replace("&#38;", "&")).await;
    let (mut all, later) = (on(&first), on(&second));
    assert_eq!((all.len(), later.len()), (50, 10));
    all.extend(later);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 60);

    // Searching by number leads straight to the order.
    let number =
        world.list("shipments").iter().find(|s| s["id"] == all[0].as_str()).expect("it")["order_number"].clone();
    let found = browser.get(&format!("/t/counts/shipments?q={}", number.as_str().expect("a number"))).await;
    assert_eq!((found.status, found.location().ends_with(&all[0])), (303, true), "{found:?}");
    let nothing = browser.get("/t/counts/shipments?q=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(nothing.status == 200 && !nothing.text.contains("<script>alert"), "{}", nothing.text);

    // A preview changes nothing; the change does; a second one nothing more.
    let csrf = first.csrf();
    let fields = [
        ("csrf", csrf.as_str()),
        ("action", "hold"),
        ("reason", "remark"),
        ("id", all[0].as_str()),
        ("id", all[1].as_str()),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields[1..]).finish();
    let preview = browser.get(&format!("/t/counts/shipments/preview?{query}")).await;
    assert!(preview.status == 200 && preview.text.contains("<strong class=\"big\">2</strong>"), "{}", preview.text);
    assert_eq!(shipment("counts", &all[0])["status"], "ready");
    for expected in ["2件を変更", "0件を変更"] {
        let changed = browser.post("/t/counts/shipments/change", &fields).await;
        assert_eq!(changed.status, 303, "{changed:?}");
        let page = browser.open(changed.location()).await;
        assert!(page.text.contains(expected), "{expected}");
    }
    assert_eq!(shipment("counts", &all[0])["hold_reasons"], json!(["remark"]));
    let fields = [("csrf", csrf.as_str()), ("action", "release"), ("id", all[0].as_str())];
    assert_eq!(browser.post("/t/counts/shipments/change", &fields).await.status, 303);
    assert_eq!(shipment("counts", &all[0])["status"], "ready");
    let fields = [("csrf", csrf.as_str()), ("action", "cancel"), ("id", all[2].as_str())];
    assert_eq!(browser.post("/t/counts/shipments/change", &fields).await.status, 303);
    assert_eq!(shipment("counts", &all[2])["status"], "cancelled");
    // What is not paid is not released by the plain action.
    let unpaid =
        world.list("shipments").into_iter().find(|s| s["hold_reason"] == "awaiting-payment").expect("an unpaid one");
    let unpaid = unpaid["id"].as_str().expect("an id");
    for (action, status) in [("release", "hold"), ("release-unpaid", "ready")] {
        let fields = [("csrf", csrf.as_str()), ("action", action), ("id", unpaid)];
        assert_eq!(browser.post("/t/counts/shipments/change", &fields).await.status, 303);
        assert_eq!(shipment("counts", unpaid)["status"], status, "{action}");
    }

    // A robot, to those that a person chose: first what it would change, then the change, and the second time nothing more.
    let fields = [
        ("csrf", csrf.as_str()),
        ("robot", "hold-unpaid"),
        ("id", unpaid),
        ("id", all[2].as_str()),
        ("id", all[0].as_str()),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields[1..]).finish();
    let preview = browser.get(&format!("/t/counts/shipments/robot?{query}")).await;
    assert!(preview.status == 200 && preview.text.contains("<strong class=\"big\">1</strong>"), "{}", preview.text);
    let change = "<span class=\"soft\">ステータス</span> <bdi>出荷待ち</bdi> → <bdi>保留</bdi>";
    assert!(preview.text.contains(change), "in people's words: {}", preview.text);
    assert_eq!(shipment("counts", unpaid)["status"], "ready", "a preview changes nothing");
    for expected in ["1件を変更", "0件を変更"] {
        let applied = browser.post("/t/counts/shipments/robot", &fields).await;
        assert_eq!(applied.status, 303, "{applied:?}");
        assert!(browser.open(applied.location()).await.text.contains(expected), "{expected}");
    }
    let held = shipment("counts", unpaid);
    assert_eq!((&held["status"], &held["hold_reasons"]), (&json!("hold"), &json!(["awaiting-payment"])));
    assert_eq!(shipment("counts", &all[2])["status"], "cancelled", "what has an end keeps it");
    let page = browser.get(&format!("/t/counts/shipment/{unpaid}")).await;
    assert!(page.text.contains("operator@renkei.example"), "the time line says who");
    let off = [("csrf", csrf.as_str()), ("robot", "nobodys-robot"), ("id", unpaid)];
    assert_eq!(browser.post("/t/counts/shipments/robot", &off).await.status, 400, "a robot that is not on");

    let csv = browser.get("/t/counts/shipments.csv?connection=counts&status=ready").await;
    assert_eq!(csv.status, 200);
    let ready = world.list("shipments").iter().filter(|s| s["status"] == "ready").count();
    assert_eq!(csv.text.lines().count(), ready + 1, "a heading and each that is ready");

    // What was not imported is tried again by one click; it still cannot be, and stays.
    let retry = [("csrf", csrf.as_str()), ("connection", "counts")];
    assert_eq!(browser.post("/t/counts/orders/retry", &retry).await.status, 303);
}

/// A shipment's record.
async fn record(tenant: &str, id: &str) -> Shipment {
    let tenant = store().await.tenant(TenantId::parse(tenant).expect("an id"));
    tenant.shipment(&id.parse().expect("an id")).await.expect("read").expect("the shipment")
}

/// Does something to shipments as an operator, by the form that a browser sends.
async fn operate(browser: &mut Browser, tenant: &str, action: &str, ids: &[&str]) {
    let csrf = browser.get(&format!("/t/{tenant}")).await.csrf();
    let mut fields = vec![("csrf", csrf.as_str()), ("action", action)];
    fields.extend(ids.iter().map(|id| ("id", *id)));
    let done = browser.post(&format!("/t/{tenant}/shipments/change"), &fields).await;
    assert_eq!(done.status, 303, "{action}: {done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_decided_stands_against_the_next_reading() {
    let name = "decided";
    let shop = Shop::new(name, plain(1), |_| ()).await;
    shop.simulator.add_order(name, json!({ "payment_state": "pending" })).await.expect("an order");
    assert_eq!(shop.robot("fetch-orders").code, 0);
    member(name, "operator");
    let mut browser = Browser::signed_in("operator").await;
    let held = shop.shipments().into_iter().find(|it| it["status"] == "hold").expect("an unpaid one");
    let id = held["id"].as_str().expect("an id");

    // Let go although it is not paid: the warehouse gets it, and what the shop still shows of its payment is no news.
    operate(&mut browser, name, "release-unpaid", &[id]).await;
    shop.claim();
    assert_eq!(shipment(name, id)["status"], "picking");
    assert_eq!(shop.robot("status-sync").code, 0);
    assert_eq!(record(name, id).await.differences, []);

    // The customer calls, and the order at the shop stays as it is: the warehouse is asked until it has answered.
    operate(&mut browser, name, "cancel", &[id]).await;
    assert_eq!(shop.robot("status-sync").code, 0);
    let asked = record(name, id).await;
    let state = asked.cancellation.map(|asked| asked.state);
    assert_eq!((asked.status, state), (Status::Picking, Some(CancellationState::Requested)), "{asked:?}");
    // And the order is told as taken, since it is not cancelled there.
    let _told = shop.robot("state-working");
    let order = held["order_id"].as_u64().expect("an id");
    assert_eq!(shop.simulator.order(name, order).await.expect("the order").brief.state, "working");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_told_for_its_other_parcels_where_one_is_cancelled_here() {
    let world = World::new("parcels", plain(0), 1_000).await;
    let items: Vec<Value> = (0..3).map(|address| json!({ "variant_sku": "SERUM-30", "address": address })).collect();
    let three = json!({ "payment_state": "authed", "shipping_addresses": [{}, {}, {}], "order_items": items });
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(world.simulator.add_order(&world.shop.name, three.clone()).await.expect("an order").id);
    }
    assert_eq!(world.run("fetch-orders").code, 0);
    member("parcels", "operator");
    let mut browser = Browser::signed_in("operator").await;
    let parcel = |order: u64, parcel: u16| format!("parcels.{order}.{parcel}");
    let (in_part, as_a_whole) = (ids[0], ids[1]);
    operate(&mut browser, "parcels", "cancel", &[&parcel(in_part, 1)]).await;
    let whole: Vec<String> = (1..=3).map(|number| parcel(as_a_whole, number)).collect();
    operate(&mut browser, "parcels", "cancel", &[&whole[0], &whole[1], &whole[2]]).await;
    // Twice: what is told is told once, and nothing turns up again.
    for _ in 0..2 {
        assert_eq!(world.run("state-working").code, 0);
        for (order, state, written) in [(in_part, "working", 1), (as_a_whole, "complete", 0)] {
            let truth = world.simulator.order(&world.shop.name, order).await.expect("the order");
            assert_eq!((truth.brief.state.as_str(), truth.brief.written_working), (state, written), "{order}");
        }
        assert_eq!(shipment("parcels", &parcel(in_part, 2))["shop_sync"], "acknowledged");
        assert_eq!(shipment("parcels", &whole[0])["shop_sync"], "completed");
        assert_eq!(world.run("fetch-orders").code, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_merchants_ids_lead_nowhere() {
    let theirs = World::new("theirs", plain(2), 1_000).await;
    let ours = World::new("ours", plain(2), 1_000).await;
    assert_eq!((theirs.run("fetch-orders").code, ours.run("fetch-orders").code), (0, 0));
    member("ours", "operator");
    let id = theirs.list("shipments")[0]["id"].as_str().expect("an id").to_owned();
    let mut browser = Browser::signed_in("operator").await;
    let csrf = browser.get("/t/ours").await.csrf();
    for path in [
        "/t/theirs".to_owned(),
        "/t/theirs/shipments".to_owned(),
        format!("/t/theirs/shipment/{id}"),
        format!("/t/ours/shipment/{id}"),
        "/t/ours/shipments?connection=theirs".to_owned(),
        "/t/ours/shipments.csv?connection=theirs&status=ready".to_owned(),
        "/t/ours/orders?connection=theirs".to_owned(),
        "/t/nobody".to_owned(),
        "/t/Not%20a%20slug".to_owned(),
        "/t/ours/nothing".to_owned(),
        "/t/ours/shipment/..%2F..%2Ftheirs".to_owned(),
    ] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text.contains("見つかりません") && page.headers.contains_key("content-security-policy"), "{path}");
    }
    let fields = [("csrf", csrf.as_str()), ("action", "cancel"), ("robot", "hold-unpaid"), ("id", id.as_str())];
    for preview in ["preview?action=cancel", "robot?robot=hold-unpaid"] {
        let preview = browser.get(&format!("/t/ours/shipments/{preview}&id={id}")).await;
        assert_eq!(preview.status, 404);
    }
    for path in ["/t/ours/shipments/change", "/t/theirs/shipments/change", "/t/ours/shipments/robot"] {
        assert_eq!(browser.post(path, &fields).await.status, 404, "{path}");
    }
    assert_eq!(shipment("theirs", &id)["status"], "ready", "and nothing was changed");
    let found = browser.get(&format!("/t/ours/shipments?q={id}")).await;
    assert!(found.status == 200 && !found.text.contains(&format!("shipment/{id}")), "nor is it found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_customers_write_breaks_no_page() {
    let world = World::new("hostile", plain(0), 1_000).await;
    let remark = format!("</textarea><script>alert('備考')</script>\u{202e}{}", "長".repeat(5_000));
    let name = "髙橋 <script>alert(\"名前\")</script>' onmouseover='x\u{202e}";
    let order = json!({ "payment_state": "authed", "remark": remark,
        "shipping_addresses": [{ "name01": name, "name02": "\"><img src=x onerror=alert(1)>", "addr01": "=cmd|'/c calc'!A1" }] });
    world.simulator.add_order(&world.shop.name, order).await.expect("an order");
    let _whatever_becomes_of_it = world.run("fetch-orders");
    member("hostile", "viewer");
    let mut browser = Browser::signed_in("viewer").await;
    let shipments = world.list("shipments");
    let id = shipments[0]["id"].as_str().expect("an id").to_owned();
    let status = shipments[0]["status"].as_str().expect("a status").to_owned();
    for path in
        [format!("/t/hostile/shipment/{id}"), format!("/t/hostile/shipments?status={status}"), "/t/hostile".into()]
    {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        for wrong in ["<script>alert", "<img src=x", "' onmouseover='"] {
            assert!(!page.text.contains(wrong), "{path} has {wrong}");
        }
        let scripts = page.text.matches("<script").count();
        assert_eq!(scripts, 2, "{path}: our own two files and nothing else");
    }
    let page = browser.get(&format!("/t/hostile/shipment/{id}")).await;
    assert!(
        page.text.contains("髙橋 &#60;script&#62;") || page.text.contains("髙橋 &lt;script&gt;"),
        "shown as it was written"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_and_forms_are_the_persons_own() {
    let world = World::new("sessions", plain(1), 1_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let id = world.list("shipments")[0]["id"].as_str().expect("an id").to_owned();
    // An account of this test's own: others must not be signed out by it.
    let add = ["member", "add", "leaving@renkei.example", "--tenant", "sessions", "--role", "operator"];
    let added = run(&[&add[..], &["--password-env", "SHOP_PASSWORD"]].concat(), Some(PEOPLES_PASSWORD));
    assert_eq!(added.code, 0, "{added:?}");

    // Nobody: to the sign-in, and back to the page that was wanted.
    let mut browser = Browser::new();
    let anonymous = browser.get("/t/sessions/shipments?status=ready").await;
    assert!(
        anonymous.status == 303 && anonymous.location().contains("/auth/sign-in?to=%2Ft%2Fsessions"),
        "{anonymous:?}"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(anonymous.headers.get(name).map(String::as_str), Some(value), "{name}");
    }
    let policy = &anonymous.headers["content-security-policy"];
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(browser.get("/health").await.text, "ok\n");

    // The provider's answer is good once, and only for the browser that asked.
    let back = browser.through_provider("leaving", "%2Ft%2Fsessions%2Fshipments").await;
    let mut other = Browser::new();
    assert_eq!(other.get(&back).await.status, 400, "another browser");
    let back = browser.through_provider("leaving", "%2Ft%2Fsessions%2Fshipments").await;
    let signed_in = browser.get(&back).await;
    assert!(signed_in.status == 303 && signed_in.location().ends_with("/t/sessions/shipments"), "{signed_in:?}");
    assert_eq!(other.get(&back).await.status, 400, "a second time");
    let elsewhere = browser.get("/auth/sign-in?to=https://evil.example/").await;
    assert!(!elsewhere.location().contains("evil"), "{elsewhere:?}");

    // Forms of others.
    let page = browser.get(&format!("/t/sessions/shipment/{id}")).await;
    let csrf = page.csrf();
    assert_eq!(csrf.len(), 43);
    let change = "/t/sessions/shipments/change";
    let fields = [("action", "cancel"), ("id", id.as_str())];
    assert_eq!(browser.post(change, &fields).await.status, 403, "no token");
    assert_eq!(browser.post(change, &[("csrf", "x"), fields[0], fields[1]]).await.status, 403, "a wrong token");
    let body = format!("csrf={csrf}&action=cancel&id={id}");
    for foreign in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let answer = browser.send("POST", change, Some(body.clone()), &[foreign]).await;
        assert_eq!(answer.status, 403, "{foreign:?}");
    }
    assert_eq!(shipment("sessions", &id)["status"], "ready");

    // Two browsers of one person: signed out everywhere, both are.
    let mut second = Browser::signed_in("leaving").await;
    assert_eq!(second.get("/t/sessions").await.status, 200);
    let stolen = browser.cookies.clone();
    let out = browser.post("/auth/sign-out-everywhere", &[("csrf", csrf.as_str())]).await;
    assert_eq!(out.status, 303, "{out:?}");
    assert_eq!(second.get("/t/sessions").await.status, 303, "the other one, too");
    browser.cookies = stolen;
    assert_eq!(browser.get("/t/sessions").await.status, 303, "the old cookie opens nothing");
    let late = browser.post(change, &[("csrf", csrf.as_str()), fields[0], fields[1]]).await;
    assert_eq!((late.status, late.text.contains("サインイン")), (401, true), "a form of an ended session");

    // The language is switched, and stays so.
    let switched = browser.get("/lang/en?to=/auth/signed-out").await;
    assert_eq!(switched.status, 303);
    assert!(browser.get("/auth/signed-out").await.text.contains("You are signed out"));
}
