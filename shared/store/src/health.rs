//! Whether a tenant's robots do their work: by what is noted of each robot when its runs end, and where nothing is noted yet
//! (releases before did not), by the log of runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use jiff::Timestamp;
use renkei_domain::health::{self, Expected, RobotHealth};
use renkei_domain::ids::{ConnectionId, RobotId};
use renkei_domain::run::{Run, RunState};
use renkei_domain::settings::TenantSettings;

use crate::error::StoreError;
use crate::runs::KEPT_DAYS;
use crate::settings::AppliedSettings;
use crate::{Tenant, codec, keys, reads};

const KIND: &str = "note of a robot's runs";
/// Runs that are read at a time, and at most. What is not found among so many is not known.
const A_PAGE: i32 = 50;
const AT_MOST: usize = 2_000;
/// The latest runs by which robots are judged together of which nothing is noted yet.
const LATEST: i32 = 100;
/// Versions of the settings that are looked at for since when a robot is expected. Who saves more often is believed.
const VERSIONS_BACK: usize = 200;
const DAY: Duration = Duration::from_hours(24);
/// How long what is noted of a robot is kept after its latest run: for longer than the two years for which one that
/// starts once a year is waited for. What does not run any more leaves nothing for ever.
const NOTED_DAYS: u32 = 800;

/// A robot whose latest runs all failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// For this shop.
    pub connection: ConnectionId,
    /// Which robot.
    pub robot: RobotId,
    /// Why the latest of them failed, where that is kept still.
    pub error: Option<String>,
}

impl Tenant {
    /// Notes of a robot how its run ended. Safe to repeat; a run that is at work changes nothing.
    pub(crate) async fn note_end(&self, run: &Run) -> Result<(), StoreError> {
        if run.state == RunState::Running {
            return Ok(());
        }
        let key = keys::health(&self.id, &run.connection, &run.robot);
        loop {
            let item = reads::get(self, &self.tables().runs, &key).await?;
            let before: Option<RobotHealth> = item.map(|item| codec::from_item(KIND, item)).transpose()?;
            let Some(next) = RobotHealth::after(before.as_ref(), run) else { return Ok(()) };
            let until = run.ended_at.unwrap_or(next.since).saturating_add(DAY * NOTED_DAYS).unwrap_or(Timestamp::MAX);
            // Somebody else's note came in between: this one is made over that.
            if self.write_health(&key, before.map(|before| before.rev), &next, until).await? {
                return Ok(());
            }
        }
    }

