//! A shop's connection, tested on its page of the console.

use renkei_e2e::browser::Browser;
use renkei_e2e::{World, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

/// What somebody gets wrong in their document.
type Mistake<'a> = &'a dyn Fn(&mut Value);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_tested_and_each_mistake_is_said() {
    let world = World::new("tested", plain(2), 1_000).await;
    let added = run(&["member", "add", "admin@renkei.example", "--tenant", "tested", "--role", "admin"], None);
    assert_eq!(added.code, 0, "{added:?}");
    let mut browser = Browser::signed_in("admin").await;
    let offer = browser.get("/t/tested/connection/tested").await;
    assert_eq!(offer.status, 200, "{offer:?}");
    // The address that has to be registered at the shop first, wherever somebody might look for it.
    let forms = ["/t/tested/setting/connection/tested", "/t/tested/setting/connection/new?new"];
    for shown in [&offer, &browser.get(forms[0]).await, &browser.get(forms[1]).await] {
        assert!(shown.text.contains("<code>renkei@service.example</code>"), "{}", shown.text);
    }
    let csrf = offer.csrf();
    let fields = [("csrf", csrf.as_str())];
    let used = || world.list("quota")[0]["used"].as_u64().expect("a count");
    let (before, path) = (used(), "/t/tested/connection/tested/test");
    let right = browser.post(path, &fields).await;
    assert!(right.status == 200 && right.text.contains("誤りは見つかりませんでした"), "{}", right.text);
    let spent = format!("<strong>{}</strong>", used() - before);
    assert!(right.text.contains(&spent), "what the page says is what the gate has counted, {spent}: {}", right.text);

    let email = |document: &mut Value| document["connections"][0]["email"] = "nobody@else.example".into();
    let place = |document: &mut Value| document["connections"][0]["stock_location_code"] = "defalt".into();
    let state = |document: &mut Value| document["connections"][0]["states"] = json!({ "fetch": "compleet" });
    let mistakes: [(Option<&str>, Mistake, [&str; 2]); 4] = [
        (None, &email, ["メールアドレスかパスワードが違います", "nobody@else.example"]),
        (
            Some("not-this-4711"),
            &|_: &mut Value| {},
            ["メールアドレスかパスワードが違います", "renkei@service.example"],
        ),
        (None, &place, ["在庫ロケーションコード「defalt」が見つかりません", "default"]),
        (None, &state, ["対応状況「compleet」の受注がなく", "complete"]),
    ];
    for (password, change, words) in mistakes {
        let applied = world.apply_with(1_000, password, change);
        assert_eq!(applied.code, 0, "{applied:?}");
        let page = browser.post(path, &fields).await;
        assert!(page.status == 200 && words.iter().all(|word| page.text.contains(word)), "{words:?}: {}", page.text);
        assert!(page.text.contains("修正が必要な設定があります") && !page.text.contains("4711"), "{}", page.text);
    }

    // Its calls are the shop's: who asks too often is told to wait, and nothing is called.
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(browser.post(path, &fields).await.status);
    }
    let spent = used();
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!((browser.post(path, &fields).await.status, used()), (429, spent));
    assert_eq!(browser.post(path, &[("csrf", "other")]).await.status, 403, "from our own page only");
    for elsewhere in ["/t/tested/connection/theirs", "/t/theirs/connection/theirs", "/t/tested/connection/no%20id"] {
        assert_eq!(browser.get(elsewhere).await.status, 404, "{elsewhere}");
        assert_eq!(browser.post(&format!("{elsewhere}/test"), &fields).await.status, 404, "{elsewhere}");
    }
    let audit = browser.get("/t/tested/audit").await.text;
    assert!(audit.contains("<td>接続テスト</td>") && audit.contains("○ API URL"), "and it is written down: {audit}");
    assert!(offer.text.contains("/t/tested/setting/connection/tested\""), "where it is put right: {}", offer.text);
}
