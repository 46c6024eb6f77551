//! What reaches people on a webhook: alarms those who run the stack, and a merchant's staff what needs them.

use renkei_e2e::{World, aws, run};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{ONE_AT_A_TIME, kept, plain};

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
    // Nobody is to be told from here on, and the alarm will be over some time. What is on its way is still heard.
    aws().rest("lambda", reqwest::Method::PUT, path, Some(json!({ "Environment": without }))).await;
    while tokio::time::timeout(std::time::Duration::from_secs(3), heard(&listener)).await.is_ok() {}
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
    // As other tests expect to find the stack: calls were cut off when the function was changed under them.
    aws().forget_logs("/aws/lambda/renkei-watch").await;
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
    assert!(told.contains("noticed 出荷指示取得: 失敗 1回 — ショップが") && !told.contains("unnoticed"), "{told}");
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
    assert!(told.is_some_and(|text| text.contains("readable 出荷指示取得: 失敗 1回")), "{answer}");
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
