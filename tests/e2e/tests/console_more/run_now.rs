//! いま実行する on the deployed stack: what a start of each kind of robot comes to, for whom it is, and how often.

use std::time::{Duration, Instant};

use renkei_e2e::browser::Browser;
use renkei_e2e::run;
use renkei_e2e::ways::Shop;
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

fn member(tenant: &str, who: &str) {
    let email = format!("{who}@renkei.example");
    let added = run(&["member", "add", &email, "--tenant", tenant, "--role", who], None);
    assert_eq!(added.code, 0, "{added:?}");
}

/// A merchant's robot that a person starts, and which calls no shop.
fn release(id: &str, connection: &str) -> Value {
    json!({ "id": id, "name": "入金済みを出荷待ちへ", "on": { "by_hand": true, "connection": connection },
            "do": { "apply_processing_robot": "ecforce-release", "to_status": "awaiting-payment" } })
}

/// The name of the run that a start leads to.
fn run_of(location: &str) -> &str {
    let named = location.split_once("/run?id=").and_then(|(_, rest)| rest.split('&').next());
    named.unwrap_or_else(|| panic!("a run's page: {location}"))
}

/// A run's record, once it has come to its end.
async fn ended(tenant: &str, id: &str) -> Value {
    let began = Instant::now();
    loop {
        let found = run(&["runs", id, "--tenant", tenant, "--json"], None);
        if found.code == 0 {
            let record = found.lines().remove(0);
            if record["state"] != "running" {
                return record;
            }
        }
        assert!(began.elapsed().as_secs() < 300, "not within 5 minutes: {found:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_starts_each_kind_of_robot() {
    let name = "run-now";
    let shop = Shop::new(name, plain(3), |document| {
        let mut off = release("run-now-off", name);
        off["enabled"] = json!(false);
        off["do"] = json!("write-back");
        document["integration_robots"]["custom"] = json!([release("run-now-release", name), off]);
    })
    .await;
    for who in ["operator", "admin"] {
        member(name, who);
    }
    let mut browser = Browser::signed_in("operator").await;
    let robots = browser.get("/t/run-now/robots").await;
    let csrf = robots.csrf();
    // Of each function that carries out robots; and one that is off, which only does not start by itself.
    for robot in [
        "run-now/fetch-orders",
        "run-now/state-working",
        "run-now/state-shipped",
        "run-now/status-sync",
        "run-now/inventory",
        "run-now/reconcile",
        "run-now-release",
        "run-now-off",
    ] {
        let offered = format!("name=\"robot\" value=\"{robot}\"><button");
        assert!(robots.text.contains(&offered), "{robot}: {}", robots.text);
        let started = browser.post("/t/run-now/robots/run", &[("csrf", csrf.as_str()), ("robot", robot)]).await;
        assert_eq!(started.status, 303, "{robot}: {started:?}");
        let id = run_of(started.location());
        // Whether its function has begun or not: there is a page, of this robot.
        let page = browser.open(started.location()).await;
        assert!(page.status == 200 && page.text.contains(robot) && page.text.contains(id), "{page:?}");
        let record = ended(name, id).await;
        assert_eq!((&record["cause"], &record["robot"]), (&json!("hand"), &json!(robot)), "{record}");
        assert!(record["state"] == "done" || record["state"] == "needs-person", "{record}");
        let page = browser.open(started.location()).await;
        assert!(page.status == 200 && !page.text.contains("hx-trigger"), "it waits no more: {page:?}");
    }
    assert_eq!(shop.shipments().len(), 3, "what was started was done");
    let audit = Browser::signed_in("admin").await.get("/t/run-now/audit").await.text;
    for words in ["ロボットを実行", "operator@renkei.example", "run-now/fetch-orders", "run-now-off"] {
        assert!(audit.contains(words), "{words}: {audit}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_has_not_begun_is_awaited_and_no_other() {
    let _shop = Shop::new("run-awaited", plain(0), |document| {
        document["integration_robots"]["custom"] = json!([release("run-awaited-release", "run-awaited")]);
    })
    .await;
    member("run-awaited", "operator");
    let mut browser = Browser::signed_in("operator").await;
    let csrf = browser.get("/t/run-awaited/robots").await.csrf();
    let fields = [("csrf", csrf.as_str()), ("robot", "run-awaited-release")];
    let started = browser.post("/t/run-awaited/robots/run", &fields).await;
    assert_eq!(started.status, 303, "{started:?}");
    // A name of the same moment that no run has.
    let run = run_of(started.location());
    let (most, last) = run.split_at(run.len() - 1);
    let other = format!("{most}{}", if last == "0" { "1" } else { "0" });
    let mut page = async |query: &str| browser.get(&format!("/t/run-awaited/run?{query}")).await;
    let awaited = page(&format!("id={other}&robot=run-awaited-release")).await;
    assert_eq!(awaited.status, 200, "{awaited:?}");
    assert!(awaited.text.contains("ロボット「入金済みを出荷待ちへ」を開始しました。"), "{}", awaited.text);
    assert!(awaited.text.contains("hx-trigger=\"every 5s\""), "it renews itself: {}", awaited.text);
    for none in [
        format!("id={other}"),
        format!("id={other}&robot=nobodys"),
        "id=nobodys&robot=run-awaited-release".to_owned(),
        "id=01aryz6s41tsv4rrffq69g5fav&robot=run-awaited-release".to_owned(),
    ] {
        assert_eq!(page(&none).await.status, 404, "{none}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_starts_nothing_and_nobody_starts_too_much() {
    let _shop = Shop::new("run-often", plain(0), |document| {
        document["integration_robots"]["custom"] =
            json!([release("run-often-release", "run-often"), release("run-often-other", "run-often")]);
    })
    .await;
    let _theirs = Shop::new("run-theirs", plain(0), |_| ()).await;
    for who in ["viewer", "operator"] {
        member("run-often", who);
    }
    let path = "/t/run-often/robots/run";
    let runs = |tenant: &str| run(&["runs", "--tenant", tenant, "--json"], None).lines().len();

    let mut viewer = Browser::signed_in("viewer").await;
    let page = viewer.get("/t/run-often/robots").await;
    assert!(page.status == 200 && !page.text.contains("robots/run"), "nothing is offered: {}", page.text);
    let csrf = viewer.get("/t/run-often/shipments").await.csrf();
    let refused = viewer.post(path, &[("csrf", csrf.as_str()), ("robot", "run-often-release")]).await;
    assert_eq!(refused.status, 403, "{refused:?}");

    let mut operator = Browser::signed_in("operator").await;
    let csrf = operator.get("/t/run-often/robots").await.csrf();
    let fields = |robot| [("csrf", csrf.as_str()), ("robot", robot)];
    let forged = operator.post(path, &[("csrf", "x"), ("robot", "run-often-release")]).await;
    assert_eq!(forged.status, 403, "a form of others: {forged:?}");
    for robot in ["run-theirs/fetch-orders", "run-often/hints", "nobodys", ""] {
        assert_eq!(operator.post(path, &fields(robot)).await.status, 404, "{robot}");
    }
    let elsewhere = operator.post("/t/run-theirs/robots/run", &fields("run-theirs/fetch-orders")).await;
    assert_eq!(elsewhere.status, 404, "not a member: {elsewhere:?}");
    assert_eq!((runs("run-often"), runs("run-theirs")), (0, 0), "nothing was started");

    // Six times in ten minutes; if ten minutes end meanwhile, six times in each.
    let mut statuses = Vec::new();
    let last = loop {
        let page = operator.post(path, &fields("run-often-release")).await;
        statuses.push(page.status);
        if page.status != 303 || statuses.len() > 12 {
            break page;
        }
    };
    assert_eq!((statuses.len() >= 7, last.status), (true, 429), "{statuses:?}");
    assert!(last.text.contains("「いま実行する」は10分間に6回までです"), "{}", last.text);
    let other = operator.post(path, &fields("run-often-other")).await;
    assert_eq!(other.status, 303, "another robot is not concerned: {other:?}");
}
