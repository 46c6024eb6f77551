//! 計画: how many calls a day a shop's robots will make, against its limit, before anybody finds out at noon.
//!
//! The figures are upper bounds that can be worked out on paper: `S` starts a day, `V` orders a day. A listing costs one
//! call at each start and one more for each hundred orders; a write costs nothing at a start without work. The merchant's
//! own robots are reckoned in by their triggers, except what is started by hand. The figures hold for a day without
//! failures; what is repeated after a failure comes on top, which is why [`COMFORTABLE`] of the limit is what a plan should
//! stay below.

mod starts;

use serde::Serialize;

use self::starts::{calls, started};
use crate::ids::{ConnectionId, RobotId};
use crate::settings::{Connection, EasySetup, Every, TenantSettings};

/// Share of the limit that a plan should stay below, in percent: failures are repeated, others may call the shop too.
pub const COMFORTABLE: u32 = 80;

/// A token is good for long; it is renewed when the shop refuses it.
const SIGN_INS: u32 = 2;
/// How often a day an order's webhooks come at most: placed, paid, cancelled or shipped; each is looked at by one call at
/// worst, a hundred by one at best.
const HOOKS_AN_ORDER: u32 = 3;
/// With webhooks, polling only catches what they lost: so often is enough, in minutes.
const ENOUGH_WITH_WEBHOOKS: u32 = 60;
/// Intervals that are proposed, in minutes.
const PROPOSED: [u32; 11] = [5, 10, 15, 20, 30, 60, 120, 180, 360, 720, 1_440];

/// How much a shop has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Orders a day.
    pub orders: u32,
    /// SKUs that the merchant offers.
    pub skus: u32,
}

/// What one robot spends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RobotPlan {
    /// The robot.
    pub robot: RobotId,
    /// Starts a day.
    pub starts: u32,
    /// Calls a day, at most.
    pub calls: u32,
}

/// What a shop's robots spend a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The shop.
    pub connection: ConnectionId,
    /// Its calls a day.
    pub limit: u32,
    /// What was reckoned with.
    pub volume: Volume,
    /// Minutes between two starts of the easy set-up; None where there is none.
    pub every_minutes: Option<u32>,
    /// Robot by robot.
    pub robots: Vec<RobotPlan>,
    /// Sign-ins a day.
    pub sign_ins: u32,
    /// All calls a day, at most.
    pub calls: u32,
    /// Within the limit?
    pub fits: bool,
    /// The most frequent interval, in minutes, that stays comfortably within the limit; None if none does.
    pub comfortable_every_minutes: Option<u32>,
    /// The limit that the present interval would need to be comfortable.
    pub comfortable_limit: u32,
    /// Does the shop send webhooks? What they name is looked at within seconds, whatever the interval.
    pub webhooks: bool,
    /// What polling more rarely would save; None without webhooks, or where it is rare already.
    pub rarer: Option<Rarer>,
}

/// Polling more rarely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rarer {
    /// Minutes between two starts.
    pub every_minutes: u32,
    /// All calls a day then, at most.
    pub calls: u32,
}

/// Reckons with what the easy set-up of a connection will spend, and the merchant's own robots for it.
#[must_use]
pub fn plan(settings: &TenantSettings, connection: &Connection, setup: &EasySetup, volume: Volume) -> Plan {
    plan_with(settings, connection, setup, volume, false)
}

/// The same for a shop that sends webhooks, if it does.
#[must_use]
pub fn plan_with(
    settings: &TenantSettings,
    connection: &Connection,
    setup: &EasySetup,
    volume: Volume,
    webhooks: bool,
) -> Plan {
    reckoned(settings, connection, Some(setup), volume, webhooks)
}

/// The same for a shop without an easy set-up: the merchant's own robots, and what is looked at for webhooks. None if
/// nothing calls it.
#[must_use]
pub fn plan_of_own(settings: &TenantSettings, connection: &Connection, volume: Volume, webhooks: bool) -> Option<Plan> {
    Some(reckoned(settings, connection, None, volume, webhooks)).filter(|plan| !plan.robots.is_empty())
}

