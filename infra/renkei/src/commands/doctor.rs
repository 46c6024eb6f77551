//! `renkei doctor`: looks at everything of a stack, and says what is wrong and what to do.
//!
//! Each finding names one thing, in the words of the runbook (`docs/operations.md`). A check that itself fails is a finding,
//! and the others are made all the same. Nothing is changed; `--calls` alone calls shops.

use std::time::{Duration, Instant};

use aws_sdk_cloudformation::types::StackResourceSummary;
use jiff::Timestamp;
use renkei_domain::gate::{Lane, Reason};
use renkei_domain::jst;
use renkei_platform::aws::AwsFailure;
use renkei_shop::gate_rules;
use serde::Serialize;
use serde_json::{Value, json};

use super::connection;
use crate::bare::{Answer, Bare};
use crate::cli::Scope;
use crate::error::{CliError, Exit};
use crate::output::{self, plain};
use crate::stack::Stack;

/// Errors that are older are history.
const LATELY: Duration = Duration::from_hours(24);
/// Clocks that are further apart have their signatures refused by AWS, at five minutes.
const MOST_APART: i64 = 60;
/// What the stack's functions may use at the same moment: five queues of ten, and two ways in.
const CONCURRENCY: u64 = 100;
/// So long a function's log is looked through. AWS gives a page for each part that it has searched, with or without an error
/// on it.
const LOG_PATIENCE: Duration = Duration::from_secs(30);
/// A part of the day's calls from which on it is worth a word.
const NEARLY_SPENT: u64 = 80;

/// Something that is wrong. By the stable keys of `docs/cli.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// Which check found it.
    check: &'static str,
    /// What it is about.
    what: String,
    /// What is wrong.
    wrong: String,
    /// What to do.
    advice: String,
}

/// The findings so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        check: &'static str,
        what: impl Into<String>,
        wrong: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.0.push(Finding { check, what: what.into(), wrong: wrong.into(), advice: advice.into() });
    }

    fn failed(&mut self, check: &'static str, result: Result<(), CliError>) {
        if let Err(error) = result {
            self.add(
                check,
                "this check",
                format!("could not be made: {error}"),
                "mend what it names, then run this again",
            );
        }
    }
}

/// Looks at everything.
pub async fn command(stack: &Stack, calls: bool, json: bool) -> Result<Exit, CliError> {
    let now = Timestamp::now();
    let mut findings = Findings::default();
    let result = clock(stack, &mut findings).await;
    findings.failed("clock", result);
    let resources = resources(stack).await?;
    let result = functions(stack, &resources, now, &mut findings).await;
    findings.failed("functions", result);
    let result = logs(stack, &resources, &mut findings).await;
    findings.failed("logs", result);
    let result = queues(stack, &mut findings).await;
    findings.failed("queues", result);
    let result = tenants(stack, now, &mut findings).await;
    findings.failed("tenants", result);
    if calls {
        let result = connections(stack, json, &mut findings).await;
        findings.failed("connections", result);
    }
    show(&findings.0, json)
}

/// Tests each connection, which says itself what it finds: beside the findings where those are for a script.
async fn connections(stack: &Stack, json: bool, findings: &mut Findings) -> Result<(), CliError> {
    let say: fn(String) -> Result<(), CliError> = if json { output::aside } else { output::line };
    for place in stack.connections(&Scope { tenant: None, connection: None }).await? {
        let (tenant, id) = (place.tenant.id().as_str(), place.id().as_str());
        say(format!("connection {tenant}/{id}:"))?;
        let tested = connection::test(stack, Some(tenant), id, &say).await;
        if !matches!(tested, Ok(Exit::Done)) {
            let wrong = tested.err().map_or_else(|| "does not work".to_owned(), |error| error.to_string());
            let advice = format!("`renkei connection test {id} --tenant {tenant}` says what to mend");
            findings.add("connections", format!("{tenant}/{id}"), wrong, advice);
        }
    }
    Ok(())
}

