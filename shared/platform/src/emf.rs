//! Metrics, written as one log line at the end of each invocation (the embedded metric format): no call, no
//! cost in the order's way, and the counts stand beside the run that made them.
//!
//! Dimensions are few, for each combination of their values is paid for by the month: `Stage` and `Function`. What an alarm
//! looks at is counted by `Stage` alone besides ([`Metric::is_watched`]): an alarm is the stack's, whatever function or shop it
//! is about. What else is known (shop, robot, run) stands in the line to be found, not to be counted by: metrics for each shop
//! would cost some eight dollars a shop and month, a hundred times what its robots do.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use renkei_domain::ids::{ConnectionId, TenantId};
use serde_json::{Map, Value, json};

use crate::clock::Clock;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Orders that fetch-orders read from a shop and queued.
    OrdersFetched,
    /// Orders stored as shipments.
    OrdersImported,
    /// Orders set aside for a product or a person.
    OrdersQuarantined,
    /// Orders that were known already.
    OrdersDuplicate,
    /// Orders not imported, by a robot's decision.
    OrdersRefused,
    /// Orders that turned up in the fetch state again although the shop had been told; they are told again.
    OrdersReappeared,
    /// Orders whose state a shop took from us: that we are at work on them, and later that they are shipped.
    OrdersTold,
    /// Calls made to a shop.
    ShopCalls,
    /// Calls that a shop did not answer, or with another status than one of success.
    ShopErrors,
    /// Runs that could not do their work.
    RunsFailed,
    /// Runs that wait for the next day's calls.
    RunsBlocked,
    /// Part of the day's calls that is spent, in percent. The highest of an invocation counts.
    GateUsedShare,
    /// Open shipments whose payment state the connection's table does not know; counted once a day.
    UnknownPayments,
    /// Failed runs of robots whose two runs before failed as well.
    RobotsFailing,
    /// Robots that should have done their work by now, and did not.
    RobotsSilent,
    /// Cancellations that a warehouse has not answered in time.
    CancellationsOverdue,
    /// Records that a shop refused when it was told of them.
    WriteBackErrors,
    /// Messages that could not be read.
    Unreadable,
    /// Messages whose work failed; they are delivered again.
    MessagesFailed,
    /// Mistakes of ours that were caught in a record.
    Panics,
    /// Shipments that a warehouse took.
    ShipmentsClaimed,
    /// Results of a warehouse that are on record.
    ResultsTaken,
    /// Counts of a warehouse that are on record.
    CountsTaken,
    /// Records of a warehouse's writes that were not taken.
    RecordsRefused,
    /// Requests without a valid key.
    KeysRefused,
    /// Webhooks that were queued.
    HooksTaken,
    /// Webhooks to an address that was not handed out, or is over.
    HooksRefused,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 27] = [
        Self::OrdersFetched,
        Self::OrdersImported,
        Self::OrdersQuarantined,
        Self::OrdersDuplicate,
        Self::OrdersRefused,
        Self::OrdersReappeared,
        Self::OrdersTold,
        Self::ShopCalls,
        Self::ShopErrors,
        Self::RunsFailed,
        Self::RunsBlocked,
        Self::GateUsedShare,
        Self::UnknownPayments,
        Self::RobotsFailing,
        Self::RobotsSilent,
        Self::CancellationsOverdue,
        Self::WriteBackErrors,
        Self::Unreadable,
        Self::MessagesFailed,
        Self::Panics,
        Self::ShipmentsClaimed,
        Self::ResultsTaken,
        Self::CountsTaken,
        Self::RecordsRefused,
        Self::KeysRefused,
        Self::HooksTaken,
        Self::HooksRefused,
    ];

    /// Its name where metrics are read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrdersFetched => "OrdersFetched",
            Self::OrdersImported => "OrdersImported",
            Self::OrdersQuarantined => "OrdersQuarantined",
            Self::OrdersDuplicate => "OrdersDuplicate",
            Self::OrdersRefused => "OrdersRefused",
            Self::OrdersReappeared => "OrdersReappeared",
            Self::OrdersTold => "OrdersTold",
            Self::ShopCalls => "ShopCalls",
            Self::ShopErrors => "ShopErrors",
            Self::RunsFailed => "RunsFailed",
            Self::RunsBlocked => "RunsBlocked",
            Self::GateUsedShare => "GateUsedShare",
            Self::UnknownPayments => "UnknownPayments",
            Self::RobotsFailing => "RobotsFailing",
            Self::RobotsSilent => "RobotsSilent",
            Self::CancellationsOverdue => "CancellationsOverdue",
            Self::WriteBackErrors => "WriteBackErrors",
            Self::Unreadable => "Unreadable",
            Self::MessagesFailed => "MessagesFailed",
            Self::Panics => "Panics",
            Self::ShipmentsClaimed => "ShipmentsClaimed",
            Self::ResultsTaken => "ResultsTaken",
            Self::CountsTaken => "CountsTaken",
            Self::RecordsRefused => "RecordsRefused",
            Self::KeysRefused => "KeysRefused",
            Self::HooksTaken => "HooksTaken",
            Self::HooksRefused => "HooksRefused",
        }
    }

    /// Does an alarm of the stack look at it?
    #[must_use]
    pub fn is_watched(self) -> bool {
        matches!(
            self,
            Self::RunsBlocked
                | Self::GateUsedShare
                | Self::RobotsFailing
                | Self::RobotsSilent
                | Self::CancellationsOverdue
                | Self::WriteBackErrors
        )
    }

    fn unit(self) -> &'static str {
        match self {
            Self::GateUsedShare => "Percent",
            Self::OrdersFetched
            | Self::OrdersImported
            | Self::OrdersQuarantined
            | Self::OrdersDuplicate
            | Self::OrdersRefused
            | Self::OrdersReappeared
            | Self::OrdersTold
            | Self::ShopCalls
            | Self::ShopErrors
            | Self::RunsFailed
            | Self::RunsBlocked
            | Self::UnknownPayments
            | Self::RobotsFailing
            | Self::RobotsSilent
            | Self::CancellationsOverdue
            | Self::WriteBackErrors
            | Self::Unreadable
            | Self::MessagesFailed
            | Self::Panics
            | Self::ShipmentsClaimed
            | Self::ResultsTaken
            | Self::CountsTaken
            | Self::RecordsRefused
            | Self::KeysRefused
            | Self::HooksTaken
            | Self::HooksRefused => "Count",
        }
    }
}

