//! Robots' schedules: one in `EventBridge` Scheduler for each robot, made, changed and removed with it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_config::SdkConfig;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::BuildError;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use renkei_domain::ids::{ConnectionId, RobotId, TenantId};
use renkei_domain::settings::{Action, Every, TenantSettings, Trigger};
use renkei_domain::work::{Cause, StartRobot, VERSION};
use renkei_platform::aws::{AwsFailure, Late, late};
use sha2::{Digest, Sha256};

use crate::SetupError;

/// The widest window in which a robot starts: apart from each other, robots do not crowd the same second.
const WIDEST_WINDOW: i32 = 5;

/// What their times are written in.
const TIME_ZONE: &str = "UTC";

/// How many minutes the nightly robots are spread over.
const NIGHT_MINUTES: u32 = 180;

/// What a schedule is to be.
struct Wanted {
    robot: String,
    expression: String,
    window: Option<i32>,
    queue_arn: String,
    input: String,
}

/// The template's name for the queue of the function that does this.
#[must_use]
pub fn queue_output(action: Action) -> &'static str {
    match action {
        Action::FetchOrders => "FetchOrders",
        Action::StateWorking | Action::StateShipped | Action::WriteBack => "PushStatuses",
        Action::StatusSync | Action::ApplyProcessing | Action::Reconcile => "SyncPayments",
        Action::Inventory => "SyncInventory",
    }
}

/// Where a stack keeps its robots' schedules.
pub struct Schedules {
    client: Late<Client>,
    group: String,
    role: String,
    queues: BTreeMap<String, String>,
}

impl Schedules {
    /// In this group, run as this role, onto the queues of these ARNs by the names that [`queue_output`] gives them.
    #[must_use]
    pub fn new(aws: &SdkConfig, group: &str, role: &str, queues: BTreeMap<String, String>) -> Self {
        let aws = aws.clone();
        Self { client: late(move || Client::new(&aws)), group: group.to_owned(), role: role.to_owned(), queues }
    }
}

/// Makes the schedules what the settings say; what was otherwise is mended, whoever changed it. Says what it did, also where
/// it fails.
pub(crate) async fn reconcile(
    schedules: &Schedules,
    settings: &TenantSettings,
    done: &mut Vec<String>,
) -> Result<(), SetupError> {
    let Schedules { client, group, role, queues } = schedules;
    let prefix = prefix(&settings.tenant);
    let mut wanted = wanted(queues, settings, &prefix)?;
    for name in names(client, group, &prefix).await? {
        match wanted.remove(&name) {
            None => {
                client
                    .delete_schedule()
                    .group_name(group)
                    .name(&name)
                    .send()
                    .await
                    .map_err(|error| AwsFailure::new("DeleteSchedule", &error))?;
                done.push(format!("schedule {name} is removed with its robot"));
            }
            Some(schedule) => {
                let is = stored(client, group, &name).await?;
                if !schedule.matches(&is, role) {
                    client
                        .update_schedule()
                        .group_name(group)
                        .name(&name)
                        .schedule_expression(&schedule.expression)
                        .schedule_expression_timezone(TIME_ZONE)
                        .flexible_time_window(schedule.flexible()?)
                        .target(schedule.target(role)?)
                        .send()
                        .await
                        .map_err(|error| AwsFailure::new("UpdateSchedule", &error))?;
                    done.push(format!("robot {} starts by {}", schedule.robot, schedule.expression));
                }
            }
        }
    }
    for (name, schedule) in wanted {
        client
            .create_schedule()
            .group_name(group)
            .name(name)
            .schedule_expression(&schedule.expression)
            .schedule_expression_timezone(TIME_ZONE)
            .flexible_time_window(schedule.flexible()?)
            .target(schedule.target(role)?)
            .send()
            .await
            .map_err(|error| AwsFailure::new("CreateSchedule", &error))?;
        done.push(format!("robot {} starts by {}", schedule.robot, schedule.expression));
    }
    Ok(())
}

/// Schedules that are not as the settings want them, by what is wrong.
pub async fn differences(schedules: &Schedules, settings: &TenantSettings) -> Result<Vec<String>, SetupError> {
    let Schedules { client, group, role, queues } = schedules;
    let prefix = prefix(&settings.tenant);
    let mut wanted = wanted(queues, settings, &prefix)?;
    let mut wrong = Vec::new();
    for name in names(client, group, &prefix).await? {
        let Some(schedule) = wanted.remove(&name) else {
            wrong.push(format!("the schedule {name} belongs to no robot"));
            continue;
        };
        let is = stored(client, group, &name).await?;
        if !schedule.matches(&is, role) {
            wrong.push(format!("the schedule of {} is not as the document says", schedule.robot));
        }
    }
    wrong.extend(wanted.into_values().map(|schedule| format!("{} has no schedule", schedule.robot)));
    Ok(wrong)
}

