//! Every fault on the wire.

mod common;

use std::collections::BTreeSet;

use common::{ALL, SHOP, Shop, ids, spec};
use renkei_simulator::api::{Endpoint, FaultKind, FaultRule, OrderOptions, ShopSpec};
use reqwest::Method;
use serde_json::{Value, json};

const LIST: &str = "admin/orders.json";
const BULK: &str = "admin/orders/bulk_update.json";

async fn struck(orders: u64, kind: FaultKind) -> Shop {
    let shop = Shop::open(spec(orders)).await;
    shop.simulator.set_faults(SHOP, &[FaultRule::always(kind)]).await.unwrap();
    shop
}

#[tokio::test]
async fn too_many_requests_comes_in_three_shapes() {
    let answer = async |kind| {
        let response = struck(1, kind).await.request(Method::GET, LIST).send().await.unwrap();
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), header, response.text().await.unwrap())
    };
    let text = "Retry later\n".to_owned();
    let seconds = FaultKind::TooManyRequestsSeconds { seconds: 7 };
    assert_eq!(answer(seconds).await, (429, Some("7".to_owned()), text.clone()));
    assert_eq!(answer(FaultKind::TooManyRequestsPlain).await, (429, None, text));
    let (_, date, _) = answer(FaultKind::TooManyRequestsDate { seconds: 60 }).await;
    let date = date.unwrap();
    let at = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", &date).unwrap().to_datetime().unwrap();
    let ahead = jiff::tz::Offset::UTC.to_timestamp(at).unwrap().as_second() - jiff::Timestamp::now().as_second();
    assert!((55..=62).contains(&ahead), "{date}");
}

#[tokio::test]
async fn errors_before_and_after_the_call_was_carried_out() {
    for (kind, status, state) in [
        (FaultKind::ServerError { applied: false }, 500, "complete"),
        (FaultKind::ServerError { applied: true }, 500, "working"),
        (FaultKind::Html503 { applied: false }, 503, "complete"),
        (FaultKind::Html503 { applied: true }, 503, "working"),
        (FaultKind::LimitRefused { status: 403 }, 403, "complete"),
        (FaultKind::LimitRefused { status: 429 }, 429, "complete"),
        (FaultKind::RevokedToken, 401, "complete"),
        (FaultKind::SilentNoOp, 200, "complete"),
        (FaultKind::TruncatedJson, 200, "working"),
    ] {
        let shop = struck(1, kind.clone()).await;
        let (got, body) = shop.move_to(&[88_111], "working").await;
        assert_eq!((got, shop.state_of(88_111).await.as_str()), (status, state), "{kind:?}");
        match kind {
            FaultKind::ServerError { .. } => assert_eq!(body["errors"][0]["code"], "AOR9999"),
            FaultKind::Html503 { .. } => {
                assert!(body.as_str().unwrap().starts_with("<!DOCTYPE html>"));
            }
            FaultKind::LimitRefused { .. } => {
                assert!(body["errors"][0]["message"].as_str().unwrap().contains("上限"));
            }
            FaultKind::SilentNoOp => assert_eq!(body["success"], json!([88_111])),
            FaultKind::TruncatedJson => assert!(body.is_string(), "no longer JSON"),
            _ => {}
        }
        let entry = shop.simulator.ledger(SHOP).await.unwrap().remove(0);
        assert_eq!(entry.fault.as_deref(), Some(kind.name()));
        assert_eq!(entry.applied, u64::from(state == "working"));
    }
}

#[tokio::test]
async fn resets_before_and_after_the_call_was_carried_out() {
    for (kind, state) in [(FaultKind::ResetBefore, "complete"), (FaultKind::ResetAfter, "working")] {
        let shop = struck(1, kind.clone()).await;
        let body = json!({"orders": [{"id": 88_111, "state": "working"}]});
        let error = shop.request(Method::PUT, BULK).json(&body).send().await.unwrap_err();
        assert!(error.is_request() && !error.is_connect(), "{error:?}");
        assert_eq!(shop.state_of(88_111).await, state, "{kind:?}");
        let entry = shop.simulator.ledger(SHOP).await.unwrap().remove(0);
        assert_eq!((entry.status, entry.applied), (None, u64::from(state == "working")));
        shop.simulator.clear_faults(SHOP).await.unwrap();
        assert_eq!(shop.get(LIST).await.0, 200, "healed");
    }
}

#[tokio::test]
async fn a_revoked_token_stays_revoked_until_the_next_sign_in() {
    let mut shop = Shop::open(spec(1)).await;
    let rule = FaultRule::always(FaultKind::RevokedToken).at(Endpoint::OrdersList).times(1);
    shop.simulator.set_faults(SHOP, &[rule]).await.unwrap();
    for _ in 0..2 {
        assert_eq!(shop.get(LIST).await.0, 401);
    }
    let (_, body) = shop.sign_in("correct-horse").await;
    shop.token = body["authentication_token"].as_str().unwrap().to_owned();
    assert_eq!(shop.get(LIST).await.0, 200);
}

