//! 初期設定の記事: the set-up article, followed step by step on the deployed stack. Each step is one test, by the
//! article's own names; what it says about a choice inside a step is a test beside it (`s3a` …).

use renkei_e2e::article::{FIVE, OWN, number_of, plain, refused};
use renkei_e2e::{World, run};
use renkei_simulator::api::{ShopSpec, StateNames};
use serde_json::json;

const RELEASE: &str = "【コマースロボ】EC Force エラーがなくなったら出荷待ちへ移動";
const GENERIC_RELEASE: &str = "エラーが無くなったら出荷待ちへ移動";
const REMARK: &str = "玄関前に置いてください。インターホンは鳴らさないでください。犬がいます。";
/// The password of the tests' shops. Nothing may ever print it.
const PASSWORD: &str = "only-for-tests";

/// 1.発送元を作成する. The ship-from names its warehouse, and that warehouse's key opens what leaves there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_a_ship_from_is_registered_with_its_warehouse_and_a_key_opens_it() {
    let world = World::new("article-s1", plain(0), 10_000).await;
    let mut wanted = world.article();
    wanted["ship_froms"][0].as_object_mut().expect("an object").remove("phone");
    refused(&world.put(&wanted, None), &["ship_froms[0]", "phone"]);
    let mut wanted = world.article();
    let mut other = wanted["ship_froms"][0].clone();
    (other["id"], other["warehouse"]) = (json!("chiba-dc"), json!("airlogi-chiba"));
    wanted["ship_froms"].as_array_mut().expect("a list").push(other);
    let said = world.applied(&wanted);
    assert!(said.out.contains("ship_froms[tokyo-dc] is added") && said.out.contains("東京第一倉庫"), "{said:?}");

    let parcel = world.order(json!({})).await;
    world.does("fetch-orders");
    let tokyo = world.warehouse("airlogi-tokyo");
    assert_eq!(tokyo.get("/v1/shipments?status=ready").await.ids("shipments"), [world.shipment_id(parcel)]);
    let chiba = world.warehouse("airlogi-chiba");
    assert!(chiba.get("/v1/shipments?status=ready").await.ids("shipments").is_empty(), "its own parcels only");
    assert_eq!(tokyo.with_key(None).get("/v1/shipments?status=ready").await.status, 401);
}

/// 2.変換ロボットを作成する: ID:14448 EC Force 出荷指示登録(標準・API用) を複製し、「…- 独自」に変更して有効化.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_the_standard_is_copied_renamed_enabled_and_an_edit_is_tried_before_it_is_saved() {
    let world = World::new("article-s2", plain(0), 10_000).await;
    let mut wanted = world.article();
    wanted["conversion_robots"][0]["copy_of"] = json!(14449);
    refused(&world.put(&wanted, None), &["conversion_robots[0].copy_of", "14448"]);
    wanted = world.article();
    wanted["conversion_robots"][0]["enabled"] = json!(false);
    refused(&world.put(&wanted, None), &["ecforce-own", "not enabled"]);
    wanted = world.article();
    let said = world.applied(&wanted);
    assert!(said.out.contains(OWN), "{said:?}");

    let real = world.order(json!({ "remark": REMARK })).await;
    world.does("fetch-orders");
    assert_eq!(world.shipment(real)["delivery_note"], REMARK, "a copy does as the standard does");

    // Tried on the real order, shown field by field, and nothing saved.
    let before = world.ask(&["export"]).out;
    wanted["conversion_robots"][0]["fields"] = json!({ "delivery_note": "{{ order.remark | truncate(24) }}" });
    let tried = world.put_dry(&wanted);
    let shown = tried.out.lines().find(|line| line.contains("tried on stored orders")).unwrap_or_default();
    assert!(
        shown.contains("delivery_note: \"玄関前に") && shown.contains("→ \"玄関前に置いてください。\""),
        "{tried:?}"
    );
    assert_eq!(tried.out.matches("tried on stored orders").count(), 1, "no other field changes: {tried:?}");
    assert_eq!(world.ask(&["export"]).out, before, "a dry run saves nothing");

    let mut broken = wanted.clone();
    broken["conversion_robots"][0]["fields"]["delivery_note"] = json!("{{ order.remark | truncate(24 }}");
    refused(&world.put(&broken, None), &["line ", "conversion_robots[0].fields.delivery_note: ", "cannot be read"]);
    broken["conversion_robots"][0]["fields"] = json!({ "deliver_on": "{{ order.remark }}" });
    refused(&world.put(&broken, None), &["line ", "conversion_robots[0].fields.deliver_on: "]);
    assert_eq!(world.ask(&["export"]).out, before, "what is refused changes nothing");

    world.applied(&wanted);
    let next = world.order(json!({ "remark": REMARK })).await;
    world.does("fetch-orders");
    assert_eq!(world.shipment(next)["delivery_note"], "玄関前に置いてください。");
    let tried = world.tries("ecforce-own", real);
    assert_eq!(tried["changes"][0]["after"], "玄関前に置いてください。", "{tried}");
    let standard = world.tries("14448", next);
    assert_eq!(standard["changes"][0]["after"], REMARK, "the standard stays as it is: {standard}");
}

