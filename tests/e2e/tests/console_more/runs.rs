//! A run's calls to its shop, one by one: by the command line and in the console, without what names a person.

use renkei_e2e::browser::Browser;
use renkei_e2e::ways::Shop;
use renkei_e2e::{aws, run};
use renkei_simulator::api::{FaultRule, OrderOptions, ShopSpec};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_of_a_run_are_shown_without_bodies_and_names() {
    let spec = ShopSpec { orders: 120, order_options: OrderOptions::plain(), ..ShopSpec::default() };
    let shop = Shop::new("calls", spec, |_| ()).await;
    let _theirs = Shop::new("calls-theirs", ShopSpec { orders: 0, ..ShopSpec::default() }, |_| ()).await;
    let rule = json!([{ "kind": "server_error", "endpoint": "orders_list", "times": 1 }]);
    let rules: Vec<FaultRule> = serde_json::from_value(rule).expect("a fault");
    shop.simulator.set_faults(shop.name, &rules).await.expect("faults");
    let ended = shop.robot_does("fetch-orders");
    let id = ended["run"].as_str().expect("a run");
    let made = ended["calls"].as_u64().expect("calls");
    let calls = run(&["runs", id, "--calls", "--json"], None);
    assert_eq!(calls.code, 0, "{calls:?}");
    let calls = calls.lines();
    assert_eq!(calls.len() as u64, made, "each call that was counted: {calls:?}");
    let is = |call: &Value, method: &str, path: &str, status: u64| {
        call["method"] == method
            && call["path"].as_str().is_some_and(|it| it.starts_with(path))
            && call["status"] == status
    };
    assert!(is(&calls[0], "POST", "admins/sign_in.json", 200), "{calls:?}");
    assert!(calls.iter().any(|call| is(call, "GET", "admin/orders.json?", 500)), "the fault: {calls:?}");
    let good: Vec<_> = calls.iter().filter(|call| is(call, "GET", "admin/orders.json?", 200)).collect();
    assert!(good.len() >= 2, "two pages: {calls:?}");
    assert!(good.iter().all(|call| call["lane"] == "fetch" && call["milliseconds"].is_u64()), "{calls:?}");
    assert!(
        good.iter().any(|call| call["path"].as_str().is_some_and(|path| path.contains("q[state_eq]="))),
        "{calls:?}"
    );
    let at = |call: &Value| call["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).expect("a time");
    assert!(calls.windows(2).all(|pair| at(&pair[0]) <= at(&pair[1])), "in their order: {calls:?}");
    let people = run(&["runs", id, "--calls"], None);
    assert!(people.out.contains("admin/orders.json") && people.out.contains("500"), "{people:?}");
    let one = run(&["runs", id, "--json"], None).lines();
    assert_eq!((one.len(), &one[0]["calls"]), (1, &json!(made)));
    assert_eq!(run(&["runs", "nobodys", "--calls"], None).code, 1);

    // They lie in the run's own record, and take little room there.
    let all = aws().everything().await;
    let of_run: Vec<&Value> =
        all.iter().map(|(_, item)| item).filter(|item| item["pk"]["S"] == format!("calls#{id}").as_str()).collect();
    assert!(
        of_run
            .iter()
            .all(|item| item["sk"]["S"] == "RUN" || item["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("PAGE#")))
    );
    let record = of_run.iter().find(|item| item["sk"]["S"] == "RUN").expect("the record");
    let packed = record["called"]["B"].as_str().expect("packed calls").len();
    println!("{made} calls take {packed} bytes in base64");
    assert!(packed < 2_800, "{packed}");

    for (tenant, role) in [("calls", "viewer"), ("calls-theirs", "admin")] {
        let who = format!("{role}@renkei.example");
        assert_eq!(run(&["member", "add", &who, "--tenant", tenant, "--role", role], None).code, 0);
    }
    let mut viewer = Browser::signed_in("viewer").await;
    let list = viewer.get("/t/calls/runs").await;
    assert!(list.text.contains(&format!("/t/calls/run?id={id}\"")), "{}", list.text);
    let page = viewer.get(&format!("/t/calls/run?id={id}")).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.text.matches("admin/orders.json?").count(), good.len() + 1, "{}", page.text);
    assert!(page.text.contains("admins/sign_in.json") && page.text.contains(">500<"), "{}", page.text);
    assert!(!page.text.contains("renkei@service.example") && !page.text.contains("only-for-tests"));
    assert_eq!(viewer.get("/t/calls/run?id=nobodys").await.status, 404);
    let mut admin = Browser::signed_in("admin").await;
    assert_eq!(admin.get(&format!("/t/calls-theirs/run?id={id}")).await.status, 404, "another merchant's run");
    assert_eq!(admin.get(&format!("/t/calls/run?id={id}")).await.status, 404, "not a member");
}