/// Removes all of a tenant's schedules: of its robots, and those that would wake them. Says how many there were.
pub async fn remove_all(schedules: &Schedules, tenant: &TenantId) -> Result<usize, SetupError> {
    let Schedules { client, group, .. } = schedules;
    let mut theirs = names(client, group, &prefix(tenant)).await?;
    for name in names(client, group, "wake-").await? {
        let wake = match stored(client, group, &name).await {
            Ok(wake) => wake,
            // It has fired meanwhile.
            Err(failure) if failure.is("ResourceNotFoundException") => continue,
            Err(failure) => return Err(failure.into()),
        };
        let input = wake.target.and_then(|target| target.input).unwrap_or_default();
        if StartRobot::read(&input).is_ok_and(|start| start.tenant == *tenant) {
            theirs.push(name);
        }
    }
    for name in &theirs {
        let deleted = client.delete_schedule().group_name(group).name(name).send().await;
        match deleted.map_err(|error| AwsFailure::new("DeleteSchedule", &error)) {
            Ok(_) => {}
            Err(failure) if failure.is("ResourceNotFoundException") => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(theirs.len())
}

/// What the names of all schedules of a tenant's robots begin with.
fn prefix(tenant: &TenantId) -> String {
    format!("robot-{}-", digest(tenant.as_str(), 5))
}

async fn stored(client: &Client, group: &str, name: &str) -> Result<GetScheduleOutput, AwsFailure> {
    let answer = client.get_schedule().group_name(group).name(name).send().await;
    answer.map_err(|error| AwsFailure::new("GetSchedule", &error))
}

fn wanted(
    queues: &BTreeMap<String, String>,
    settings: &TenantSettings,
    prefix: &str,
) -> Result<BTreeMap<String, Wanted>, SetupError> {
    let mut wanted = BTreeMap::new();
    let mut add = |robot: &RobotId, action: Action, connection: &ConnectionId, times: Vec<Time>| {
        let queue = queue_output(action);
        let start = StartRobot {
            v: VERSION,
            tenant: settings.tenant.clone(),
            connection: connection.clone(),
            robot: robot.clone(),
            action,
            cause: Cause::Schedule,
            run: None,
            attempt: 0,
        };
        for (number, time) in times.into_iter().enumerate() {
            let schedule = Wanted {
                robot: robot.to_string(),
                expression: time.expression,
                window: (time.window > 0).then_some(time.window),
                queue_arn: queues.get(queue).ok_or(SetupError::Queue(queue))?.clone(),
                input: serde_json::to_string(&start)?,
            };
            // A robot whose times do not fit one expression has a schedule for each.
            let more = if number == 0 { String::new() } else { format!("-{number}") };
            wanted.insert(format!("{prefix}{}{more}", digest(robot.as_str(), 10)), schedule);
        }
        Ok::<(), SetupError>(())
    };
    for setup in settings.integration_robots.easy_setup.iter() {
        for (robot, action) in settings.easy_robots(setup) {
            let time = match action {
                Action::Reconcile => nightly(&settings.tenant, &setup.connection),
                _ => every(setup.every),
            };
            add(&robot, action, &setup.connection, vec![time])?;
        }
    }
    for robot in settings.integration_robots.custom.iter().filter(|robot| robot.enabled) {
        let at = |expression: String| Time { expression, window: 0 };
        let times = match &robot.on {
            Trigger::Every { every: often, .. } => vec![every(*often)],
            Trigger::DailyAt { daily_at, .. } => vec![at(daily_at.utc())],
            Trigger::Cron { cron, .. } => cron.utc().iter().cloned().map(at).collect(),
            // Other runs' ends, and people, start these.
            Trigger::After { .. } | Trigger::ByHand { .. } => Vec::new(),
        };
        add(&robot.id, robot.action.action(), robot.on.connection(), times)?;
    }
    Ok(wanted)
}

/// When a schedule fires.
struct Time {
    expression: String,
    /// Minutes within which it does; 0 is at once.
    window: i32,
}

fn every(every: Every) -> Time {
    let minutes = every.as_minutes();
    let expression = format!("rate({minutes} minute{})", if minutes == 1 { "" } else { "s" });
    Time { expression, window: i32::try_from(minutes / 2).unwrap_or(WIDEST_WINDOW).min(WIDEST_WINDOW) }
}

/// Between 02:00 and 05:00 in Japan, each shop at a minute of its own: 17:00 to 20:00 UTC.
fn nightly(tenant: &TenantId, connection: &ConnectionId) -> Time {
    let hash = Sha256::digest(format!("{tenant}#{connection}").as_bytes());
    let minute = u32::from(u16::from_be_bytes([hash[0], hash[1]])) % NIGHT_MINUTES;
    Time { expression: format!("cron({} {} * * ? *)", minute % 60, 17 + minute / 60), window: 0 }
}

impl Wanted {
    fn flexible(&self) -> Result<FlexibleTimeWindow, BuildError> {
        match self.window {
            Some(minutes) => FlexibleTimeWindow::builder()
                .mode(FlexibleTimeWindowMode::Flexible)
                .maximum_window_in_minutes(minutes)
                .build(),
            None => FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build(),
        }
    }

    fn target(&self, role: &str) -> Result<Target, BuildError> {
        Target::builder().arn(&self.queue_arn).role_arn(role).input(&self.input).build()
    }

    /// Does this schedule start the robot, at its times, for ever, by a role that there is?
    fn matches(&self, is: &GetScheduleOutput, role: &str) -> bool {
        let target = is.target();
        is.schedule_expression() == Some(self.expression.as_str())
            // Scheduler's own where none is named.
            && is.schedule_expression_timezone().unwrap_or(TIME_ZONE) == TIME_ZONE
            && is.start_date().is_none()
            && is.end_date().is_none()
            && is.flexible_time_window().and_then(FlexibleTimeWindow::maximum_window_in_minutes) == self.window
            && target.map(Target::arn) == Some(self.queue_arn.as_str())
            && target.map(Target::role_arn) == Some(role)
            && target.and_then(Target::input) == Some(self.input.as_str())
            && is.state().is_none_or(|state| state.as_str() == "ENABLED")
    }
}

async fn names(client: &Client, group: &str, prefix: &str) -> Result<Vec<String>, SetupError> {
    let mut names = Vec::new();
    let mut from = None;
    loop {
        let page = client
            .list_schedules()
            .group_name(group)
            .name_prefix(prefix)
            .set_next_token(from)
            .send()
            .await
            .map_err(|error| AwsFailure::new("ListSchedules", &error))?;
        names.extend(page.schedules.into_iter().filter_map(|schedule| schedule.name));
        from = page.next_token;
        if from.is_none() {
            return Ok(names);
        }
    }
}

/// Names of schedules have at most 64 characters of a small alphabet; tenants' and robots' own may be longer.
fn digest(text: &str, bytes: usize) -> String {
    let mut hex = String::with_capacity(bytes * 2);
    for byte in Sha256::digest(text.as_bytes()).iter().take(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use aws_sdk_scheduler::operation::get_schedule::builders::GetScheduleOutputBuilder;
    use aws_sdk_scheduler::primitives::DateTime;
    use aws_sdk_scheduler::types::ScheduleState;

    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/scheduler";

    #[test]
    fn a_schedule_that_differs_in_anything_that_matters_is_found() {
        let wanted = Wanted {
            robot: "shop/fetch-orders".to_owned(),
            expression: "cron(0 17 * * ? *)".to_owned(),
            window: Some(5),
            queue_arn: "arn:aws:sqs:ap-northeast-1:123456789012:fetch-orders".to_owned(),
            input: "{}".to_owned(),
        };
        let made = || {
            GetScheduleOutputBuilder::default()
                .schedule_expression(&wanted.expression)
                .flexible_time_window(wanted.flexible().unwrap())
                .target(wanted.target(ROLE).unwrap())
        };
        let is = |schedule: GetScheduleOutputBuilder| wanted.matches(&schedule.build(), ROLE);
        assert!(is(made()) && is(made().schedule_expression_timezone("UTC").state(ScheduleState::Enabled)));
        let target = || Target::builder().arn(&wanted.queue_arn).role_arn(ROLE).input(&wanted.input);
        let off = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap();
        for (what, other) in [
            ("times", made().schedule_expression("cron(0 18 * * ? *)")),
            ("time zone", made().schedule_expression_timezone("Asia/Tokyo")),
            ("a beginning to come", made().start_date(DateTime::from_secs(4_000_000_000))),
            ("an end", made().end_date(DateTime::from_secs(1_800_000_000))),
            ("window", made().flexible_time_window(off)),
            ("off", made().state(ScheduleState::Disabled)),
            ("queue", made().target(target().arn("arn:aws:sqs:ap-northeast-1:123456789012:other").build().unwrap())),
            ("role", made().target(target().role_arn("arn:aws:iam::123456789012:role/gone").build().unwrap())),
            ("message", made().target(target().input("{\"v\":0}").build().unwrap())),
            ("nothing to start", made().set_target(None)),
        ] {
            assert!(!is(other), "{what}");
        }
    }

    #[test]
    fn nights_are_japans_and_spread() {
        let mut minutes = std::collections::BTreeSet::new();
        for shop in 0..200 {
            let at =
                nightly(&TenantId::parse("hanako").unwrap(), &ConnectionId::parse(format!("shop-{shop}")).unwrap());
            let fields: Vec<&str> = at.expression.trim_start_matches("cron(").split(' ').collect();
            let (minute, hour): (u32, u32) = (fields[0].parse().unwrap(), fields[1].parse().unwrap());
            assert!(minute < 60 && (17..20).contains(&hour), "{}", at.expression);
            minutes.insert((hour, minute));
        }
        assert!(minutes.len() > 90, "{}", minutes.len());
    }
}
