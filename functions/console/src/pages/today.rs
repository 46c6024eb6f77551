//! 今日: how the day stands, and what needs a person.
//!
//! The page asks the store up to twelve times, however many shops there are: who asks and the settings (3, with the click
//! that is written down each minute), the runs and all gates (2), what needs a person in all shops (1), and lists of shops
//! (6). With more than one shop the lists are counted in turn: see [`renkei_store::glance`].

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Html;
use futures::future::try_join3;
use jiff::civil::Time;
use jiff::{Timestamp, ToSpan};
use renkei_domain::gate::{GateState, Lane, Reason};
use renkei_domain::ids::{ConnectionId, RobotId};
use renkei_domain::jst;
use renkei_domain::needs::Need;
use renkei_domain::run::{Run, RunState};
use renkei_domain::settings::{Action, Connection, Every, TenantSettings, Trigger};
use renkei_setup::volume;
use renkei_shop::gate_rules;
use renkei_store::StoreError;
use renkei_store::days::Usual;
use renkei_store::desk::Desk;
use renkei_store::glance::{Glance, Glances, List};
use renkei_store::lists::Count;
use renkei_store::needs::WaitingList;

use super::robots::when;
use super::{Page, counted, needs, sentences, spread, words};
use crate::guard::Caller;
use crate::shell::{Shell, grouped};
use crate::{App, Daily};

/// So many of the latest runs are looked at, and gates: together they are one request.
const RUNS_AND_GATES: usize = 100;
/// Runs that are looked at however many shops there are.
const RUNS_AT_LEAST: usize = 20;
/// Requests for what stands on shops' lists.
const LISTS: usize = 6;
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
    /// Lists were not counted lately: the page asks for them once more at once.
    is_counting: bool,
}

/// A count; None while it is being counted.
#[derive(Clone, Copy)]
struct Number(Option<Count>);

impl Number {
    fn is_something(self) -> bool {
        self.0.is_some_and(|count| count.counted > 0)
    }
}

/// A shop's day.
struct Shop {
    id: String,
    taken_in: Number,
    hold: Number,
    ready: Number,
    picking: Number,
    shipped: Number,
    not_imported: Number,
    needs: Vec<(Need, Count)>,
    usual: Option<u32>,
    gauge: Gauge,
}

impl Shop {
    fn is_counted(&self) -> bool {
        let lists = [self.taken_in, self.hold, self.ready, self.picking, self.shipped, self.not_imported];
        lists.iter().all(|number| number.0.is_some())
    }
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
    id: String,
    name: String,
    /// When it starts, in words, where that is not so often.
    starts: Option<String>,
    last: Option<Run>,
    next: Option<Timestamp>,
}

impl TodayPage {
    fn n(&self, number: &Number) -> String {
        number.0.as_ref().map_or_else(|| "…".to_owned(), counted)
    }
    fn need(&self, need: &Need) -> &'static str {
        words::need(self.s.lang, *need)
    }
    fn count(&self, count: &Count) -> String {
        counted(count)
    }
    fn g(&self, number: &u32) -> String {
        grouped(*number)
    }
    fn action(&self, run: &Run) -> &'static str {
        words::robot(self.s.lang, run.action)
    }
    fn state(&self, run: &Run) -> &'static str {
        words::run_state(self.s.lang, run.state)
    }
    fn class(&self, run: &Run) -> &'static str {
        words::run_class(run.state)
    }
    fn said(&self, error: &str) -> String {
        sentences::runs::said(self.s.lang, error)
    }
    fn has_failed(&self, run: &Run) -> bool {
        run.state == RunState::Failed
    }
    fn held(&self) -> impl Iterator<Item = &Shop> {
        self.shops.iter().filter(|shop| shop.hold.is_something())
    }
    fn waiting(&self) -> impl Iterator<Item = &Shop> {
        self.shops.iter().filter(|shop| shop.not_imported.is_something())
    }
    fn blocked(&self) -> impl Iterator<Item = &Shop> {
        self.shops.iter().filter(|shop| shop.gauge.blocked_until.is_some())
    }
    fn nothing_to_do(&self) -> bool {
        self.held().next().is_none()
            && self.waiting().next().is_none()
            && self.blocked().next().is_none()
            && self.shops.iter().all(|shop| shop.needs.is_empty())
            && self.failed.is_empty()
            && !self.dead_letters
            && !self.is_counting
    }
}