fn show(findings: &[Finding], json: bool) -> Result<Exit, CliError> {
    for finding in findings {
        if json {
            output::json_line(finding)?;
            continue;
        }
        output::line(format!("✗ {}: {}", plain(&finding.what), plain(&finding.wrong)))?;
        output::line(format!("    → {}", plain(&finding.advice)))?;
    }
    if findings.is_empty() {
        if !json {
            output::line("nothing is wrong (異常はありません)")?;
        }
        return Ok(Exit::Done);
    }
    if !json {
        output::line(format!("{} things are wrong; see also docs/operations.md", findings.len()))?;
    }
    Ok(Exit::Failed)
}

/// This machine's clock against AWS's.
async fn clock(stack: &Stack, findings: &mut Findings) -> Result<(), CliError> {
    let region = stack.aws.region().map_or("us-east-1", |region| region.as_ref()).to_owned();
    let url = stack.aws.endpoint_url().map_or_else(|| format!("https://sts.{region}.amazonaws.com/"), str::to_owned);
    let unreachable = |_| CliError::said(format!("{url} does not answer"));
    let client = renkei_http::builder().timeout(Duration::from_secs(10)).build().map_err(unreachable)?;
    let answer = client.get(&url).send().await.map_err(unreachable)?;
    let date = answer.headers().get(reqwest::header::DATE).and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else { return Ok(()) };
    let apart = Timestamp::now().as_second() - theirs.timestamp().as_second();
    if apart.abs() > MOST_APART {
        findings.add(
            "clock",
            "this machine's clock",
            format!("is {} s {} AWS's", apart.abs(), if apart > 0 { "ahead of" } else { "behind" }),
            "set it by NTP; AWS refuses requests of clocks that are five minutes off",
        );
    }
    Ok(())
}

async fn resources(stack: &Stack) -> Result<Vec<StackResourceSummary>, CliError> {
    let client = aws_sdk_cloudformation::Client::new(&stack.aws);
    let mut found = Vec::new();
    let mut from = None;
    loop {
        let page = client
            .list_stack_resources()
            // The group is named after the stack.
            .stack_name(stack.output("ScheduleGroupName")?)
            .set_next_token(from)
            .send()
            .await
            .map_err(|error| AwsFailure::new("ListStackResources", &error))?;
        found.extend(page.stack_resource_summaries.unwrap_or_default());
        from = page.next_token;
        if from.is_none() {
            return Ok(found);
        }
    }
}

fn of_type<'a>(resources: &'a [StackResourceSummary], kind: &'a str) -> impl Iterator<Item = &'a str> {
    resources
        .iter()
        .filter(move |resource| resource.resource_type() == Some(kind))
        .filter_map(StackResourceSummary::physical_resource_id)
}

/// Functions: there, able to run, their mappings on, and what they said lately.
async fn functions(
    stack: &Stack,
    resources: &[StackResourceSummary],
    now: Timestamp,
    findings: &mut Findings,
) -> Result<(), CliError> {
    let (lambda, logs) = (Bare::new(&stack.aws, "lambda")?, Bare::new(&stack.aws, "logs")?);
    for name in of_type(resources, "AWS::Lambda::Function") {
        match lambda.get(&format!("/2015-03-31/functions/{name}/configuration")).await? {
            Answer::Found(function) if function["State"] == "Failed" => {
                let reason = function["StateReason"].as_str().unwrap_or("AWS gives no reason");
                findings.add("functions", name, format!("cannot run: {reason}"), "deploy the last release again");
            }
            Answer::Found(_) => {}
            Answer::Missing => {
                findings.add("functions", name, "is not there any more", BY_HAND);
                continue;
            }
        }
        let logged = errors_of(&logs, name, now).await?;
        if logged.errors > 0 {
            findings.add(
                "functions",
                name,
                format!("logged {} errors in 24 hours; the latest: {}", logged.errors, logged.latest),
                format!("look into the log group /aws/lambda/{name}; the sentence says what to mend"),
            );
        }
        if !logged.to_the_end {
            findings.add(
                "functions",
                name,
                format!("its log of 24 hours was not looked through to the end in {} s", LOG_PATIENCE.as_secs()),
                format!("look for ERROR in the last hours of the log group /aws/lambda/{name}"),
            );
        }
        let mappings = lambda.get(&format!("/2015-03-31/event-source-mappings/?FunctionName={name}")).await?;
        let Answer::Found(mappings) = mappings else { continue };
        for mapping in mappings["EventSourceMappings"].as_array().into_iter().flatten() {
            if mapping["State"].as_str().is_some_and(|state| state.starts_with("Disabl")) {
                findings.add(
                    "functions",
                    name,
                    "does not take from its queue: the mapping is switched off",
                    format!(
                        "enable it: `aws lambda update-event-source-mapping --uuid {} --enabled`",
                        mapping["UUID"].as_str().unwrap_or("UUID")
                    ),
                );
            }
        }
    }
    if let Answer::Found(account) = lambda.get("/2016-08-19/account-settings/").await? {
        let limit = account["AccountLimit"]["ConcurrentExecutions"].as_u64().unwrap_or(CONCURRENCY);
        if limit < CONCURRENCY {
            findings.add(
                "functions",
                "the account's concurrency in Lambda",
                format!("is {limit}; the stack may need {CONCURRENCY}"),
                "ask AWS for more under Service Quotas, Lambda, Concurrent executions",
            );
        }
    }
    Ok(())
}