/// 3.連携ロボットを作成する: かんたん設定, EC Force, すべての連携設定を選択.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_the_easy_set_up_makes_all_robots_at_once() {
    let world = World::new("article-s3", plain(3), 10_000).await;
    let mut wanted = world.article();
    let easy = wanted["integration_robots"].take();
    wanted["integration_robots"] = json!({});
    let none = world.applied(&wanted);
    assert!(none.out.contains("is removed with its robot"), "{none:?}");
    assert_eq!(world.run("fetch-orders").code, 1, "there are no robots");

    wanted["integration_robots"] = easy;
    let made = world.applied(&wanted);
    for robot in ["fetch-orders", "state-working", "state-shipped", "status-sync", "inventory"] {
        assert!(
            made.out.contains(&format!("robot article-s3/{robot} starts by rate(1440 minutes)")),
            "{robot}: {made:?}"
        );
    }
    let again = world.applied(&wanted);
    assert!(again.out.contains("nothing to change"), "{again:?}");

    // Each of them runs. 出荷指示取得 → ステータス変更(出荷処理中) → 実績戻し・出荷済み.
    assert_eq!(world.does("fetch-orders")[0]["counts"]["imported"], 3);
    assert_eq!(world.does("state-working")[0]["counts"]["told"], 3);
    for robot in ["status-sync", "inventory", "state-shipped"] {
        world.does(robot);
    }
    assert_eq!(world.simulator.orders("article-s3", Some("working")).await.expect("orders").len(), 3);
}

/// 自動化オプションに加入している場合には「ステータス変更(出荷済み)」を選択しない; 在庫連携を希望しない場合は選択しない.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3a_s3b_what_would_run_twice_or_is_not_wanted_is_left_out() {
    let world = World::new("article-s3ab", plain(0), 10_000).await;
    let mut wanted = world.article();
    world.applied(&wanted);
    let robots = world.planned();
    assert!(robots.contains(&"state-shipped".to_owned()) && robots.contains(&"inventory".to_owned()), "{robots:?}");

    wanted["connections"][0]["automation_option"] = json!(true);
    let mut twice = wanted.clone();
    twice["integration_robots"]["easy_setup"]["shipped"] = json!(true);
    refused(
        &world.put(&twice, None),
        &["integration_robots.easy_setup.shipped: ", "it would run twice", "自動化オプション"],
    );
    let said = world.applied(&wanted);
    assert!(said.out.contains("is removed with its robot"), "{said:?}");
    let robots = world.planned();
    assert!(!robots.contains(&"state-shipped".to_owned()), "{robots:?}");
    assert!(robots.contains(&"write-back".to_owned()), "tracking numbers are still ours to tell: {robots:?}");
    assert_eq!(world.run("state-shipped").code, 1, "there is no such robot");

    wanted["integration_robots"]["easy_setup"].as_object_mut().expect("an object").remove("inventory");
    world.applied(&wanted);
    assert!(!world.planned().contains(&"inventory".to_owned()));
    assert_eq!(world.run("inventory").code, 1, "there is no such robot");
    // Wanted without the place whose stock it is.
    wanted["integration_robots"]["easy_setup"]["inventory"] = json!(true);
    wanted["connections"][0].as_object_mut().expect("an object").remove("stock_location_code");
    refused(&world.put(&wanted, None), &["integration_robots.easy_setup.inventory: ", "stock_location_code"]);
}

