//! Integration robots: the easy set-up and the merchant's own.

use std::collections::HashMap;

use super::super::nearest::{nearest, quoted};
use super::super::problem::Report;
use super::robots::{exists_processing, is_on};
use super::{exists, filled, unique};
use crate::settings::{OneOrMany, STANDARD_CONVERSION, TenantSettings};
use crate::shipment::HoldReason;

/// A robot that starts as often as this is worth a look at the calls that it spends.
const FREQUENT_MINUTES: u32 = 5;

fn setup_path(settings: &TenantSettings, at: usize) -> String {
    match settings.integration_robots.easy_setup {
        OneOrMany::One(_) => "integration_robots.easy_setup".into(),
        OneOrMany::Many(_) => format!("integration_robots.easy_setup[{at}]"),
    }
}

pub(super) fn easy_setups(settings: &TenantSettings, report: &mut Report<'_>) {
    let connections: Vec<&str> = settings.connections.iter().map(|connection| connection.id.as_str()).collect();
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (at, setup) in settings.integration_robots.easy_setup.iter().enumerate() {
        let path = |key: &str| format!("{}.{key}", setup_path(settings, at));
        if let Some(before) = first.insert(setup.connection.as_str(), at) {
            let on_line = report.on_line(&format!("{}.connection", setup_path(settings, before)));
            let sentence = format!(
                "the connection {} has an easy set-up already, first{on_line}: its robots would run twice (二重に動作します)",
                quoted(setup.connection.as_str())
            );
            report.problem(path("connection"), sentence);
        }
        if let Some(robot) = &setup.conversion_robot {
            conversion_robot(settings, path("conversion_robot"), robot.as_str(), report);
        }
        if setup.every.as_minutes() <= FREQUENT_MINUTES {
            let sentence = format!(
                "every {} spends the shop's calls of the day fast: see `renkei plan` for what these robots need a day",
                String::from(setup.every)
            );
            report.warning(path("every"), sentence);
        }
        if !exists(report, path("connection"), "connection", setup.connection.as_str(), &connections) {
            continue;
        }
        let Some(connection) = settings.connection(&setup.connection) else { continue };
        if connection.automation_option && setup.shipped == Some(true) {
            report.problem(
                path("shipped"),
                "it would run twice: with the automation option the shop itself moves orders to shipped, so leave \
                 `shipped` out or write false (自動化オプションと出荷済みへの変更が二重に実行されるため、併用できません)",
            );
        }
        if !connection.automation_option && setup.shipped == Some(false) {
            report.warning(
                path("shipped"),
                "nobody tells the shop that orders are shipped: there is no automation option that would",
            );
        }
        if setup.inventory && connection.stock_location_code.is_none() {
            let sentence = format!(
                "inventory needs to know whose stock to update: add `stock_location_code` to the connection {}, or write \
                 `inventory: false`",
                quoted(connection.id.as_str())
            );
            report.problem(path("inventory"), sentence);
        }
    }
}

fn conversion_robot(settings: &TenantSettings, path: String, id: &str, report: &mut Report<'_>) {
    match settings.conversion_robots.iter().find(|robot| robot.id.as_str() == id) {
        Some(robot) if !robot.enabled => {
            let sentence = format!("the conversion robot {} is not enabled: write `enabled: true` for it", quoted(id));
            report.problem(path, sentence);
        }
        Some(_) => {}
        None if id == STANDARD_CONVERSION.to_string() => {
            report
                .problem(path, format!("{id} is the standard conversion robot: it is used when this key is left out"));
        }
        None => {
            let known: Vec<&str> = settings.conversion_robots.iter().map(|robot| robot.id.as_str()).collect();
            exists(report, path, "conversion robot", id, &known);
        }
    }
}

pub(super) fn custom(settings: &TenantSettings, report: &mut Report<'_>) {
    let robots = &settings.integration_robots.custom;
    unique(report, "integration_robots.custom", "id", robots.iter().map(|robot| robot.id.as_str()));
    let connections: Vec<&str> = settings.connections.iter().map(|connection| connection.id.as_str()).collect();
    for (at, robot) in robots.iter().enumerate() {
        let path = |key: &str| format!("integration_robots.custom[{at}].{key}");
        filled(report, path("name"), &robot.name);
        if robot.id.as_str().contains('/') {
            let sentence = format!(
                "{} has the form of the easy set-up's robots: use a name without `/`",
                quoted(robot.id.as_str())
            );
            report.problem(path("id"), sentence);
        }
        let connection = &robot.on.connection;
        if exists(report, path("on.connection"), "connection", connection.as_str(), &connections) {
            let setup = settings.integration_robots.easy_setup.iter().find(|setup| setup.connection == *connection);
            let runs = setup
                .is_some_and(|setup| settings.easy_robots(setup).iter().any(|(_, action)| *action == robot.on.after));
            if !runs {
                let action = robot.on.after.as_str();
                let sentence = format!(
                    "there is no robot {}, so this one would never start: the easy set-up of this connection makes {}",
                    quoted(&format!("{connection}/{action}")),
                    setup.map_or_else(
                        || "none".into(),
                        |setup| {
                            settings
                                .easy_robots(setup)
                                .iter()
                                .map(|(_, made)| made.as_str())
                                .collect::<Vec<_>>()
                                .join(", ")
                        }
                    )
                );
                report.problem(path("on.after"), sentence);
            }
        }
        let applied = robot.action.apply_processing_robot.as_str();
        let applied_path = path("do.apply_processing_robot");
        if exists_processing(settings, applied_path.clone(), applied, report) && !is_on(settings, applied) {
            let sentence = format!(
                "the processing robot {} is not on: name it in `processing_robots.enable`, or this does nothing",
                quoted(applied)
            );
            report.warning(applied_path, sentence);
        }
        let status = robot.action.to_status.as_str();
        if status != "ready" && HoldReason::from_name(status).is_none() {
            let known: Vec<&str> =
                std::iter::once("ready").chain(HoldReason::ALL.into_iter().map(HoldReason::as_str)).collect();
            let hint = nearest(status, known.iter().copied()).map(|near| format!(": did you mean {near:?}?"));
            let sentence = format!("{} is not one of {}{}", quoted(status), known.join(", "), hint.unwrap_or_default());
            report.problem(path("do.to_status"), sentence);
        }
    }
}
