//! The console's lists with many shipments: what they cost, that everything is found, and that counts are right.

use renkei_e2e::browser::{Browser, Page, nobody_was_seen_lately};
use renkei_e2e::{World, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

fn operator(tenant: &str) {
    let added = run(&["member", "add", "operator@renkei.example", "--tenant", tenant, "--role", "operator"], None);
    assert_eq!(added.code, 0, "{added:?}");
}

fn text<'a>(shipment: &'a Value, name: &str) -> &'a str {
    shipment[name].as_str().unwrap_or_else(|| panic!("{name} of {shipment}"))
}

/// The count in a status' tab.
fn tab(page: &Page, status: &str) -> String {
    let tab = page.text.split("class=\"tabs\"").nth(1).expect("tabs");
    let tab = tab.split(&format!("status={status}\"")).nth(1).expect("the tab");
    let count = tab.split("<span class=\"mono\">").nth(1).and_then(|rest| rest.split('<').next());
    count.expect("a count").to_owned()
}

/// Where a link with `rel="next"` leads.
fn next(page: &Page) -> Option<String> {
    let to = page.text.split("rel=\"next\" href=\"").nth(1)?.split('"').next()?;
    Some(to.replace("&amp;", "&").replace("&#38;", "&"))
}

/// The page that a search ends on, however often it has to be gone on with, or the shipment that it leads to at once.
async fn searched(browser: &mut Browser, tenant: &str, q: &str) -> Page {
    let q: String = url::form_urlencoded::byte_serialize(q.as_bytes()).collect();
    let mut page = browser.get(&format!("/t/{tenant}/shipments?q={q}")).await;
    for _ in 0..20 {
        match next(&page) {
            Some(to) if !page.text.contains("type=\"checkbox\" name=\"id\"") => page = browser.get(&to).await,
            _ => break,
        }
    }
    page
}