/// Shows the page.
pub async fn show(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    Extension(desk): Extension<Desk>,
) -> Page {
    let (applied, usual, kept) = spread(desk)?;
    let settings = applied.settings;
    let now = caller.now;
    let midnight = midnight(now);
    let ids: Vec<ConnectionId> = settings.connections.iter().map(|connection| connection.id.clone()).collect();
    let most_runs = RUNS_AND_GATES.saturating_sub(ids.len()).max(RUNS_AT_LEAST);
    let (glances, waiting, (runs, gates)) = try_join3(
        caller.tenant.glance(&ids, &kept, (midnight, now), LISTS),
        caller.tenant.needs(needs::LOOKED_AT, None),
        caller.tenant.runs_and_gates(i32::try_from(most_runs).unwrap_or(i32::MAX), &ids, now),
    )
    .await?;
    let usual = usual_now(&caller, usual).await?;
    let shops: Vec<Shop> = settings
        .connections
        .iter()
        .zip(&gates)
        .map(|(connection, gate)| Shop {
            usual: usual.get(&connection.id).copied(),
            ..shop(&caller, connection, gate, &glances, &waiting)
        })
        .collect();
    // Those of all merchants are together: how many are this one's is seen by looking through them, which a page that
    // renews itself does not. A piece of it asks for that once, when it is opened. If a queue does not say how many it has, the page does not fail for that.
    let dead_letters = caller.shell.may("operator")
        && app.part.dead_letters.counts().await.is_ok_and(|counts| counts.iter().any(|(_, count)| *count > 0));
    let failed = runs
        .iter()
        .filter(|run| run.started_at >= midnight && matches!(run.state, RunState::Failed | RunState::NeedsPerson))
        .cloned()
        .collect();
    let page = TodayPage {
        date: jst::date(now).strftime("%Y/%m/%d").to_string(),
        robots: robots(&caller.shell, &settings, &runs, now),
        failed,
        dead_letters,
        is_counting: !shops.iter().all(Shop::is_counted),
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

fn shop(caller: &Caller, connection: &Connection, gate: &GateState, glances: &Glances, waiting: &WaitingList) -> Shop {
    let (id, now) = (&connection.id, caller.now);
    let all = |list| Number(glances.get(id, list).map(Glance::all));
    let new = [List::Hold, List::Ready, List::Picking, List::CancelledToday].map(|list| glances.get(id, list));
    let needs = Need::ALL.into_iter().map(|need| (need, needs::count(waiting, connection, need, now)));
    let rules = gate_rules(connection);
    let today = jst::quota_day(now).max(gate.day()) == gate.day();
    let used = if today { gate.used() } else { 0 };
    let since_reset = now.as_second().rem_euclid(86_400);
    Shop {
        id: id.to_string(),
        taken_in: Number(new.into_iter().try_fold(Count { counted: 0, more: false }, |sum, glance| {
            let new = glance?.since_midnight();
            Some(Count { counted: sum.counted + new.counted, more: sum.more || new.more })
        })),
        hold: all(List::Hold),
        ready: all(List::Ready),
        picking: all(List::Picking),
        shipped: all(List::ShippedToday),
        not_imported: all(List::NotImported),
        needs: needs.filter(|(_, count)| count.counted > 0).collect(),
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
    }
}

fn width(used: u32, limit: u32) -> u32 {
    (u64::from(used) * u64::from(GAUGE)).div_ceil(u64::from(limit.max(1))).min(u64::from(GAUGE)) as u32
}

fn robots(shell: &Shell, settings: &TenantSettings, runs: &[Run], now: Timestamp) -> Vec<RobotRow> {
    let mut last: BTreeMap<&str, &Run> = BTreeMap::new();
    for run in runs {
        last.entry(run.robot.as_str()).or_insert(run);
    }
    let last = |robot: &RobotId| last.get(robot.as_str()).map(|run| (*run).clone());
    let after = |run: &Option<Run>, every: Every| {
        run.as_ref().and_then(|run| run.started_at.checked_add(i64::from(every.as_minutes()).minutes()).ok())
    };
    let mut rows = Vec::new();
    for setup in settings.integration_robots.easy_setup.iter() {
        for (robot, action) in settings.easy_robots(setup) {
            let last = last(&robot);
            let every = if action == Action::Reconcile { Every::DAY } else { setup.every };
            rows.push(RobotRow {
                next: after(&last, every),
                id: robot.to_string(),
                name: words::robot(shell.lang, action).to_owned(),
                starts: None,
                last,
            });
        }
    }
    for robot in settings.integration_robots.custom.iter().filter(|robot| robot.enabled) {
        let last = last(&robot.id);
        rows.push(RobotRow {
            next: match &robot.on {
                Trigger::Every { every, .. } => after(&last, *every),
                Trigger::DailyAt { daily_at, .. } => daily_at.next(now),
                Trigger::Cron { cron, .. } => cron.next(now),
                Trigger::After { .. } | Trigger::ByHand { .. } => None,
            },
            id: robot.id.to_string(),
            name: robot.name.clone(),
            starts: Some(when(shell, &robot.on)),
            last,
        });
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

    #[test]
    fn every_robot_that_is_on_is_listed_with_its_next_start() {
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
    - { id: after, name: 連携後, on: { after: status-sync, connection: s }, do: { apply_processing_robot: release, to_status: awaiting-payment } }
    - { id: daily, name: 毎日, on: { daily_at: '08:30', connection: s }, do: reconcile }
    - { id: off, name: 無効, enabled: false, on: { daily_at: '08:30', connection: s }, do: reconcile }
";
        let read = renkei_domain::document::read(text, &|url: &str| Ok(url.to_owned())).unwrap();
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let rows = robots(&Shell::default(), &read.settings, &[], now);
        let names: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        assert!(names.contains(&"s/fetch-orders") && !names.contains(&"off"), "{names:?}");
        assert_eq!(names[names.len() - 2..], ["after", "daily"]);
        assert_eq!(rows[rows.len() - 1].next, Some("2026-11-24T23:30:00Z".parse().unwrap()));
        assert!(rows[0].next.is_none(), "it has not run yet");
    }
}
