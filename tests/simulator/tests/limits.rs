//! Who may call, how often, and what the ledger keeps of it.

mod common;

use common::{SHOP, Shop, read, spec};
use renkei_simulator::api::{Endpoint, FaultKind, FaultRule, Hidden, ShopSpec};
use reqwest::Method;

const DAY: i64 = 86_400;

#[tokio::test]
async fn five_sign_ins_an_hour_share_one_token() {
    let mut shop = Shop::open(ShopSpec { token: None, ..spec(1) }).await;
    assert_eq!(shop.get("admin/orders.json").await.0, 401);
    let mut tokens = Vec::new();
    for _ in 0..4 {
        let (status, body) = shop.sign_in("correct-horse").await;
        assert_eq!((status, &body["email"]), (200, &"robot@renkei.example".into()));
        tokens.push(body["authentication_token"].as_str().unwrap().to_owned());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(shop.sign_in("wrong").await.0, 401);
    assert_eq!(shop.sign_in("correct-horse").await.0, 429, "the wrong one counted");
    shop.token = tokens.remove(0);
    assert_eq!(shop.get("admin/orders.json").await.0, 200);
    shop.simulator.set_clock(SHOP, 3_600).await.unwrap();
    assert_eq!(shop.sign_in("correct-horse").await.0, 200);
    let summary = shop.simulator.ledger_summary(SHOP).await.unwrap();
    assert_eq!((summary.sign_ins, summary.max_sign_ins_within_an_hour, summary.beyond_sign_ins), (7, 6, 1));
    for _ in 0..4 {
        assert_eq!(shop.sign_in("correct-horse").await.0, 200);
    }
    assert_eq!(shop.sign_in("correct-horse").await.0, 429, "five in this hour");
    shop.simulator.begin_anew(SHOP).await.unwrap();
    assert_eq!(shop.sign_in("correct-horse").await.0, 200, "after a night");
    assert_eq!(shop.simulator.shop(SHOP).await.unwrap().violations["too_many_sign_ins"], 2);
}

#[tokio::test]
async fn the_token_is_written_exactly_so() {
    let shop = Shop::open(spec(1)).await;
    for value in ["Token token=ready-made", "Bearer ready-made", "Token token=\"other\"", "token token=\"ready-made\""]
    {
        let request = shop.http.get(format!("{}/api/v2/admin/orders.json", shop.url)).header("Authorization", value);
        let (status, body) = read(request.send().await.unwrap()).await;
        assert_eq!(status, 401, "{value}");
        assert!(body["errors"][0]["message"].is_string());
    }
    shop.simulator.replace_tokens(SHOP, Some("another")).await.unwrap();
    assert_eq!(shop.get("admin/orders.json").await.0, 401);
}

#[tokio::test]
async fn rights_that_do_not_reach_answer_403() {
    let shop = Shop::open(ShopSpec { forbidden: vec![Endpoint::BulkUpdate], ..spec(1) }).await;
    assert_eq!(shop.get("admin/orders.json").await.0, 200);
    assert_eq!(shop.move_to(&[88_111], "working").await.0, 403);
}

#[tokio::test]
async fn past_the_daily_limit_every_call_fails_until_the_utc_date_turns() {
    let shop = Shop::open(ShopSpec { daily_call_limit: 3, ..spec(1) }).await;
    for _ in 0..3 {
        assert_eq!(shop.get("admin/orders.json").await.0, 200);
    }
    let (status, body) = shop.get("admin/orders.json").await;
    assert_eq!(status, 429);
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("上限"));
    assert_eq!(shop.sign_in("correct-horse").await.0, 429, "signing in is a call too");
    let status = shop.simulator.shop(SHOP).await.unwrap();
    assert_eq!((status.calls_today, status.violations["beyond_limit"]), (3, 2));

    shop.simulator.set_clock(SHOP, DAY).await.unwrap();
    assert_eq!(shop.get("admin/orders.json").await.0, 200, "another day");
    shop.simulator.spend_quota(SHOP, 100).await.unwrap();
    assert_eq!(shop.get("admin/orders.json").await.0, 429, "spent by someone else");
    shop.simulator.reset_quota(SHOP).await.unwrap();
    assert_eq!(shop.get("admin/orders.json").await.0, 200);
    let summary = shop.simulator.ledger_summary(SHOP).await.unwrap();
    assert_eq!(summary.beyond_limit, 3);
    assert_eq!(summary.by_status["429"], 3);
    assert_eq!(summary.by_quota_day.values().copied().collect::<Vec<_>>(), [3, 2]);
}

#[tokio::test]
async fn overlap_and_haste_are_observed() {
    let shop = Shop::open(ShopSpec { min_interval_ms: Some(60_000), ..spec(1) }).await;
    for _ in 0..2 {
        shop.get("admin/orders.json").await;
    }
    let calm = shop.simulator.ledger_summary(SHOP).await.unwrap();
    assert_eq!((calm.max_in_flight, calm.overlapping, calm.too_fast), (1, 0, 1));
    assert!(calm.min_interval_ms.unwrap() < 60_000.0);

    shop.simulator.clear_ledger(SHOP).await.unwrap();
    let slow = FaultRule::always(FaultKind::Slow { ms: 300, before: false });
    shop.simulator.set_faults(SHOP, &[slow]).await.unwrap();
    tokio::join!(shop.get("admin/orders.json"), shop.get("admin/products.json"));
    let hasty = shop.simulator.ledger_summary(SHOP).await.unwrap();
    assert_eq!((hasty.calls, hasty.max_in_flight, hasty.overlapping), (2, 2, 2));
    let ledger = shop.simulator.ledger(SHOP).await.unwrap();
    assert!(ledger.iter().all(|entry| entry.overlap && entry.ended_us - entry.started_us >= 300_000));
}

#[tokio::test]
async fn the_ledger_holds_no_secrets_and_no_people() {
    let shop = Shop::open(spec(1)).await;
    shop.sign_in("correct-horse").await;
    shop.get("admin/orders.json?q[email_eq]=someone@mail.example&per=7").await;
    shop.get("admin/orders/88111.json").await;
    let lines = shop.simulator.ledger_lines(SHOP).await.unwrap();
    assert_eq!(lines.lines().count(), 3);
    for line in lines.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["status"], 200);
    }
    for secret in ["ready-made", "correct-horse", "simtoken", "someone", "robot@"] {
        assert!(!lines.contains(secret), "{secret}");
    }
    assert!(lines.contains("per=7") && lines.contains("/orders/{id}.json") && !lines.contains("88111"));
    assert!(!format!("{:?}", ShopSpec { token: Some(Hidden::from("ready-made")), ..spec(0) }).contains("ready-made"));
}

#[tokio::test]
async fn a_caller_who_hangs_up_is_noted_and_undoes_nothing() {
    let shop = Shop::open(spec(1)).await;
    let slow = FaultRule::always(FaultKind::Slow { ms: 400, before: true });
    shop.simulator.set_faults(SHOP, &[slow]).await.unwrap();
    let call = shop
        .request(Method::PUT, "admin/orders/bulk_update.json")
        .json(&serde_json::json!({"orders": [{"id": 88_111, "state": "working"}]}))
        .timeout(std::time::Duration::from_millis(100));
    assert!(call.send().await.unwrap_err().is_timeout());
    for _ in 0..100 {
        if shop.state_of(88_111).await == "working" {
            let ledger = shop.simulator.ledger(SHOP).await.unwrap();
            assert_eq!((ledger.len(), ledger[0].status), (1, None));
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the shop forgot what it had begun");
}