/// Ids of the shipments on a list, page by page; none comes twice.
async fn all_of(browser: &mut Browser, address: &str) -> Vec<String> {
    let (mut ids, mut address) = (Vec::new(), address.to_owned());
    loop {
        let page = browser.get(&address).await;
        assert!(page.status == 200 && cost(&page).0 <= 12, "{address}: {} {}", page.status, cost(&page).0);
        let on_page = page.text.split("type=\"checkbox\" name=\"id\" value=\"").skip(1);
        ids.extend(on_page.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        match next(&page) {
            Some(to) => address = to,
            None => break,
        }
    }
    let met = ids.len();
    let different: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(different.len(), met, "{address}");
    ids
}

fn is_found(page: &Page, id: &str) -> bool {
    page.location().ends_with(&format!("/shipment/{id}")) || page.text.contains(&format!("/shipment/{id}\""))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_found_behind_more_than_a_hundred_of_each_status() {
    let world = World::new("search", plain(0), 10_000).await;
    let odd = json!({ "payment_state": "authed", "shipping_addresses": [{ "name01": "見本崎", "name02": "乙女" }] });
    world.simulator.add_order(&world.shop.name, odd.clone()).await.expect("an order");
    let orders = OrderOptions::plain();
    world.simulator.generate_orders(&world.shop.name, 260, orders).await.expect("orders");
    let _what_needs_a_person_is_held = world.run("fetch-orders");
    operator("search");
    let shipments = world.list("shipments");
    assert!(shipments.len() > 250, "{}", shipments.len());
    let oldest =
        shipments.iter().min_by_key(|it| text(it, "id").rsplit('.').nth(1).and_then(|n| n.parse::<u64>().ok()));
    let oldest = oldest.expect("a shipment").clone();
    let (id, number) = (text(&oldest, "id"), text(&oldest, "order_number"));

    // Half of them leave; the oldest is among those, behind more than a hundred.
    let warehouse = world.warehouse("dc");
    let mut claimed = Vec::new();
    let mut left: Vec<String> = vec![id.to_owned()];
    left.extend(shipments.iter().map(|it| text(it, "id").to_owned()).filter(|other| other != id).take(120));
    for (place, ids) in left.chunks(50).enumerate() {
        let answer = warehouse.json("POST", "/v1/shipments/claim", &json!({ "ids": ids })).await;
        let ids = answer.ids("claimed");
        let results: Vec<Value> = ids
            .iter()
            .enumerate()
            .map(|(n, id)| {
                let tracking = format!("4000{:04}{n:04}", place + 1);
                json!({ "id": id, "tracking_number": tracking, "shipping_method": "Y", "shipped_at": jiff::Timestamp::now() })
            })
            .collect();
        let answer = warehouse.json("POST", "/v1/shipments/results", &json!({ "results": results })).await;
        assert_eq!(answer.ids("accepted").len(), ids.len(), "{answer:?}");
        claimed.extend(ids);
    }
    assert!(claimed.len() > 100 && claimed.contains(&id.to_owned()), "{}", claimed.len());
    let oldest = run(&["shipment", id, "--tenant", "search", "--json"], None).lines().remove(0);
    let tracking = text(&oldest, "tracking_number").to_owned();

    let mut browser = Browser::signed_in("operator").await;
    let hyphened = format!("{}-{}-{}", &tracking[..4], &tracking[4..8], &tracking[8..]);
    for q in [number, &number[..number.len() - 1], &tracking, &hyphened, "見本崎", "見本崎 乙女"] {
        let page = searched(&mut browser, "search", q).await;
        assert!(is_found(&page, id), "{q}: {} {}", page.status, page.text);
    }
    // An article that all have: a page of them, and the rest by going on, each once.
    let sku = oldest["items"][0]["sku"].as_str().expect("a SKU").to_owned();
    let mut page = browser.get(&format!("/t/search/shipments?q={sku}")).await;
    let mut ids: Vec<String> = Vec::new();
    loop {
        let on_page = page.text.split("type=\"checkbox\" name=\"id\" value=\"").skip(1);
        ids.extend(on_page.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        let Some(to) = next(&page) else { break };
        page = browser.get(&to).await;
    }
    let met = ids.len();
    ids.sort();
    ids.dedup();
    let has = |it: &&Value| it["items"].as_array().into_iter().flatten().any(|item| item["sku"] == sku.as_str());
    let wanted = world.list("shipments").iter().filter(has).count();
    assert!(met == ids.len() && met == wanted && met > 100, "{met} met, {} different, {wanted} there", ids.len());

    // Digits may be an order's id, and just as well a SKU: the order is shown, and the search goes on from there.
    let digits = id.split('.').nth(1).expect("an order's id");
    let page = browser.get(&format!("/t/search/shipments?q={digits}")).await;
    assert!(page.status == 200 && page.text.contains(id) && next(&page).is_some(), "{} {}", page.status, page.text);

    // A place in another merchant's lists is none, nor is one that nobody made.
    for from in ["theirs~hold~0~", "search~lost~0~", "search~hold~0~x", "x"] {
        let page = browser.get(&format!("/t/search/shipments?q=nobody&from={from}")).await;
        assert_eq!(page.status, 404, "{from}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_follow_what_people_do() {
    let world = World::new("tabs", plain(120), 10_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    operator("tabs");
    let mut browser = Browser::signed_in("operator").await;
    let page = browser.get("/t/tabs/shipments?status=ready").await;
    let counts = |page: &Page| ["hold", "ready", "picking", "shipped", "cancelled"].map(|status| tab(page, status));
    assert_eq!(counts(&page), ["0", "120", "0", "0", "0"]);
    let ids: Vec<&str> = page
        .text
        .split("type=\"checkbox\" name=\"id\" value=\"")
        .skip(1)
        .filter_map(|it| it.split('"').next())
        .collect();
    let csrf = page.csrf();
    for (action, ids, wanted) in [
        ("hold", &ids[..30], ["30", "90", "0", "0", "0"]),
        // A second time changes nothing.
        ("hold", &ids[..30], ["30", "90", "0", "0", "0"]),
        ("release", &ids[..10], ["20", "100", "0", "0", "0"]),
        ("cancel", &ids[40..45], ["20", "95", "0", "0", "5"]),
    ] {
        let mut fields = vec![("csrf", csrf.as_str()), ("action", action), ("reason", "remark")];
        fields.extend(ids.iter().map(|id| ("id", *id)));
        let changed = browser.post("/t/tabs/shipments/change", &fields).await;
        assert_eq!(changed.status, 303, "{changed:?}");
        let page = browser.get("/t/tabs/shipments?status=ready").await;
        assert_eq!(counts(&page), wanted, "{action}");
    }
    let warehouse = world.warehouse("dc");
    let ready: Vec<String> = world
        .list("shipments")
        .iter()
        .filter(|it| it["status"] == "ready")
        .map(|it| text(it, "id").to_owned())
        .collect();
    let claimed = warehouse.json("POST", "/v1/shipments/claim", &json!({ "ids": &ready[..40] })).await.ids("claimed");
    let result = |id: &String| {
        json!({ "id": id, "tracking_number": format!("4000{}", id.len()), "shipping_method": "Y",
                "shipped_at": jiff::Timestamp::now() })
    };
    let results: Vec<Value> = claimed[..25].iter().map(result).collect();
    // Reported twice, it has left once.
    for _ in 0..2 {
        warehouse.json("POST", "/v1/shipments/results", &json!({ "results": results })).await;
        let page = browser.get("/t/tabs/shipments?status=shipped").await;
        assert_eq!(counts(&page), ["20", "55", "15", "25", "5"]);
    }
    let today = browser.get("/t/tabs").await;
    for (status, count) in [("hold", 20), ("ready", 55), ("picking", 15)] {
        let cell = format!("status={status}\">{count}</a>");
        assert!(today.text.contains(&cell), "{cell}");
    }
    // Those of today lead to lists of the same length.
    for (list, count) in [("taken", 95), ("shipped", 25)] {
        let cell = format!("{list}=today\">{count}</a>");
        assert!(today.text.contains(&cell), "{cell}");
        assert_eq!(all_of(&mut browser, &format!("/t/tabs/shipments?connection=tabs&{list}=today")).await.len(), count);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_script_are_light_on_their_way() {
    let world = World::new("weight", plain(0), 1_000).await;
    let remark = "備考がございます。".repeat(556);
    for _ in 0..60 {
        let order = json!({ "payment_state": "authed", "remark": remark });
        world.simulator.add_order(&world.shop.name, order).await.expect("an order");
    }
    let _whatever_becomes_of_them = world.run("fetch-orders");
    operator("weight");
    let mut browser = Browser::signed_in("operator").await;
    let status = world.list("shipments")[0]["status"].as_str().expect("a status").to_owned();
    let list = format!("/t/weight/shipments?status={status}");
    let plain = browser.get(&list).await;
    assert!(!plain.headers.contains_key("content-encoding") && plain.text.contains("</html>"));
    let packed = browser.send("GET", &list, None, &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(packed.headers.get("content-encoding").map(String::as_str), Some("gzip"));
    println!("{} bytes, packed {}", plain.bytes, packed.bytes);
    assert!(packed.bytes * 3 < plain.bytes && packed.bytes < 100_000, "{} of {}", packed.bytes, plain.bytes);
    let mut script = 0;
    for address in plain.text.split("<script defer src=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let file = browser.send("GET", address, None, &[("accept-encoding", "gzip")]).await;
        assert_eq!(file.status, 200, "{address}");
        script += file.bytes;
    }
    assert!(script > 1_000 && script < 40_000, "{script}");
}

/// What a page asked of the store: requests, and bytes of their answers.
fn cost(page: &Page) -> (u64, u64) {
    let said = page.headers.get("server-timing").expect("each page says what it cost");
    let numbers: Vec<u64> =
        said.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    (numbers[0], numbers[1])
}

/// What was imported today and is not out, of all statuses.
const TAKEN: &str = "/shipments?taken=today";

/// Every list page, at its dearest: with the click that is written down each minute.
async fn no_list_costs_more_than_twelve_requests(browser: &mut Browser, name: &str) {
    let ready = browser.get(&format!("/t/{name}/shipments?status=ready")).await;
    let after = ready.text.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    let after = after.and_then(|to| to.split("after=").nth(1)).expect("a second page").to_owned();
    let lists =
        ["hold", "ready", "picking", "shipped", "cancelled"].map(|status| format!("/shipments?status={status}"));
    let later = format!("/shipments?status=ready&after={after}");
    let of_today = browser.get(&format!("/t/{name}{TAKEN}")).await;
    let after = next(&of_today).expect("a second page");
    let later_today = format!("{TAKEN}&after={}", after.split("after=").nth(1).expect("a place"));
    let mut most = 0;
    for path in lists.iter().map(String::as_str).chain([
        later.as_str(),
        TAKEN,
        later_today.as_str(),
        "/shipments?shipped=today",
        "",
        "/orders",
        "/runs",
    ]) {
        nobody_was_seen_lately().await;
        let address = format!("/t/{name}{path}");
        let (first, second) = (browser.get(&address).await, browser.get(&address).await);
        let (dearest, usual) = (cost(&first).0, cost(&second).0);
        println!("{dearest:>3} requests with the click, {usual:>3} without  {path}");
        assert!(first.status == 200 && second.status == 200, "{path}");
        assert_eq!(dearest, usual + 1, "{path}: the click is written down");
        assert!(dearest <= 12, "{path}: {dearest}");
        most = most.max(dearest);
    }
    assert!(most > 5, "what is asked is counted: {most}");
}

/// Counts and lists are bounded, so a page costs the same however many shipments there are. Prints the costs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_cost_no_more_with_many_shipments() {
    const LIST: &str = "/shipments?status=ready";
    /// Bytes of a thousand keys of the index, as they are answered.
    const KEYS_TO_THE_BOUND: u64 = 64_000;
    let mut lists = Vec::new();
    for (name, orders) in [("few", 60), ("many", 1_100)] {
        let world = World::new(name, plain(orders), 10_000).await;
        assert_eq!(world.run("fetch-orders").code, 0);
        operator(name);
        let mut browser = Browser::signed_in("operator").await;
        let id = browser.get(&format!("/t/{name}{LIST}")).await;
        let id = id.text.split("type=\"checkbox\" name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let one = format!("/shipment/{}", id.expect("a shipment"));
        let pages =
            ["", LIST, one.as_str(), "/orders", "/robots", "/document", "/settings", "/runs", "/files", "/history"];
        for path in pages {
            // Once before, so that what is reckoned once a day, or once a minute, is not in it.
            let _first = browser.get(&format!("/t/{name}{path}")).await;
            let page = browser.get(&format!("/t/{name}{path}")).await;
            let (requests, read) = cost(&page);
            println!(
                "{orders:>6} orders  {requests:>3} requests  {read:>7} B read  {:>6} B sent  {path}",
                page.text.len()
            );
            assert!(page.status == 200 && page.text.len() < 100_000, "{path}: {}", page.text.len());
            if path.is_empty() {
                assert!(requests <= 12, "today: {requests}");
            }
            if path == LIST {
                assert!(requests <= 12, "{requests}");
                assert!(orders < 1_000 || page.text.contains("1,000+"), "counted to 1,000 and no further");
                lists.push((requests, read));
            }
        }
        no_list_costs_more_than_twelve_requests(&mut browser, name).await;
    }
    let [(few, read_few), (many, read_many)] = lists.as_slice() else { panic!("{lists:?}") };
    assert_eq!(few, many, "requests");
    // A list's first page and its count are one reading, of keys to the bound of the count and no further.
    assert!(*read_many < read_few * 6 / 5 + KEYS_TO_THE_BOUND, "{lists:?}");
}
