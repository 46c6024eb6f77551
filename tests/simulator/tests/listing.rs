//! Reading orders out of the shop.

mod common;

use std::collections::BTreeSet;

use common::{ALL, SHOP, Shop, ids, spec};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

#[tokio::test]
async fn key_paging_gives_each_of_100_000_orders_once() {
    let shop = Shop::open(ShopSpec { order_options: OrderOptions::default(), ..spec(100_000) }).await;
    let status = shop.simulator.shop(SHOP).await.unwrap();
    let (mut last, mut seen, mut calls) = (0, BTreeSet::<u64>::new(), 0);
    loop {
        let page = shop.page(&format!("q[state_eq]=complete&q[id_gt]={last}&sort=id&per=100")).await;
        calls += 1;
        let rows = ids(&page);
        assert!(rows.is_sorted());
        seen.extend(&rows);
        if rows.len() < 100 {
            break;
        }
        last = rows[99];
    }
    assert_eq!(seen.len() as u64, status.by_state["complete"]);
    let summary = shop.simulator.ledger_summary(SHOP).await.unwrap();
    assert_eq!(summary.calls, calls);
    assert_eq!(summary.rows, seen.len() as u64, "no row twice");
}

#[tokio::test]
async fn key_paging_survives_rows_that_leave_and_page_numbers_do_not() {
    let by_key = Shop::open(spec(250)).await;
    let (mut last, mut taken) = (0, 0);
    loop {
        let page = by_key.page(&format!("q[state_eq]=complete&q[id_gt]={last}&sort=id&per=100")).await;
        let rows = ids(&page);
        taken += rows.len();
        by_key.move_to(&rows, "working").await;
        if rows.len() < 100 {
            break;
        }
        last = rows[99];
    }
    assert_eq!(taken, 250);

    let by_number = Shop::open(spec(250)).await;
    let mut taken = 0;
    for number in 1..=3 {
        let page = by_number.page(&format!("q[state_eq]=complete&page={number}&sort=id&per=100")).await;
        let rows = ids(&page);
        taken += rows.len();
        if !rows.is_empty() {
            by_number.move_to(&rows, "working").await;
        }
    }
    assert_eq!(taken, 150, "the second page is looked for where the third was");
}

#[tokio::test]
async fn pages_are_cut_at_100_and_say_so() {
    let shop = Shop::open(spec(120)).await;
    let page = shop.page("per=500&sort=-id").await;
    assert_eq!(page["data"].as_array().unwrap().len(), 100);
    assert_eq!(page["meta"], json!({"total_count": 120, "page": 1, "per": 100, "count": 100, "total_pages": 2}));
    assert!(ids(&page).is_sorted_by(|left, right| left > right));
    assert_eq!(ids(&shop.page("per=100&page=2").await).len(), 20);
    assert_eq!(ids(&shop.page("per=100&page=3").await).len(), 0);
    assert!(page.get("included").is_none(), "nothing comes along unasked");
}

