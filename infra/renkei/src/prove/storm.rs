//! The storm: everything that may go wrong around the functions, at moments that the seed decides.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use renkei_platform::aws::AwsFailure;
use serde::Serialize;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
use tokio::time::{sleep, timeout};

use super::world::World;
use crate::commands::start;
use crate::error::CliError;
use crate::stack::Stack;

/// How soon a message comes again whose function died. In the cloud that is six times the function's time-out; waiting
/// for that proves nothing more.
const AGAIN_SECONDS: u16 = 45;

/// What was done to a world. The keys are those of `renkei prove --json`.
#[derive(Debug, Default, Serialize)]
pub struct Storm {
    /// Processes killed, by function.
    pub killed: BTreeMap<String, u64>,
    /// Messages sent a second time, later.
    pub doubled: u64,
    /// Runs started, overlapping as it came.
    pub started: u64,
}

/// Shortens the queues' visibility time-outs, so that what a killed function had in hand comes again soon.
pub async fn give_messages_back_soon(stack: &Stack) -> Result<(), CliError> {
    let client = Client::new(&stack.aws);
    for queue in stack.queues()? {
        client
            .set_queue_attributes()
            .queue_url(&queue.url)
            .attributes(QueueAttributeName::VisibilityTimeout, AGAIN_SECONDS.to_string())
            .send()
            .await
            .map_err(|error| AwsFailure::new("SetQueueAttributes", &error))?;
    }
    Ok(())
}

/// Storms for so long.
pub async fn rage(stack: &Stack, world: &World, aws: u32, long: Duration) -> Result<Storm, CliError> {
    let mut random = fastrand::Rng::with_seed(world.seed);
    for place in &world.places {
        let rules = World::faults(&mut random)?;
        world.simulator.set_faults(place.id().as_str(), &rules).await?;
    }
    let until = Instant::now() + long;
    let [killing, doubling, starting] = [random.fork(), random.fork(), random.fork()];
    let (killed, doubled, started, placed) = tokio::join!(
        kill(killing, aws, until),
        double(doubling, stack, until),
        start_robots(starting, stack, world, until),
        place_orders(world, long),
    );
    placed?;
    Ok(Storm { killed: killed?, doubled: doubled?, started: started? })
}

async fn place_orders(world: &World, long: Duration) -> Result<(), CliError> {
    for _ in 0..2 {
        sleep(long / 3).await;
        world.place_more().await?;
    }
    Ok(())
}

/// Starts robots without waiting for them: several of one shop at once, and again before they are done.
async fn start_robots(
    mut random: fastrand::Rng,
    stack: &Stack,
    world: &World,
    until: Instant,
) -> Result<u64, CliError> {
    let mut started = 0;
    while Instant::now() < until {
        for place in &world.places {
            for action in ["fetch-orders", "state-working"] {
                for _ in 0..random.u8(0..=2) {
                    start(stack, Some(place.tenant.id().as_str()), &format!("{}/{action}", place.id())).await?;
                    started += 1;
                }
            }
        }
        sleep(Duration::from_millis(random.u64(2_000..6_000))).await;
    }
    Ok(started)
}

/// Kills functions, as a machine that dies would: whatever they were at stays undone.
async fn kill(mut random: fastrand::Rng, aws: u32, until: Instant) -> Result<BTreeMap<String, u64>, CliError> {
    let mut killed = BTreeMap::new();
    let unseen = |error| CliError::said(format!("the processes of this machine cannot be looked at: {error}"));
    let mut system = System::new().map_err(unseen)?;
    while Instant::now() < until {
        sleep(Duration::from_millis(random.u64(100..1_500))).await;
        let what = ProcessRefreshKind::nothing().with_environ(UpdateKind::OnlyIfNotSet);
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let mut functions: Vec<_> = system
            .processes()
            .values()
            .filter(|process| process.thread_kind().is_none() && process.parent() == Some(Pid::from_u32(aws)))
            .filter_map(|process| Some((function_of(process)?, process)))
            .collect();
        functions.sort_by_key(|(_, process)| process.pid());
        // Import dies often. A run at a shop that dies shuts the shop's gate for a minute: were that often, nothing
        // would happen at all.
        let importing = random.u8(..100) < 70;
        functions.retain(|(name, _)| name.ends_with("import-orders") == importing);
        if let Some((name, process)) = random.choice(&functions)
            && process.kill()
        {
            *killed.entry(name.clone()).or_default() += 1;
        }
    }
    Ok(killed)
}

