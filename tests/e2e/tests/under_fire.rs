//! What is between the functions breaks: messages come twice and out of order, runs overlap, functions die, a day's
//! calls are spent, a message cannot be worked on.

use std::collections::BTreeSet;

use renkei_e2e::{World, aws, prove, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

/// The AWS of the tests is one: what stops a function stops it for every test of this file.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_twice_and_three_runs_at_once_are_one_import_and_one_telling() {
    const ORDERS: usize = 500;
    let _alone = ALONE.lock().await;
    let world = World::new("doubled", plain(ORDERS as u64), 10_000).await;
    let aws = aws();
    let mut doubled = 0;
    for (function, action) in [("fetch-orders", "fetch-orders"), ("push-statuses", "state-working")] {
        aws.set_taking(function, false).await;
        if function == "fetch-orders" {
            aws.set_taking("import-orders", false).await;
        }
        for _ in 0..3 {
            world.start(action);
        }
        doubled += aws.double(function).await;
        aws.set_taking(function, true).await;
        world.until("the runs have read or told", async || aws.messages(function).await == 0).await;
        if function == "fetch-orders" {
            doubled += aws.double("import-orders").await;
            aws.set_taking("import-orders", true).await;
            world.until("all is imported", async || aws.messages("import-orders").await == 0).await;
        }
    }
    let shipments = world.list("shipments");
    let ids: BTreeSet<u64> = shipments.iter().filter_map(|s| s["order_id"].as_u64()).collect();
    assert_eq!((shipments.len(), ids.len()), (ORDERS, ORDERS), "each order is one shipment");
    assert!(shipments.iter().all(|shipment| shipment["shop_sync"] == "acknowledged"));
    let orders = world.simulator.orders(&world.shop.name, None).await.expect("orders");
    assert!(orders.iter().all(|order| order.state == "working" && order.written_working == 1), "each is told once");
    let mine = run(&["runs", "--json", "--tenant", "doubled"], None).lines();
    assert_eq!(mine.len(), 6, "a start that comes twice is one run");
    assert!(mine.iter().all(|run| run["state"] == "done"), "{mine:?}");
    let ledger = world.simulator.ledger_summary(&world.shop.name).await.expect("the ledger");
    assert_eq!((ledger.overlapping, ledger.beyond_limit, ledger.sign_ins), (0, 0, 1), "{ledger:?}");
    println!("{ORDERS} orders, {doubled} messages sent twice, 6 runs: {} calls, each order once", ledger.calls);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_the_limit_stops_goes_on_by_itself_when_the_date_changes() {
    const ORDERS: usize = 350;
    let _alone = ALONE.lock().await;
    // So few that no lane keeps any for itself: nothing is left before the date changes.
    let spec = ShopSpec { daily_call_limit: 3, ..plain(ORDERS as u64) };
    let world = World::new("tomorrow", spec, 3).await;
    let blocked = world.run("fetch-orders");
    assert_eq!(blocked.code, 3, "{blocked:?}");
    let first = blocked.lines()[0].clone();
    assert!(first["blocked_until"].as_str().is_some_and(|until| until.contains("T00:00:00")), "{first}");
    let said = run(&["quota", "--connection", "tomorrow"], None);
    assert!(said.out.contains("09:05"), "the quota says when calls begin anew: {said:?}");
    let aws = aws();
    world.until("what was read is imported", async || aws.messages("import-orders").await == 0).await;
    let imported = world.list("shipments").len();
    assert!((100..ORDERS).contains(&imported), "stopped in the middle: {imported}");
    assert_eq!(aws.messages("fetch-orders-dead-letters").await, 0);

    // The date changes: the gate's counts are yesterday's, the shop's allowance is new, and the wake-up is due.
    let yesterday = json!({
        "TableName": aws.table("Gate").await, "Key": { "pk": { "S": "tomorrow#tomorrow" }, "sk": { "S": "gate" } },
        "UpdateExpression": "SET #day = :day REMOVE closed", "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeNames": { "#day": "day" }, "ExpressionAttributeValues": { ":day": { "S": "2026-01-01" } },
    });
    aws.call("dynamodb", "DynamoDB_20120810.UpdateItem", yesterday).await;
    world.simulator.reset_quota(&world.shop.name).await.expect("a new day at the shop");
    let listed = aws.rest("scheduler", reqwest::Method::GET, "/schedules?ScheduleGroup=renkei", None).await;
    let mut woken = 0;
    for schedule in listed["Schedules"].as_array().expect("schedules") {
        let name = schedule["Name"].as_str().expect("a name");
        if !name.starts_with("wake-") {
            continue;
        }
        let path = format!("/schedules/{name}?groupName=renkei");
        let mut whole = aws.rest("scheduler", reqwest::Method::GET, &path, None).await;
        if !whole["Target"]["Input"].as_str().is_some_and(|input| input.contains("\"tomorrow\"")) {
            continue;
        }
        whole["ScheduleExpression"] = "at(2026-01-01T00:00:00)".into();
        aws.rest("scheduler", reqwest::Method::PUT, &format!("/schedules/{name}"), Some(whole)).await;
        woken += 1;
    }
    assert_eq!(woken, 1, "one wake-up for the robot: {listed}");

    let mine = async || run(&["runs", "--json", "--tenant", "tomorrow"], None).lines();
    world.until("the run is done", async || mine().await.iter().any(|run| run["state"] == "done")).await;
    let runs = mine().await;
    assert_eq!(runs.len(), 1, "it is the same run: {runs:?}");
    assert_eq!(world.list("shipments").len(), ORDERS);
    let ledger = world.simulator.ledger_summary(&world.shop.name).await.expect("the ledger");
    assert_eq!((ledger.overlapping, ledger.beyond_limit), (0, 0), "{ledger:?}");
    println!("a limit of 3: {imported} orders on the first day, {ORDERS} on the second; {} calls", ledger.calls);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poison_message_is_explained_and_replayed_once_the_cause_is_gone() {
    let _alone = ALONE.lock().await;
    let world = World::new("poison", plain(1), 1_000).await;
    let aws = aws();
    aws.set_taking("import-orders", false).await;
    world.start("fetch-orders");
    world.until("the order is queued", async || aws.messages("import-orders").await == 1).await;
    let asked = json!({ "QueueUrl": aws.queue("import-orders"), "VisibilityTimeout": 1 });
    let taken = aws.call("sqs", "AmazonSQS.ReceiveMessage", asked).await;
    let body = taken["Messages"][0]["Body"].as_str().expect("a body").to_owned();
    // The same order for a merchant who is not there yet, and what is no message at all.
    let early = body.replace("\"tenant\":\"poison\"", "\"tenant\":\"later\"");
    assert_ne!(early, body);
    aws.send("import-orders", &early, "later").await;
    aws.send("import-orders", "{\"v\":1,\"tenant\":\"髙橋 花子\"}", "none").await;
    aws.set_visibility("import-orders", 1).await;
    aws.set_taking("import-orders", true).await;

    let dead = "import-orders-dead-letters";
    world.until("both are dead letters", async || aws.messages(dead).await == 2).await;
    aws.set_visibility("import-orders", 360).await;
    assert_eq!(world.list("shipments").len(), 1, "the good message beside them went through");
    let letters = run(&["dead-letters", "list", "--json"], None).lines();
    let reason = |of: &dyn Fn(&Value) -> bool| letters.iter().find(|l| of(l)).map(|l| l["reason"].to_string());
    let waiting = reason(&|letter| letter["tenant"] == "later").expect("the early order");
    assert!(waiting.contains("later") && waiting.contains("apply its document"), "{waiting}");
    let garbage = reason(&|letter| letter["tenant"].is_null()).expect("the garbage");
    assert!(garbage.contains("cannot be read") && !garbage.contains("花子"), "{garbage}");

    // The cause goes: the merchant is set up.
    let applied = world.apply_with(1_000, None, |document| document["tenant"] = "later".into());
    assert_eq!(applied.code, 0, "{applied:?}");
    let id = letters.iter().find(|l| l["tenant"] == "later").expect("it")["message_id"].as_str().expect("an id");
    let replayed = run(&["dead-letters", "replay", "--id", id], None);
    assert!(replayed.code == 0 && replayed.out.contains('1'), "{replayed:?}");
    let theirs = || run(&["shipments", "--json", "--tenant", "later"], None).lines().len();
    world.until("the order is imported", async || theirs() == 1).await;
    assert_eq!(aws.messages(dead).await, 1, "the garbage stays");
    let gone = run(&["dead-letters", "replay", "--id", id], None);
    assert!(gone.code == 1 && gone.err.contains("no dead letter"), "{gone:?}");
    // A slip in a queue's name is one, and not a queue without dead letters.
    let slip = run(&["dead-letters", "replay", "--queue", "import_orders"], None);
    assert!(slip.code == 2 && slip.err.contains("import-orders"), "{slip:?}");
    aws.call("sqs", "AmazonSQS.PurgeQueue", json!({ "QueueUrl": aws.queue(dead) })).await;
}

#[test]
fn functions_die_shops_fail_messages_double_and_every_order_has_one_end() {
    let proved = prove(&["--seeds", "3", "--at-once", "3", "--orders", "180", "--storm", "12"]);
    println!("{}", proved.out);
    assert_eq!(proved.code, 0, "{proved:?}");
}
