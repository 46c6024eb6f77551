//! sync-payments: what the shop shows of orders that are open, and what follows from it.
//!
//! Four kinds of message come over one queue, and are told apart by what they are:
//! - *status sync* ([`sync`]) reads open orders, by id or by what changed, and takes payment, cancellation and edits over;
//! - *hints* ([`hints`]) of webhooks are noted, and looked at together a moment later, in hundreds;
//! - *apply a processing robot* ([`release`]) moves what is paid to `ready`, without a call to the shop;
//! - *reconcile* ([`reconcile`]) and *back-fill* ([`backfill`]) compare what the shop has with what we have.
//!
//! Robots of other functions that start after another's end come by here too, and are passed on.

pub mod anew;
mod backfill;
pub mod called_off;
pub mod commit;
pub mod findings;
pub mod hints;
pub mod missing;
pub mod reconcile;
pub mod release;
pub mod stuck;
pub mod sync;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::LambdaEvent;
use renkei_domain::settings::Action;
use renkei_domain::work::{Hint, StartRobot, UnreadableMessage};
use renkei_platform::Metrics;
use renkei_platform::batch::{Message, run_batch};
use renkei_platform::queue::{Queue, group};
use renkei_shop::robot::{Robots, RunError, Stopped, Told, Work, deadline};

/// Queues of other functions.
pub struct Others {
    /// Where orders go that turn out to be missing.
    pub import_orders: Queue,
    /// Robots that fetch.
    pub fetch_orders: Queue,
    /// Robots that tell.
    pub push_statuses: Queue,
    /// Robots that offer stock.
    pub sync_inventory: Option<Queue>,
}

/// What this function is asked to do.
#[derive(Debug)]
pub enum Asked {
    /// Start a robot.
    Start(Box<StartRobot>),
    /// Look at some orders.
    Look(Box<Hint>),
}

impl Asked {
    /// Reads a queue's message. A robot's start names its robot; a hint does not.
    pub fn read(body: &str) -> Result<Self, UnreadableMessage> {
        match StartRobot::read(body) {
            Ok(start) => Ok(Self::Start(Box::new(start))),
            Err(error) => Hint::read(body).map(|hint| Self::Look(Box::new(hint))).map_err(|_| error),
        }
    }
}

/// Works on a queue's delivery.
pub async fn serve(
    robots: &Robots,
    others: &Others,
    event: LambdaEvent<SqsEvent>,
    metrics: &Metrics,
) -> SqsBatchResponse {
    let LambdaEvent { payload, context } = event;
    let until = deadline(&context);
    run_batch(payload, Asked::read, metrics, async |message: Message<Asked>| match &message.content {
        Asked::Look(hint) => hints::note(robots, hint, &message.id, message.receive_count).await,
        Asked::Start(start) => match start.action {
            Action::ApplyProcessing => {
                robots.serve_indoors(&message, start, until, metrics, async |work| release::apply(work).await).await
            }
            Action::StatusSync | Action::Reconcile => {
                let story = async |work: Work<'_>| tell(work, robots, others, metrics).await;
                robots.serve_one(&message, start, &context.request_id, until, metrics, story).await
            }
            Action::FetchOrders => pass_on(&others.fetch_orders, start).await,
            Action::StateWorking | Action::StateShipped | Action::WriteBack => {
                pass_on(&others.push_statuses, start).await
            }
            Action::Inventory => {
                if let Some(queue) = &others.sync_inventory {
                    pass_on(queue, start).await
                } else {
                    let story = async |_: Work<'_>| Ok(failed("inventory is not a robot of this stack"));
                    robots.serve_one(&message, start, &context.request_id, until, metrics, story).await
                }
            }
        },
    })
    .await
}

async fn tell(work: Work<'_>, robots: &Robots, others: &Others, metrics: &Metrics) -> Result<Told, Stopped> {
    match (work.message.action, suffix(work.message.robot.as_str())) {
        (Action::StatusSync, hints::ROBOT) => {
            let (tenant, connection, run) = (work.tenant, &work.connection.id, work.run);
            let done = hints::look(work, &others.import_orders).await?;
            let is_full = done.counts.get("hinted").is_some_and(|hinted| *hinted >= hints::MOST_A_LOOK as u64);
            let woken = if is_full { hints::wake(robots, tenant, connection, run).await } else { Ok(()) };
            Stopped::or_told(woken, done)
        }
        (Action::StatusSync, _) => {
            let (tenant, connection, run) = (work.tenant, &work.connection.id, work.run);
            let done = sync::sync(work, metrics).await?;
            Stopped::or_told(hints::wake(robots, tenant, connection, run).await, done)
        }
        (Action::Reconcile, backfill::BACKFILL) => backfill::backfill(work, &others.import_orders).await,
        (Action::Reconcile, _) => Ok(reconcile::reconcile(work, &others.import_orders).await?),
        (other, _) => Ok(failed(&format!("{} is not a robot of sync-payments", other.as_str()))),
    }
}

/// The last part of a robot's name: `hanako-ecforce/hints` → `hints`.
fn suffix(robot: &str) -> &str {
    robot.rsplit_once('/').map_or("", |(_, suffix)| suffix)
}

fn failed(sentence: &str) -> Told {
    Told { failure: Some(sentence.to_owned()), ..Told::default() }
}

/// Hands a robot's start to the function that carries it out. Delivered twice, it is still one run: it has a name.
async fn pass_on(queue: &Queue, start: &StartRobot) -> Result<(), RunError> {
    let body = serde_json::to_string(start)?;
    queue.send(body, group(&start.tenant, &start.connection), std::time::Duration::ZERO).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_and_hints_are_told_apart() {
        let start = r#"{"v":1,"tenant":"hanako","connection":"shop","robot":"shop/status-sync","action":"status-sync","cause":"schedule"}"#;
        assert!(matches!(Asked::read(start), Ok(Asked::Start(_))));
        let hint =
            r#"{"v":1,"tenant":"hanako","connection":"shop","order_ids":[88111],"received_at":"2026-11-24T00:00:00Z"}"#;
        assert!(matches!(Asked::read(hint), Ok(Asked::Look(_))));
        for neither in ["", "{}", r#"{"v":1,"tenant":"hanako"}"#, r#"{"v":9,"tenant":"hanako","connection":"shop"}"#] {
            assert!(Asked::read(neither).is_err(), "{neither}");
        }
        assert_eq!(suffix("hanako-ecforce/hints"), "hints");
        assert_eq!(suffix("release-when-paid"), "");
    }
}
