//! 今日: how the day stands, and what needs a person.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Html;
use futures::future::try_join_all;
use jiff::civil::Time;
use jiff::{Timestamp, ToSpan};
use renkei_domain::gate::{Lane, Reason};
use renkei_domain::ids::ConnectionId;
use renkei_domain::jst;
use renkei_domain::run::{Run, RunState};
use renkei_domain::settings::{Connection, TenantSettings};
use renkei_domain::shipment::Status;
use renkei_setup::volume;
use renkei_shop::gate_rules;
use renkei_store::days::Usual;
use renkei_store::desk::Desk;
use renkei_store::shelves::Count;
use renkei_store::{StoreError, Tenant};

use super::{COUNTED, Page, counted, spread, words};
use crate::App;
use crate::guard::Caller;
use crate::shell::{Shell, grouped};

/// So many of the latest runs are looked at.
const RUNS: i32 = 100;
/// Orders that were not imported are large: fewer are counted.
const NOT_IMPORTED_COUNTED: i32 = 200;
/// Length of a gauge.
const GAUGE: u32 = 300;

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    s: Shell,
    date: String,
    shops: Vec<Shop>,
    robots: Vec<RobotRow>,
    failed: Vec<Run>,
    dead_letters: bool,
}

/// A shop's day.
struct Shop {
    id: String,
    taken_in: Count,
    hold: Count,
    ready: Count,
    picking: Count,
    shipped: Count,
    not_imported: Count,
    usual: Option<u32>,
    gauge: Gauge,
}

/// A shop's calls.
struct Gauge {
    used: u32,
    limit: u32,
    width: u32,
    forecast: Option<u32>,
    lanes: Vec<(&'static str, u32)>,
    blocked_until: Option<Timestamp>,
}

/// A robot, and how it ran last.
struct RobotRow {
    name: String,
    action: &'static str,
    last: Option<Run>,
    next: Option<Timestamp>,
}

impl TodayPage {
    fn n(&self, count: &Count) -> String {
        counted(count)
    }
    fn g(&self, number: &u32) -> String {
        grouped(*number)
    }
    fn state(&self, run: &Run) -> &'static str {
        words::run_state(self.s.lang, run.state)
    }
    fn class(&self, run: &Run) -> &'static str {
        words::run_class(run.state)
    }
    fn held(&self) -> impl Iterator<Item = &Shop> {
        self.shops.iter().filter(|shop| shop.hold.counted > 0)
    }
    fn waiting(&self) -> impl Iterator<Item = &Shop> {
        self.shops.iter().filter(|shop| shop.not_imported.counted > 0)
    }
    fn blocked(&self) -> impl Iterator<Item = &Shop> {
        self.shops.iter().filter(|shop| shop.gauge.blocked_until.is_some())
    }
    fn nothing_to_do(&self) -> bool {
        self.held().next().is_none()
            && self.waiting().next().is_none()
            && self.blocked().next().is_none()
            && self.failed.is_empty()
            && !self.dead_letters
    }
}

