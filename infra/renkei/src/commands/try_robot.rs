//! `renkei try`: a robot tried on a stored shipment, or on all open ones of a shop. Nothing is written.

use jiff::Timestamp;
use renkei_domain::ids::{RuleId, ShipmentId};
use renkei_domain::processing::{ProcessingRobot, built_in};
use renkei_domain::settings::{Action, STANDARD_CONVERSION, TenantSettings};
use renkei_setup::dry_run;
use renkei_setup::try_robot::{self, ChangeLine, Subject, TrialLine};

use super::dry_run as described;
use crate::error::{CliError, Exit};
use crate::output::{self, plain};
use crate::stack::Stack;

/// Tries a robot.
pub async fn command(
    stack: &Stack,
    tenant: Option<&str>,
    robot: &str,
    shipment: &str,
    json: bool,
) -> Result<Exit, CliError> {
    let id: ShipmentId =
        shipment.parse().map_err(|error: renkei_domain::ids::InvalidId| CliError::said(error.to_string()))?;
    let place = stack.connection(tenant, id.connection.as_str()).await?;
    let Some(shipment) = place.tenant.shipment(&id).await? else {
        return Err(CliError::said(format!("there is no shipment {id}")));
    };
    let details = place.tenant.details(std::slice::from_ref(&shipment)).await?;
    let Some(detail) = details.into_iter().next() else {
        return Err(CliError::said(format!(
            "shipment {id} has no detail; see docs/operations.md, Data is lost or spoilt"
        )));
    };
    let settings = &place.settings;
    let subject = Subject {
        tenant: &place.tenant,
        settings,
        connection: &place.connection,
        shipment: &shipment,
        detail: &detail,
    };
    let line = if robot == STANDARD_CONVERSION.to_string() {
        try_robot::conversion(&subject, None)?
    } else if let Some(own) = settings.conversion_robots.iter().find(|own| own.id.as_str() == robot) {
        try_robot::conversion(&subject, Some(own))?
    } else if let Some((processing, is_built_in)) = processing(settings, robot) {
        try_robot::processing(&subject, processing, is_built_in, Timestamp::now()).await?
    } else {
        let own = settings.conversion_robots.iter().map(|own| own.id.as_str());
        let known: Vec<&str> = own.chain(processing_ids(settings)).chain(["14448"]).collect();
        return Err(CliError::said(format!(
            "there is no conversion or processing robot {}; there are {}",
            plain(robot),
            known.join(", ")
        )));
    };
    if json {
        output::json_line(&line)?;
    } else {
        describe(&line)?;
    }
    Ok(Exit::Done)
}

/// Tries a processing robot on all open shipments of a shop.
pub async fn on_open(
    stack: &Stack,
    tenant: Option<&str>,
    robot: &str,
    shop: &str,
    json: bool,
) -> Result<Exit, CliError> {
    let place = stack.connection(tenant, shop).await?;
    let Some((processing, is_built_in)) = processing(&place.settings, robot) else {
        let known: Vec<&str> = processing_ids(&place.settings).collect();
        return Err(CliError::said(format!(
            "there is no processing robot {}; there are {}",
            plain(robot),
            known.join(", ")
        )));
    };
    let at = dry_run::Place { tenant: &place.tenant, settings: &place.settings, connection: &place.connection };
    let foreseen = dry_run::processing(&at, &processing, is_built_in, usize::MAX).await?;
    if json {
        described::print(&place, robot, Action::ApplyProcessing, &foreseen, &[])?;
    } else {
        described::describe(robot, &foreseen, &[])?;
    }
    Ok(Exit::Done)
}

/// The processing robot of this id, and whether it is built in.
fn processing(settings: &TenantSettings, id: &str) -> Option<(ProcessingRobot, bool)> {
    let own = settings.processing_robots.custom.iter().find(|own| own.id.as_str() == id);
    let built_in = || RuleId::parse(id).ok().and_then(|id| built_in::find(&id).cloned());
    own.cloned().map(|own| (own, false)).or_else(|| built_in().map(|robot| (robot, true)))
}

fn processing_ids(settings: &TenantSettings) -> impl Iterator<Item = &str> {
    let custom = settings.processing_robots.custom.iter().map(|own| own.id.as_str());
    custom.chain(built_in::all().iter().map(|robot| robot.id.as_str()))
}

fn describe(line: &TrialLine) -> Result<(), CliError> {
    match line.matches {
        Some(false) => output::line(format!("{}: its condition does not hold for {}", line.robot, line.shipment))?,
        Some(true) | None if line.changes.is_empty() => {
            output::line(format!("{} would change nothing of {}", line.robot, line.shipment))?;
        }
        Some(true) | None => output::line(format!("{} would change of {}:", line.robot, line.shipment))?,
    }
    for ChangeLine { field, before, after } in &line.changes {
        output::line(format!("  {field}: {:?} → {:?}", plain(before), plain(after)))?;
    }
    for action in &line.actions {
        output::line(format!("  ({})", plain(action)))?;
    }
    if let Some(on_import) = &line.on_import {
        output::line(format!("  on import of such an order: {}", plain(on_import)))?;
    }
    output::line("nothing was written (書き込みはしていません)")
}