/// One invocation's counts. Written when it is dropped, however the invocation ends.
#[derive(Debug)]
pub struct Metrics {
    stage: String,
    function: &'static str,
    clock: Clock,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    connection: Option<String>,
    values: BTreeMap<Metric, f64>,
    notes: BTreeMap<&'static str, String>,
}

impl Metrics {
    /// Begins an invocation's counts.
    #[must_use]
    pub fn begin(stage: &str, function: &'static str, clock: Clock) -> Self {
        Self { stage: stage.to_owned(), function, clock, counted: Mutex::default() }
    }

    /// Says whose line it is, `<tenant>/<connection>`, for two tenants may call their connections the same: for invocations
    /// that serve one shop only.
    pub fn of_connection(&self, tenant: &TenantId, connection: &ConnectionId) {
        self.with(|counted| counted.connection = Some(format!("{tenant}/{connection}")));
    }

    /// Something to find the line by, such as `run`. An id or a word, never personal data.
    pub fn note(&self, name: &'static str, value: impl Into<String>) {
        self.with(|counted| {
            counted.notes.insert(name, value.into());
        });
    }

    /// Counts so many more.
    pub fn add(&self, metric: Metric, more: u64) {
        self.with(|counted| *counted.values.entry(metric).or_default() += more as f64);
    }

