//! How often a day a shop's robots start, and how many calls their starts make at most: the easy set-up's by its interval,
//! the merchant's own by their triggers, one after another's end included.

use std::collections::BTreeMap;

use super::Volume;
use crate::ids::RobotId;
use crate::settings::{Action, Connection, CustomAction, CustomRobot, EasySetup, Every, TenantSettings, Trigger};
use crate::sync::reading::LATE_CALLS;

/// Orders that one call lists.
const LISTED: u32 = 100;
/// How often a day an order is read again by the status sync: once it was taken, paid, shipped; and with the day's first,
/// which reads all that is open.
const READ_AGAIN: u32 = 4;

/// The robots that call the shop, what they do, and their starts a day: those of the easy set-up as often as is said,
/// then the merchant's own. `looks` are the runs that look at what webhooks name.
pub(super) fn started(
    settings: &TenantSettings,
    connection: &Connection,
    setup: Option<(&EasySetup, Every)>,
    looks: u32,
) -> Vec<(RobotId, Action, u32)> {
    let mut robots: Vec<(RobotId, Action, u32)> = Vec::new();
    if let Some((setup, every)) = setup {
        let easy = settings.easy_robots(setup).into_iter();
        robots.extend(easy.map(|(robot, action)| (robot, action, starts(action, every))));
    }
    let own: Vec<&CustomRobot> = settings
        .integration_robots
        .custom
        .iter()
        .filter(|robot| robot.enabled && *robot.on.connection() == connection.id)
        .collect();
    let ends = ends(&robots, looks, &own);
    robots.extend(own.into_iter().filter_map(|robot| match &robot.action {
        CustomAction::Run(action) => {
            let starts = own_starts(&robot.on, &ends);
            (starts > 0).then(|| (robot.id.clone(), *action, starts))
        }
        // A processing robot is applied to what is stored; the shop is not called.
        CustomAction::Apply(_) => None,
    }));
    robots
}

/// How often a day runs of each action end: what starts after them starts as often. A run that looks at what webhooks
/// name is a status sync, and ends as one: at worst each finds something for the robots that follow.
fn ends(easy: &[(RobotId, Action, u32)], looks: u32, own: &[&CustomRobot]) -> BTreeMap<Action, u32> {
    let mut ends: BTreeMap<Action, u32> = BTreeMap::new();
    // Robots that start after each other's ends never come round, so that no chain of them is longer than this.
    for _ in Action::ALL {
        let mut next: BTreeMap<Action, u32> = BTreeMap::new();
        let of_easy = easy.iter().map(|(_, action, starts)| (*action, *starts));
        let of_own = own.iter().map(|robot| (robot.action.action(), own_starts(&robot.on, &ends)));
        for (action, starts) in of_easy.chain([(Action::StatusSync, looks)]).chain(of_own) {
            let sum = next.entry(action).or_default();
            *sum = sum.saturating_add(starts);
        }
        ends = next;
    }
    ends
}

/// Starts a day of a robot of the merchant's own, at most, `ends` being those of all robots' runs.
fn own_starts(trigger: &Trigger, ends: &BTreeMap<Action, u32>) -> u32 {
    match trigger {
        Trigger::After { after, .. } => ends.get(after).copied().unwrap_or(0),
        Trigger::Every { every, .. } => a_day(*every),
        Trigger::DailyAt { .. } => 1,
        Trigger::Cron { cron, .. } => cron.most_a_day(),
        // What people will start is in no plan.
        Trigger::ByHand { .. } => 0,
    }
}

fn a_day(every: Every) -> u32 {
    Every::DAY.as_minutes().div_ceil(every.as_minutes())
}

fn starts(action: Action, every: Every) -> u32 {
    match action {
        Action::Reconcile => 1,
        Action::FetchOrders
        | Action::StateWorking
        | Action::StateShipped
        | Action::StatusSync
        | Action::WriteBack
        | Action::Inventory
        | Action::ApplyProcessing => a_day(every),
    }
}