/// What to do where somebody deleted a part of the stack: to deploy again does not bring it back.
const BY_HAND: &str =
    "see \"Deleted or switched off by hand\" in docs/operations.md; deploying again does not bring it back";

/// The part of a log line that is shown.
#[derive(serde::Deserialize)]
struct LogLine {
    level: String,
    #[serde(default)]
    message: String,
    /// Where in Renkei's source a panic happened.
    #[serde(default)]
    at: Option<String>,
}

impl LogLine {
    /// What it says; of a panic also where it was, for nothing else of it is known.
    fn said(&self) -> String {
        let said = match &self.at {
            Some(at) => format!("{} (at {at})", self.message),
            None => self.message.clone(),
        };
        said.chars().take(300).collect()
    }
}

/// The errors that a function logged lately.
struct Logged {
    errors: u64,
    /// What the latest says; nothing if there is none.
    latest: String,
    /// Was all of the log looked through?
    to_the_end: bool,
}

/// Looks for errors that a function logged lately. Where there is no log yet, there are none.
async fn errors_of(logs: &Bare<'_>, function: &str, now: Timestamp) -> Result<Logged, CliError> {
    let since = now.as_millisecond() - i64::try_from(LATELY.as_millis()).unwrap_or(0);
    let (mut errors, mut latest) = (0, (0, String::new()));
    let mut from = Value::Null;
    let began = Instant::now();
    let to_the_end = loop {
        let mut asked = json!({ "logGroupName": format!("/aws/lambda/{function}"), "startTime": since,
                                "filterPattern": "ERROR" });
        if !from.is_null() {
            asked["nextToken"] = from;
        }
        let Answer::Found(mut page) = logs.call("Logs_20140328.FilterLogEvents", &asked).await? else { break true };
        for event in page["events"].as_array().into_iter().flatten() {
            let text = event["message"].as_str().unwrap_or_default();
            let Ok(line) = serde_json::from_str::<LogLine>(text) else { continue };
            let at = event["timestamp"].as_i64().unwrap_or(0);
            if line.level == "ERROR" {
                errors += 1;
                if at >= latest.0 {
                    latest = (at, line.said());
                }
            }
        }
        from = page["nextToken"].take();
        if from.is_null() {
            break true;
        }
        if began.elapsed() > LOG_PATIENCE {
            break false;
        }
    };
    Ok(Logged { errors, latest: latest.1, to_the_end })
}

/// Logs of functions hold ids of orders: they end some day.
async fn logs(stack: &Stack, resources: &[StackResourceSummary], findings: &mut Findings) -> Result<(), CliError> {
    let logs = Bare::new(&stack.aws, "logs")?;
    for name in of_type(resources, "AWS::Logs::LogGroup") {
        let asked = json!({ "logGroupNamePrefix": name });
        let Answer::Found(groups) = logs.call("Logs_20140328.DescribeLogGroups", &asked).await? else { continue };
        match groups["logGroups"].as_array().into_iter().flatten().find(|group| group["logGroupName"] == name) {
            None => findings.add(
                "logs",
                name,
                "is not there any more",
                format!("make it: `aws logs create-log-group --log-group-name {name}`, then have this look again"),
            ),
            Some(group) if group["retentionInDays"].is_null() => findings.add(
                "logs",
                name,
                "is kept for ever",
                format!("end that: `aws logs put-retention-policy --log-group-name {name} --retention-in-days 30`"),
            ),
            Some(_) => {}
        }
    }
    Ok(())
}