    /// Writes a note over the one that is counted so, or where there is none, to be kept until then. Says whether it
    /// was.
    async fn write_health(
        &self,
        key: &keys::Key,
        before: Option<u64>,
        next: &RobotHealth,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut update = self
            .client()
            .update_item()
            .table_name(&self.tables().runs)
            .set_key(Some(key.attributes()))
            .expression_attribute_values(":v", codec::version())
            .expression_attribute_values(":expires", codec::number(until.as_second()));
        update = match before {
            None => update.condition_expression("attribute_not_exists(pk)"),
            Some(before) => update
                .condition_expression("#rev = :before")
                .expression_attribute_values(":before", codec::number(before)),
        };
        let mut sets = vec!["v = :v".to_owned(), "expires_at = :expires".to_owned()];
        // Every field has its attribute, if only NULL: what is not known any more goes with what is written over it.
        for (name, value) in codec::to_item(KIND, next)? {
            sets.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_values(format!(":{name}"), value)
                .expression_attribute_names(format!("#{name}"), name);
        }
        match update.update_expression(format!("SET {}", sets.join(", "))).send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk("UpdateItem", &error)),
        }
    }

    /// What is noted of these robots; those of which nothing is are left out.
    async fn healths(
        &self,
        robots: &BTreeSet<(ConnectionId, RobotId)>,
    ) -> Result<BTreeMap<(ConnectionId, RobotId), RobotHealth>, StoreError> {
        let keys: Vec<_> = robots.iter().map(|(connection, robot)| keys::health(&self.id, connection, robot)).collect();
        let mut found = reads::batch_get(self, &self.tables().runs, keys.clone()).await?;
        let mut healths = BTreeMap::new();
        for (robot, key) in robots.iter().zip(keys) {
            if let Some(item) = found.remove(&key) {
                healths.insert(robot.clone(), codec::from_item(KIND, item)?);
            }
        }
        Ok(healths)
    }

    /// Did the latest three runs of this robot fail? False where that is not known.
    pub async fn is_failing(&self, connection: &ConnectionId, robot: &RobotId) -> Result<bool, StoreError> {
        let one = BTreeSet::from([(connection.clone(), robot.clone())]);
        let noted = self.healths(&one).await?.into_values().next();
        if let Some(failing) = noted.and_then(|health| health.is_failing()) {
            return Ok(failing);
        }
        let mut read: Vec<Run> = Vec::new();
        let mut from = None;
        while read.len() < AT_MOST {
            let page = self.runs(A_PAGE, from).await?;
            read.extend(page.rows);
            if let Some(failing) = health::is_failing(&read, connection, robot) {
                return Ok(failing);
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(false)
    }

    /// The robots whose latest three runs failed, among those that are set up and those that ran lately. Those of which
    /// too little is noted are judged by the tenant's latest hundred runs. What was noted of a robot before it was
    /// taken out and set up again says nothing of the one that is there now.
    pub async fn failing_robots(&self, settings: &TenantSettings) -> Result<Vec<Failing>, StoreError> {
        let runs = self.runs(LATEST, None).await?.rows;
        let mut robots = health::set_up(settings);
        robots.extend(runs.iter().map(|run| (run.connection.clone(), run.robot.clone())));
        let noted = self.healths(&robots).await?;
        let mut versions = None;
        let mut failing = Vec::new();
        for name in robots {
            let (connection, robot) = &name;
            let health = noted.get(&name);
            let by_log = || health::is_failing(&runs, connection, robot);
            if health.and_then(RobotHealth::is_failing).or_else(by_log) != Some(true) {
                continue;
            }
            if let Some(ended) = health.and_then(|health| health.ended)
                && self.set_up_since(&name, &mut versions).await?.is_some_and(|since| ended < since)
            {
                continue;
            }
            let its =
                |run: &&Run| run.connection == *connection && run.robot == *robot && run.state == RunState::Failed;
            let error = match (runs.iter().find(its), health.and_then(|health| health.failed.last())) {
                (Some(run), _) => run.error.clone(),
                (None, Some(run)) => self.run(run).await?.and_then(|run| run.error),
                (None, None) => None,
            };
            let (connection, robot) = name;
            failing.push(Failing { connection, robot, error });
        }
        Ok(failing)
    }

    /// Since when a robot has been set up. The settings' versions are read when the first is asked for.
    async fn set_up_since(
        &self,
        robot: &(ConnectionId, RobotId),
        versions: &mut Option<Vec<AppliedSettings>>,
    ) -> Result<Option<Timestamp>, StoreError> {
        if versions.is_none() {
            *versions = Some(self.settings_history().await?);
        }
        let versions = versions.iter().flatten().map(|applied| (applied.at, &applied.settings));
        Ok(health::set_up_since(versions, robot))
    }

    /// Robots that start by time and have not done their work for longer than they may. A robot is given the time from
    /// when it was set up to start so often; what else was saved since gives it no more. One of which that is not known is
    /// left out.
    pub async fn silent_robots(&self, applied: &AppliedSettings, now: Timestamp) -> Result<Vec<Expected>, StoreError> {
        let expected = health::expected(&applied.settings);
        let name = |expected: &Expected| (expected.connection.clone(), expected.robot.clone());
        let noted = self.healths(&expected.iter().map(name).collect()).await?;
        let noted_since = noted.values().map(|health| health.since).min();
        let (mut silent, mut open) = (Vec::new(), Vec::new());
        let mut versions = Versions { latest: applied.version, known: vec![(applied.at, expected.clone())] };
        let load = async |version| {
            let before = self.settings_version(version).await?;
            Ok(before.map(|before| (before.at, health::expected(&before.settings))))
        };
        for expected in expected {
            let verdict = health::is_silent(noted.get(&name(&expected)), noted_since, expected.patience, now);
            if verdict == Some(false) || !versions.was_expected(&expected, now, &load).await? {
                continue;
            }
            if verdict == Some(true) {
                silent.push(expected);
            } else {
                open.push(expected);
            }
        }
        silent.extend(self.silent_by_log(open, now).await?);
        Ok(silent)
    }

    async fn silent_by_log(&self, open: Vec<Expected>, now: Timestamp) -> Result<Vec<Expected>, StoreError> {
        let mut search = Search { open, read: 0, reach: Duration::ZERO, now };
        let mut from = None;
        while !search.is_over() {
            let page = self.runs(A_PAGE, from).await?;
            from = page.next;
            search.look_through(&page.rows, from.is_none());
            if from.is_none() {
                break;
            }
        }
        Ok(search.silent())
    }
}

/// What the settings' versions expected of robots and when each was applied, as far as they were looked at: the latest first.
struct Versions {
    /// The number of the first.
    latest: u64,
    known: Vec<(Timestamp, Vec<Expected>)>,
}

impl Versions {
    /// Was a robot to start so often for longer than it may be silent? Versions that nobody has looked at yet are loaded.
    async fn was_expected(
        &mut self,
        robot: &Expected,
        now: Timestamp,
        load: impl AsyncFn(u64) -> Result<Option<(Timestamp, Vec<Expected>)>, StoreError>,
    ) -> Result<bool, StoreError> {
        for back in 0..VERSIONS_BACK {
            if back == self.known.len() {
                let Some(before) = load(self.latest.saturating_sub(back as u64)).await? else { return Ok(false) };
                self.known.push(before);
            }
            let (at, expected) = &self.known[back];
            if let Some(verdict) = health::was_expected(robot, *at, expected, now) {
                return Ok(verdict);
            }
        }
        Ok(false)
    }
}

/// A search of the log for signs of life, the latest runs first.
struct Search {
    /// Robots of which none was found yet.
    open: Vec<Expected>,
    /// Runs that were read.
    read: usize,
    /// So far back all is known.
    reach: Duration,
    now: Timestamp,
}

impl Search {
    fn look_through(&mut self, runs: &[Run], is_end: bool) {
        let now = self.now;
        let since = |at: Timestamp| now.duration_since(at).unsigned_abs();
        for run in runs {
            self.open.retain(|expected| {
                let its = run.connection == expected.connection && run.robot == expected.robot;
                let lately = |at: Timestamp| at > now || since(at) <= expected.patience;
                !(its && health::sign_of_life(run).is_some_and(lately))
            });
        }
        self.read += runs.len();
        if is_end {
            // Of what is older than the log nothing is known.
            self.reach = DAY * KEPT_DAYS as u32;
        } else if let Some(run) = runs.last() {
            // A run that began before may have ended a day later.
            self.reach = since(run.started_at).saturating_sub(DAY);
        }
    }

    /// Would reading on tell nothing more, or cost too much?
    fn is_over(&self) -> bool {
        self.read >= AT_MOST || self.open.iter().all(|expected| expected.patience < self.reach)
    }

    /// The robots of which it is known that they are silent.
    fn silent(mut self) -> Vec<Expected> {
        self.open.retain(|expected| expected.patience < self.reach);
        self.open
    }
}

#[cfg(test)]
mod tests {
    use renkei_domain::settings::Action;
    use renkei_domain::work::Cause;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    #[tokio::test]
    async fn versions_are_looked_at_as_far_back_as_the_patience_reaches_and_once() {
        let robot = |id: &str| Expected {
            connection: ConnectionId::parse("main").unwrap(),
            robot: RobotId::parse(id).unwrap(),
            patience: Duration::from_hours(3),
        };
        let (a, b) = (robot("a"), robot("b"));
        // An hour apart, the latest of them an hour ago; b came with the third.
        let all = [vec![a.clone()], vec![a.clone()], vec![a.clone(), b.clone()], vec![a.clone(), b.clone()]];
        let now = at(240);
        let asked = std::cell::RefCell::new(Vec::new());
        let load = async |version: u64| {
            asked.borrow_mut().push(version);
            let place = usize::try_from(version).unwrap().checked_sub(1);
            Ok(place.map(|place| (at(60 * i64::try_from(place).unwrap()), all[place].clone())))
        };
        let known = || Versions { latest: 4, known: vec![(at(180), all[3].clone())] };
        let mut versions = known();
        assert!(versions.was_expected(&a, now, &load).await.unwrap());
        assert_eq!(*asked.borrow(), [3, 2, 1]);
        assert!(!versions.was_expected(&b, now, &load).await.unwrap(), "it came two hours ago");
        assert_eq!(asked.borrow().len(), 3, "no version is read twice");
        // Nothing is known before the first: who has more patience is not silent yet.
        let patient = Expected { patience: Duration::from_hours(10), ..a };
        assert!(!known().was_expected(&patient, now, &load).await.unwrap());
        assert_eq!(asked.borrow()[3..], [3, 2, 1, 0]);
    }

    fn run(robot: &str, minute: i64) -> Run {
        Run {
            id: format!("{robot}-{minute}"),
            connection: ConnectionId::parse("main").unwrap(),
            robot: RobotId::parse(robot).unwrap(),
            action: Action::FetchOrders,
            cause: Cause::Schedule,
            state: RunState::Done,
            started_at: at(minute),
            ended_at: Some(at(minute)),
            blocked_until: None,
            calls: 0,
            queued: None,
            counts: BTreeMap::new(),
            error: None,
            notes: Vec::new(),
            called: Vec::new(),
        }
    }

    fn expected(robot: &str, patience: Duration) -> Expected {
        let (connection, robot) = (ConnectionId::parse("main").unwrap(), RobotId::parse(robot).unwrap());
        Expected { connection, robot, patience }
    }

    /// Golden: what earlier releases wrote.
    #[test]
    fn stored_shapes_stay_readable() {
        let earlier = r#"{"rev":3,"since":"2026-11-24T01:00:00Z","good":"2026-11-24T02:00:00Z","failed":["r"],"waits_until":null}"#;
        let health: RobotHealth = serde_json::from_str(earlier).unwrap();
        let golden = earlier.replace('}', r#","ended":null}"#);
        assert_eq!(serde_json::to_string(&health).unwrap(), golden);
        let item = codec::to_item(KIND, &health).unwrap();
        // A field without a value has to be written as well: it may be what an earlier note had one for.
        assert_eq!(item.len(), 6, "{item:?}");
        assert_eq!(codec::from_item::<RobotHealth>(KIND, item).unwrap(), health);
    }

    /// What a search finds in a log that has a run of one robot each minute, `minutes` of them.
    fn found(minutes: i64, is_whole: bool) -> (bool, Vec<String>) {
        let open = vec![
            expected("hourly", Duration::from_hours(3)),
            expected("daily", Duration::from_hours(49)),
            expected("monthly", DAY * 63),
            expected("yearly", DAY * 733),
        ];
        let mut search = Search { open, read: 0, reach: Duration::ZERO, now: at(0) };
        let runs: Vec<Run> = (1..=minutes).map(|minute| run("busy", -minute)).collect();
        search.look_through(&runs, is_whole);
        (search.is_over(), search.silent().iter().map(|expected| expected.robot.to_string()).collect())
    }

    #[test]
    fn a_robot_is_silent_only_if_its_whole_patience_was_looked_through() {
        // Two thousand minutes are 33 hours, and a run may have begun a day before it ended.
        assert_eq!(found(2_000, false), (true, vec!["hourly".to_owned()]), "of the others nothing is known");
        assert_eq!(found(1_000, false), (false, Vec::new()), "there is more to read");
        // The log keeps ninety days.
        let of_the_log = ["hourly", "daily", "monthly"].map(str::to_owned).to_vec();
        assert_eq!(found(1_000, true), (false, of_the_log), "nothing is known of a year");
    }

    #[test]
    fn a_run_of_its_own_within_its_patience_is_a_sign_of_life() {
        let open = vec![expected("daily", Duration::from_hours(49)), expected("hourly", Duration::from_hours(3))];
        let mut search = Search { open, read: 0, reach: Duration::ZERO, now: at(0) };
        search.look_through(&[run("busy", -1), run("hourly", -181), run("daily", -2_000)], true);
        let silent: Vec<String> = search.silent().iter().map(|expected| expected.robot.to_string()).collect();
        assert_eq!(silent, ["hourly"]);
    }

    #[test]
    fn a_robot_that_waited_for_calls_is_given_its_patience_from_when_it_need_not() {
        let silent = |waited_until: i64| {
            let open = vec![expected("hourly", Duration::from_hours(3))];
            let mut search = Search { open, read: 0, reach: Duration::ZERO, now: at(0) };
            let blocked =
                |until: i64| Run { state: RunState::Blocked, blocked_until: Some(at(until)), ..run("hourly", -600) };
            search.look_through(&[blocked(waited_until)], true);
            !search.silent().is_empty()
        };
        assert_eq!([60, -5, -180, -181].map(silent), [false, false, false, true]);
    }

    /// What is noted outlives what it is looked at for.
    #[test]
    fn what_is_noted_is_kept_for_as_long_as_any_robot_is_waited_for() {
        let yearly: TenantSettings = serde_json::from_value(serde_json::json!({
            "tenant": "hanako",
            "integration_robots": { "custom": [
                { "id": "yearly", "name": "yearly", "do": "fetch-orders",
                  "on": { "cron": "0 10 2 4 *", "connection": "main" } },
            ] },
        }))
        .unwrap();
        let patience = health::expected(&yearly)[0].patience;
        assert!(patience > DAY * 700 && patience < DAY * NOTED_DAYS, "{patience:?}");
    }
}