#[tokio::test]
async fn documents_are_json_api() {
    let shop = Shop::open(spec(0)).await;
    let placed = shop
        .simulator
        .add_order(
            SHOP,
            json!({
                "number": "N-1",
                "remark": "至急",
                "shipping_addresses": [{"name01": "髙橋"}, {"name01": "𠮷田", "prefecture_name": "沖縄県"}],
                "order_items": [
                    {"variant_sku": "SERUM-30", "quantity": 2, "address": 0},
                    {"variant_sku": "NOT-OURS", "address": 1},
                ],
            }),
        )
        .await
        .unwrap();
    let page = shop.page(ALL).await;
    let order = &page["data"][0];
    assert_eq!(order["id"], placed.id.to_string());
    assert_eq!(order["attributes"]["id"], placed.id);
    assert_eq!(order["attributes"]["number"], "N-1");
    assert_eq!(order["attributes"]["multiple_shipping"], true);
    let included = page["included"].as_array().unwrap();
    let find = |reference: &Value| {
        let found: Vec<_> =
            included.iter().filter(|one| one["id"] == reference["id"] && one["type"] == reference["type"]).collect();
        assert_eq!(found.len(), 1, "{reference} stands once in included");
        found[0]
    };
    let related = &order["relationships"];
    assert_eq!(find(&related["shipping_address"]["data"])["attributes"]["name01"], "髙橋");
    let second = &related["shipping_addresses"]["data"][1];
    assert_eq!(find(second)["attributes"]["prefecture_name"], "沖縄県");
    let item = find(&related["order_items"]["data"][1]);
    assert_eq!(item["attributes"]["variant_sku"], "NOT-OURS");
    assert_eq!(item["relationships"]["shipping_address"]["data"], *second);
    assert_eq!(find(&related["customer"]["data"])["type"], "customer");

    let (status, single) = shop.get(&format!("admin/orders/{}.json?{ALL}", placed.id)).await;
    assert_eq!((status, &single["data"]), (200, order));
    let (status, _) = shop.get(&format!("admin/orders/{}.json", placed.id)).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn conditions_filter_as_ransack_does() {
    let shop = Shop::open(spec(0)).await;
    let mut placed = Vec::new();
    for (number, payment, total) in [("A-1", "authed", 100), ("A-2", "pending", 200), ("B-3", "paid", 300)] {
        let order = json!({"number": number, "payment_state": payment, "total": total, "payment_total": total, "created_at": "2026-11-23 10:00:00"});
        placed.push(shop.simulator.add_order(SHOP, order).await.unwrap().id);
    }
    let [first, second, third] = placed[..] else { panic!() };
    for (query, wanted) in [
        (format!("q[id_eq]={second}"), vec![second]),
        (format!("q[id_in][]={third}&q[id_in][]={first}&q[id_in][]=1"), vec![first, third]),
        ("q[payment_state_in][]=paid&q[payment_state_in][]=pending".to_owned(), vec![second, third]),
        ("q[number_cont]=a-".to_owned(), vec![first, second]),
        ("q[total_gteq]=200&q[total_lt]=300".to_owned(), vec![second]),
        (format!("q[state_eq]=complete&q[id_lteq]={second}&sort=-id"), vec![second, first]),
        ("q[state_in][]=complete&sort=-payment_total,id".to_owned(), vec![third, second, first]),
        ("q[created_at_gteq]=2026-11-23%2010:00:00&q[created_at_lt]=2026-11-23+10:00:01".to_owned(), placed.clone()),
        // An equal time misses rows: the database knows the time more exactly than the API shows it.
        ("q[created_at_eq]=2026-11-23%2010:00:00".to_owned(), vec![]),
        ("q[subs_order_id_gt]=0".to_owned(), vec![]),
        ("q[state_eq]=shipped".to_owned(), vec![]),
    ] {
        let found = ids(&shop.page(&query).await);
        assert_eq!(found, wanted, "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_not_ignored() {
    let shop = Shop::open(spec(3)).await;
    for query in [
        "q[colour_eq]=red",
        "q[id_like]=1",
        "q[id_in]=1",
        "q[id_eq][]=1",
        "q[id_gt]=abc",
        "q[created_at_gteq]=2026-11-23T10:00:00Z",
        "sort=colour",
        "include=everything",
        "limit=5",
    ] {
        let (status, body) = shop.get(&format!("admin/orders.json?{query}")).await;
        assert_eq!(status, 422, "{query}");
        assert!(body["errors"][0]["message"].is_string());
    }
    for path in ["admin/orders", "admin/orders/1.json", "admin/orders/x.json", "admin/nothing.json", "orders.json"] {
        let (status, body) = shop.get(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(body["errors"][0]["code"].is_string());
    }
    let lenient = Shop::open(ShopSpec { ignore_unknown_conditions: true, ..spec(3) }).await;
    assert_eq!(ids(&lenient.page("q[colour_eq]=red").await).len(), 3);
}

#[tokio::test]
async fn carriers_products_and_stock_are_lists_too() {
    let shop = Shop::open(spec(0)).await;
    let (_, carriers) = shop.get("admin/shipping_carriers.json").await;
    let names: Vec<_> = carriers["data"].as_array().unwrap().iter().map(|one| &one["attributes"]["name"]).collect();
    assert_eq!(names, ["ヤマト運輸", "佐川急便", "ネコポス"]);
    let (_, products) = shop.get("admin/products.json?include=variants&per=2&page=2").await;
    assert_eq!(products["included"][0]["attributes"]["sku"], "SOAP-80");
    assert_eq!(products["meta"]["total_pages"], 2);
    assert_eq!(products["data"][0]["relationships"]["variants"]["data"][0]["id"], products["included"][0]["id"]);
    let (_, stock) = shop.get("admin/stock_items.json").await;
    assert_eq!(stock["data"][0]["attributes"]["variant_sku"], "SERUM-30");
    assert_eq!(stock["data"][0]["attributes"]["stock"], 1000);
}

#[tokio::test]
async fn lighter_leaves_labels_out() {
    let shop = Shop::open(spec(1)).await;
    let attributes = &shop.page("lighter=1").await["data"][0]["attributes"];
    assert!(attributes.get("human_state").is_none() && attributes["state"] == "complete");
}
