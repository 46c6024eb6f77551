//! What cannot be undone is asked once more: until somebody is sure, nothing is changed.

use jiff::Timestamp;
use renkei_e2e::browser::Browser;
use renkei_e2e::{World, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

/// A merchant with so many shipments that are ready, and an operator.
async fn ready(name: &'static str, orders: u64) -> World {
    let options = OrderOptions::plain();
    let spec = ShopSpec { orders, order_options: options, daily_call_limit: 100_000, ..ShopSpec::default() };
    let world = World::new(name, spec, 10_000).await;
    let fetched = world.run("fetch-orders");
    assert_eq!(fetched.code, 0, "{fetched:?}");
    let added = run(&["member", "add", "operator@renkei.example", "--tenant", name, "--role", "operator"], None);
    assert_eq!(added.code, 0, "{added:?}");
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_by_telephone_cancels_once_somebody_is_sure() {
    let world = ready("sure-consent", 1).await;
    let id = world.list("shipments")[0]["id"].as_str().expect("an id").to_owned();
    let own = world.warehouse("dc");
    assert_eq!(own.claim(std::slice::from_ref(&id)).await.ids("claimed"), [id.as_str()]);
    let asked =
        json!({ "M": { "state": { "S": "requested" }, "requested_at": { "S": Timestamp::now().to_string() } } });
    let values = json!({ ":asked": asked, ":picking": { "S": "picking" } });
    world.change_record(&id, "SET #status = :picking, cancellation = :asked", values).await;
    let now = || world.list("shipments").remove(0);

    let mut browser = Browser::signed_in("operator").await;
    let page = format!("/t/sure-consent/shipment/{id}");
    let answer = format!("{page}/cancellation");
    let csrf = browser.get(&page).await.csrf();
    let fields = [("csrf", csrf.as_str()), ("answer", "accept"), ("sure", "1")];
    let asked = browser.post(&answer, &fields[..2]).await;
    assert!(asked.status == 200 && asked.text.contains("元に戻せません"), "{asked:?}");
    assert_eq!((asked.hidden("answer"), asked.hidden("sure")), (vec!["accept".to_owned()], vec!["1".to_owned()]));
    assert_eq!(now()["status"], "picking", "nothing is changed yet");
    // The second time, and unsure again, nothing is left to ask.
    for fields in [&fields[..], &fields[..], &fields[..2]] {
        let answered = browser.post(&answer, fields).await;
        assert!(answered.status == 303 && answered.location().ends_with("?done=answer.accept"), "{answered:?}");
    }
    let shown = browser.get(&format!("{page}?done=answer.accept")).await;
    assert!(shown.text.contains("倉庫の回答を登録しました。"), "{}", shown.text);
    assert_eq!(now()["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_takes_shipments_says_first_how_many() {
    let world = ready("sure-file", 3).await;
    let statuses = || -> Vec<Value> { world.list("shipments").iter().map(|it| it["status"].clone()).collect() };
    let mut browser = Browser::signed_in("operator").await;
    let csrf = browser.get("/t/sure-file/files").await.csrf();
    let mut form = vec![("csrf", csrf.as_str()), ("connection", "sure-file"), ("layout", "standard")];
    form.extend([("ship_until", ""), ("what", "claim")]);
    let asked = browser.post("/t/sure-file/files/export", &form).await;
    assert!(asked.status == 200 && asked.text.contains("3件の出荷を出荷準備中に"), "{asked:?}");
    assert!(!asked.headers.contains_key("content-disposition"), "{asked:?}");
    assert_eq!(statuses(), ["ready"; 3], "nothing is taken yet");
    form.push(("sure", "1"));
    let taken = browser.post("/t/sure-file/files/export", &form).await;
    assert!(taken.headers["content-disposition"].contains("standard-"), "{taken:?}");
    assert_eq!(statuses(), ["picking"; 3]);
    // What changes nothing is not asked.
    form.retain(|(name, _)| !matches!(*name, "what" | "sure"));
    form.push(("what", "picking"));
    let again = browser.post("/t/sure-file/files/export", &form).await;
    assert!(again.headers.contains_key("content-disposition") && again.bytes == taken.bytes, "{again:?}");
}
