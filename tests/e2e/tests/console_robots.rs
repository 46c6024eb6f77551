//! Robots in the console on the deployed stack: their order, and who may change it.

use renkei_e2e::browser::{Browser, Page};
use renkei_e2e::{World, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};

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
    async fn post(browser: &mut Browser, path: &str, fields: &[(String, String)]) -> Page {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(path, &fields).await
    }

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

    // Both logs have it.
    let audit = browser.get("/t/order-of-robots/audit").await.text;
    assert!(audit.contains("settings.apply") && audit.contains("admin@renkei.example"), "{audit}");
    let history = browser.get("/t/order-of-robots/history").await.text;
    assert!(history.contains("admin@renkei.example") && history.contains("processing_robots.enable"), "{history}");
}