/// Which of the stack's functions a process is.
pub fn function_of(process: &sysinfo::Process) -> Option<String> {
    let name = |line: &std::ffi::OsString| line.to_str()?.strip_prefix("AWS_LAMBDA_FUNCTION_NAME=").map(str::to_owned);
    process.environ().iter().find_map(name)
}

/// Sends messages a second time, some seconds later: delivered twice, and out of order.
async fn double(mut random: fastrand::Rng, stack: &Stack, until: Instant) -> Result<u64, CliError> {
    let client = Client::new(&stack.aws);
    let queues = stack.queues()?;
    let mut doubled = 0;
    while Instant::now() < until {
        for queue in &queues {
            let taken = client
                .receive_message()
                .queue_url(&queue.url)
                .max_number_of_messages(random.i32(1..=10))
                .visibility_timeout(5)
                .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
                .send()
                .await
                .map_err(|error| AwsFailure::new("ReceiveMessage", &error))?;
            for message in taken.messages.unwrap_or_default() {
                let group = message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId));
                client
                    .send_message()
                    .queue_url(&queue.url)
                    .message_body(message.body().unwrap_or_default())
                    .set_message_group_id(group.cloned())
                    .delay_seconds(random.i32(0..=4))
                    .send()
                    .await
                    .map_err(|error| AwsFailure::new("SendMessage", &error))?;
                doubled += 1;
                // The first one is anybody's again, perhaps after the second.
                client
                    .change_message_visibility()
                    .queue_url(&queue.url)
                    .receipt_handle(message.receipt_handle().unwrap_or_default())
                    .visibility_timeout(random.i32(0..=2))
                    .send()
                    .await
                    .map_err(|error| AwsFailure::new("ChangeMessageVisibility", &error))?;
            }
        }
        sleep(Duration::from_millis(random.u64(50..400))).await;
    }
    Ok(doubled)
}

/// Waits until every queue is empty: nothing waits, is in hand, or is to come.
pub async fn until_quiet(stack: &Stack, patience: Duration) -> Result<(), CliError> {
    let quiet = async {
        while !left(stack, false).await?.is_empty() {
            sleep(Duration::from_millis(500)).await;
        }
        Ok::<(), CliError>(())
    };
    match timeout(patience, quiet).await {
        Ok(quiet) => quiet,
        // The account will say so.
        Err(_) => Ok(()),
    }
}

/// Messages in each queue that is not empty.
pub async fn waiting(stack: &Stack) -> Result<BTreeMap<&'static str, u64>, CliError> {
    left(stack, false).await
}

/// Messages in each queue that is not empty, or in each queue of dead letters.
pub async fn left(stack: &Stack, dead: bool) -> Result<BTreeMap<&'static str, u64>, CliError> {
    const COUNTS: [QueueAttributeName; 3] = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let client = Client::new(&stack.aws);
    let mut left = BTreeMap::new();
    for queue in stack.queues()? {
        let url = if dead { &queue.dead_letters } else { &queue.url };
        let answer = client
            .get_queue_attributes()
            .queue_url(url)
            .set_attribute_names(Some(COUNTS.to_vec()))
            .send()
            .await
            .map_err(|error| AwsFailure::new("GetQueueAttributes", &error))?;
        let count = |name: &QueueAttributeName| {
            answer.attributes().and_then(|all| all.get(name)).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0)
        };
        let messages: u64 = COUNTS.iter().map(count).sum();
        if messages > 0 {
            left.insert(queue.name, messages);
        }
    }
    Ok(left)
}
