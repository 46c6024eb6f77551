//! A robot tried on a stored shipment. Nothing is written.

use jiff::Timestamp;
use renkei_domain::convert::{ConversionRobots, convert};
use renkei_domain::ids::{RuleId, ShipmentId, Sku};
use renkei_domain::import;
use renkei_domain::processing::{
    self, Applied, Facts, Goods, ImportDecision, Phase, ProcessingRobot, RobotSet, Run, as_known, built_in,
};
use renkei_domain::settings::{Connection, ConversionRobot, ProcessingRobots, STANDARD_CONVERSION, TenantSettings};
use renkei_domain::shipment::{Shipment, ShipmentDetail, Status};
use renkei_store::{StoreError, Tenant};
use serde::Serialize;

use crate::trial;

/// Why a robot cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum TryError {
    /// The robot fails, or does not fit the order, in a sentence. Permanent.
    #[error("{0}")]
    Robot(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn said(sentence: impl Into<String>) -> TryError {
    TryError::Robot(sentence.into())
}

/// What a trial found, by the stable keys of `docs/cli.md`.
#[derive(Serialize)]
pub struct TrialLine {
    /// Its id.
    pub robot: String,
    /// `conversion` or `processing`.
    pub kind: &'static str,
    /// On which shipment.
    pub shipment: ShipmentId,
    /// Processing robots: does its condition hold?
    pub matches: Option<bool>,
    /// What it would change.
    pub changes: Vec<ChangeLine>,
    /// Processing robots: what it says it did.
    pub actions: Vec<String>,
    /// Processing robots: what would become of a new order like this one.
    pub on_import: Option<String>,
}

/// Fields of a shipment that a trial tells of, besides those of conversion.
pub const FIELDS: [&str; 4] = ["status", "hold_reasons", "payment", "shipping_method"];

/// And its lines.
pub const ITEMS: &str = "items";

/// A field that changes. Customers' data, so that it does not show itself in a log.
#[derive(Serialize)]
pub struct ChangeLine {
    /// Its name.
    pub field: String,
    /// What stands in it.
    pub before: String,
    /// What would.
    pub after: String,
}

/// A shipment with all that a robot looks at.
pub struct Subject<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// By which settings.
    pub settings: &'a TenantSettings,
    /// Of which shop.
    pub connection: &'a Connection,
    /// The shipment.
    pub shipment: &'a Shipment,
    /// Its detail.
    pub detail: &'a ShipmentDetail,
}

