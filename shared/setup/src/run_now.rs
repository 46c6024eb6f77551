//! A robot is started by a person: `renkei run ROBOT`, and 「いま実行する」 in the console.

use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, RobotId, TenantId};
use renkei_domain::settings::{Action, Connection, TenantSettings};
use renkei_domain::work::{Cause, StartRobot, VERSION};
use renkei_platform::queue::{Queue, QueueError, group};
use ulid::Ulid;

/// Why a robot was not started.
#[derive(Debug, thiserror::Error)]
pub enum RunNowError {
    /// Its function's queue. If only the answer was lost it runs all the same; another run finds little left to do.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The message cannot be written down. Permanent.
    #[error("a message could not be written down: {0}")]
    Message(#[from] serde_json::Error),
}

/// The integration robots that can be started, each with its shop and what it does: the merchant's own, whether they are
/// on or off, and those of the easy set-ups.
pub fn robots(settings: &TenantSettings) -> impl Iterator<Item = (RobotId, &Connection, Action)> {
    let own = settings.integration_robots.custom.iter();
    let own = own.map(|robot| (robot.id.clone(), robot.on.connection(), robot.action.action()));
    let easy = settings.integration_robots.easy_setup.iter().flat_map(move |setup| {
        settings.easy_robots(setup).into_iter().map(move |(robot, action)| (robot, &setup.connection, action))
    });
    own.chain(easy)
        .filter_map(move |(robot, connection, action)| Some((robot, settings.connection(connection)?, action)))
}

/// The robot of this name.
#[must_use]
pub fn robot<'a>(settings: &'a TenantSettings, name: &str) -> Option<(RobotId, &'a Connection, Action)> {
    robots(settings).find(|(robot, _, _)| robot.as_str() == name)
}

/// The function that does this, as its queue is called too: one of [`crate::dead_letters::QUEUES`].
#[must_use]
pub fn function_of(action: Action) -> &'static str {
    match action {
        Action::FetchOrders => "fetch-orders",
        Action::StateWorking | Action::StateShipped | Action::WriteBack => "push-statuses",
        Action::StatusSync | Action::ApplyProcessing | Action::Reconcile => "sync-payments",
        Action::Inventory => "sync-inventory",
    }
}

/// Starts a robot over its function's queue. Gives the name of its run, which has a record once the function has begun.
pub async fn start(
    queue: &Queue,
    tenant: &TenantId,
    connection: &ConnectionId,
    robot: RobotId,
    action: Action,
) -> Result<String, RunNowError> {
    let run = Ulid::generate().to_string().to_lowercase();
    let message = by_hand(tenant, connection, robot, action, &run);
    let body = serde_json::to_string(&message)?;
    queue.send(body, group(tenant, connection), Duration::ZERO).await?;
    Ok(run)
}

fn by_hand(tenant: &TenantId, connection: &ConnectionId, robot: RobotId, action: Action, run: &str) -> StartRobot {
    StartRobot {
        v: VERSION,
        tenant: tenant.clone(),
        connection: connection.clone(),
        robot,
        action,
        cause: Cause::Hand,
        run: Some(run.to_owned()),
        attempt: 0,
    }
}

/// When a run was asked for, by the name that it has from [`start`]; None for names of other kinds.
#[must_use]
pub fn asked_at(run: &str) -> Option<Timestamp> {
    let milliseconds = Ulid::from_string(run).ok()?.timestamp_ms();
    Timestamp::from_millisecond(i64::try_from(milliseconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letters::QUEUES;
    use crate::queue_output;

    fn settings() -> TenantSettings {
        let text = "
tenant: a
ship_froms:
  - { id: dc, name: 第一, postal_code: 135-0064, prefecture: 東京都, address: 見本町1, phone: 03-0000-0000, warehouse: dc }
connections:
  - { id: s, api: ecforce, api_url: https://s.example, ship_from: dc, password: { env: S }, daily_call_limit: 10000 }
processing_robots:
  enable: [payment-check, release]
integration_robots:
  easy_setup: { connection: s, every: 30 minutes }
  custom:
    - { id: hand, name: 手動, on: { by_hand: true, connection: s }, do: { apply_processing_robot: release, to_status: awaiting-payment } }
    - { id: off, name: 無効, enabled: false, on: { daily_at: '08:30', connection: s }, do: reconcile }
";
        renkei_domain::document::read(text, &|url: &str| Ok(url.to_owned())).unwrap().settings
    }

    #[test]
    fn a_robot_is_found_whether_it_is_on_or_off() {
        let settings = settings();
        let found = |name: &str| robot(&settings, name).map(|(_, connection, action)| (connection.id.as_str(), action));
        assert_eq!(found("s/fetch-orders"), Some(("s", Action::FetchOrders)));
        assert_eq!(found("hand"), Some(("s", Action::ApplyProcessing)));
        assert_eq!(found("off"), Some(("s", Action::Reconcile)));
        // Not set up, another shop's, and what starts by itself only.
        for name in ["s/inventory", "t/fetch-orders", "s/hints", "s/backfill", ""] {
            assert_eq!(found(name), None, "{name}");
        }
    }

    #[test]
    fn each_action_goes_to_the_queue_that_its_schedule_goes_to() {
        for action in Action::ALL {
            let function = function_of(action);
            assert!(QUEUES.contains(&function), "{function}");
            assert_eq!(function.replace('-', ""), queue_output(action).to_lowercase());
        }
    }

    #[test]
    fn what_a_person_starts_is_a_run_of_its_own_that_says_when_it_was_asked_for() {
        let (tenant, connection) = (TenantId::parse("a").unwrap(), ConnectionId::parse("s").unwrap());
        let robot = RobotId::parse("s/fetch-orders").unwrap();
        let run = Ulid::from_parts(1_795_564_800_000, 7).to_string().to_lowercase();
        let message = by_hand(&tenant, &connection, robot, Action::FetchOrders, &run);
        assert_eq!((message.cause, message.run.as_deref(), message.attempt), (Cause::Hand, Some(run.as_str()), 0));
        assert_eq!(asked_at(&run), Some("2026-11-25T00:00:00Z".parse().unwrap()));
        for other in ["", "nobodys", "0b1c7d9e-1111-4222-8333-abcdefabcdef", "01jdcv+release-when-paid"] {
            assert_eq!(asked_at(other), None, "{other}");
        }
    }
}
