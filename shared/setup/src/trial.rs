//! Conversion robots tried on real orders: what a change of them makes of the latest orders, before it is applied.
//!
//! What is shown are customers' data, for the operator's eyes: it goes to the terminal or the page, and nowhere else.

use std::fmt;

use renkei_domain::convert::{Conversion, ConversionRobots, Field, convert};
use renkei_domain::ids::{ConnectionId, RuleId};
use renkei_domain::order::SourceOrder;
use renkei_domain::settings::TenantSettings;
use renkei_store::{StoreError, Tenant};

/// How many of each connection's latest orders a robot is tried on.
const ORDERS: usize = 5;
/// Characters of a field that are shown.
const SHOWN: usize = 80;

/// A field that a conversion robot makes otherwise of an order. Customers' data, so that it does not show itself in a log.
pub struct TriedChange {
    /// 受注番号.
    pub order: String,
    /// The field.
    pub field: Field,
    /// What stood in it, in short.
    pub was: String,
    /// What would stand in it, in short.
    pub is: String,
}

impl fmt::Display for TriedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {}: {}: {:?} → {:?}", self.order, self.field.name(), self.was, self.is)
    }
}

/// What a trial found.
#[derive(Default)]
pub struct Trial {
    /// What changes.
    pub changes: Vec<TriedChange>,
    /// Robots that fail on a real order: the place in `conversion_robots`, the field, and why.
    pub problems: Vec<(usize, &'static str, String)>,
}

/// Tries each conversion robot that changes on the latest orders of the connections that use it.
pub async fn on_latest_orders(
    tenant: &Tenant,
    current: Option<&TenantSettings>,
    settings: &TenantSettings,
) -> Result<Trial, StoreError> {
    let mut trial = Trial::default();
    let Some(current) = current else { return Ok(trial) };
    let (before, after) = (ConversionRobots::of_applied(current), ConversionRobots::of_applied(settings));
    for connection in settings.connections.iter().map(|connection| &connection.id) {
        let (old, new) = (robot_of(current, connection), robot_of(settings, connection));
        if fields_of(current, old) == fields_of(settings, new) {
            continue;
        }
        let shipments = tenant.latest_orders(connection, ORDERS).await?;
        for detail in tenant.details(&shipments).await? {
            let order = &detail.source;
            match (
                converted(connection, order, before.get(old).as_ref()),
                convert(connection, order, after.get(new).as_ref()),
            ) {
                (before, Ok(after)) => {
                    for (parcel, made) in after.iter().enumerate() {
                        let Some(was) = before.get(parcel) else { continue };
                        for (field, was, is) in differences(&was.detail, &made.detail) {
                            let order = order.number.to_string();
                            trial.changes.push(TriedChange { order, field, was, is });
                        }
                    }
                }
                (_, Err(renkei_domain::convert::ConvertError::Field { robot, field, reason })) => {
                    let place = settings.conversion_robots.iter().position(|own| own.id == robot).unwrap_or_default();
                    if !trial.problems.iter().any(|(known, other, _)| (*known, *other) == (place, field)) {
                        trial.problems.push((place, field, format!("on the order {}: {reason}", order.number)));
                    }
                }
                // Of an order that no robot can convert nothing can be learned about this one.
                (_, Err(_)) => {}
            }
        }
    }
    Ok(trial)
}

fn converted(
    connection: &ConnectionId,
    order: &SourceOrder,
    robot: Option<&Conversion<'_>>,
) -> Vec<renkei_domain::convert::Converted> {
    // Where the robot in force fails on an order, the change is shown against the standard.
    convert(connection, order, robot).or_else(|_| convert(connection, order, None)).unwrap_or_default()
}

/// The conversion robot that a connection's orders are fetched with.
fn robot_of<'a>(settings: &'a TenantSettings, connection: &ConnectionId) -> Option<&'a RuleId> {
    let setup = settings.integration_robots.easy_setup.iter().find(|setup| setup.connection == *connection)?;
    setup.conversion_robot.as_ref()
}

fn fields_of<'a>(
    settings: &'a TenantSettings,
    robot: Option<&RuleId>,
) -> Option<&'a std::collections::BTreeMap<String, String>> {
    let own = settings.conversion_robots.iter().find(|own| Some(&own.id) == robot)?;
    (own.enabled && !own.fields.is_empty()).then_some(&own.fields)
}

/// Fields that differ, with what stands in them, shortened and fit for a terminal.
#[must_use]
pub fn differences(
    before: &renkei_domain::shipment::ShipmentDetail,
    after: &renkei_domain::shipment::ShipmentDetail,
) -> Vec<(Field, String, String)> {
    Field::all()
        .map(|field| (field, field.of(before), field.of(after)))
        .filter(|(_, was, is)| was != is)
        .map(|(field, was, is)| (field, short(&was), short(&is)))
        .collect()
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        short.push('…');
    }
    short
}
