//! Taking measurements.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use renkei_platform::aws::AwsFailure;
use reqwest::Method;
use serde_json::{Value, json};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
use ulid::Ulid;

use super::{CLIENTS, at_once};
use crate::error::CliError;
use crate::local::LocalStack;
use crate::prove::messages_of;
use crate::stack::Stack;

/// Bare puts in one measurement, over all clients.
const PUTS: usize = 2_000;
/// Bare puts one after the other in one measurement.
const SINGLE_PUTS: usize = 20;
/// About the size of an order's large part.
const BODY: usize = 1_500;

/// Bare conditional puts a second: what the AWS of this machine takes, with nothing of Renkei in between.
pub async fn puts_a_second(stack: &Stack) -> Result<f64, CliError> {
    let client = aws_sdk_dynamodb::Client::new(&stack.aws);
    let table = stack.output("ShipmentsTable")?;
    let kind = Ulid::generate().to_string();
    let body = "x".repeat(BODY);
    let began = Instant::now();
    at_once(|of| {
        let (client, kind, body) = (client.clone(), kind.clone(), body.clone());
        async move {
            for n in 0..PUTS / CLIENTS {
                put(&client, table, &format!("BENCH#{kind}#{of}#{n}"), &body).await?;
            }
            Ok(())
        }
    })
    .await?;
    Ok(PUTS as f64 / began.elapsed().as_secs_f64())
}

/// Seconds that each of some bare puts waits, one after the other: what the AWS of this machine alone makes a caller wait.
pub async fn put_waits(stack: &Stack) -> Result<Vec<f64>, CliError> {
    let client = aws_sdk_dynamodb::Client::new(&stack.aws);
    let table = stack.output("ShipmentsTable")?;
    let (kind, body) = (Ulid::generate().to_string(), "x".repeat(BODY));
    let mut waits = Vec::new();
    for n in 0..SINGLE_PUTS {
        let began = Instant::now();
        put(&client, table, &format!("BENCH#{kind}#{n}"), &body).await?;
        waits.push(began.elapsed().as_secs_f64());
    }
    Ok(waits)
}

async fn put(client: &aws_sdk_dynamodb::Client, table: &str, pk: &str, body: &str) -> Result<(), CliError> {
    let put = client
        .put_item()
        .table_name(table)
        .item("pk", AttributeValue::S(pk.to_owned()))
        .item("sk", AttributeValue::S("BARE".to_owned()))
        .item("body", AttributeValue::S(body.to_owned()))
        .condition_expression("attribute_not_exists(pk)");
    put.send().await.map(drop).map_err(|error| AwsFailure::new("PutItem", &error).into())
}

/// Waits until a queue is empty.
pub async fn until_empty(stack: &Stack, queue: &str, patience: Duration) -> Result<(), CliError> {
    until(stack, queue, patience, |messages| messages == 0).await.map(drop)
}

/// Waits until a queue holds fewer messages than this, and says how many those are.
pub async fn until_fewer(stack: &Stack, queue: &str, than: u64, patience: Duration) -> Result<u64, CliError> {
    until(stack, queue, patience, |messages| messages < than).await
}

/// Asks for this queue alone, and seldom: each question takes time from the AWS that is measured.
async fn until(
    stack: &Stack,
    queue: &str,
    patience: Duration,
    is_reached: impl Fn(u64) -> bool,
) -> Result<u64, CliError> {
    let client = aws_sdk_sqs::Client::new(&stack.aws);
    let all = stack.queues()?;
    let found = all.iter().find(|it| it.name == queue);
    let url = &found.ok_or_else(|| CliError::said(format!("this stack has no queue {queue}")))?.url;
    let began = Instant::now();
    loop {
        let messages = messages_of(&client, url).await?;
        if is_reached(messages) {
            return Ok(messages);
        }
        if began.elapsed() > patience {
            return Err(CliError::said(format!("the queue {queue} does not run empty: {messages} messages")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Lets a function take from its queue, or keeps it from that.
pub async fn let_take(local: &LocalStack, function: &str, takes: bool) -> Result<(), CliError> {
    let name = format!("{}-{function}", local.stack);
    let mappings = "2015-03-31/event-source-mappings/";
    let listed = ask_lambda(local, Method::GET, &format!("{mappings}?FunctionName={name}"), None).await?;
    let id = listed["EventSourceMappings"][0]["UUID"].as_str().unwrap_or_default();
    ask_lambda(local, Method::PUT, &format!("{mappings}{id}"), Some(json!({ "Enabled": takes }))).await.map(drop)
}

/// What a function's environment has, by the stack's own word: the template's variables.
pub async fn environment(local: &LocalStack, function: &str) -> Result<BTreeMap<String, String>, CliError> {
    let name = format!("{}-{function}", local.stack);
    let path = format!("2015-03-31/functions/{name}/configuration");
    let mut found = ask_lambda(local, Method::GET, &path, None).await?;
    Ok(serde_json::from_value(found["Environment"]["Variables"].take())?)
}

async fn ask_lambda(local: &LocalStack, method: Method, path: &str, body: Option<Value>) -> Result<Value, CliError> {
    let http = renkei_http::builder().no_proxy().build().map_err(|error| CliError::said(error.to_string()))?;
    // The AWS of this machine reads account and region here, and checks nothing.
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/20260101/{}/lambda/aws4_request, SignedHeaders=host, Signature=0",
        local.access_key_id, local.region
    );
    let failed = |error: reqwest::Error| CliError::said(format!("the Lambda of this machine does not do it: {error}"));
    let mut request =
        http.request(method, format!("{}/{path}", local.aws_endpoint)).header("authorization", authorization);
    if let Some(body) = body {
        request = request.body(body.to_string());
    }
    let answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    let text = answer.text().await.map_err(failed)?;
    Ok(serde_json::from_str(&text)?)
}

/// Watches how much memory functions take.
pub struct Memory {
    peaks: Arc<Mutex<BTreeMap<String, u64>>>,
    ended: Arc<AtomicBool>,
}

impl Memory {
    /// Watches the functions of this AWS from now on, in a thread of its own.
    pub fn watch(aws: u32) -> Result<Self, CliError> {
        let mut system = System::new()
            .map_err(|error| CliError::said(format!("the processes of this machine cannot be looked at: {error}")))?;
        let peaks: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
        let ended = Arc::new(AtomicBool::new(false));
        let (seen, over) = (Arc::clone(&peaks), Arc::clone(&ended));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let what = ProcessRefreshKind::nothing().with_memory().with_environ(UpdateKind::OnlyIfNotSet);
                system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
                for process in system.processes().values() {
                    if process.thread_kind().is_some() || process.parent() != Some(Pid::from_u32(aws)) {
                        continue;
                    }
                    if let (Some(name), Ok(mut seen)) = (crate::prove::function_of(process), seen.lock()) {
                        let peak = seen.entry(name).or_default();
                        *peak = (*peak).max(peak_of(process.pid()).unwrap_or_else(|| process.memory()));
                    }
                }
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        Ok(Self { peaks, ended })
    }

    /// The largest resident memory of any process so far, in MB, by function.
    pub fn peaks(&self) -> BTreeMap<String, f64> {
        let peaks = self.peaks.lock().map(|peaks| peaks.clone()).unwrap_or_default();
        peaks.into_iter().map(|(name, bytes)| (name, bytes as f64 / 1_048_576.0)).collect()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// The most that a process ever had, where the system keeps that.
fn peak_of(process: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
