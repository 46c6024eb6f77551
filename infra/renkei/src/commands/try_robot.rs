//! `renkei try`: a robot tried on a stored shipment. Nothing is written.

use std::collections::HashSet;

use jiff::Timestamp;
use renkei_domain::convert::{ConversionRobots, convert};
use renkei_domain::ids::{RuleId, ShipmentId, Sku};
use renkei_domain::processing::{Applied, Facts, Goods, ImportDecision, Phase, ProcessingRobot, RobotSet, built_in};
use renkei_domain::settings::{ConversionRobot, ProcessingRobots, STANDARD_CONVERSION, TenantSettings};
use renkei_domain::shipment::{Shipment, ShipmentDetail, Status};
use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::output::{self, plain};
use crate::stack::{Found, Stack};

/// What a trial found, by the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct TrialLine {
    robot: String,
    kind: &'static str,
    shipment: ShipmentId,
    /// Processing robots: does its condition hold?
    matches: Option<bool>,
    /// What it would change.
    changes: Vec<ChangeLine>,
    /// Processing robots: what it says it did.
    actions: Vec<String>,
    /// Processing robots: what would become of a new order like this one.
    on_import: Option<String>,
}

#[derive(Serialize)]
pub(super) struct ChangeLine {
    pub(super) field: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// A shipment with all that a robot looks at.
struct Subject {
    place: Found,
    shipment: Shipment,
    detail: ShipmentDetail,
}

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
        return Err(CliError::said(format!("shipment {id} has no detail")));
    };
    let subject = Subject { place, shipment, detail };
    let settings = &subject.place.settings;
    let own = |id: &str| settings.processing_robots.custom.iter().find(|own| own.id.as_str() == id).cloned();
    let built_in = RuleId::parse(robot).ok().and_then(|id| built_in::find(&id).cloned());
    let line = if robot == STANDARD_CONVERSION.to_string() {
        conversion(&subject, None)?
    } else if let Some(own) = settings.conversion_robots.iter().find(|own| own.id.as_str() == robot) {
        conversion(&subject, Some(own))?
    } else if let Some(processing) = own(robot) {
        self::processing(&subject, processing, false).await?
    } else if let Some(processing) = built_in {
        self::processing(&subject, processing, true).await?
    } else {
        let own = settings.conversion_robots.iter().map(|own| own.id.as_str());
        let custom = settings.processing_robots.custom.iter().map(|own| own.id.as_str());
        let built_in = built_in::all().iter().map(|robot| robot.id.as_str());
        let known: Vec<&str> = own.chain(custom).chain(built_in).chain(["14448"]).collect();
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

/// The shipment's order converted by this robot, against what is stored. What processing robots or people changed since
/// shows as well: a stored shipment is what all of them made of it.
fn conversion(subject: &Subject, robot: Option<&ConversionRobot>) -> Result<TrialLine, CliError> {
    let Subject { shipment, detail, .. } = subject;
    let mut settings: TenantSettings = subject.place.settings.clone();
    settings.conversion_robots =
        robot.cloned().into_iter().map(|robot| ConversionRobot { enabled: true, ..robot }).collect();
    let robots = ConversionRobots::compile(&settings).map_err(|problems| {
        CliError::said(problems.first().map(|problem| problem.message.clone()).unwrap_or_default())
    })?;
    let own = robots.get(robot.map(|robot| &robot.id));
    let made = convert(&shipment.id.connection, &detail.source, own.as_ref())
        .map_err(|error| CliError::said(error.to_string()))?;
    let parcel = made.iter().find(|parcel| parcel.address.id == shipment.address_id);
    let parcel = parcel.ok_or_else(|| CliError::said("the order has no line to this shipment's address any more"))?;
    Ok(TrialLine {
        robot: robot.map_or_else(|| STANDARD_CONVERSION.to_string(), |robot| robot.id.to_string()),
        kind: "conversion",
        shipment: shipment.id.clone(),
        matches: None,
        changes: field_changes(detail, &parcel.detail),
        actions: Vec::new(),
        on_import: None,
    })
}

pub(super) fn field_changes(before: &ShipmentDetail, after: &ShipmentDetail) -> Vec<ChangeLine> {
    renkei_setup::trial::differences(before, after)
        .into_iter()
        .map(|(field, before, after)| ChangeLine { field: field.name().to_owned(), before, after })
        .collect()
}

async fn processing(subject: &Subject, robot: ProcessingRobot, is_built_in: bool) -> Result<TrialLine, CliError> {
    let Subject { place, shipment, detail } = subject;
    let mut settings = place.settings.clone();
    settings.processing_robots = if is_built_in {
        ProcessingRobots { enable: vec![robot.id.clone()], custom: Vec::new() }
    } else {
        let alone = ProcessingRobot { enabled: true, excludes: Vec::new(), ..robot.clone() };
        ProcessingRobots { enable: Vec::new(), custom: vec![alone] }
    };
    let set = RobotSet::compile(&settings)
        .map_err(|problems| CliError::said(problems.first().map(ToString::to_string).unwrap_or_default()))?;
    let skus: HashSet<Sku> = detail.source.lines.iter().map(|line| line.sku.clone()).collect();
    let goods: Goods =
        place.tenant.products_of(&skus).await?.into_iter().map(|product| (product.sku, product.temperature)).collect();
    let unknown_skus: Vec<Sku> = skus.into_iter().filter(|sku| !goods.contains_key(sku)).collect();
    let name = (shipment.id.order, shipment.order_number.clone());
    let known = place.tenant.known_orders(&shipment.id.connection, std::slice::from_ref(&name)).await?;
    let holder = known.first().and_then(|known| known.number_of);
    let facts = Facts {
        connection: &place.connection,
        // Which one made the shipment is not kept; ties do not matter to a trial.
        conversion_robot: None,
        unknown_skus: &unknown_skus,
        duplicate_number: holder.is_some_and(|other| other != shipment.id.order),
        now: Timestamp::now(),
    };
    let (mut now, mut now_detail) = (shipment.clone(), detail.clone());
    let applied = set.apply_with(&goods, Phase::Only(&robot.id), &facts, &mut now, &mut now_detail);
    let (mut fresh, mut fresh_detail) = (shipment.clone(), detail.clone());
    fresh.status = Status::Hold;
    let imported = set.apply_with(&goods, Phase::OnImport, &facts, &mut fresh, &mut fresh_detail);
    let mut changes = shipment_changes(shipment, &now);
    changes.extend(field_changes(detail, &now_detail));
    changes.extend(item_changes(detail, &now_detail));
    let mut actions: Vec<String> = applied.traces.iter().flat_map(|trace| trace.changes.clone()).collect();
    actions.extend(applied.notify.iter().map(|text| format!("notice: {text}")));
    Ok(TrialLine {
        robot: robot.id.to_string(),
        kind: "processing",
        shipment: shipment.id.clone(),
        matches: Some(!applied.traces.is_empty()),
        changes,
        actions,
        on_import: on_import(&imported),
    })
}

fn on_import(applied: &Applied) -> Option<String> {
    match &applied.import {
        ImportDecision::Refuse { reason, .. } => Some(format!("not imported: {reason}")),
        ImportDecision::Quarantine { reason, .. } => Some(format!("quarantined: {reason}")),
        ImportDecision::Accept if !applied.split.is_empty() => {
            let skus: Vec<&str> = applied.split.iter().flat_map(|plan| plan.skus.iter().map(Sku::as_str)).collect();
            Some(format!("a parcel of its own for {}", skus.join(", ")))
        }
        ImportDecision::Accept => None,
    }
}

pub(super) fn shipment_changes(before: &Shipment, after: &Shipment) -> Vec<ChangeLine> {
    let holds = |shipment: &Shipment| {
        let reasons: Vec<&str> = shipment.holds.iter().map(|reason| reason.as_str()).collect();
        reasons.join(", ")
    };
    let method = |shipment: &Shipment| shipment.shipping_method.as_ref().map(ToString::to_string).unwrap_or_default();
    let payment = |shipment: &Shipment| format!("{:?}", shipment.payment).to_lowercase();
    [
        ("status", before.status.as_str().to_owned(), after.status.as_str().to_owned()),
        ("hold_reasons", holds(before), holds(after)),
        ("payment", payment(before), payment(after)),
        ("shipping_method", method(before), method(after)),
    ]
    .into_iter()
    .filter(|(_, before, after)| before != after)
    .map(|(field, before, after)| ChangeLine { field: field.to_owned(), before, after })
    .collect()
}

pub(super) fn item_changes(before: &ShipmentDetail, after: &ShipmentDetail) -> Option<ChangeLine> {
    let items = |detail: &ShipmentDetail| {
        let items: Vec<String> = detail.items.iter().map(|item| format!("{}×{}", item.sku, item.quantity)).collect();
        items.join(" ")
    };
    (before.items != after.items).then(|| ChangeLine {
        field: "items".to_owned(),
        before: items(before),
        after: items(after),
    })
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
