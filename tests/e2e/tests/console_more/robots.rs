//! Robots in the console on the deployed stack: their order, what they would do, and who may know and change it.

use renkei_e2e::browser::{Browser, Page};
use renkei_e2e::ways::Shop;
use renkei_e2e::{World, aws, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use reqwest::Method;
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

fn member(tenant: &str, who: &str) {
    let email = format!("{who}@renkei.example");
    let added = run(&["member", "add", &email, "--tenant", tenant, "--role", who], None);
    assert_eq!(added.code, 0, "{added:?}");
}

/// The line of a tenant's document that begins so.
fn exported(tenant: &str, beginning: &str) -> String {
    let document = run(&["export", "--tenant", tenant], None).out;
    let line = document.lines().map(str::trim).find(|line| line.starts_with(beginning));
    line.unwrap_or_else(|| panic!("{beginning} in {document}")).to_owned()
}

/// Sends a form.
async fn post(browser: &mut Browser, path: &str, fields: &[(String, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(path, &fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robot_of_ones_own_is_removed_once_it_is_off() {
    let _shop = Shop::new("own-robot", plain(0), |document| {
        document["integration_robots"]["custom"] = json!([{
            "id": "own-release", "name": "入金済みになったら出荷待ちへ",
            "on": { "after": "status-sync", "connection": "own-robot" },
            "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" },
        }]);
    })
    .await;
    member("own-robot", "admin");
    let mut browser = Browser::signed_in("admin").await;
    for (step, offers) in [("off", false), ("remove", true)] {
        let page = browser.get("/t/own-robot/robots").await;
        assert_eq!(page.text.contains("入金済みになったら出荷待ちへ を削除する"), offers, "{}", page.text);
        let (csrf, version) = (page.csrf(), page.hidden("version").remove(0));
        let fields = [
            ("csrf", csrf.as_str()),
            ("version", &version),
            ("list", "integration"),
            ("robot", "own-release"),
            ("step", step),
        ];
        let done = browser.post("/t/own-robot/robots/step", &fields).await;
        assert_eq!(done.status, 303, "{step}: {done:?}");
    }
    let document = run(&["export", "--tenant", "own-robot"], None).out;
    assert!(!document.contains("own-release"), "{document}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processing_robots_are_put_in_another_order() {
    let _world = World::new("order-of-robots", plain(0), 1_000).await;
    for who in ["admin", "operator"] {
        member("order-of-robots", who);
    }
    let before = exported("order-of-robots", "enable:");
    let ids: Vec<&str> = before.trim_start_matches("enable: [").trim_end_matches(']').split(", ").collect();
    assert!(ids.len() >= 3, "{before}");
    let (first, last) = (ids[0], ids[ids.len() - 1]);
    let path = "/t/order-of-robots/robots/step";

    let mut browser = Browser::signed_in("admin").await;
    let page = browser.get("/t/order-of-robots/robots").await;
    let (csrf, version) = (page.csrf(), page.hidden("version").remove(0));
    let to = ids.len() - 1;
    let to = to.to_string();
    let fields = |csrf: &str, to: &str| -> Vec<(String, String)> {
        [("csrf", csrf), ("version", &version), ("list", "built-in"), ("robot", first), ("step", "to"), ("to", to)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    };

    // Not by a form of others, not by who only works shipments, not past the list's end.
    assert_eq!(post(&mut browser, path, &fields("x", &to)).await.status, 403, "a wrong token");
    let mut operator = Browser::signed_in("operator").await;
    let theirs = operator.get("/t/order-of-robots/robots").await;
    assert!(!theirs.text.contains("robots/step") && !theirs.text.contains("draggable"), "nothing is offered");
    let token = operator.get("/t/order-of-robots/shipments").await.csrf();
    assert_eq!(post(&mut operator, path, &fields(&token, &to)).await.status, 403);
    let past = post(&mut browser, path, &fields(&csrf, &ids.len().to_string())).await;
    assert_eq!(past.status, 400, "{past:?}");
    assert_eq!(exported("order-of-robots", "enable:"), before, "nothing moved yet");

    // From the first place to the last; it says where the robot is now.
    let moved = post(&mut browser, path, &fields(&csrf, &to)).await;
    assert!(moved.status == 303 && moved.location().ends_with(&format!("/robots?done&moved={first}")), "{moved:?}");
    let after = exported("order-of-robots", "enable:");
    assert!(after.ends_with(&format!("{last}, {first}]")), "{after}");
    let shown = browser.open(moved.location()).await;
    assert!(shown.text.contains(&format!("は上から{}番目です", ids.len())), "{}", shown.text);

    // The page that somebody else still has open is of the version before: nothing of it is done.
    let late = post(&mut browser, path, &fields(&csrf, "0")).await;
    assert!(late.status == 409 && late.text.contains("別の人が設定を変えました"), "{late:?}");
    assert_eq!(exported("order-of-robots", "enable:"), after);

    // What was asked for is in force, and what follows from it ended on its way: the same form again completes it.
    let theirs = |schedules: Vec<Value>| -> Vec<String> {
        let theirs = schedules.iter().filter(|it| it["Target"].to_string().contains("order-of-robots"));
        let mut names: Vec<String> = theirs.map(|it| it["Name"].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    };
    let all = theirs(aws().schedules().await);
    assert!(all.len() > 1, "{all:?}");
    let gone = format!("/schedules/{}?groupName=renkei", all[0]);
    aws().rest("scheduler", Method::DELETE, &gone, None).await;
    assert_eq!(theirs(aws().schedules().await).len(), all.len() - 1);
    let again = post(&mut browser, path, &fields(&csrf, &to)).await;
    assert!(again.status == 303 && again.location().contains("/robots?done"), "{again:?}");
    assert_eq!((theirs(aws().schedules().await), exported("order-of-robots", "enable:")), (all, after));

    // Both logs have it.
    let audit = browser.get("/t/order-of-robots/audit").await.text;
    assert!(audit.contains("<td>設定の適用</td>") && audit.contains("admin@renkei.example"), "{audit}");
    let history = browser.get("/t/order-of-robots/history").await.text;
    assert!(
        history.contains("admin@renkei.example") && history.contains("有効な標準の処理ロボット を変更"),
        "{history}"
    );
}

/// Calls to the shop besides sign-ins.
async fn calls(shop: &Shop) -> u64 {
    let ledger = shop.simulator.ledger_summary(shop.name).await.expect("the ledger");
    ledger.calls - ledger.sign_ins
}

fn assert_in_peoples_words(robots: &str) {
    for words in [
        "/dry-run?robot=console-dry/fetch-orders",
        "エラーがなくなったら出荷待ちへ移動」を適用（対象: 保留（入金確認））",
        "ステータスが「保留」と等しい かつ 入金ステータスが「入金済み」と等しい",
    ] {
        assert!(robots.contains(words), "{words}: {robots}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_says_what_a_robot_would_do_and_spends_only_what_is_chosen() {
    let name = "console-dry";
    let shop = Shop::new(name, plain(3), |document| {
        document["integration_robots"]["custom"] = json!([
            { "id": "console-dry-release", "name": "入金済みを出荷待ちへ", "on": { "by_hand": true, "connection": name },
              "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" } }
        ]);
        document["processing_robots"]["custom"] =
            json!([{ "id": "check-all", "name": "全件確認", "enabled": false, "do": [{ "tag": "要確認" }] }]);
    })
    .await;
    for who in ["admin", "operator"] {
        member(name, who);
    }
    let runs = || run(&["runs", "--tenant", name, "--json"], None).lines().len();
    let mut browser = Browser::signed_in("admin").await;
    let robots = browser.get(&format!("/t/{name}/robots")).await;
    let address = |robot: &str| format!("/t/{name}/dry-run?robot={robot}");
    assert_in_peoples_words(&robots.text);

    // What waits only the shop knows: it is said, and asked when somebody chooses to.
    let page = browser.get(&address("console-dry/fetch-orders")).await;
    assert!(page.status == 200 && page.text.contains("API呼び出しを最大"), "{page:?}");
    assert_eq!(calls(&shop).await, 0, "nothing was asked");
    let csrf = page.csrf();
    let path = format!("/t/{name}/dry-run");
    let form = [("csrf", csrf.as_str()), ("robot", "console-dry/fetch-orders")];
    assert_eq!(browser.post(&path, &[("csrf", "x"), form[1]]).await.status, 403, "a form of others");
    let looked = browser.post(&path, &form).await;
    assert_eq!(looked.status, 200, "{looked:?}");
    assert!(looked.text.contains("<dt>取込</dt><dd>3</dd>"), "{}", looked.text);
    assert_eq!(calls(&shop).await, 1, "one page, one call");
    assert!(shop.shipments().is_empty() && runs() == 0, "nothing was written");
    assert!(browser.get(&format!("/t/{name}/audit")).await.text.contains("<td>試し実行</td>"), "who spent the call");

    // Every other kind is said without a call.
    shop.robot_does("fetch-orders");
    let (spent, ran) = (calls(&shop).await, runs());
    for (robot, words) in [
        ("console-dry/state-working", "<dt>通知</dt><dd>3</dd>"),
        ("console-dry/state-shipped", "<dt>対象</dt><dd>ありません</dd>"),
        ("console-dry/status-sync", "未出荷の受注"),
        ("console-dry/inventory", "実行時のAPI呼び出し"),
        ("console-dry/reconcile", "100件ずつ"),
        ("console-dry-release", "<dt>実行時のAPI呼び出し</dt><dd>0回</dd>"),
    ] {
        let page = browser.get(&address(robot)).await;
        assert!(page.status == 200 && page.text.contains(words), "{robot}: {}", page.text);
    }
    // A processing robot over the open shipments, though it is off and runs on import only; the same by the command line.
    let before = shop.shipments();
    let rule = |rule: &str| format!("/t/{name}/dry-run?processing={rule}");
    let page = browser.get(&rule("check-all")).await;
    assert_eq!((page.status, page.text.matches("要確認").count()), (200, 3), "each shipment once: {}", page.text);
    for words in [
        "<dt>確認した未出荷の出荷指示</dt><dd>3</dd>",
        "<dt>変更</dt><dd>3</dd>",
        "適用したときだけ動きます",
        "ラベル: なし → 要確認",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let told = run(&["try", "check-all", "--open", name, "--json"], None);
    let lines = told.lines();
    assert_eq!((told.code, lines.len()), (0, 4), "{told:?}");
    assert!(lines[..3].iter().all(|line| line["changes"][0]["after"] == "要確認"), "{told:?}");
    assert_eq!((&lines[3]["counts"]["looked-at"], &lines[3]["counts"]["changed"]), (&json!(3), &json!(3)));
    let told = run(&["try", "check-all", "--open", name], None);
    assert!(told.code == 0 && told.out.contains("nothing was written"), "{told:?}");
    for (robot, shop) in [("nobodys", name), ("14448", name), ("check-all", "nobodys")] {
        assert_eq!(run(&["try", robot, "--open", shop], None).code, 1, "{robot} {shop}");
    }
    // As somebody writes it, without its being saved.
    let form_of = format!("/t/{name}/robot/processing/check-all/form");
    let page = browser.get(&form_of).await;
    let (csrf_of, version) = (page.csrf(), page.hidden("version").remove(0));
    let draft = [
        ("csrf", csrf_of.as_str()),
        ("version", version.as_str()),
        ("id", "check-all"),
        ("name", "全件確認"),
        ("run", "on_import"),
        ("c.how", "all"),
        ("a.0.kind", "tag"),
        ("a.0.text", "下書き"),
        ("shop", name),
        ("do", "try-open"),
    ];
    let page = browser.post(&form_of, &draft).await;
    assert!(page.status == 200 && page.text.contains("<dt>変更</dt><dd>3</dd>"), "{}", page.text);
    assert!(page.text.contains("下書き") && page.text.contains("書き込みはしていません"), "{}", page.text);
    let strays = draft.map(|(field, value)| (field, if field == "shop" { "nobodys" } else { value }));
    assert_eq!(browser.post(&form_of, &strays).await.status, 404, "a shop that is not among the settings");
    assert_eq!(browser.get(&rule("payment-check")).await.status, 200);
    assert_eq!(browser.get(&rule("nobodys")).await.status, 404);
    assert_eq!(browser.get(&format!("/t/{name}/dry-run")).await.status, 404);
    assert_eq!(browser.get(&format!("{}&connection=nobodys", rule("check-all"))).await.status, 404);
    assert_eq!(shop.shipments(), before, "nothing was written");
    assert_eq!((calls(&shop).await, runs()), (spent, ran), "no call, no run");
    assert_eq!(browser.get(&address("nobodys")).await.status, 404);

    // Six times in ten minutes, and not by who only works shipments.
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(browser.post(&path, &form).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    let mut operator = Browser::signed_in("operator").await;
    assert_eq!(operator.get(&address("console-dry/state-working")).await.status, 403);
}
