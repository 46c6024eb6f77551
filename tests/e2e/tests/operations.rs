//! What operators do: see what is wrong, hear of it, and let a merchant go. And what nobody may ever see: secrets and
//! customers' data in logs.

use std::path::PathBuf;

use renkei_e2e::ways::Shop;
use renkei_e2e::{Ended, World, aws, run};
use renkei_simulator::api::{FaultRule, OrderOptions, ShopSpec};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The tests of this file plant faults in the one stack, so they follow each other.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

fn doctor() -> (Ended, Vec<Value>) {
    let ended = run(&["doctor", "--json"], None);
    let findings = ended.lines();
    (ended, findings)
}

fn found(findings: &[Value], check: &str, words: &[&str]) -> bool {
    findings.iter().any(|f| f["check"] == check && words.iter().all(|word| f.to_string().contains(word)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_finds_what_was_broken_and_nothing_once_it_is_mended() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let world = World::new("ailing", plain(3), 10_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let (healthy, _) = doctor();
    assert_eq!((healthy.code, healthy.out.as_str()), (0, ""), "{healthy:?}");

    let schedules = aws().rest("scheduler", reqwest::Method::GET, "/schedules?ScheduleGroup=renkei", None).await;
    let mut deleted = 0;
    for schedule in schedules["Schedules"].as_array().expect("schedules") {
        let path = format!("/schedules/{}?groupName=renkei", schedule["Name"].as_str().expect("a name"));
        let whole = aws().rest("scheduler", reqwest::Method::GET, &path, None).await;
        // Other tests have merchants of their own.
        if deleted == 0 && whole.to_string().contains("ailing/fetch-orders") {
            aws().rest("scheduler", reqwest::Method::DELETE, &path, None).await;
            deleted += 1;
        }
    }
    assert_eq!(deleted, 1, "{schedules}");
    aws().send("fetch-orders-dead-letters", "{}", "ailing").await;
    let secret = json!({ "SecretId": "renkei/renkei/ailing/ailing", "ForceDeleteWithoutRecovery": true });
    aws().call("secretsmanager", "secretsmanager.DeleteSecret", secret).await;
    aws().set_taking("push-statuses", false).await;

    let (ill, findings) = doctor();
    println!("doctor: {} findings\n{}", findings.len(), ill.out);
    assert_eq!(ill.code, 1, "{ill:?}");
    assert!(found(&findings, "schedules", &["ailing", "has no schedule", "renkei apply"]), "{ill:?}");
    assert!(found(&findings, "queues", &["fetch-orders-dead-letters", "1 messages", "dead-letters list"]), "{ill:?}");
    assert!(found(&findings, "secrets", &["ailing/ailing", "apply"]), "{ill:?}");
    assert!(found(&findings, "functions", &["push-statuses", "switched off"]), "{ill:?}");

    // As the findings advise.
    let applied = world.apply(10_000, None);
    assert_eq!(applied.code, 0, "{applied:?}");
    aws().set_taking("push-statuses", true).await;
    let queue = json!({ "QueueUrl": aws().queue("fetch-orders-dead-letters") });
    aws().call("sqs", "AmazonSQS.PurgeQueue", queue).await;
    let (mended, _) = doctor();
    assert_eq!((mended.code, mended.out.as_str()), (0, ""), "{mended:?}");
}

/// Everything that is stored of a tenant.
async fn kept(name: &str) -> Vec<String> {
    let all = aws().everything().await;
    let mut of_it: Vec<String> =
        all.iter().map(|(table, item)| format!("{table} {item}")).filter(|text| text.contains(name)).collect();
    of_it.sort();
    of_it
}

/// A message that would start a robot of the merchant who leaves.
fn start_of_leaving() -> String {
    json!({ "v": 1, "tenant": "leaving", "connection": "leaving", "robot": "leaving/fetch-orders",
            "action": "fetch-orders", "cause": "schedule" })
    .to_string()
}

/// Something is counted in a ship-from, which is taken out of the document afterwards.
fn counted_where_nothing_leaves_from_any_more(world: &World) {
    world.add_ship_from("old-dc", "old-dc");
    let file = renkei_e2e::root().join("target/leaving-counts.csv");
    std::fs::write(&file, "sku,quantity\nSERUM-30,3\n").expect("a file");
    let file = file.to_str().expect("a path");
    let counted = run(&["files", "counts", "--tenant", "leaving", "--ship-from", "old-dc", file], None);
    assert_eq!(counted.code, 0, "{counted:?}");
    let applied = world.apply(10_000, None);
    assert_eq!(applied.code, 0, "{applied:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_leaves_with_its_data_and_leaves_nothing() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let leaving = World::new("leaving", plain(12), 10_000).await;
    let staying = World::new("staying", plain(5), 10_000).await;
    for world in [&leaving, &staying] {
        assert_eq!(world.run("fetch-orders").code, 0);
        let name = world.shop.name.as_str();
        for arguments in [
            ["warehouse-key", "create", "dc", "--tenant", name].as_slice(),
            &["webhook", "create", name, "--tenant", name],
            &["member", "add", "owner@both.example", "--tenant", name, "--role", "owner"],
        ] {
            let made = run(arguments, None);
            assert_eq!(made.code, 0, "{made:?}");
        }
    }
    counted_where_nothing_leaves_from_any_more(&leaving);
    let theirs = kept("staying").await;
    assert!(kept("leaving").await.len() > 30 && theirs.len() > 15);

    let to = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/exported");
    drop(std::fs::remove_dir_all(&to));
    let exported = run(&["tenant", "export", "leaving", "--to", to.to_str().expect("a path")], None);
    assert_eq!(exported.code, 0, "{exported:?}");
    let file = |name: &str| std::fs::read_to_string(to.join(name)).expect("an exported file");
    assert_eq!(file("shipments.jsonl").lines().count(), 12, "{exported:?}");
    let first: Value = serde_json::from_str(file("shipments.jsonl").lines().next().expect("a line")).expect("JSON");
    assert!(first["detail"].to_string().contains("postal_code"), "{first}");
    assert!(file("runs.jsonl").contains("fetch-orders") && file("document.yaml").contains("leaving"));
    assert!(file("members.jsonl").contains("owner@both.example"));
    assert!(file("counts.jsonl").contains("\"old-dc\""), "of a ship-from that was taken out: {exported:?}");
    let again = run(&["tenant", "export", "leaving", "--to", to.to_str().expect("a path")], None);
    assert!(again.code == 1 && again.err.contains("not empty"), "{again:?}");

    let unsure = run(&["tenant", "erase", "leaving", "--confirm", "staying"], None);
    assert!(unsure.code == 1 && unsure.err.contains("nothing was erased"), "{unsure:?}");
    aws().send("fetch-orders-dead-letters", &start_of_leaving(), "leaving").await;
    let erased = run(&["tenant", "erase", "leaving", "--confirm", "leaving"], None);
    assert_eq!(erased.code, 0, "{erased:?}");
    println!("{}", erased.out);
    assert!(erased.out.contains("dead letters: 1") && erased.out.contains("secrets: 1"), "{erased:?}");

    assert_eq!(kept("leaving").await, Vec::<String>::new());
    assert_eq!(kept("staying").await, theirs, "the other merchant's data is as it was");
    let secrets =
        aws().call("secretsmanager", "secretsmanager.ListSecrets", json!({ "IncludePlannedDeletion": true })).await;
    assert!(!secrets.to_string().contains("leaving") && secrets.to_string().contains("staying"), "{secrets}");
    let schedules = aws().rest("scheduler", reqwest::Method::GET, "/schedules?ScheduleGroup=renkei", None).await;
    for schedule in schedules["Schedules"].as_array().expect("schedules") {
        let path = format!("/schedules/{}?groupName=renkei", schedule["Name"].as_str().expect("a name"));
        let schedule = aws().rest("scheduler", reqwest::Method::GET, &path, None).await;
        assert!(!schedule.to_string().contains("leaving"), "{schedule}");
    }
    // As an attempt leaves it that was stopped between the tables and the dead letters: the repeat goes on there.
    aws().send("fetch-orders-dead-letters", &start_of_leaving(), "leaving").await;
    let resumed = run(&["tenant", "erase", "leaving", "--confirm", "leaving"], None);
    assert!(resumed.code == 0 && resumed.out.contains("dead letters: 1"), "{resumed:?}");
    assert_eq!(aws().messages("fetch-orders-dead-letters").await, 0);
    let repeated = run(&["tenant", "erase", "leaving", "--confirm", "leaving"], None);
    assert!(repeated.code == 1 && repeated.err.contains("there is no tenant"), "{repeated:?}");
    assert_eq!(staying.run("fetch-orders").code, 0, "the other merchant goes on");

    // On-boarding is one document, and begins with nothing.
    let back = leaving.apply(10_000, None);
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(leaving.run("fetch-orders").code, 0);
    assert_eq!(leaving.list("shipments").len(), 12);
}

/// The runbook's restore, step by step.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_comes_back_from_a_restored_table() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let world = World::new("restored", plain(6), 10_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    let table = aws().table("-Shipments-").await;
    let before = kept("S#restored").await;
    assert!(before.len() >= 12, "{before:?}");
    let beside = format!("{table}-restored");
    let restore = json!({ "SourceTableName": table, "TargetTableName": beside, "UseLatestRestorableTime": true });
    aws().call("dynamodb", "DynamoDB_20120810.RestoreTableToPointInTime", restore).await;
    let lost = aws().everything().await;
    let lost = lost
        .iter()
        .filter(|(of, item)| *of == table && item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("S#restored")));
    for (_, item) in lost.take(7) {
        let key = json!({ "pk": item["pk"], "sk": item["sk"] });
        let gone = json!({ "TableName": table, "Key": key });
        aws().call("dynamodb", "DynamoDB_20120810.DeleteItem", gone).await;
    }
    let ours =
        |all: Vec<String>| all.into_iter().filter(|text| text.starts_with(&format!("{table} "))).collect::<Vec<_>>();
    let before = ours(before);
    assert_eq!(ours(kept("S#restored").await).len(), before.len() - 7);
    let put_back = restore_tool(&["--from", &beside, "--to", &table, "--tenant", "restored"]);
    assert!(put_back.contains("7 missing items put back, 0 that differ left"), "{put_back}");
    assert_eq!(ours(kept("S#restored").await), before);
    aws().call("dynamodb", "DynamoDB_20120810.DeleteTable", json!({ "TableName": beside })).await;
}

fn restore_tool(arguments: &[&str]) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let port = std::env::var("RENKEI_TEST_PORT").unwrap_or_else(|_| "4596".to_owned());
    let ended = std::process::Command::new("python3")
        .arg(root.join("infra/tools/restore.py"))
        .args(arguments)
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("AWS_DEFAULT_REGION", "ap-northeast-1")
        .env("AWS_ACCESS_KEY_ID", "000000000000")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .output()
        .expect("Python");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

/// One request to a webhook of this machine, as text.
async fn heard(listener: &tokio::net::TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.expect("a call");
    let mut text = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).await.expect("a request");
        text.extend_from_slice(&part[..count]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let length = so_far
            .to_ascii_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next().and_then(|length| length.parse::<usize>().ok()));
        if let (Some((_, body)), Some(length)) = (so_far.split_once("\r\n\r\n"), length)
            && body.len() >= length
        {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.expect("an answer");
            return so_far;
        }
        assert!(count > 0, "{so_far}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_reaches_the_webhook_as_one_line() {
    let _alone = ONE_AT_A_TIME.lock().await;
    renkei_e2e::stack();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let hook = format!("http://{}/services/T0/canary-hook", listener.local_addr().expect("an address"));
    // As a deployment with NotificationsUrl makes it.
    let path = "/2015-03-31/functions/renkei-watch/configuration";
    let mut function = aws().rest("lambda", reqwest::Method::GET, path, None).await;
    let without = function["Environment"].take();
    let mut environment = without.clone();
    environment["Variables"]["RENKEI_NOTIFICATIONS_URL"] = hook.into();
    aws().rest("lambda", reqwest::Method::PUT, path, Some(json!({ "Environment": environment }))).await;
    let topics = aws().form("sns", &[("Action", "ListTopics"), ("Version", "2010-03-31")]).await;
    let topic = topics.split("<TopicArn>").nth(1).and_then(|rest| rest.split('<').next()).expect("a topic").to_owned();
    let to = function["FunctionArn"].as_str().expect("an ARN");
    let subscribe = [
        ("Action", "Subscribe"),
        ("Version", "2010-03-31"),
        ("TopicArn", &topic),
        ("Protocol", "lambda"),
        ("Endpoint", to),
    ];
    aws().form("sns", &subscribe).await;

    let metric = json!({ "MetricName": "GateUsedShare", "Value": 91.0,
                         "Dimensions": [{ "Name": "Stage", "Value": "local" }] });
    let fed = json!({ "Namespace": "Renkei", "MetricData": [metric] });
    aws().call("monitoring", "GraniteServiceVersion20100801.PutMetricData", fed).await;
    // Other alarms have their say as well: what was at rest says so when it is looked at for the first time.
    let of_the_gate = async {
        loop {
            let told = heard(&listener).await;
            if told.contains("GateUsedAlarm") {
                return told;
            }
        }
    };
    let told = tokio::time::timeout(std::time::Duration::from_mins(1), of_the_gate).await.expect("a call in time");
    println!("{told}");
    // Nobody listens from here on, and the alarm will be over some time.
    aws().rest("lambda", reqwest::Method::PUT, path, Some(json!({ "Environment": without }))).await;
    assert!(told.starts_with("POST /services/T0/canary-hook"), "{told}");
    let body: Value = serde_json::from_str(told.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    let text = body["text"].as_str().expect("a text");
    assert!(text.contains("ALARM") && text.contains("GateUsedAlarm") && text.contains("80 %"), "{text}");
    let lines = aws().log_lines().await;
    assert!(!lines.iter().any(|line| line.contains("canary-hook")), "the webhook's address is in a log");

    // The clock: it counts none, and so that it looked.
    aws()
        .rest("lambda", reqwest::Method::POST, "/2015-03-31/functions/renkei-watch/invocations", Some(json!({})))
        .await;
    let lines = aws().log_lines().await;
    assert!(lines.iter().any(|line| line.contains("\"RobotsSilent\":0")), "watch looked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_customers_and_no_secret_is_in_logs_runs_or_dead_letters() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let secret = "canary-password-7f3a";
    let world = World::new("silentium", plain(8), 10_000).await;
    assert_eq!(world.run("fetch-orders").code, 0);
    assert_eq!(world.run("state-working").code, 0);
    assert_eq!(world.run("status-sync").code, 0);
    let shipments = world.list("shipments");
    assert_eq!(shipments.len(), 8);
    // A wrong password is told in a sentence, without it.
    assert_eq!(world.apply(10_000, Some(secret)).code, 0);
    let failed = world.run("fetch-orders");
    let mut canaries = vec![secret.to_owned(), "only-for-tests".to_owned()];
    for shipment in &shipments {
        let id = shipment["id"].as_str().or_else(|| shipment["shipment"].as_str()).expect("an id");
        let whole = run(&["shipment", id, "--json", "--tenant", "silentium"], None).lines().remove(0);
        personal(&whole["ship_to"], &mut canaries);
    }
    canaries.sort();
    canaries.dedup();
    assert!(canaries.len() > 12, "{canaries:?}");
    let mut places: Vec<(String, String)> = vec![("the command line".to_owned(), format!("{failed:?}"))];
    places.extend(aws().log_lines().await.into_iter().map(|line| ("a log".to_owned(), line)));
    let stored = aws().everything().await;
    // Shipments hold customers' data, which is what they are for; no other table does.
    places.extend(
        stored.into_iter().filter(|(table, _)| !table.contains("-Shipments-")).map(|(t, i)| (t, i.to_string())),
    );
    let lines = places.len();
    for (place, text) in places {
        for canary in &canaries {
            assert!(!text.contains(canary.as_str()), "{canary:?} is in {place}: {text}");
        }
    }
    println!("{} canaries in none of {lines} lines and items", canaries.len());
}

/// Names, addresses and numbers, as far as they are long enough to be nobody else's.
fn personal(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.chars().count() >= 5 => into.push(text.clone()),
        Value::Object(fields) => {
            fields.iter().filter(|(name, _)| *name != "prefecture").for_each(|(_, v)| personal(v, into));
        }
        Value::Array(values) => values.iter().for_each(|value| personal(value, into)),
        _ => {}
    }
}

/// Has watch look, as its clock does every hour. Gives what the function answered.
async fn look() -> Value {
    let path = "/2015-03-31/functions/renkei-watch/invocations";
    aws().rest("lambda", reqwest::Method::POST, path, Some(json!({}))).await
}

/// What a webhook hears while something is done; None if nothing.
async fn heard_while(listener: &tokio::net::TcpListener, doing: impl Future) -> Option<String> {
    let hearing = async {
        let told = tokio::time::timeout(std::time::Duration::from_secs(5), heard(listener)).await.ok()?;
        let body: Value = serde_json::from_str(told.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
        body["text"].as_str().map(str::to_owned)
    };
    tokio::join!(doing, hearing).1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchants_staff_are_told_once_of_what_needs_them() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let world = World::new("noticed", plain(2), 10_000).await;
    let other = World::new("unnoticed", plain(1), 10_000).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let hook = format!("http://{}/services/T1/canary-staff", listener.local_addr().expect("an address"));
    let on = |url: &str| {
        let url = url.to_owned();
        tokio::task::spawn_blocking(move || {
            run(&["notices", "on", "--tenant", "noticed", "--url-env", "SHOP_PASSWORD"], Some(&url))
        })
    };
    let listed = || run(&["notices", "list", "--tenant", "noticed", "--json"], None).lines();

    // An address that is none, and one where nobody answers: nothing is switched on.
    for wrong in ["http://169.254.169.254/latest", "http://127.0.0.1:9/nobody", "not an address"] {
        let refused = on(wrong).await.expect("a command");
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(!refused.err.contains("nobody") && !refused.err.contains("latest"), "{refused:?}");
    }
    assert_eq!(listed(), Vec::<Value>::new());
    let first = heard_while(&listener, async { assert_eq!(on(&hook).await.expect("a command").code, 0) }).await;
    assert!(first.as_ref().is_some_and(|text| text.contains("noticed") && text.contains("/t/noticed")), "{first:?}");
    assert_eq!(listed().len(), 1, "{:?}", listed());

    // Nothing is new; then both merchants' robots fail, and only the one that wants to know is told, once.
    assert_eq!(heard_while(&listener, look()).await, None);
    for world in [&world, &other] {
        assert_eq!(world.apply(10_000, Some("canary-wrong-password")).code, 0);
        assert_eq!(world.run("fetch-orders").code, 1);
    }
    age("noticed").await;
    let told = heard_while(&listener, look()).await.expect("a message");
    println!("{told}");
    assert!(told.contains("noticed/fetch-orders: 失敗 1回") && !told.contains("unnoticed"), "{told}");
    assert!(!told.contains("canary"), "{told}");
    assert_eq!(heard_while(&listener, look()).await, None, "once");
    assert!(listed()[0]["last_message"].is_string() && listed()[0]["failure"].is_null(), "{:?}", listed());

    // One that does not arrive is shown, and told later.
    assert_eq!(world.run("fetch-orders").code, 1);
    age("noticed").await;
    let address = listener.local_addr().expect("an address");
    drop(listener);
    look().await;
    assert!(listed()[0]["failure"].as_str().is_some_and(|why| why.contains("did not answer")), "{:?}", listed());
    let listener = tokio::net::TcpListener::bind(address).await.expect("the port again");
    let told = heard_while(&listener, look()).await.expect("a message");
    assert!(told.contains("失敗 1回"), "{told}");

    // Off: the address is forgotten, and nobody is told.
    let off = run(&["notices", "off", "--tenant", "noticed"], None);
    assert_eq!((off.code, listed().len()), (0, 0), "{off:?}");
    assert_eq!(world.run("fetch-orders").code, 1);
    age("noticed").await;
    assert_eq!(heard_while(&listener, look()).await, None);
    // As other tests expect to find the stack.
    for world in [&world, &other] {
        assert_eq!((world.apply(10_000, None).code, world.run("fetch-orders").code), (0, 0));
    }
    let lines = aws().log_lines().await;
    assert!(!lines.iter().any(|line| line.contains("canary-staff")), "the webhook's address is in a log");
    let audit = kept("A#noticed").await.concat();
    assert!(audit.contains("notices.on") && audit.contains("notices.off") && !audit.contains("canary"), "{audit}");
}

/// Makes the tenant's settings as a newer release would have written them, or as they were.
async fn set_version_of_settings(tenant: &str, version: u64) {
    let of_it = |item: &Value| item["pk"]["S"] == format!("T#{tenant}") && item["sk"]["S"] == "CURRENT";
    let (table, mut item) = aws().everything().await.into_iter().find(|(_, item)| of_it(item)).expect("settings");
    item["v"] = json!({ "N": version.to_string() });
    aws().call("dynamodb", "DynamoDB_20120810.PutItem", json!({ "TableName": table, "Item": item })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_whose_settings_cannot_be_read_keeps_no_other_from_being_told() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let world = World::new("readable", plain(1), 10_000).await;
    // Looked at before the other, by its name.
    let unreadable = World::new("newer", plain(1), 10_000).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let hook = format!("http://{}/services/T1/canary-staff", listener.local_addr().expect("an address"));
    let on = tokio::task::spawn_blocking(move || {
        run(&["notices", "on", "--tenant", "readable", "--url-env", "SHOP_PASSWORD"], Some(&hook))
    });
    heard_while(&listener, async { assert_eq!(on.await.expect("a command").code, 0) }).await;
    assert_eq!(world.apply(10_000, Some("canary-wrong-password")).code, 0);
    assert_eq!(world.run("fetch-orders").code, 1);
    age("readable").await;

    set_version_of_settings("newer", 99).await;
    let mut answer = Value::Null;
    let told = heard_while(&listener, async { answer = look().await }).await;
    set_version_of_settings("newer", 1).await;
    assert!(told.is_some_and(|text| text.contains("readable/fetch-orders: 失敗 1回")), "{answer}");
    assert!(answer["errorMessage"].is_string(), "the alarm of the function's errors is to be raised: {answer}");
    let lines = aws().log_lines().await;
    let is_said = |line: &String| line.contains("robots run is not known") && line.contains("newer");
    assert!(lines.iter().any(is_said), "the log says whose settings they are");

    // As other tests expect to find the stack.
    assert_eq!(run(&["notices", "off", "--tenant", "readable"], None).code, 0);
    assert_eq!((world.apply(10_000, None).code, world.run("fetch-orders").code), (0, 0));
    assert_eq!(unreadable.run("fetch-orders").code, 0);
    aws().forget_logs("/aws/lambda/renkei-watch").await;
}

/// The most that a function counted of a metric in one invocation for a merchant's shop; None if none counted it yet.
async fn highest(tenant: &str, metric: &str) -> Option<f64> {
    let shops = format!("{tenant}/");
    let lines = aws().log_lines().await;
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let theirs = lines.filter(|line| line["Connection"].as_str().is_some_and(|shop| shop.starts_with(&shops)));
    theirs.filter_map(|line| line[metric].as_f64()).max_by(f64::total_cmp)
}

/// How many invocations counted of a metric so much for a merchant's shop.
async fn invocations(tenant: &str, metric: &str, least: f64) -> usize {
    let shops = format!("{tenant}/");
    let lines = aws().log_lines().await;
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let theirs = lines.filter(|line| line["Connection"].as_str().is_some_and(|shop| shop.starts_with(&shops)));
    theirs.filter(|line| line[metric].as_f64().is_some_and(|value| value >= least)).count()
}

/// A warehouse was asked long ago to give up what is cancelled, and has not answered.
async fn age_cancellation(tenant: &str) {
    let of_it = |item: &Value| {
        let key = item["pk"]["S"].as_str().unwrap_or_default();
        key.starts_with(&format!("S#{tenant}#")) && item["cancellation"]["M"]["requested_at"]["S"].is_string()
    };
    let all = aws().everything().await;
    let (table, mut item) = all.into_iter().find(|(_, item)| of_it(item)).expect("a cancellation");
    item["cancellation"]["M"]["requested_at"]["S"] = "2026-01-01T00:00:00Z".into();
    aws().call("dynamodb", "DynamoDB_20120810.PutItem", json!({ "TableName": table, "Item": item })).await;
}

/// What the shop refuses, a cancellation without an answer, and a payment state that nobody knows.
async fn a_shop_with_much_to_look_at(name: &'static str) -> Shop {
    let shop = Shop::new(name, plain(2), |_| ()).await;
    shop.robot_does("fetch-orders");
    shop.claim();
    let refusal = json!([{ "kind": "partial_failure", "endpoint": "bulk_update", "percent": 100, "code": "AOR2001" }]);
    let refusal: Vec<FaultRule> = serde_json::from_value(refusal).expect("fault rules");
    shop.simulator.set_faults(name, &refusal).await.expect("faults");
    let refused = shop.robot("state-working");
    assert_eq!(refused.code, 4, "{refused:?}");
    shop.simulator.clear_faults(name).await.expect("healed");
    let edits = [json!({ "state": "canceled" }), json!({ "payment_state": "brand_new_state" })];
    for (order, edit) in shop.orders().await.iter().zip(edits) {
        let edit = edit.as_object().expect("an object");
        shop.simulator.change_order(name, order.id, edit).await.expect("an edit");
    }
    let asked = shop.robot("status-sync");
    assert_eq!(asked.code, 4, "{asked:?}");
    age_cancellation(name).await;
    let overdue = shop.robot("status-sync");
    assert_eq!(overdue.code, 4, "{overdue:?}");
    shop
}

/// An alarm is worth what its metric is: each that a robot's run raises is seen in the lines of the function that ran it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_alarms_look_at_is_counted_when_it_happens() {
    let _alone = ONE_AT_A_TIME.lock().await;
    // A sign-in and two pages are the day's calls.
    let tight = World::new("counted-tight", ShopSpec { daily_call_limit: 3, ..plain(250) }, 3).await;
    let blocked = tight.run("fetch-orders");
    assert_eq!(blocked.code, 3, "{blocked:?}");
    // One that makes no call finds the day as spent as the one that spent it.
    let spent = async |times: usize| invocations("counted-tight", "GateUsedShare", 100.0).await >= times;
    tight.until("the day counts as spent", async || spent(1).await).await;
    assert_eq!(tight.run("fetch-orders").code, 3);
    tight.until("it counts as spent still", async || spent(2).await).await;
    let failing = World::new("counted-failing", plain(1), 10_000).await;
    assert_eq!(failing.apply(10_000, Some("canary-wrong-password")).code, 0);
    for _ in 0..3 {
        let failed = failing.run("fetch-orders");
        assert_eq!(failed.code, 1, "{failed:?}");
    }
    let _shop = a_shop_with_much_to_look_at("counted").await;

    for (tenant, metric, least) in [
        ("counted-tight", "GateUsedShare", 80.0),
        ("counted-tight", "RunsBlocked", 1.0),
        ("counted-tight", "OrdersFetched", 200.0),
        ("counted-failing", "RobotsFailing", 1.0),
        ("counted-failing", "ShopErrors", 1.0),
        ("counted", "WriteBackErrors", 2.0),
        ("counted", "UnknownPayments", 1.0),
        ("counted", "CancellationsOverdue", 1.0),
    ] {
        let seen = async || highest(tenant, metric).await.is_some_and(|value| value >= least);
        tight.until(&format!("{metric} of {tenant}"), seen).await;
    }
    let quiet = highest("counted", "GateUsedShare").await;
    assert!(quiet.is_some_and(|share| share > 0.0 && share < 1.0), "a few calls of ten thousand: {quiet:?}");

    // As other tests expect to find the stack.
    tight.until("what was read is imported", async || aws().messages("import-orders").await == 0).await;
    for name in ["counted-tight", "counted-failing", "counted"] {
        let erased = run(&["tenant", "erase", name, "--confirm", name], None);
        assert_eq!(erased.code, 0, "{erased:?}");
    }
}

/// A look leaves out what ended within the last two minutes. Makes all of it that much older: the tenant's runs, and what
/// was told.
async fn age(tenant: &str) {
    let earlier = |at: &Value| {
        let at: jiff::Timestamp = at.as_str().expect("a time").parse().expect("a time");
        Value::from((at - jiff::SignedDuration::from_secs(125)).to_string())
    };
    for (table, mut item) in aws().everything().await {
        let pk = item["pk"]["S"].as_str().unwrap_or_default().to_owned();
        let field = if table.contains("-Runs-") && pk.starts_with(&format!("{tenant}#")) {
            "ended_at"
        } else if pk == format!("T#{tenant}") && item["sk"]["S"] == "NOTICES" {
            "told_until"
        } else {
            continue;
        };
        if item[field]["S"].is_string() {
            item[field]["S"] = earlier(&item[field]["S"]);
            aws().call("dynamodb", "DynamoDB_20120810.PutItem", json!({ "TableName": table, "Item": item })).await;
        }
    }
}