/// Shows the page.
pub async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(desk): Extension<Desk>,
) -> Page {
    let (applied, usual, _) = spread(desk)?;
    let settings = applied.settings;
    let now = caller.now;
    let midnight = midnight(now);
    let shops = try_join_all(settings.connections.iter().map(|connection| shop(&caller, connection, now, midnight)));
    let (mut shops, runs) = futures::future::try_join(shops, caller.tenant.runs(RUNS, None)).await?;
    let usual = usual_now(&caller, usual).await?;
    for shop in &mut shops {
        shop.usual = usual.iter().find(|(id, _)| id.as_str() == shop.id).map(|(_, orders)| *orders);
    }
    // Those of all merchants are together: how many are this one's is seen by looking through them, which a page that
    // renews itself does not. If a queue does not say how many it has, the page does not fail for that.
    let dead_letters = caller.shell.may("operator")
        && app.dead_letters.counts().await.is_ok_and(|counts| counts.iter().any(|(_, count)| *count > 0));
    let failed = runs
        .rows
        .iter()
        .filter(|run| run.started_at >= midnight && matches!(run.state, RunState::Failed | RunState::NeedsPerson))
        .cloned()
        .collect();
    let page = TodayPage {
        date: jst::date(now).strftime("%Y/%m/%d").to_string(),
        robots: robots(&caller.shell, &settings, &runs.rows),
        failed,
        dead_letters,
        shops,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Orders that each shop has on a day, by the last seven; reckoned with the day's first visit, and kept.
async fn usual_now(caller: &Caller, kept: Option<Usual>) -> Result<BTreeMap<ConnectionId, u32>, StoreError> {
    let day = jst::date(caller.now).to_string();
    if let Some(kept) = kept.filter(|kept| kept.day == day) {
        return Ok(kept.orders);
    }
    let orders = volume::measured(&caller.tenant, caller.now).await?;
    caller.tenant.keep_usual(&Usual { day, orders: orders.clone() }).await?;
    Ok(orders)
}

/// When the day began in Japan.
pub fn midnight(now: Timestamp) -> Timestamp {
    jst::instant(jst::date(now).to_datetime(Time::midnight())).unwrap_or(now)
}

async fn shop(
    caller: &Caller,
    connection: &Connection,
    now: Timestamp,
    midnight: Timestamp,
) -> Result<Shop, StoreError> {
    let tenant: &Tenant = &caller.tenant;
    let id = &connection.id;
    let open = |status| tenant.count_status_and_since(id, status, midnight, COUNTED);
    let since_midnight = |status| tenant.count_status(id, status, Some(midnight), COUNTED);
    let counts = futures::future::try_join5(
        open(Status::Hold),
        open(Status::Ready),
        open(Status::Picking),
        since_midnight(Status::Shipped),
        since_midnight(Status::Cancelled),
    );
    let others = futures::future::try_join(tenant.count_not_imported(id, NOT_IMPORTED_COUNTED), tenant.gate(id, now));
    let (counts, (not_imported, gate)) = futures::future::try_join(counts, others).await?;
    let ((hold, new_hold), (ready, new_ready), (picking, new_picking), shipped, cancelled) = counts;
    let taken_in = [new_hold, new_ready, new_picking, cancelled];
    let rules = gate_rules(connection);
    let today = jst::quota_day(now).max(gate.day()) == gate.day();
    let used = if today { gate.used() } else { 0 };
    let since_reset = now.as_second().rem_euclid(86_400);
    Ok(Shop {
        id: id.to_string(),
        taken_in: Count {
            counted: taken_in.iter().map(|count| count.counted).sum(),
            more: taken_in.iter().any(|count| count.more),
        },
        hold,
        ready,
        picking,
        shipped,
        not_imported,
        usual: None,
        gauge: Gauge {
            used,
            limit: rules.daily_limit,
            width: width(used, rules.daily_limit),
            // Within the first hour a day tells nothing yet.
            forecast: (since_reset >= 3_600).then(|| (i64::from(used) * 86_400 / since_reset) as u32),
            lanes: Lane::ALL
                .into_iter()
                .map(|lane| {
                    let lang = caller.shell.lang;
                    (words::lane(lang, lane), if today { gate.by_lane().get(lane) } else { 0 })
                })
                .collect(),
            blocked_until: gate
                .closed_for(&rules, now, Lane::WriteBack)
                .filter(|closure| closure.reason != Reason::LaneFloor)
                .map(|closure| closure.until),
        },
    })
}

fn width(used: u32, limit: u32) -> u32 {
    (u64::from(used) * u64::from(GAUGE)).div_ceil(u64::from(limit.max(1))).min(u64::from(GAUGE)) as u32
}

fn robots(shell: &Shell, settings: &TenantSettings, runs: &[Run]) -> Vec<RobotRow> {
    let mut last: BTreeMap<&str, &Run> = BTreeMap::new();
    for run in runs {
        last.entry(run.robot.as_str()).or_insert(run);
    }
    let mut rows = Vec::new();
    for setup in settings.integration_robots.easy_setup.iter() {
        for (robot, action) in settings.easy_robots(setup) {
            let run = last.get(robot.as_str()).map(|run| (*run).clone());
            let every = i64::from(setup.every.as_minutes());
            rows.push(RobotRow {
                next: run.as_ref().and_then(|run| run.started_at.checked_add(every.minutes()).ok()),
                name: robot.to_string(),
                action: words::robot(shell.lang, action),
                last: run,
            });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_begins_at_midnight_in_japan() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(midnight(at("2026-11-24T15:00:00Z")), at("2026-11-24T15:00:00Z"));
        assert_eq!(midnight(at("2026-11-24T14:59:59Z")), at("2026-11-23T15:00:00Z"));
    }

    #[test]
    fn a_gauge_neither_overflows_nor_hides_the_first_call() {
        assert_eq!(
            [width(0, 100), width(1, 10_000), width(50, 100), width(200, 100), width(0, 0)],
            [0, 1, 150, 300, 0]
        );
    }
}