async fn queues(stack: &Stack, findings: &mut Findings) -> Result<(), CliError> {
    for (queue, count) in stack.dead_letters()?.counts().await? {
        if count > 0 {
            findings.add(
                "queues",
                format!("{queue}-dead-letters"),
                format!("{count} messages could not be worked on"),
                "`renkei dead-letters list` says why; when that is mended, `renkei dead-letters replay`",
            );
        }
    }
    Ok(())
}

/// Merchants: schedules, secrets, gates, robots.
async fn tenants(stack: &Stack, now: Timestamp, findings: &mut Findings) -> Result<(), CliError> {
    let secrets = stack.secrets()?;
    let setup = stack.setup()?;
    for (tenant, applied) in stack.tenants(None).await? {
        let name = tenant.id().as_str();
        for wrong in renkei_setup::schedules::differences(&setup.schedules, &applied.settings).await? {
            let advice = format!("`renkei export --tenant {name} > {name}.yaml`, then `renkei apply {name}.yaml`");
            findings.add("schedules", name, wrong, advice);
        }
        for connection in &applied.settings.connections {
            let place = format!("{name}/{}", connection.id);
            if let Err(error) = secrets.credentials(tenant.id(), &connection.id, &connection.api_url).await {
                let advice = "apply the merchant's document with the shop's password or token in the environment, or \
                              have the merchant enter it in the console";
                findings.add("secrets", &place, error.to_string(), advice);
            }
            let (gate, rules) = (tenant.gate(&connection.id, now).await?, gate_rules(connection));
            let closed = gate.closed_for(&rules, now, Lane::WriteBack).filter(|c| c.reason != Reason::LaneFloor);
            if let Some(closure) = closed {
                let until = jst::display(closure.until);
                let advice = "it goes on by itself; `renkei quota` shows who spent the calls";
                findings.add("gates", &place, format!("the shop is not called until {until}"), advice);
            } else if gate.day() == jst::quota_day(now) && is_nearly_spent(gate.used(), rules.daily_limit) {
                let wrong = format!("{} of {} calls of the day are spent", gate.used(), rules.daily_limit);
                findings.add("gates", &place, wrong, "`renkei plan` shows what a day costs, and what to change");
            }
        }
        for robot in tenant.failing_robots(&applied.settings).await? {
            let advice = format!("mend what it names; `renkei connection test {}` looks at the shop", robot.connection);
            let reason = robot.error.unwrap_or_else(|| "`renkei runs` has no reason any more".to_owned());
            let wrong = format!("failed three times in a row: {reason}");
            findings.add("robots", format!("{name}: {}", robot.robot), wrong, advice);
        }
        for robot in tenant.silent_robots(&applied, now).await? {
            findings.add(
                "robots",
                format!("{name}: {}", robot.robot),
                format!("has not done its work for more than {} hours", robot.patience.as_secs() / 3600),
                "`renkei runs` shows whether it starts; if it does not, look at its function's queue (docs/operations.md, Messages wait)",
            );
        }
    }
    Ok(())
}

fn is_nearly_spent(used: u32, limit: u32) -> bool {
    u64::from(used) * 100 >= u64::from(limit) * NEARLY_SPENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_nearly_spent_from_four_fifths_on_however_high_its_limit() {
        assert!(is_nearly_spent(8_000, 10_000) && !is_nearly_spent(7_999, 10_000));
        assert!(!is_nearly_spent(1_000, 53_687_092) && !is_nearly_spent(1_000, u32::MAX));
        assert!(is_nearly_spent(u32::MAX, u32::MAX));
    }

    #[test]
    fn a_line_has_these_keys_in_this_order() {
        let finding = Finding { check: "queues", what: "q".into(), wrong: "w".into(), advice: "a".into() };
        let line = r#"{"check":"queues","what":"q","wrong":"w","advice":"a"}"#;
        assert_eq!(serde_json::to_string(&finding).unwrap(), line);
    }
}