#[tokio::test]
async fn some_records_fail_and_the_others_are_carried_out() {
    let shop = struck(20, FaultKind::PartialFailure { percent: 40, code: "AOR9999".to_owned() }).await;
    let all: Vec<u64> = shop.simulator.orders(SHOP, None).await.unwrap().iter().map(|order| order.id).collect();
    let (status, answer) = shop.move_to(&all, "working").await;
    let (done, failed) = (answer["success"].as_array().unwrap(), answer["failure"].as_array().unwrap());
    assert_eq!((status, done.len() + failed.len()), (200, 20));
    assert!(!done.is_empty() && !failed.is_empty());
    assert_eq!(answer["errors"][0]["code"], "AOR0000");
    assert_eq!(answer["errors"][0]["errors"][0]["code"], "AOR9999");
    let moved = shop.simulator.orders(SHOP, Some("working")).await.unwrap();
    assert_eq!(moved.iter().map(|order| Value::from(order.id)).collect::<Vec<_>>(), *done);
}

#[tokio::test]
async fn a_write_that_names_a_refused_record_is_refused_whole() {
    let refusing = FaultKind::RefusedWhole {
        records: vec!["88113".to_owned(), "SOAP-80".to_owned()],
        applied: false,
        status: 404,
    };
    let shop = struck(5, refusing).await;
    let (status, answer) = shop.move_to(&[88_111, 88_113], "working").await;
    let cause = &answer["errors"][0]["errors"][0]["code"];
    assert_eq!((status, cause), (404, &json!("AOR2001")), "{answer}");
    assert!(shop.simulator.orders(SHOP, Some("working")).await.unwrap().is_empty(), "nothing of it is carried out");
    assert_eq!(shop.move_to(&[88_111, 88_112], "working").await.0, 200);
    let level = |sku: &str| json!({"variant_sku": sku, "stock_location_code": "default", "stock": 3});
    let put = async |skus: &[&str]| {
        let items: Vec<Value> = skus.iter().map(|sku| level(sku)).collect();
        shop.put("admin/stock_items.json", &json!({ "stock_items": items })).await.0
    };
    assert_eq!((put(&["SERUM-30", "SOAP-80"]).await, put(&["SERUM-30"]).await), (404, 200));
}

#[tokio::test]
async fn first_numbers_of_taken_orders_to_one_address_are_dropped_and_others_are_kept() {
    let shop = Shop::open(spec(1)).await;
    let waiting = shop.simulator.add_order(SHOP, json!({})).await.unwrap().id;
    let several = json!({"shipping_addresses": [{"name01": "髙橋"}, {"name01": "山田"}]});
    let several = shop.simulator.add_order(SHOP, several).await.unwrap().id;
    let first = shop.simulator.order(SHOP, several).await.unwrap().shipping_addresses[0].id;
    shop.move_to(&[88_111, several], "working").await;
    let tell = async |slip: &str| {
        let body = json!({"orders": [
            {"id": 88_111, "shipping_slip": slip},
            {"id": waiting, "shipping_slip": slip},
            {"id": several, "shipping_slip": slip, "shipping_address_id": first},
        ]});
        let (status, answer) = shop.put("admin/orders/shipping.json", &body).await;
        assert_eq!((status, answer["success"].as_array().map(Vec::len)), (200, Some(3)), "{answer}");
    };
    let slips = async |id| shop.simulator.order(SHOP, id).await.unwrap().brief.shipping_slips;
    let drops = [FaultRule::always(FaultKind::DroppedNumbers)];
    let told = |slip: &str| Some(slip.to_owned());
    shop.simulator.set_faults(SHOP, &drops).await.unwrap();
    tell("1").await;
    assert_eq!(slips(88_111).await, [None::<String>]);
    assert_eq!((slips(waiting).await, slips(several).await), (vec![told("1")], vec![told("1"), None]));
    let order = shop.simulator.order(SHOP, 88_111).await.unwrap();
    assert_eq!(order.history.last().map(|change| change.field.as_str()), Some("dropped_slip"));
    assert_eq!(order.brief.written_slips, 0);
    shop.simulator.clear_faults(SHOP).await.unwrap();
    tell("1").await;
    shop.simulator.set_faults(SHOP, &drops).await.unwrap();
    tell("2").await;
    assert_eq!(slips(88_111).await, [told("2")], "a corrected number is kept");
}

#[tokio::test]
async fn totals_lie_and_rows_do_not() {
    let shop = struck(250, FaultKind::WrongTotals).await;
    let mut lies = BTreeSet::new();
    for page in 1..=3 {
        let document = shop.page(&format!("page={page}&per=100")).await;
        assert_eq!(ids(&document).len(), if page == 3 { 50 } else { 100 });
        lies.insert(document["meta"]["total_pages"].as_u64().unwrap());
    }
    assert!(lies.iter().any(|pages| *pages != 3), "{lies:?}");
}