/// The shipment's order converted by this robot, against what is stored. What processing robots or people changed since
/// shows as well: a stored shipment is what all of them made of it.
pub fn conversion(subject: &Subject<'_>, robot: Option<&ConversionRobot>) -> Result<TrialLine, TryError> {
    let Subject { shipment, detail, .. } = *subject;
    let mut settings: TenantSettings = subject.settings.clone();
    settings.conversion_robots =
        robot.cloned().into_iter().map(|robot| ConversionRobot { enabled: true, ..robot }).collect();
    let robots = ConversionRobots::compile(&settings)
        .map_err(|problems| said(problems.first().map(|problem| problem.message.clone()).unwrap_or_default()))?;
    let own = robots.get(robot.map(|robot| &robot.id));
    let made =
        convert(&shipment.id.connection, &detail.source, own.as_ref()).map_err(|error| said(error.to_string()))?;
    let parcel = made.iter().find(|parcel| parcel.address.id == shipment.address_id);
    let parcel = parcel.ok_or_else(|| said("the order has no line to this shipment's address any more"))?;
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

/// Compares two states of a shipment.
#[must_use]
pub fn field_changes(before: &ShipmentDetail, after: &ShipmentDetail) -> Vec<ChangeLine> {
    trial::differences(before, after)
        .into_iter()
        .map(|(field, before, after)| ChangeLine { field: field.name().to_owned(), before, after })
        .collect()
}

/// A processing robot by itself and on, among settings that otherwise stay as they are.
pub(crate) fn alone(
    settings: &TenantSettings,
    robot: &ProcessingRobot,
    is_built_in: bool,
) -> Result<RobotSet, processing::Problem> {
    let mut settings = settings.clone();
    settings.processing_robots = if is_built_in {
        ProcessingRobots { enable: vec![robot.id.clone().into()], custom: Vec::new() }
    } else {
        let alone = ProcessingRobot { enabled: true, excludes: Vec::new(), ..robot.clone() };
        ProcessingRobots { enable: Vec::new(), custom: vec![alone] }
    };
    RobotSet::compile(&settings).map_err(|problems| {
        let unsaid = || processing::Problem { path: String::new(), robot: None, message: "it cannot be used".into() };
        problems.into_iter().next().unwrap_or_else(unsaid)
    })
}

/// The same as it is applied to stored shipments: among those that are on and run always, each at its place, but for those
/// that cannot be on together with it. None if the others cannot be used.
pub(crate) fn with_always(settings: &TenantSettings, robot: &ProcessingRobot, is_built_in: bool) -> Option<RobotSet> {
    let goes_along = |other: &ProcessingRobot| {
        other.run == Run::Always
            && other.id != robot.id
            && !other.excludes.contains(&robot.id)
            && !robot.excludes.contains(&other.id)
    };
    let mut settings = settings.clone();
    let ProcessingRobots { enable, custom } = &mut settings.processing_robots;
    enable.retain(|on| *on.id() == robot.id || built_in::find(on.id()).is_some_and(goes_along));
    custom.retain(|own| own.id == robot.id || (own.enabled && goes_along(own)));
    // Robots that are left out here are named there.
    for own in &mut *custom {
        own.excludes.clear();
    }
    if is_built_in {
        if !enable.iter().any(|on| *on.id() == robot.id) {
            enable.push(robot.id.clone().into());
        }
    } else {
        let on = ProcessingRobot { enabled: true, excludes: Vec::new(), ..robot.clone() };
        match custom.iter_mut().find(|own| own.id == robot.id) {
            Some(own) => *own = on,
            None => custom.push(on),
        }
    }
    RobotSet::compile(&settings).ok()
}

/// What a processing robot would change of the shipment as it stands, and what on import of an order like its.
pub async fn processing(
    subject: &Subject<'_>,
    robot: ProcessingRobot,
    is_built_in: bool,
    at: Timestamp,
) -> Result<TrialLine, TryError> {
    let Subject { tenant, settings, connection, shipment, detail } = *subject;
    let set = alone(settings, &robot, is_built_in).map_err(|problem| said(problem.to_string()))?;
    let skus = import::skus([&detail.source], &set);
    let goods: Goods =
        tenant.products_of(&skus).await?.into_iter().map(|product| (product.sku, product.temperature)).collect();
    let unknown_skus = import::unknown_skus(&detail.source, &goods);
    let name = (shipment.id.order, shipment.order_number.clone());
    let known = tenant.known_orders(&shipment.id.connection, std::slice::from_ref(&name)).await?;
    let holder = known.first().and_then(|known| known.number_of);
    let facts = Facts {
        connection,
        // Which one made the shipment is not kept; ties do not matter to a trial.
        conversion_robot: None,
        unknown_skus: &unknown_skus,
        duplicate_number: holder.is_some_and(|other| other != shipment.id.order),
        now: at,
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

/// What becomes of a stored shipment to which a robot that is on is applied, on a copy: the shipment as it would be, and
/// what of it changes.
#[must_use]
pub fn on_a_copy(
    robots: &RobotSet,
    rule: &RuleId,
    facts: &Facts<'_>,
    goods: &Goods,
    shipment: &Shipment,
    detail: &ShipmentDetail,
) -> (Shipment, Vec<ChangeLine>) {
    let before = as_known(shipment, detail);
    let (mut after, mut after_detail) = (shipment.clone(), before.clone());
    robots.apply_later(goods, rule, facts, &mut after, &mut after_detail);
    let mut changes = shipment_changes(shipment, &after);
    changes.extend(field_changes(&before, &after_detail));
    changes.extend(item_changes(&before, &after_detail));
    (after, changes)
}

/// Compares two states of a shipment.
#[must_use]
pub fn shipment_changes(before: &Shipment, after: &Shipment) -> Vec<ChangeLine> {
    let holds = |shipment: &Shipment| {
        let reasons: Vec<&str> = shipment.holds.iter().map(|reason| reason.as_str()).collect();
        reasons.join(", ")
    };
    let method = |shipment: &Shipment| shipment.shipping_method.as_ref().map(ToString::to_string).unwrap_or_default();
    let payment = |shipment: &Shipment| format!("{:?}", shipment.payment).to_lowercase();
    let values = |shipment: &Shipment| {
        [shipment.status.as_str().to_owned(), holds(shipment), payment(shipment), method(shipment)]
    };
    FIELDS
        .into_iter()
        .zip(values(before).into_iter().zip(values(after)))
        .filter(|(_, (before, after))| before != after)
        .map(|(field, (before, after))| ChangeLine { field: field.to_owned(), before, after })
        .collect()
}

/// Compares two states of a shipment.
#[must_use]
pub fn item_changes(before: &ShipmentDetail, after: &ShipmentDetail) -> Option<ChangeLine> {
    let items = |detail: &ShipmentDetail| {
        let items: Vec<String> = detail.items.iter().map(|item| format!("{}×{}", item.sku, item.quantity)).collect();
        items.join(" ")
    };
    (before.items != after.items).then(|| ChangeLine {
        field: ITEMS.to_owned(),
        before: items(before),
        after: items(after),
    })
}