    /// Records the part of a connection's day that is spent, 0 to 100.
    pub fn gate_used(&self, used: u32, limit: u32) {
        let percent = f64::from(used) * 100.0 / f64::from(limit.max(1));
        self.with(|counted| {
            let highest = counted.values.entry(Metric::GateUsedShare).or_default();
            *highest = highest.max(percent);
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut Counted) -> T) -> T {
        // A panic elsewhere does not make counts wrong: each change is whole.
        change(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn line(&self) -> String {
        self.with(|counted| {
            let mut line = Map::new();
            for (name, value) in &counted.notes {
                line.insert((*name).to_owned(), value.as_str().into());
            }
            let now = self.clock.now();
            line.insert("Stage".into(), self.stage.as_str().into());
            line.insert("Function".into(), self.function.into());
            if let Some(connection) = &counted.connection {
                line.insert("Connection".into(), connection.as_str().into());
            }
            line.insert("timestamp".into(), format!("{now:.3}").into());
            line.insert("level".into(), "INFO".into());
            line.insert("message".into(), "invocation ended".into());
            line.insert("target".into(), module_path!().into());
            line.insert("function".into(), self.function.into());
            if !counted.values.is_empty() {
                let named = |wanted: fn(&Metric) -> bool| -> Vec<Value> {
                    let wanted = counted.values.keys().copied().filter(wanted);
                    wanted.map(|m| json!({ "Name": m.as_str(), "Unit": m.unit() })).collect()
                };
                let all = json!([["Stage", "Function"]]);
                let mut directives =
                    vec![json!({ "Namespace": "Renkei", "Dimensions": all, "Metrics": named(|_| true) })];
                let watched = named(|metric| metric.is_watched());
                if !watched.is_empty() {
                    directives.push(json!({ "Namespace": "Renkei", "Dimensions": [["Stage"]], "Metrics": watched }));
                }
                let about = json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": directives });
                line.insert("_aws".into(), about);
                for (metric, value) in &counted.values {
                    line.insert(metric.as_str().to_owned(), number(*value));
                }
            }
            let mut text = Value::Object(line).to_string();
            text.push('\n');
            text
        })
    }
}

/// Counts without a decimal point.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { (value as u64).into() } else { value.into() }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        // There is nobody to tell if it fails.
        drop(std::io::stdout().lock().write_all(self.line().as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line with its two times taken out, which must be there and be the same.
    fn golden(metrics: &Metrics) -> String {
        let mut line: Map<String, Value> = serde_json::from_str(&metrics.line()).unwrap();
        let time = line.remove("timestamp").unwrap();
        let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
        if let Some(about) = line.get_mut("_aws") {
            assert_eq!(about.as_object_mut().unwrap().remove("Timestamp").unwrap(), json!(time.as_millisecond()));
        }
        Value::Object(line).to_string()
    }

    #[test]
    fn counts_of_an_invocation_are_one_line() {
        let metrics = Metrics::begin("production", "fetch-orders", Clock::system());
        metrics.of_connection(&TenantId::parse("hanako").unwrap(), &ConnectionId::parse("main").unwrap());
        metrics.note("run", "run-1");
        metrics.add(Metric::OrdersFetched, 100);
        metrics.add(Metric::OrdersFetched, 40);
        metrics.gate_used(1_001, 2_000);
        metrics.gate_used(10, 2_000);
        let line = r#"{"Connection":"hanako/main","Function":"fetch-orders","GateUsedShare":50.05,"OrdersFetched":140,"Stage":"production","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Stage","Function"]],"Metrics":[{"Name":"OrdersFetched","Unit":"Count"},{"Name":"GateUsedShare","Unit":"Percent"}],"Namespace":"Renkei"},{"Dimensions":[["Stage"]],"Metrics":[{"Name":"GateUsedShare","Unit":"Percent"}],"Namespace":"Renkei"}]},"function":"fetch-orders","level":"INFO","message":"invocation ended","run":"run-1","target":"renkei_platform::emf"}"#;
        assert_eq!(golden(&metrics), line);
    }

    #[test]
    fn an_invocation_that_counted_nothing_still_writes_a_line() {
        let metrics = Metrics::begin("local", "push-statuses", Clock::system());
        let line = r#"{"Function":"push-statuses","Stage":"local","function":"push-statuses","level":"INFO","message":"invocation ended","target":"renkei_platform::emf"}"#;
        assert_eq!(golden(&metrics), line);
    }

    /// The sources below a directory, without lines of comments.
    fn sources(directory: &std::path::Path, into: &mut String) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("platform/src/emf.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                into.extend(code.flat_map(|line| [line, "\n"]));
            }
        }
    }

    /// An alarm or a graph on a metric that nothing counts is quiet, whatever happens.
    #[test]
    fn every_metric_is_counted_by_some_function() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let mut text = String::new();
        for group in ["functions", "shared"] {
            for member in std::fs::read_dir(root.join(group)).unwrap() {
                let source = member.unwrap().path().join("src");
                if source.is_dir() {
                    sources(&source, &mut text);
                }
            }
        }
        for metric in Metric::ALL {
            let named = format!("Metric::{metric:?}");
            let producer = if metric == Metric::GateUsedShare { ".gate_used(" } else { named.as_str() };
            assert!(text.contains(producer), "nothing counts {metric:?}");
        }
    }

    /// What alarms look at must stand in the lines in the form in which `template.yaml` names it.
    #[test]
    fn every_alarm_of_the_template_looks_at_a_metric_that_lines_hold() {
        let template = include_str!("../../../template.yaml");
        let mut watched = 0;
        for alarm in template.split("Type: AWS::CloudWatch::Alarm").skip(1) {
            // Up to the next part of the template.
            let alarm = alarm.split("\n\n").next().unwrap_or_default();
            if !alarm.contains("Namespace: Renkei") {
                continue;
            }
            let name = alarm.split("MetricName: ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
            let metrics = Metrics::begin("production", "some-function", Clock::system());
            let metric = Metric::ALL.into_iter().find(|metric| metric.as_str() == name);
            metrics.add(metric.unwrap_or_else(|| panic!("no function counts {name}")), 1);
            let line: Value = serde_json::from_str(&metrics.line()).unwrap();
            let by_stage = alarm.contains("Dimensions: [{ Name: Stage, Value: !Ref Stage }]");
            let wanted = if by_stage { json!([["Stage"]]) } else { json!([["Stage", "Function"]]) };
            let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
            let of_it = directives.iter().find(|directive| directive["Dimensions"] == wanted);
            let of_it = of_it.unwrap_or_else(|| panic!("{name} is not counted by {wanted}: {line}"));
            assert!(of_it["Metrics"].as_array().unwrap().iter().any(|metric| metric["Name"] == name), "{line}");
            assert_eq!((&line[name], &line["Stage"]), (&json!(1), &json!("production")));
            watched += 1;
        }
        assert!(watched >= 6, "{watched} alarms on metrics of ours");
    }
}