fn reckoned(
    settings: &TenantSettings,
    connection: &Connection,
    setup: Option<&EasySetup>,
    volume: Volume,
    webhooks: bool,
) -> Plan {
    let looks = if webhooks { volume.orders.saturating_mul(HOOKS_AN_ORDER) } else { 0 };
    let hints = RobotId::parse(format!("{}/hints", connection.id)).ok().filter(|_| webhooks);
    let hints = hints.map(|robot| RobotPlan { robot, starts: looks, calls: looks });
    let spend = |setup: Option<(&EasySetup, Every)>| {
        let mut robots: Vec<RobotPlan> = started(settings, connection, setup, looks)
            .into_iter()
            .map(|(robot, action, starts)| RobotPlan {
                robot,
                starts,
                calls: calls(action, starts, connection, volume),
            })
            .collect();
        robots.extend(hints.clone());
        let calls = robots.iter().fold(SIGN_INS, |sum, robot| sum.saturating_add(robot.calls));
        (robots, calls)
    };
    let (robots, calls) = spend(setup.map(|setup| (setup, setup.every)));
    let comfortable =
        |calls: u32| u64::from(calls) * 100 <= u64::from(connection.daily_call_limit) * u64::from(COMFORTABLE);
    let comfortable_every_minutes = setup.and_then(|setup| {
        let will_do =
            |minutes: &u32| Every::minutes(*minutes).is_ok_and(|every| comfortable(spend(Some((setup, every))).1));
        PROPOSED.into_iter().filter(will_do).min()
    });
    let rarer = setup
        .zip(Every::minutes(ENOUGH_WITH_WEBHOOKS).ok())
        .filter(|(setup, enough)| webhooks && setup.every.as_minutes() < enough.as_minutes())
        .map(|(setup, enough)| Rarer { every_minutes: enough.as_minutes(), calls: spend(Some((setup, enough))).1 });
    Plan {
        connection: connection.id.clone(),
        limit: connection.daily_call_limit,
        volume,
        every_minutes: setup.map(|setup| setup.every.as_minutes()),
        robots,
        sign_ins: SIGN_INS,
        calls,
        fits: calls <= connection.daily_call_limit,
        comfortable_every_minutes,
        comfortable_limit: u32::try_from((u64::from(calls) * 100).div_ceil(u64::from(COMFORTABLE))).unwrap_or(u32::MAX),
        webhooks,
        rarer,
    }
}

impl Plan {
    /// How much of the limit is spent, in percent, rounded up.
    #[must_use]
    pub fn share(&self) -> u32 {
        u32::try_from((u64::from(self.calls) * 100).div_ceil(u64::from(self.limit.max(1)))).unwrap_or(u32::MAX)
    }

    /// Comfortably within the limit?
    #[must_use]
    pub fn is_comfortable(&self) -> bool {
        self.share() <= COMFORTABLE
    }

    /// What to change, in a sentence; None if nothing needs to be.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        if self.is_comfortable() {
            return None;
        }
        let said =
            format!("{} calls a day are {} % of the {} that the shop bears", self.calls, self.share(), self.limit);
        Some(match self.comfortable_every_minutes {
            Some(minutes) => {
                let every = Every::minutes(minutes).map(String::from).unwrap_or_default();
                format!(
                    "{said}: write `every: {every}`, or agree on {} calls a day with the shop \
                     (上限を超えると翌日9時まで連携が止まります)",
                    self.comfortable_limit
                )
            }
            None if self.every_minutes.is_none() => format!(
                "{said}: let the robots start less often, or agree on {} calls a day with the shop \
                 (上限を超えると翌日9時まで連携が止まります)",
                self.comfortable_limit
            ),
            None => format!(
                "{said}, and no interval mends that: agree on {} calls a day with the shop \
                 (上限を超えると翌日9時まで連携が止まります)",
                self.comfortable_limit
            ),
        })
    }
}