/// API URL「api.○○○.com」はそのまま、「○○○.jp/api」は「○○○.jp」; メールアドレスは固定; パスワード; 在庫ロケーションコード.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3c_the_api_credential_is_taken_in_every_form_and_tested_and_no_password_shows() {
    let world = World::new("article-s3c", plain(1), 10_000).await;
    let mut wanted = world.article();
    let said = world.applied(&wanted);
    for (typed, normal) in [
        ("api.hanako.example", "api.hanako.example"),
        ("hanako.example/api", "hanako.example"),
        ("https://hanako.example/api/", "hanako.example"),
        ("https://api.hanako.example/api/v2/", "api.hanako.example"),
        ("ａｐｉ．ｈａｎａｋｏ．ｅｘａｍｐｌｅ", "api.hanako.example"),
        (" API.Hanako.EXAMPLE ", "api.hanako.example"),
    ] {
        wanted["connections"][0]["api_url"] = json!(typed);
        let shown = world.put_dry(&wanted);
        let line = format!("connections[article-s3c].api_url changes from \"{}\" to {normal}", world.shop.url);
        assert!(shown.code == 0 && shown.out.lines().any(|said| said.trim() == line), "{typed}: {shown:?}");
    }
    world.applied(&wanted);
    let exported = world.ask(&["export"]).out;
    assert!(exported.contains("api_url: api.hanako.example\n") && !exported.contains("email"), "{exported}");
    for (typed, why) in
        [("http://api.hanako.example", "https://"), ("hanako.example/shop", "/api"), ("169.254.169.254", "IP address")]
    {
        wanted["connections"][0]["api_url"] = json!(typed);
        refused(&world.put_dry(&wanted), &["connections[0].api_url: ", why]);
    }

    // The e-mail is the service's own, which is the shop's API user here; each thing that is wrong is said.
    wanted = world.article();
    world.applied(&wanted);
    let right = run(&["connection", "test", "article-s3c"], None);
    assert!(
        right.code == 0
            && ["○ url", "○ sign-in", "○ state-fetch", "○ stock-location"]
                .iter()
                .all(|check| right.out.contains(check)),
        "{right:?}"
    );
    assert_eq!(world.put(&wanted, Some("not-this-4711")).code, 0);
    let wrong = run(&["connection", "test", "article-s3c"], None);
    assert!(
        wrong.code == 1 && wrong.out.contains("× sign-in") && wrong.out.contains("renkei@service.example"),
        "{wrong:?}"
    );
    wanted["connections"][0]["stock_location_code"] = json!("soko-2");
    world.applied(&wanted);
    let place = run(&["connection", "test", "article-s3c"], None);
    assert!(place.code == 1 && place.out.contains("× stock-location") && place.out.contains("soko-2"), "{place:?}");

    let history = world.ask(&["history"]);
    for ended in [&said, &right, &wrong, &place, &history, &world.ask(&["export"])] {
        let all = format!("{}{}", ended.out, ended.err);
        assert!(!all.contains(PASSWORD) && !all.contains("4711"), "{all}");
    }
}

