//! Whether a tenant's robots do their work, read from the log of runs.

use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::health::{self, Expected};
use renkei_domain::ids::{ConnectionId, RobotId};
use renkei_domain::run::Run;

use crate::Tenant;
use crate::error::StoreError;
use crate::settings::AppliedSettings;

/// Runs that are read at a time, and at most: whoever starts so many runs within a robot's patience has to look itself.
const A_PAGE: i32 = 50;
const AT_MOST: usize = 2_000;

impl Tenant {
    /// Did the latest three runs of this robot fail?
    pub async fn is_failing(&self, connection: &ConnectionId, robot: &RobotId) -> Result<bool, StoreError> {
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

    /// Robots that start by time and have not done their work for longer than they may. A robot is given the time from
    /// when the settings were applied.
    pub async fn silent_robots(&self, applied: &AppliedSettings, now: Timestamp) -> Result<Vec<Expected>, StoreError> {
        let since = |at: Timestamp| now.duration_since(at).unsigned_abs();
        let mut silent: Vec<Expected> = health::expected(&applied.settings)
            .into_iter()
            .filter(|expected| since(applied.at) > expected.patience)
            .collect();
        let (mut from, mut read) = (None, 0);
        loop {
            let longest = silent.iter().map(|expected| expected.patience).max().unwrap_or(Duration::ZERO);
            if silent.is_empty() || read >= AT_MOST {
                return Ok(silent);
            }
            let page = self.runs(A_PAGE, from).await?;
            read += page.rows.len();
            for run in &page.rows {
                silent.retain(|expected| {
                    let its = run.connection == expected.connection && run.robot == expected.robot;
                    let lately = since(run.ended_at.unwrap_or(run.started_at)) <= expected.patience;
                    !(its && lately && health::is_sign_of_life(run, now))
                });
            }
            let older = page.rows.last().is_some_and(|run| since(run.started_at) > longest + Duration::from_hours(24));
            from = page.next;
            if from.is_none() || older {
                return Ok(silent);
            }
        }
    }
}
