//! The storm: everything that may go wrong around the functions, at moments that the seed decides.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use futures::future::{join_all, try_join_all};
use renkei_domain::settings::Action;
use renkei_platform::aws::AwsFailure;
use serde::Serialize;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
use tokio::time::{sleep, timeout};

use super::office;
use super::proxy::Proxy;
use super::staff;
use super::warehouse::Worker;
use super::world::World;
use crate::error::CliError;
use crate::stack::Stack;

/// How soon a message comes again whose function died. In the cloud that is six times the function's time-out; waiting
/// for that proves nothing more.
const AGAIN_SECONDS: u16 = 20;

/// What was done to the worlds of a round together, since they share their functions and queues. The keys are those of
/// `renkei prove --json`.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Strikes {
    /// Processes killed, by function.
    pub killed: BTreeMap<String, u64>,
    /// What became of calls to AWS that were struck on the way, by kind.
    pub aws: BTreeMap<&'static str, u64>,
    /// Messages sent a second time, later.
    pub doubled: u64,
}

/// A storm that is shorter may pass without one of its kinds.
const LONG: Duration = Duration::from_secs(10);

impl Strikes {
    /// Says what did not happen in a storm whose waves were so long: then it proves nothing.
    pub fn missing(&self, long: Duration) -> Vec<String> {
        let kinds = [
            (self.killed.is_empty(), "no function was killed"),
            (self.aws.is_empty(), "no call to AWS was struck"),
            (self.doubled == 0, "no message was doubled"),
        ];
        let missing = kinds.into_iter().filter(|(is_missing, _)| *is_missing && long >= LONG);
        missing.map(|(_, what)| what.to_owned()).collect()
    }

    /// Adds another wave's.
    pub fn add(&mut self, more: Self) {
        for (function, times) in more.killed {
            *self.killed.entry(function).or_default() += times;
        }
        for (kind, times) in more.aws {
            *self.aws.entry(kind).or_default() += times;
        }
        self.doubled += more.doubled;
    }
}

/// The storm comes in two waves: the first while orders come in, the second when all are in and go their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wave {
    /// Orders come in.
    First,
    /// None does.
    Second,
}

impl Wave {
    /// Both.
    pub const ALL: [Self; 2] = [Self::First, Self::Second];

    /// What is random in this wave of a seed.
    pub fn random(self, seed: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(match self {
            Self::First => seed,
            Self::Second => seed.rotate_left(16),
        })
    }
}

/// What was done to one world. The keys are those of `renkei prove --json`.
#[derive(Debug, Default, Serialize)]
pub struct Storm {
    /// Runs started, overlapping as it came.
    pub started: u64,
    /// What the shops' people and customers did, by word.
    pub staff: BTreeMap<&'static str, u64>,
    /// Times that the merchants' people wished for an order's shipments to be made anew.
    pub wished: u64,
}

impl Storm {
    /// Adds another wave's.
    pub fn add(&mut self, more: Self) {
        self.started += more.started;
        self.wished += more.wished;
        for (word, times) in more.staff {
            *self.staff.entry(word).or_default() += times;
        }
    }
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

/// Lets functions die, calls to AWS fail, and messages come twice, for so long.
pub async fn strike(
    stack: &Stack,
    proxy: &Proxy,
    mut random: fastrand::Rng,
    aws: u32,
    long: Duration,
) -> Result<Strikes, CliError> {
    let until = Instant::now() + long;
    proxy.strike(random.fork());
    let (killed, doubled) = tokio::join!(kill(random.fork(), aws, until), double(random.fork(), stack, until));
    let aws = proxy.heal();
    Ok(Strikes { killed: killed?, aws, doubled: doubled? })
}

/// Storms in one world for so long: its shops fail, its robots start over and over, its people and its warehouses do what
/// they do.
pub async fn rage(stack: &Stack, world: &World, wave: Wave, long: Duration) -> Result<Storm, CliError> {
    let mut random = wave.random(world.seed);
    for place in &world.places {
        let rules = world.faults(place, &mut random)?;
        world.simulator.set_faults(place.found.id().as_str(), &rules).await?;
    }
    let until = Instant::now() + long;
    let workers = world
        .warehouses
        .iter()
        .flat_map(|warehouse| [Worker::First, Worker::Second].map(|worker| (warehouse, worker)))
        .map(|(warehouse, worker)| warehouse.work(worker, random.fork(), until))
        .collect::<Vec<_>>();
    let people = world.places.iter().map(|place| staff::work(world, place, random.fork(), until)).collect::<Vec<_>>();
    let office = world.places.iter().map(|place| office::work(stack, place, random.fork(), until)).collect::<Vec<_>>();
    let (started, placed, done, wished, _) = tokio::join!(
        start_robots(random.fork(), stack, world, until),
        place_orders(world, wave, long),
        join_all(people),
        try_join_all(office),
        join_all(workers),
    );
    placed?;
    let mut storm = Storm { started: started?, ..Storm::default() };
    storm.wished = wished?.into_iter().sum();
    for of_one in done {
        for (word, count) in of_one? {
            *storm.staff.entry(word).or_default() += count;
        }
    }
    Ok(storm)
}

async fn place_orders(world: &World, wave: Wave, long: Duration) -> Result<(), CliError> {
    if wave == Wave::Second {
        return Ok(());
    }
    for _ in 0..2 {
        sleep(long / 3).await;
        world.place_more().await?;
    }
    Ok(())
}

/// Robots, and how often of a hundred each is started at a turn.
const ROBOTS: [(Action, u8); 7] = [
    (Action::FetchOrders, 50),
    (Action::StateWorking, 40),
    (Action::StatusSync, 50),
    (Action::StateShipped, 50),
    (Action::WriteBack, 50),
    (Action::Inventory, 15),
    (Action::Reconcile, 4),
];

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
            for (action, often) in ROBOTS {
                if random.u8(..100) < often && place.has(action) {
                    place.start(stack, action).await?;
                    started += 1;
                }
            }
        }
        sleep(Duration::from_millis(random.u64(2_500..7_000))).await;
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
                // The first one is anybody's again, perhaps after the second. If this took so long that somebody has had it
                // meanwhile, it need not be given back.
                let given_back = client
                    .change_message_visibility()
                    .queue_url(&queue.url)
                    .receipt_handle(message.receipt_handle().unwrap_or_default())
                    .visibility_timeout(random.i32(0..=2))
                    .send()
                    .await;
                if let Err(error) = given_back {
                    tracing::debug!(error = %AwsFailure::new("ChangeMessageVisibility", &error), "not given back");
                }
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
    let client = Client::new(&stack.aws);
    let mut left = BTreeMap::new();
    for queue in stack.queues()? {
        let messages = messages_of(&client, if dead { &queue.dead_letters } else { &queue.url }).await?;
        if messages > 0 {
            left.insert(queue.name, messages);
        }
    }
    Ok(left)
}

/// Messages of a queue that wait, are in hand, or are put off.
pub async fn messages_of(client: &Client, queue_url: &str) -> Result<u64, CliError> {
    const COUNTS: [QueueAttributeName; 3] = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let asked = client.get_queue_attributes().queue_url(queue_url).set_attribute_names(Some(COUNTS.to_vec()));
    let answer = asked.send().await.map_err(|error| AwsFailure::new("GetQueueAttributes", &error))?;
    let count = |name: &QueueAttributeName| {
        answer.attributes().and_then(|all| all.get(name)).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0)
    };
    Ok(COUNTS.iter().map(count).sum())
}
