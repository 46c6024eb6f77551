//! Waking a robot that waits for tomorrow's calls: a schedule that fires once and is gone.
//!
//! Its name says robot and time, so that whoever is blocked again before then finds it there and sets no second one. A run
//! with work of its own has a wake-up of its own: another run's would wake the robot, and not do that work.
//!
//! AWS looks at times by the minute, and deletes a schedule some time after it fired. So wake-ups are set for full minutes,
//! none of them before what its robot waits for, and one whose time has come is not taken for one that is still to come.

use std::fmt::Write;

use aws_config::SdkConfig;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::BuildError;
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use renkei_domain::work::{Cause, StartRobot};
use sha2::{Digest, Sha256};

use crate::aws::{AwsFailure, Late, late};
use crate::clock::Clock;

/// What names of wake-up schedules begin with; the functions' rights are for these only.
const PREFIX: &str = "wake-";
/// No schedule is set for a time nearer than this: it might be over before the schedule exists, and would never fire.
const SOONEST: SignedDuration = SignedDuration::from_mins(1);

/// Why a robot's wake-up was not set.
#[derive(Debug, thiserror::Error)]
pub enum WakeUpError {
    /// Passing or not as the failure is.
    #[error(transparent)]
    Aws(#[from] AwsFailure),
    /// Permanent, and a defect.
    #[error("the wake-up could not be written down: {0}")]
    Request(#[from] BuildError),
    /// Likewise.
    #[error("the wake-up could not be written down: {0}")]
    Message(#[from] serde_json::Error),
}

impl WakeUpError {
    /// May the same succeed later, with nothing mended?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Aws(failure) => failure.is_passing(),
            Self::Request(_) | Self::Message(_) => false,
        }
    }
}

/// One-time schedules onto one queue.
#[derive(Debug, Clone)]
pub struct WakeUps {
    client: Late<Client>,
    group: String,
    role_arn: String,
    queue_arn: String,
    clock: Clock,
}

impl WakeUps {
    /// In this group, with this role, onto this queue.
    #[must_use]
    pub fn new(config: &SdkConfig, group: &str, role_arn: &str, queue_arn: &str) -> Self {
        let config = config.clone();
        Self {
            client: late(move || Client::new(&config)),
            group: group.to_owned(),
            role_arn: role_arn.to_owned(),
            queue_arn: queue_arn.to_owned(),
            clock: Clock::system(),
        }
    }

    /// The same, by this clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Has `message` sent at the first full minute from `at` on as a wake-up, or in a minute or two if that is over or nearly;
    /// `due` is the time that the robot waits for, of which `at` may be a little later. Where the robot's wake-up for `due` is
    /// set already and has not had its time, that one stays. The message's cause is what its run began with: it says whether
    /// the run has a wake-up of its own.
    pub async fn set(&self, message: &StartRobot, due: Timestamp, at: Timestamp) -> Result<(), WakeUpError> {
        let now = self.clock.now();
        let at = full_minute(at.max(now.checked_add(SOONEST).unwrap_or(now)));
        let input = serde_json::to_string(&StartRobot { cause: Cause::WakeUp, ..message.clone() })?;
        let is_new = self.create(name(message, due), at, &input).await?;
        // The one of that name may have fired, and be what woke this very run. What has the other name, by the time that this
        // one is set for, is still to come.
        if !is_new && due <= now {
            self.create(name(message, at), at, &input).await?;
        }
        Ok(())
    }

    /// Sets a wake-up of this name. No, if there is one already.
    async fn create(&self, name: String, at: Timestamp, input: &str) -> Result<bool, WakeUpError> {
        let target = Target::builder().arn(&self.queue_arn).role_arn(&self.role_arn).input(input).build()?;
        let sent = self
            .client
            .create_schedule()
            .group_name(&self.group)
            .name(name)
            .schedule_expression(at.strftime("at(%Y-%m-%dT%H:%M:%S)").to_string())
            .schedule_expression_timezone("UTC")
            .flexible_time_window(FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build()?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target)
            .send()
            .await;
        match sent.map_err(|error| AwsFailure::new("CreateSchedule", &error)) {
            Ok(_) => Ok(true),
            Err(failure) if failure.is("ConflictException") => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }
}

/// The first full minute that is not before this.
fn full_minute(at: Timestamp) -> Timestamp {
    let up = TimestampRound::new().smallest(Unit::Minute).mode(RoundMode::Ceil);
    // Only the last representable minute has none after it.
    at.round(up).unwrap_or(at)
}

/// At most 64 characters, of letters, digits, `-`, `_` and `.` only.
fn name(message: &StartRobot, due: Timestamp) -> String {
    let digest = Sha256::digest(message.waits_as(due).as_bytes());
    let mut name = String::from(PREFIX);
    for byte in digest.iter().take(20) {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use renkei_domain::ids::{ConnectionId, RobotId, TenantId};
    use renkei_domain::settings::Action;
    use renkei_domain::work::{Cause, VERSION};

    use super::*;

    fn start(tenant: &str) -> StartRobot {
        StartRobot {
            v: VERSION,
            tenant: TenantId::parse(tenant).unwrap(),
            connection: ConnectionId::parse("main-shop").unwrap(),
            robot: RobotId::parse("main-shop/fetch-orders").unwrap(),
            action: Action::FetchOrders,
            cause: Cause::WakeUp,
            run: None,
            attempt: 0,
        }
    }

    #[test]
    fn a_time_becomes_the_full_minute_that_is_not_before_it() {
        let full = |at: &str| full_minute(at.parse().unwrap()).to_string();
        assert_eq!(full("2026-11-25T00:00:00Z"), "2026-11-25T00:00:00Z");
        assert_eq!(full("2026-11-25T00:00:00.001Z"), "2026-11-25T00:01:00Z");
        assert_eq!(full("2026-11-25T23:59:17Z"), "2026-11-26T00:00:00Z");
    }

    #[test]
    fn a_name_is_of_one_robot_and_one_time() {
        let due: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-11-26T00:00:00Z".parse().unwrap();
        assert_eq!(name(&start("hanako"), due), name(&start("hanako"), due));
        assert_ne!(name(&start("hanako"), due), name(&start("taro"), due));
        assert_ne!(name(&start("hanako"), due), name(&start("hanako"), later));
        let by_hand =
            |run: &str| StartRobot { cause: Cause::Hand, run: Some(run.to_owned()), ..start(&"a".repeat(63)) };
        assert_ne!(name(&by_hand("run-1"), due), name(&by_hand("run-2"), due));
        assert!(name(&by_hand(&"r".repeat(200)), due).len() <= 64);
    }
}
