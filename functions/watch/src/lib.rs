//! Watches over what no other function can see, and passes alarms on to where people read.
//!
//! A function that does not run cannot say so: every hour this one looks whether each robot that starts by time has done its
//! work lately, and counts those that have not (`RobotsSilent`, which an alarm looks at). And where the stack has a webhook,
//! alarms come from the topic to this function, which posts each as one line of text, in the form that Slack and what imitates
//! it take. With the same look it tells each merchant's staff, where they want it, what needs them (`renkei-notify`). It
//! holds no right to shops, their credentials or shipments.

mod message;

use futures::StreamExt;
use jiff::Timestamp;
use renkei_domain::health::Expected;
use renkei_notify::{Messenger, Notices, TellError, WebhookAddress};
use renkei_platform::Metrics;
use renkei_platform::emf::Metric;
use renkei_store::settings::AppliedSettings;
use renkei_store::{Store, StoreError, Tenant};
use serde::Deserialize;

pub use message::text;

/// Merchants whose staff are told at the same time: one webhook that does not answer keeps no other waiting.
const AT_ONCE: usize = 8;

/// What woke the function.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Woken {
    /// The topic: somebody is to be told.
    Told {
        /// What the topic delivers.
        #[serde(rename = "Records")]
        records: Vec<Delivery>,
    },
    /// The clock.
    Look {},
}

/// One delivery of the topic.
#[derive(Debug, Deserialize)]
pub struct Delivery {
    #[serde(rename = "Sns")]
    sns: Notification,
}

/// What was published.
#[derive(Debug, Deserialize)]
pub struct Notification {
    /// An alarm's name and state, in words.
    #[serde(rename = "Subject", default)]
    pub subject: Option<String>,
    /// An alarm as JSON, or plain text.
    #[serde(rename = "Message")]
    pub message: String,
}

/// Looks through all tenants for robots that are silent, counts them, and tells each merchant's staff what is new. Safe to
/// repeat: what was told is noted, and not told again.
///
/// # Errors
/// The first that there was. A tenant whose settings or runs cannot be read keeps nobody from looking after the others: the
/// look goes on, and fails at its end, so that operators hear of it.
pub async fn look(store: &Store, notices: &Notices, now: Timestamp, metrics: &Metrics) -> Result<(), StoreError> {
    let mut silent = 0;
    let mut failed = None;
    let mut tenants = Vec::new();
    for id in store.tenants().await? {
        let tenant = store.tenant(id);
        match tenant.settings().await {
            Ok(Some(applied)) => tenants.push((tenant, applied)),
            // A tenant that is being removed has no settings any more.
            Ok(None) => {}
            Err(error) => failed = failed.or(Some(not_read(&tenant, error))),
        }
    }
    for (tenant, applied) in &tenants {
        match tenant.silent_robots(applied, now).await {
            Ok(robots) => silent += log_silent(tenant, &robots),
            Err(error) => failed = failed.or(Some(not_read(tenant, error))),
        }
    }
    // Counted when there are none as well: one alarm clears by it, another sees by it that there was a look.
    metrics.add(Metric::RobotsSilent, silent);
    tell_staff(notices, &tenants, now).await;
    failed.map_or(Ok(()), Err)
}

/// Says whose robots are silent, and how many.
fn log_silent(tenant: &Tenant, robots: &[Expected]) -> u64 {
    for robot in robots {
        tracing::warn!(
            tenant = %tenant.id(), connection = %robot.connection, robot = %robot.robot,
            patience_minutes = robot.patience.as_secs() / 60,
            "this robot has not done its work for longer than it may"
        );
    }
    robots.len() as u64
}

/// Says of whom something could not be read: the error itself does not.
fn not_read(tenant: &Tenant, error: StoreError) -> StoreError {
    tracing::error!(tenant = %tenant.id(), %error, "whether this merchant's robots run is not known");
    error
}

/// Tells each merchant's staff what is new. One merchant's webhook that is gone, or settings that cannot be read, must not
/// keep the others from theirs; what was not told is told with the next look, and the console shows why it was not.
async fn tell_staff(notices: &Notices, tenants: &[(Tenant, AppliedSettings)], now: Timestamp) {
    futures::stream::iter(tenants)
        .for_each_concurrent(AT_ONCE, async |(tenant, applied)| {
            if let Err(error) = notices.look(tenant, applied, now).await {
                tracing::error!(tenant = %tenant.id(), %error, "staff could not be told");
            }
        })
        .await;
}

/// Passes on what the topic says. One that fails fails the delivery, and the topic delivers again.
pub async fn tell(
    messenger: &Messenger,
    webhook: Option<&WebhookAddress>,
    deliveries: &[Delivery],
) -> Result<(), TellError> {
    let Some(webhook) = webhook else { return Ok(()) };
    for delivery in deliveries {
        messenger.post(webhook, &text(&delivery.sns)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_and_the_topic_are_told_apart() {
        let woken = |text: &str| serde_json::from_str::<Woken>(text).unwrap();
        let told = r#"{"Records":[{"EventSource":"aws:sns","Sns":{"Subject":"ALARM","Message":"{}"}}]}"#;
        assert!(matches!(woken(told), Woken::Told { records } if records.len() == 1));
        let clock = r#"{"version":"0","detail-type":"Scheduled Event","source":"aws.events","detail":{}}"#;
        assert!(matches!(woken(clock), Woken::Look {}));
    }
}