/// 上限を超えてしまうとエラーとなり翌日9時まで正常な連携が出来ません; トリガー【定期】5分はできるだけ利用しない.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3d_the_plan_is_told_before_saving_and_the_limit_blocks_until_nine() {
    let world = World::new("article-s3d", ShopSpec { daily_call_limit: 3, ..plain(350) }, 3).await;
    let mut wanted = world.article();
    wanted["integration_robots"]["easy_setup"]["every"] = json!("15 minutes");
    wanted["connections"][0]["daily_call_limit"] = json!(500);
    let quarter = world.put_dry(&wanted);
    assert!(quarter.code == 0 && !quarter.err.contains("5 minutes"), "{quarter:?}");
    wanted["integration_robots"]["easy_setup"]["every"] = json!("5 minutes");
    let often = world.put_dry(&wanted);
    assert_eq!(often.code, 0, "it is allowed: {often:?}");
    // 288 fetches, 3 of the nightly reconciliation, 8 looks for late cancellations, 1 for what was counted, 2 sign-ins.
    let numbers = ["every 5 minutes", "302 calls a day of 500", "article-s3d/fetch-orders 288"];
    assert!(numbers.iter().all(|words| often.err.contains(words)), "{often:?}");
    wanted["connections"][0]["daily_call_limit"] = json!(300);
    let tight = world.put_dry(&wanted);
    assert!(tight.err.contains("of the 300 that the shop bears") && tight.err.contains("翌日9時"), "{tight:?}");
    let plan = world.ask(&["plan", "--orders-per-day", "350", "--json"]);
    assert_eq!((plan.code, &plan.lines()[0]["fits"]), (4, &json!(false)), "3 calls a day are too few: {plan:?}");

    let blocked = world.run("fetch-orders");
    assert_eq!(blocked.code, 3, "{blocked:?}");
    let until = blocked.lines()[0]["blocked_until"].as_str().unwrap_or_default().to_owned();
    assert!(until.ends_with("T00:00:00Z"), "09:00 in Japan: {blocked:?}");
    let before = world.calls().await;
    assert_eq!(world.run("fetch-orders").code, 3);
    assert_eq!((before, world.calls().await), (3, 3), "nothing calls until then");
    let quota = run(&["quota", "--connection", "article-s3d"], None);
    assert!(quota.out.contains("09:05"), "{quota:?}");
}

/// ステータス名を別で作成いただいた場合には変更ください.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3e_a_shop_that_names_its_states_otherwise_is_served_by_its_own_names() {
    let states = StateNames {
        fetch: "kakutei".to_owned(),
        working: "sagyochu".to_owned(),
        shipped: "shukka".to_owned(),
        ..StateNames::default()
    };
    let world = World::new("article-s3e", ShopSpec { states, ..plain(2) }, 10_000).await;
    let mut wanted = world.article();
    world.applied(&wanted);
    let tested = run(&["connection", "test", "article-s3e"], None);
    assert!(!tested.out.contains("○ state-fetch") && tested.out.contains("kakutei"), "{tested:?}");
    world.does("fetch-orders");
    assert!(world.list("shipments").is_empty(), "none is in `complete`");

    wanted["connections"][0]["states"] = json!({ "fetch": "kakutei", "working": "kakutei", "shipped": "shukka" });
    refused(&world.put(&wanted, None), &["connections[0].states", "kakutei"]);
    wanted["connections"][0]["states"]["working"] = json!("sagyochu");
    world.applied(&wanted);
    let tested = run(&["connection", "test", "article-s3e"], None);
    assert!(tested.code == 0 && tested.out.contains("○ state-fetch"), "{tested:?}");
    world.does("fetch-orders");
    world.does("state-working");
    assert_eq!(world.simulator.orders("article-s3e", Some("sagyochu")).await.expect("orders").len(), 2);
    world.ship().await;
    assert_eq!(world.simulator.orders("article-s3e", Some("shukka")).await.expect("orders").len(), 2);
}

