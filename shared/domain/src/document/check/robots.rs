//! Conversion and processing robots.

use std::collections::HashSet;

use super::super::nearest::{nearest, quoted};
use super::super::problem::Report;
use super::{exists, filled, unique};
use crate::convert::ConversionRobots;
use crate::processing::{Action, RobotSet, Run, built_in};
use crate::settings::{STANDARD_CONVERSION, STANDARD_CONVERSION_NAME, TenantSettings};

pub use crate::convert::FIELDS;

pub(super) fn conversion(settings: &TenantSettings, report: &mut Report<'_>) {
    let robots = &settings.conversion_robots;
    unique(report, "conversion_robots", "id", robots.iter().map(|robot| robot.id.as_str()));
    for (at, robot) in robots.iter().enumerate() {
        let path = |key: &str| format!("conversion_robots[{at}].{key}");
        filled(report, path("name"), &robot.name);
        if robot.copy_of != STANDARD_CONVERSION {
            let sentence = format!(
                "there is no built-in conversion robot {}: the one to copy is {STANDARD_CONVERSION}, \
                 \"{STANDARD_CONVERSION_NAME}\"",
                robot.copy_of
            );
            report.problem(path("copy_of"), sentence);
        }
        if robot.id.as_str() == STANDARD_CONVERSION.to_string() {
            report.problem(path("id"), "this is the number of the standard robot: give the copy a name of its own");
        }
    }
    match ConversionRobots::check(settings) {
        Ok(robots) => {
            for warning in robots.warnings() {
                report.warning(warning.path.clone(), warning.message.clone());
            }
        }
        Err(problems) => {
            for problem in problems {
                report.problem(problem.path, problem.message);
            }
        }
    }
}

/// Processing robots are judged where they are made ready to be applied; here their problems get their lines.
pub(super) fn processing(settings: &TenantSettings, report: &mut Report<'_>) {
    let (problems, warnings) = match RobotSet::compile(settings) {
        Ok(set) => (Vec::new(), set.warnings().to_vec()),
        Err(problems) => (problems, Vec::new()),
    };
    // What concerns several robots is shown where they are switched on.
    let place = |path: String| if path == "processing_robots" { "processing_robots.enable".into() } else { path };
    for problem in problems {
        report.problem(place(problem.path), problem.message);
    }
    for warning in warnings {
        report.warning(place(warning.path), warning.message);
    }
    unknown_skus(settings, report);
    splits(settings, report);
}

/// Splitting is done when an order is imported. Robots of earlier settings that split always were taken, and go on doing so
/// on import; from here on that is said.
fn splits(settings: &TenantSettings, report: &mut Report<'_>) {
    for (at, robot) in settings.processing_robots.custom.iter().enumerate().filter(|(_, own)| own.run == Run::Always) {
        if let Some(index) = robot.actions.iter().position(|action| matches!(action, Action::Split(_))) {
            report.problem(
                format!("processing_robots.custom[{at}].do[{index}].split"),
                "an order is split into parcels when it is imported, and never later: write `run: on_import`"
                    .to_owned(),
            );
        }
    }
}

/// Products come from elsewhere too, so a SKU that the document does not hold is no mistake for certain.
fn unknown_skus(settings: &TenantSettings, report: &mut Report<'_>) {
    if settings.products.is_empty() {
        return;
    }
    let known: HashSet<&str> = settings.products.iter().map(|product| product.sku.as_str()).collect();
    for (at, robot) in settings.processing_robots.custom.iter().enumerate() {
        for (index, action) in robot.actions.iter().enumerate() {
            let Action::AddItem(item) = action else { continue };
            let sku = item.sku.as_str();
            if !known.contains(sku) {
                let hint = nearest(sku, known.iter().copied()).map(|near| format!(": did you mean {near:?}?"));
                let sentence = format!("no product {} is in this document{}", quoted(sku), hint.unwrap_or_default());
                report.warning(format!("processing_robots.custom[{at}].do[{index}].add_item.sku"), sentence);
            }
        }
    }
}

/// Says that a processing robot, built in or the merchant's own, does not exist.
pub(super) fn exists_processing(settings: &TenantSettings, path: String, id: &str, report: &mut Report<'_>) -> bool {
    let own = settings.processing_robots.custom.iter();
    let known: Vec<&str> = built_in::all().iter().chain(own).map(|robot| robot.id.as_str()).collect();
    exists(report, path, "processing robot", id, &known)
}

/// Is a processing robot switched on?
pub(super) fn is_on(settings: &TenantSettings, id: &str) -> bool {
    let robots = &settings.processing_robots;
    robots.enable.iter().any(|enabled| enabled.id().as_str() == id)
        || robots.custom.iter().any(|own| own.id.as_str() == id && own.enabled)
}