#[tokio::test]
async fn rows_repeat_within_and_across_pages_and_none_is_lost_to_key_paging() {
    let shop = struck(250, FaultKind::DuplicateRows).await;
    let (mut last, mut seen, mut rows_read) = (0, BTreeSet::<u64>::new(), 0);
    for _ in 0..10 {
        let page = shop.page(&format!("q[state_eq]=complete&q[id_gt]={last}&sort=id&per=100")).await;
        let rows = ids(&page);
        assert!(rows.len() <= 100);
        assert_eq!(page["meta"]["count"], rows.len());
        rows_read += rows.len();
        seen.extend(&rows);
        last = rows.iter().copied().max().unwrap_or(last);
        if rows.len() < 100 {
            break;
        }
    }
    assert_eq!(seen.len(), 250);
    assert!(rows_read > 250);
}

#[tokio::test]
async fn a_list_that_stands_begins_at_the_first_whatever_it_is_to_begin_after() {
    let shop = struck(250, FaultKind::StandingList).await;
    let first = ids(&shop.page("q[state_eq]=complete&q[id_gt]=0&sort=id&per=100").await);
    let last = first.iter().max().unwrap();
    let again = ids(&shop.page(&format!("q[state_eq]=complete&q[id_gt]={last}&sort=id&per=100")).await);
    assert_eq!((first.len(), again), (100, first));
}

#[tokio::test]
async fn huge_bodies_are_still_json() {
    let shop = struck(1, FaultKind::HugeBody { bytes: 3 << 20 }).await;
    let body = shop.request(Method::GET, LIST).send().await.unwrap().text().await.unwrap();
    assert!(body.len() > 3 << 20);
    assert_eq!(ids(&serde_json::from_str(&body).unwrap()).len(), 1);
}

#[tokio::test]
async fn included_is_shuffled_and_complete() {
    let shop = struck(20, FaultKind::ShuffledIncluded).await;
    let names = |document: &Value| -> Vec<String> {
        let included = document["included"].as_array().unwrap();
        included.iter().map(|one| format!("{}{}", one["type"], one["id"])).collect()
    };
    let shuffled = names(&shop.page(ALL).await);
    shop.simulator.clear_faults(SHOP).await.unwrap();
    let ordered = names(&shop.page(ALL).await);
    assert_ne!(shuffled, ordered);
    assert_eq!(shuffled.iter().collect::<BTreeSet<_>>(), ordered.iter().collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn keys_go_missing_but_not_the_vital_ones() {
    let shop = struck(50, FaultKind::MissingKeys { percent: 50, vital: false }).await;
    let page = shop.page(&format!("{ALL}&per=50")).await;
    let (mut missing, mut null, mut text) = (0, 0, 0);
    for row in page["data"].as_array().unwrap() {
        let attributes = &row["attributes"];
        assert!(attributes["number"].is_string() && attributes["payment_state"].is_string());
        match attributes.get("subtotal") {
            None => missing += 1,
            Some(Value::Null) => null += 1,
            Some(Value::String(amount)) => {
                assert!(amount.parse::<i64>().is_ok());
                text += 1;
            }
            Some(other) => assert!(other.is_i64()),
        }
    }
    assert!(missing > 0 && null > 0 && text > 0);
}

#[tokio::test]
async fn rules_strike_when_they_say() {
    let shop = Shop::open(spec(1)).await;
    let statuses = async |rule: FaultRule| {
        shop.simulator.set_faults(SHOP, &[rule]).await.unwrap();
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(shop.get(LIST).await.0);
        }
        statuses
    };
    let rule = FaultRule::always(FaultKind::ServerError { applied: false });
    assert_eq!(statuses(rule.clone().times(2)).await, [500, 500, 200, 200, 200, 200, 200, 200]);
    assert_eq!(statuses(FaultRule { every: Some(3), ..rule.clone() }).await, [200, 200, 500, 200, 200, 500, 200, 200]);
    assert_eq!(
        statuses(FaultRule { skip: 2, times: Some(1), ..rule.clone() }).await,
        [200, 200, 500, 200, 200, 200, 200, 200]
    );
    assert_eq!(statuses(rule.clone().at(Endpoint::Shipping)).await, [200; 8]);
    let random = rule.clone().with_probability(0.5, 11);
    let first = statuses(random.clone()).await;
    assert!(first.contains(&200) && first.contains(&500));
    assert_eq!(statuses(random).await, first, "the seed decides");
    assert_ne!(statuses(rule.with_probability(0.5, 12)).await, first);
}

#[tokio::test]
async fn a_shop_of_everyday_oddities_still_lists() {
    let shop = Shop::open(ShopSpec { order_options: OrderOptions::default(), ..spec(300) }).await;
    let page = shop.page(&format!("{ALL}&per=100")).await;
    assert_eq!(ids(&page).len(), 100);
}
