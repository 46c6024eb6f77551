//! かんたん設定 on the deployed stack: what is worth a second look is said before it is in force, and a shop's robots go out
//! again once somebody is sure.

use renkei_e2e::browser::Browser;
use renkei_e2e::ways::Shop;
use renkei_e2e::{aws, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::json;

const SHOP: &str = "easy-out";
const EASY: &str = "/t/easy-out/easy";
const NOBODY_RELEASES: &str = "取込の後に入金された注文を出荷待ちにするロボットがありません";

fn exported() -> String {
    run(&["export", "--tenant", SHOP], None).out
}

/// The token and version of the set-up's form.
async fn form(browser: &mut Browser) -> (String, String) {
    let page = browser.get(EASY).await;
    assert_eq!(page.status, 200, "{page:?}");
    (page.csrf(), page.hidden("version").remove(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_up_says_what_to_mind_and_goes_once_somebody_is_sure() {
    let spec = ShopSpec { orders: 0, order_options: OrderOptions::plain(), ..ShopSpec::default() };
    let shop = Shop::new(SHOP, spec, |document| {
        document["integration_robots"]["custom"] = json!([{
            "id": "easy-out-release", "name": "入金済みを出荷待ちへ",
            "on": { "after": "status-sync", "connection": SHOP },
            "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" },
        }]);
    })
    .await;
    let added = run(&["member", "add", "admin@renkei.example", "--tenant", SHOP, "--role", "admin"], None);
    assert_eq!(added.code, 0, "{added:?}");
    let mut browser = Browser::signed_in("admin").await;

    // Starts that are too frequent, with the numbers, before they are in force; within the limit as well.
    let often = browser.get(&format!("{EASY}?every=5&shipped=1")).await.text;
    for words in ["上限内です", "5分ごとの実行は、できるだけ避けてください", "上限は10,000回です"]
    {
        assert!(often.contains(words), "{words}: {often}");
    }
    let rarely = browser.get(&format!("{EASY}?every=60&shipped=1")).await.text;
    assert!(!rarely.contains("できるだけ避けて") && !rarely.contains(NOBODY_RELEASES), "{rarely}");
    let robots = browser.get("/t/easy-out/robots").await.text;
    assert!(robots.contains("/t/easy-out/easy?connection=easy-out\""), "each leads to where it is set up: {robots}");

    // A robot of one's own would wait for an end that never comes.
    let (csrf, version) = form(&mut browser).await;
    let fields = [("csrf", csrf.as_str()), ("version", version.as_str()), ("connection", SHOP), ("do", "remove")];
    let refused = browser.post(EASY, &fields).await;
    assert!(refused.status == 422 && refused.text.contains("起動することがありません"), "{refused:?}");

    shop.apply(|document| {
        document["connections"][0].as_object_mut().expect("an object").remove("stock_location_code");
        document["integration_robots"]["easy_setup"] = json!({ "connection": SHOP, "every": "24 hours" });
    });
    let wrong = browser.get(&format!("{EASY}?every=60&shipped=1&inventory=1")).await.text;
    for words in ["このままでは設定できません", "在庫をどの在庫ロケーションに反映するか分かりません", NOBODY_RELEASES]
    {
        assert!(wrong.contains(words), "{words}: {wrong}");
    }
    // What a button did without a look at it is warned of afterwards, and once.
    let (csrf, version) = form(&mut browser).await;
    let step = [
        ("csrf", csrf.as_str()),
        ("version", version.as_str()),
        ("list", "built-in"),
        ("robot", "reject-duplicate"),
        ("step", "off"),
    ];
    let stepped = browser.post("/t/easy-out/robots/step", &step).await;
    assert_eq!(stepped.status, 303, "{stepped:?}");
    assert!(browser.open(stepped.location()).await.text.contains(NOBODY_RELEASES));
    assert!(!browser.get("/t/easy-out/robots").await.text.contains(NOBODY_RELEASES));

    let (csrf, version) = form(&mut browser).await;
    let mut fields =
        vec![("csrf", csrf.as_str()), ("version", version.as_str()), ("connection", SHOP), ("do", "remove")];
    let asked = browser.post(EASY, &fields).await;
    assert!(asked.status == 200 && asked.text.contains("自社の連携ロボットは残ります"), "{asked:?}");
    assert_eq!((asked.hidden("do"), asked.hidden("sure")), (vec!["remove".to_owned()], vec!["1".to_owned()]));
    assert!(exported().contains("easy_setup"), "nothing is changed yet");
    fields.push(("sure", "1"));
    // The second click finds it done.
    for _ in 0..2 {
        let done = browser.post(EASY, &fields).await;
        assert!(done.status == 303 && done.location().ends_with("/robots?done"), "{done:?}");
    }
    assert!(!exported().contains("easy_setup"), "{}", exported());
    let starts = aws().schedules().await.iter().filter(|it| it["Target"].to_string().contains(SHOP)).count();
    assert_eq!(starts, 0, "nothing starts any more");
    fields.pop();
    assert_eq!(browser.post(EASY, &fields).await.status, 404, "there is none any more");
    let none = browser.get(EASY).await.text;
    assert!(none.contains("まだ連携ロボットがありません") && !none.contains("すべて外す"), "{none}");
}
