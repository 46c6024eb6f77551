//! Each alarm of the stack fires when its metric says so, tells the stack's topic, and has its section in the runbook.
//!
//! The local AWS takes metrics that are fed to it, and does not tell their dimensions apart: that an alarm looks at a queue
//! that exists is asked of the queue. Nor does it look at what is missing: which alarms it raises is asked of the alarms.

use renkei_e2e::{aws, page, stack};
use serde_json::{Value, json};

const MONITORING: &str = "GraniteServiceVersion20100801";

async fn alarms() -> Vec<Value> {
    let answer = aws().call("monitoring", &format!("{MONITORING}.DescribeAlarms"), json!({})).await;
    answer["MetricAlarms"].as_array().expect("alarms").clone()
}

async fn state(name: &str) -> String {
    let all = alarms().await;
    let alarm = all.iter().find(|alarm| alarm["AlarmName"] == name).expect("the alarm");
    alarm["StateValue"].as_str().expect("a state").to_owned()
}

/// Feeds an alarm's own metric.
async fn feed(alarm: &Value, value: f64) {
    let metric = json!({ "MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": value });
    let body = json!({ "Namespace": alarm["Namespace"], "MetricData": [metric] });
    aws().call("monitoring", &format!("{MONITORING}.PutMetricData"), body).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_alarm_fires_tells_somebody_and_is_in_the_runbook() {
    stack();
    let runbook = page("operations.md");
    let all = alarms().await;
    assert!(
        all.len() >= 21,
        "dead letters, old messages, APIs, robots, watch, gates, write-back, cancellations: {all:?}"
    );
    // Most is counted only when it happens. The look of `watch` comes every hour: there alone is silence a fault.
    let by_silence: Vec<&Value> = all.iter().filter(|alarm| alarm["TreatMissingData"] == "breaching").collect();
    let which = |alarm: &Value| alarm["AlarmName"].as_str().is_some_and(|name| name.contains("WatchSilentAlarm"));
    assert!(by_silence.len() == 1 && which(by_silence[0]), "{by_silence:?}");
    assert_eq!(by_silence[0]["MetricName"], "RobotsSilent", "counted by each look, also when there are none");
    for alarm in &all {
        let name = alarm["AlarmName"].as_str().expect("a name");
        let documented = if name.contains("DeadLettersAlarm") {
            runbook.contains("## Dead letters")
        } else {
            // `renkei-<name in the template>-<what makes it unique>`
            name.split('-').nth(1).is_some_and(|logical| runbook.contains(logical))
        };
        assert!(documented, "{name} has no section in docs/operations.md");
        let told = alarm["AlarmActions"].as_array().is_some_and(|actions| !actions.is_empty());
        assert!(told && alarm["ActionsEnabled"] == true, "{name} tells nobody: {alarm}");
        for dimension in alarm["Dimensions"].as_array().into_iter().flatten().filter(|of| of["Name"] == "QueueName") {
            let queue =
                dimension["Value"].as_str().and_then(|name| name.strip_prefix("renkei-")).expect("a queue's name");
            // Refused by AWS if there is no such queue.
            assert_eq!(aws().messages(queue).await, 0, "{name}");
        }
        assert_ne!(state(name).await, "ALARM", "{name} is quiet at first");
    }
    let mut fired = 0;
    for alarm in all.iter().filter(|alarm| alarm["MetricName"].is_string()) {
        let name = alarm["AlarmName"].as_str().expect("a name");
        let threshold = alarm["Threshold"].as_f64().expect("a threshold");
        let below = alarm["ComparisonOperator"].as_str().is_some_and(|operator| operator.starts_with("Less"));
        feed(alarm, if below { threshold - 1.0 } else { threshold + 1.0 }).await;
        assert_eq!(state(name).await, "ALARM", "{name} does not fire");
        fired += 1;
    }
    println!("{} alarms, {fired} seen firing", all.len());
}
