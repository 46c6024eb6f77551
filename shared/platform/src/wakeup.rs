//! Waking a robot that waits for tomorrow's calls: a schedule that fires once and is gone.
//!
//! Its name says robot and time, so that whoever is blocked again before then finds it there and sets no second one.

use aws_config::SdkConfig;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::BuildError;
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use renkei_domain::work::StartRobot;
use sha2::{Digest, Sha256};

use crate::aws::AwsFailure;

/// What names of wake-up schedules begin with; the functions' rights are for these only.
const PREFIX: &str = "wake-";

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

/// One-time schedules onto one queue.
#[derive(Debug, Clone)]
pub struct WakeUps {
    client: Client,
    group: String,
    role_arn: String,
    queue_arn: String,
}

impl WakeUps {
    /// In this group, with this role, onto this queue.
    #[must_use]
    pub fn new(config: &SdkConfig, group: &str, role_arn: &str, queue_arn: &str) -> Self {
        Self {
            client: Client::new(config),
            group: group.to_owned(),
            role_arn: role_arn.to_owned(),
            queue_arn: queue_arn.to_owned(),
        }
    }

    /// Has `message` sent at `at`; `due` is the time that the robot waits for, of which `at` may be a little later.
    /// Where the robot's wake-up for `due` is set already, that one stays.
    pub async fn set(&self, message: &StartRobot, due: Timestamp, at: Timestamp) -> Result<(), WakeUpError> {
        let target = Target::builder()
            .arn(&self.queue_arn)
            .role_arn(&self.role_arn)
            .input(serde_json::to_string(message)?)
            .build()?;
        let at = at.to_zoned_datetime(TimeZone::UTC).strftime("at(%Y-%m-%dT%H:%M:%S)").to_string();
        let sent = self
            .client
            .create_schedule()
            .group_name(&self.group)
            .name(name(message, due))
            .schedule_expression(at)
            .schedule_expression_timezone("UTC")
            .flexible_time_window(FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build()?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target)
            .send()
            .await;
        match sent.map_err(|error| AwsFailure::new("CreateSchedule", &error)) {
            Ok(_) => Ok(()),
            Err(failure) if failure.is("ConflictException") => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }
}

/// At most 64 characters, of letters, digits, `-`, `_` and `.` only.
fn name(message: &StartRobot, due: Timestamp) -> String {
    let of = format!("{}#{}#{}#{}", message.tenant, message.connection, message.robot, due.as_second());
    let digest = Sha256::digest(of.as_bytes());
    let mut name = String::from(PREFIX);
    for byte in digest.iter().take(20) {
        name.push_str(&format!("{byte:02x}"));
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
    fn a_name_is_of_one_robot_and_one_time() {
        let due: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-11-26T00:00:00Z".parse().unwrap();
        assert_eq!(name(&start("hanako"), due), name(&start("hanako"), due));
        assert_ne!(name(&start("hanako"), due), name(&start("taro"), due));
        assert_ne!(name(&start("hanako"), due), name(&start("hanako"), later));
        assert!(name(&start(&"a".repeat(63)), due).len() <= 64);
    }
}