/// Calls a day, at most, of a robot that starts so often.
pub(super) fn calls(action: Action, starts: u32, connection: &Connection, volume: Volume) -> u32 {
    let orders = volume.orders;
    let batch = u32::from(connection.batch_size.max(1));
    // A write is full, or it is the last of its start; and no start without an order has one.
    let writes = starts.min(orders).saturating_add(orders / batch);
    match action {
        Action::FetchOrders => starts.saturating_add(orders / LISTED),
        Action::StateWorking | Action::WriteBack => writes,
        // The tracking numbers, and the state.
        Action::StateShipped => writes.saturating_mul(2),
        Action::StatusSync if orders == 0 => LATE_CALLS,
        Action::StatusSync => {
            starts.saturating_add(orders.saturating_mul(READ_AGAIN) / LISTED).saturating_add(LATE_CALLS)
        }
        // What orders take off the stock, and each SKU counted once.
        Action::Inventory => {
            let skus = volume.skus.div_ceil(batch);
            writes.saturating_add(skus).min(starts.saturating_mul(skus))
        }
        // The three states, and a hundred orders of each to a page, at each start.
        Action::Reconcile => starts.saturating_mul(3 + orders.saturating_mul(3) / LISTED),
        Action::ApplyProcessing => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::tests::{told, told_after_syncs};
    use crate::plan::{SIGN_INS, plan, plan_with};

    #[test]
    fn robots_of_the_merchants_own_are_reckoned_in_by_their_triggers() {
        let own = |id: &str, on: Value, action: Value| json!({ "id": id, "name": id, "on": on, "do": action });
        let on = |key: &str, value: &str| json!({ key: value, "connection": "shop" });
        let run = |action: &str| json!(action);
        let apply = json!({ "apply_processing_robot": "release", "to_status": "ready" });
        let mut off = own("off", on("every", "1 minute"), run("fetch-orders"));
        off["enabled"] = false.into();
        let settings: TenantSettings = serde_json::from_value(json!({
            "tenant": "hanako",
            "connections": [
                { "id": "shop", "api": "ecforce", "api_url": "https://api.hanako.example", "ship_from": "dc",
                  "daily_call_limit": 1_000 },
            ],
            "integration_robots": {
                "easy_setup": { "connection": "shop", "every": "1 hour" },
                "custom": [
                    own("often", on("every", "1 minute"), run("fetch-orders")),
                    own("daily", on("daily_at", "09:30"), run("reconcile")),
                    own("office", on("cron", "0,30 9-18 * * MON-FRI"), run("fetch-orders")),
                    own("released", on("after", "fetch-orders"), apply),
                    own("told", on("after", "apply-processing"), run("state-working")),
                    own("by-hand", json!({ "by_hand": true, "connection": "shop" }), run("fetch-orders")),
                    own("elsewhere", json!({ "every": "1 minute", "connection": "other" }), run("fetch-orders")),
                    off,
                ],
            },
        }))
        .unwrap();
        let setup = settings.integration_robots.easy_setup.iter().next().unwrap().clone();
        let plan = plan(&settings, &settings.connections[0], &setup, Volume { orders: 100, skus: 300 });
        let own: Vec<(&str, u32, u32)> = plan
            .robots
            .iter()
            .filter(|robot| !robot.robot.as_str().contains('/'))
            .map(|robot| (robot.robot.as_str(), robot.starts, robot.calls))
            .collect();
        // After each end of a fetch: 24 of the easy set-up's, 1,440 and 20 of the merchant's own.
        assert_eq!(own, [("often", 1_440, 1_441), ("daily", 1, 6), ("office", 20, 21), ("told", 1_484, 101)]);
        let sum = plan.robots.iter().map(|robot| robot.calls).sum::<u32>();
        assert_eq!((plan.calls, plan.fits), (sum + SIGN_INS, false));
    }

    #[test]
    fn what_starts_after_a_status_sync_starts_after_each_look_at_what_webhooks_name() {
        let settings = told_after_syncs(true);
        let setup = settings.integration_robots.easy_setup.iter().next().unwrap();
        let with = |webhooks: bool| {
            plan_with(&settings, &settings.connections[0], setup, Volume { orders: 100, skus: 0 }, webhooks)
        };
        assert_eq!(told(&with(false)), (24 + 12, 37));
        assert_eq!(told(&with(true)), (24 + 12 + 300, 101));
    }
}