impl Plan {
    /// What polling more rarely would save where webhooks come, in a sentence.
    #[must_use]
    pub fn saving(&self) -> Option<String> {
        let rarer = self.rarer?;
        let every = Every::minutes(rarer.every_minutes).map(String::from).unwrap_or_default();
        Some(format!(
            "webhooks are on, so `every: {every}` is enough: {} calls a day instead of {} \
             (Webhookで届くため、定期実行の間隔を広げられます)",
            rarer.calls, self.calls
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::reading::LATE_CALLS;

    fn plan_of(every: &str, limit: u32, orders: u32) -> Plan {
        plan_so(every, limit, orders, false)
    }

    fn plan_so(every: &str, limit: u32, orders: u32, webhooks: bool) -> Plan {
        let settings: TenantSettings = serde_json::from_value(json!({
            "tenant": "hanako",
            "connections": [{ "id": "shop", "api": "ecforce", "api_url": "https://api.hanako.example", "ship_from": "dc",
                              "daily_call_limit": limit }],
            "integration_robots": { "easy_setup": { "connection": "shop", "every": every, "inventory": true } },
        }))
        .unwrap();
        let setup = settings.integration_robots.easy_setup.iter().next().unwrap().clone();
        plan_with(&settings, &settings.connections[0], &setup, Volume { orders, skus: 300 }, webhooks)
    }

    #[test]
    fn a_thousand_orders_every_quarter_of_an_hour() {
        let plan = plan_of("15 minutes", 10_000, 1_000);
        let by_robot: Vec<(&str, u32, u32)> =
            plan.robots.iter().map(|r| (r.robot.as_str(), r.starts, r.calls)).collect();
        assert_eq!(
            by_robot,
            [
                ("shop/fetch-orders", 96, 106),
                ("shop/state-working", 96, 106),
                ("shop/state-shipped", 96, 212),
                ("shop/status-sync", 96, 144),
                ("shop/inventory", 96, 109),
                ("shop/reconcile", 1, 33),
            ]
        );
        assert_eq!((plan.calls, plan.fits, plan.advice()), (712, true, None));
    }

    #[test]
    fn five_minutes_on_a_small_contract_do_not_fit_and_the_advice_does() {
        let plan = plan_of("5 minutes", 1_000, 500);
        assert!(!plan.fits, "{plan:?}");
        let advice = plan.advice().unwrap();
        let minutes = plan.comfortable_every_minutes.unwrap();
        assert!(advice.contains("every: 15 minutes") && minutes == 15, "{advice}");
        assert!(plan_of("15 minutes", 1_000, 500).is_comfortable());
        assert!(plan_of("5 minutes", plan.comfortable_limit, 500).is_comfortable());
    }

    #[test]
    fn with_webhooks_the_plan_reckons_their_looks_and_says_what_rarer_polling_saves() {
        let (without, with) = (plan_so("5 minutes", 10_000, 100, false), plan_so("5 minutes", 10_000, 100, true));
        assert_eq!((without.rarer, without.saving(), with.calls), (None, None, without.calls + 300));
        let rarer = with.rarer.unwrap();
        assert_eq!(rarer.calls, plan_so("60 minutes", 10_000, 100, true).calls);
        assert!(rarer.every_minutes == 60 && rarer.calls < without.calls, "{with:?}");
        assert!(with.saving().unwrap().contains("every: 1 hour"), "{:?}", with.saving());
        assert_eq!(plan_so("2 hours", 10_000, 100, true).saving(), None);
    }

    /// A shop with a robot of the merchant's own after each status sync, and an easy set-up if wanted.
    pub(super) fn told_after_syncs(easy: bool) -> TenantSettings {
        let mut robots = json!({ "custom": [
            { "id": "sync", "name": "sync", "on": { "every": "2 hours", "connection": "shop" }, "do": "status-sync" },
            { "id": "tell", "name": "tell", "do": "write-back",
              "on": { "after": "status-sync", "connection": "shop" } },
        ] });
        if easy {
            robots["easy_setup"] = json!({ "connection": "shop", "every": "1 hour" });
        }
        serde_json::from_value(json!({
            "tenant": "hanako",
            "connections": [{ "id": "shop", "api": "ecforce", "api_url": "https://api.hanako.example",
                              "ship_from": "dc", "daily_call_limit": 1_000 }],
            "integration_robots": robots,
        }))
        .unwrap()
    }

    pub(super) fn told(plan: &Plan) -> (u32, u32) {
        let tell = plan.robots.iter().find(|robot| robot.robot.as_str() == "tell").unwrap();
        (tell.starts, tell.calls)
    }

    #[test]
    fn a_shop_without_an_easy_setup_has_a_plan_where_anything_calls_it() {
        let settings = told_after_syncs(false);
        let volume = Volume { orders: 100, skus: 0 };
        let of_own =
            |settings: &TenantSettings, webhooks| plan_of_own(settings, &settings.connections[0], volume, webhooks);
        let own = of_own(&settings, false).unwrap();
        let by_robot: Vec<(&str, u32)> = own.robots.iter().map(|robot| (robot.robot.as_str(), robot.calls)).collect();
        assert_eq!(by_robot, [("sync", 12 + 4 + LATE_CALLS), ("tell", 13)]);
        assert_eq!((own.calls, own.every_minutes, own.advice()), (29 + LATE_CALLS + SIGN_INS, None, None));
        assert_eq!(told(&of_own(&settings, true).unwrap()), (312, 101));

        let mut tight = settings.clone();
        tight.connections[0].daily_call_limit = 20;
        let advice = of_own(&tight, false).and_then(|plan| plan.advice()).unwrap();
        assert!(advice.contains("start less often") && !advice.contains("every:"), "{advice}");

        let mut nothing = settings.clone();
        nothing.integration_robots.custom.clear();
        assert_eq!(of_own(&nothing, false), None);
        assert_eq!(of_own(&nothing, true).map(|plan| plan.calls), Some(300 + SIGN_INS));
    }

    #[test]
    fn a_contract_too_small_for_the_orders_alone_says_so() {
        let advice = plan_of("15 minutes", 20, 5_000).advice().unwrap();
        assert!(advice.contains("no interval mends that"), "{advice}");
    }

    #[test]
    fn an_idle_shop_costs_only_its_fetches_its_counts_and_its_reconciliation() {
        assert_eq!(plan_of("15 minutes", 1_000, 0).calls, 96 + 3 + 3 + LATE_CALLS + SIGN_INS);
    }
}