/// 4.処理ロボットを有効化: 入金ステータス確認, 未入金を保留(入金確認), 商品マスタ, 同一注文番号, 出荷待ちへ移動(併用不可).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_the_five_processing_robots_are_enabled_and_tied_to_the_conversion_robot() {
    let world = World::new("article-s4", plain(0), 10_000).await;
    let mut wanted = world.article();
    wanted["processing_robots"]["enable"].as_array_mut().expect("a list").push(json!("release"));
    refused(&world.put(&wanted, None), &["processing_robots", RELEASE, GENERIC_RELEASE, "cannot be on together"]);
    wanted = world.article();
    let tied = |id: &str, to: &str| json!({ "id": id, "name": id, "conversion_robots": [to], "do": [{ "tag": id }] });
    wanted["processing_robots"]["custom"] =
        json!([tied("of-own", "ecforce-own"), tied("of-standard", "14448"), tied("of-nobody", "ecforce-onw")]);
    refused(&world.put(&wanted, None), &["custom[2].conversion_robots[0]", "ecforce-onw", "ecforce-own"]);
    wanted["processing_robots"]["custom"].as_array_mut().expect("a list").pop();
    world.applied(&wanted);

    let paid = world.order(json!({})).await;
    let unpaid = world.order(json!({ "payment_state": "pending" })).await;
    world.does("fetch-orders");
    world.stands(paid, "ready", None);
    world.stands(unpaid, "hold", Some("awaiting-payment"));
    let shown = world.shipment(paid);
    assert_eq!((&shown["payment"], &shown["tags"]), (&json!("paid"), &json!(["of-own"])), "{shown}");
    assert_eq!(world.shipment(unpaid)["payment"], "unpaid");

    let number = shown["order_number"].clone();
    let same = world.order(json!({ "number": number })).await;
    let unknown = world.order(json!({ "order_items": [{ "variant_sku": "NOT-OURS", "quantity": 1 }] })).await;
    assert_eq!(world.run("fetch-orders").code, 4, "a person should look");
    assert_eq!(world.list("shipments").len(), 2, "neither is imported");
    let of = |order: u64| {
        let orders = world.list("orders");
        let found = orders.iter().find(|line| line["order_id"] == json!(order)).cloned().expect("what became of it");
        (
            found["outcome"].as_str().unwrap_or_default().to_owned(),
            found["reason"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let (outcome, reason) = of(unknown);
    assert!(outcome == "quarantined" && reason.contains("NOT-OURS"), "{outcome}: {reason}");
    let (outcome, reason) = of(same);
    assert!(outcome == "duplicate" && !reason.is_empty(), "{outcome}: {reason}");

    // 商品マスタ登録: once the product is there, the order comes by itself.
    wanted["products"].as_array_mut().expect("a list").push(json!({ "sku": "NOT-OURS", "name": "新商品" }));
    world.applied(&wanted);
    world.until("the order is imported", async || world.list("shipments").len() == 3).await;
    world.stands(unknown, "ready", None);
}

/// 5.入金済みになった場合に自動で「出荷待ち」にする連携ロボット: トリガー「EC Forceステータス同期」, ステータス 入金確認.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_what_is_paid_goes_from_awaiting_payment_to_ready_after_the_status_sync() {
    let world = World::new("article-s5", plain(0), 10_000).await;
    let mut wanted = world.article();
    let robot = json!({ "id": "release-when-paid", "name": "入金済みになったら出荷待ちへ",
                        "on": { "after": "status-sync", "connection": "article-s5" },
                        "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" } });
    for (key, wrong, why) in
        [("apply_processing_robot", "ecforce-relaese", "ecforce-release"), ("to_status", "paid", "awaiting-payment")]
    {
        let mut mistaken = robot.clone();
        mistaken["do"][key] = json!(wrong);
        wanted["integration_robots"]["custom"] = json!([mistaken]);
        refused(&world.put(&wanted, None), &[&format!("custom[0].do.{key}: "), why]);
    }
    // Without it, what is paid is known as paid and stays where it is.
    wanted["integration_robots"]["custom"] = json!([]);
    world.applied(&wanted);
    let first = world.order(json!({ "payment_state": "pending" })).await;
    world.does("fetch-orders");
    world.pay(first).await;
    assert_eq!(world.does("status-sync").len(), 1);
    assert_eq!((&world.shipment(first)["payment"], &world.shipment(first)["status"]), (&json!("paid"), &json!("hold")));

    wanted["integration_robots"]["custom"] = json!([robot]);
    world.applied(&wanted);
    let pays = world.order(json!({ "payment_state": "pending" })).await;
    let waits = world.order(json!({ "payment_state": "pending" })).await;
    world.does("fetch-orders");
    world.stands(pays, "hold", Some("awaiting-payment"));
    world.pay(pays).await;
    let runs = world.does("status-sync");
    assert_eq!(runs.len(), 2, "the sync, and the robot that its end starts: {runs:?}");
    assert_eq!(
        (&runs[1]["robot"], &runs[1]["cause"], &runs[1]["calls"]),
        (&json!("release-when-paid"), &json!("after"), &json!(0))
    );
    world.stands(pays, "ready", None);
    assert_eq!(world.shipment(pays)["payment"], "paid");
    world.stands(waits, "hold", Some("awaiting-payment"));
    world.stands(first, "ready", None);
}

/// 実績戻しの際に配送方法をecforceに連携したい場合: 例)ID:6「ネコポス」.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s6_the_keyword_decides_the_method_and_the_carriers_id_goes_back_with_the_number() {
    let world = World::new("article-s6", plain(0), 10_000).await;
    world.applied(&world.article());
    let letter = world.order(json!({ "shipping_carrier_id": 6 })).await;
    world.does("fetch-orders");
    let shown = world.shipment(letter);
    assert_eq!((&shown["shipping_method"], &shown["carrier_id"]), (&json!("nekopos"), &json!(6)), "{shown}");
    let parcel = world.order(json!({ "shipping_carrier_id": 1 })).await;
    let unnamed = world.order(json!({ "shipping_carrier_id": 2 })).await;
    world.does("fetch-orders");
    assert_eq!(world.shipment(parcel)["shipping_method"], "yamato");
    assert_eq!(world.shipment(unnamed)["shipping_method"], "yamato", "no keyword matches 佐川急便: the default");
    let seen =
        world.warehouse("airlogi-tokyo").get(&format!("/v1/shipments/{}", world.shipment_id(letter))).await.json();
    assert_eq!(seen["shipping_method"], "NEKOPOS", "WMS配送方法: {seen}");

    world.does("state-working");
    world.ship().await;
    for (order, carrier) in [(letter, 6), (parcel, 1), (unnamed, 1)] {
        let truth = world.simulator.order("article-s6", order).await.expect("an order");
        let address = &truth.shipping_addresses[0];
        let told = (address.shipping_slip.clone(), address.shipping_carrier_id);
        assert_eq!(told, (Some(number_of(order)), Some(carrier)), "{truth:?}");
        assert_eq!(truth.brief.state, "shipped");
    }
}

/// 必ずこちらの記事を参照し、設定~テストまでを行ってください: tried and planned, with nothing written anywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_all_is_tested_and_nothing_is_written() {
    let world = World::new("article-s7", plain(0), 10_000).await;
    let mut wanted = world.article();
    world.applied(&wanted);
    let paid = world.order(json!({ "remark": REMARK })).await;
    let unpaid = world.order(json!({ "payment_state": "pending" })).await;
    world.does("fetch-orders");
    world.pay(unpaid).await;
    let books = || {
        [vec!["shipments", "--json"], vec!["orders", "--json"], vec!["runs", "--json"], vec!["history"], vec!["export"]]
            .map(|asked| world.ask(&asked).out)
    };
    let (before, spent) = (books(), world.calls().await);
    let details = [world.shipment(paid), world.shipment(unpaid)];

    for robot in FIVE.into_iter().chain(["14448", "ecforce-own"]) {
        for order in [paid, unpaid] {
            let tried = run(&["try", robot, "--shipment", &world.shipment_id(order)], None);
            assert!(tried.code == 0 && tried.out.contains("nothing was written"), "{robot}: {tried:?}");
        }
    }
    let held = world.tries("hold-unpaid", unpaid);
    assert_eq!(held["matches"], true, "{held}");
    let free = world.tries("hold-unpaid", paid);
    assert_eq!(free["matches"], false, "{free}");

    let plan = world.ask(&["plan", "--json"]);
    let line = plan.lines().remove(0);
    assert_eq!(
        (plan.code, &line["measured"], &line["fits"], &line["volume"]["orders"]),
        (0, &json!(true), &json!(true), &json!(2)),
        "{line}"
    );
    let robots = line["robots"].as_array().expect("robots");
    assert!(robots.iter().all(|robot| robot["calls"].is_u64()) && robots.len() >= 5, "{line}");
    let sum: u64 = robots.iter().filter_map(|robot| robot["calls"].as_u64()).sum();
    assert_eq!(line["calls"].as_u64(), line["sign_ins"].as_u64().map(|sign_ins| sum + sign_ins), "{line}");
    wanted["conversion_robots"][0]["fields"] = json!({ "delivery_note": "{{ order.remark | truncate(24) }}" });
    let shown = world.put_dry(&wanted);
    assert!(
        shown.out.contains("dry run: nothing was applied") && shown.out.contains("tried on stored orders"),
        "{shown:?}"
    );

    assert_eq!(books(), before, "nothing of ours was written");
    assert_eq!([world.shipment(paid), world.shipment(unpaid)], details);
    assert_eq!(world.calls().await, spent, "and the shop was not called");
}
