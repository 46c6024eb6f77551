//! Integration robots: the easy set-up and the merchant's own.

use std::collections::HashMap;

use super::super::nearest::{nearest, quoted};
use super::super::problem::Report;
use super::robots::{exists_processing, is_on};
use super::{exists, filled, unique};
use crate::ids::ConnectionId;
use crate::processing;
use crate::settings::{
    Action, ApplyProcessing, CustomAction, CustomRobot, OneOrMany, STANDARD_CONVERSION, TenantSettings, Trigger,
};
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
        if !connection.automation_option && setup.shipped == Some(false) && !settings.tells_shipped(connection) {
            let sentence = if settings.actions_of(connection).any(|action| action == Action::WriteBack) {
                "nobody tells the shop that orders are shipped: there is no automation option that would"
            } else {
                "nobody tells the shop tracking numbers, nor that orders are shipped: leave `shipped` out, or add a robot \
                 of your own that does `write-back` or `state-shipped`"
            };
            report.warning(path("shipped"), sentence);
        }
        if !lets_go(settings, &setup.connection) {
            report.warning(
                path("connection"),
                "nothing lets go of orders of this connection that are paid after import: add a robot under `custom` that \
                 applies `ecforce-release` to `awaiting-payment` after `status-sync`",
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

/// Comes a shipment of this connection to `ready` that was not paid on import? `release` lets all go at once, and a warehouse
/// gets them when they are paid.
fn lets_go(settings: &TenantSettings, connection: &ConnectionId) -> bool {
    let is_of = |robot: &&CustomRobot| robot.enabled && robot.on.connection() == connection;
    let mut own = settings.integration_robots.custom.iter().filter(is_of);
    is_on(settings, "release") || own.any(|robot| robot.action.action() == Action::ApplyProcessing)
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
        trigger(settings, at, robot, &connections, report);
        match &robot.action {
            CustomAction::Apply(apply) => applied(settings, at, apply, report),
            CustomAction::Run(action) => runs(settings, at, robot, *action, report),
        }
    }
}

fn trigger(settings: &TenantSettings, at: usize, robot: &CustomRobot, connections: &[&str], report: &mut Report<'_>) {
    let path = |key: &str| format!("integration_robots.custom[{at}].{key}");
    let connection = robot.on.connection();
    if !exists(report, path("on.connection"), "connection", connection.as_str(), connections) {
        return;
    }
    match &robot.on {
        Trigger::After { after, .. } => {
            let made = made(settings, connection, robot);
            if !made.contains(after) {
                let names: Vec<&str> = made.iter().map(|action| action.as_str()).collect();
                let sentence = format!(
                    "there is no robot {}, so this one would never start: the easy set-up of this connection makes {}",
                    quoted(&format!("{connection}/{}", after.as_str())),
                    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
                );
                report.problem(path("on.after"), sentence);
            }
        }
        Trigger::Every { every, .. } if every.as_minutes() <= FREQUENT_MINUTES => {
            let sentence = format!(
                "every {} spends the shop's calls of the day fast: see `renkei plan` for what this robot needs a day",
                String::from(*every)
            );
            report.warning(path("on.every"), sentence);
        }
        Trigger::ByHand { by_hand: false, .. } => {
            report.problem(path("on.by_hand"), "write `by_hand: true`, or another trigger instead");
        }
        Trigger::Every { .. } | Trigger::DailyAt { .. } | Trigger::Cron { .. } | Trigger::ByHand { .. } => {}
    }
}

/// The actions that robots of a connection do: those of its easy set-up, and the merchant's own but for this one.
fn made(settings: &TenantSettings, connection: &ConnectionId, but: &CustomRobot) -> Vec<Action> {
    let robots = &settings.integration_robots;
    let setup = robots.easy_setup.iter().find(|setup| setup.connection == *connection);
    let easy = setup.into_iter().flat_map(|setup| settings.easy_robots(setup)).map(|(_, action)| action);
    let own = robots.custom.iter().filter(|own| own.enabled && own.id != but.id && own.on.connection() == connection);
    let mut made: Vec<Action> = easy.collect();
    for action in own.filter_map(|own| match &own.action {
        CustomAction::Run(action) => Some(*action),
        CustomAction::Apply(_) => None,
    }) {
        if !made.contains(&action) {
            made.push(action);
        }
    }
    made
}

/// A robot of the merchant's own that does what the easy set-up's do.
fn runs(settings: &TenantSettings, at: usize, robot: &CustomRobot, action: Action, report: &mut Report<'_>) {
    let path = |key: &str| format!("integration_robots.custom[{at}].{key}");
    let Some(connection) = settings.connection(robot.on.connection()) else { return };
    match action {
        Action::ApplyProcessing => {
            let sentence = "write which robot to apply, and to which shipments: { apply_processing_robot: ecforce-release, \
                            to_status: awaiting-payment }";
            report.problem(path("do"), sentence);
        }
        Action::StateShipped if connection.automation_option => report.problem(
            path("do"),
            "it would run twice: with the automation option the shop itself moves orders to shipped \
             (自動化オプションと出荷済みへの変更が二重に実行されるため、併用できません)",
        ),
        Action::Inventory if connection.stock_location_code.is_none() => {
            let sentence = format!(
                "inventory needs to know whose stock to update: add `stock_location_code` to the connection {}",
                quoted(connection.id.as_str())
            );
            report.problem(path("do"), sentence);
        }
        Action::FetchOrders
        | Action::StateWorking
        | Action::StateShipped
        | Action::StatusSync
        | Action::WriteBack
        | Action::Inventory
        | Action::Reconcile => {}
    }
    if comes_round(settings, robot) {
        report.problem(
            path("on.after"),
            "robots that start after each other's ends would never stop: give one of them another trigger",
        );
    }
}

/// Does this robot's end start, over others, this robot again?
fn comes_round(settings: &TenantSettings, robot: &CustomRobot) -> bool {
    let connection = robot.on.connection();
    let mut reached: Vec<Action> = Vec::new();
    let mut open = vec![robot.action.action()];
    while let Some(action) = open.pop() {
        if robot.on.after() == Some(action) {
            return true;
        }
        if !reached.contains(&action) {
            reached.push(action);
            open.extend(settings.integration_robots.after(connection, action).map(|next| next.action.action()));
        }
    }
    false
}

/// 処理ロボット適用.
fn applied(settings: &TenantSettings, at: usize, apply: &ApplyProcessing, report: &mut Report<'_>) {
    let path = |key: &str| format!("integration_robots.custom[{at}].{key}");
    let applied = apply.apply_processing_robot.as_str();
    let applied_path = path("do.apply_processing_robot");
    if exists_processing(settings, applied_path.clone(), applied, report) && !is_on(settings, applied) {
        let sentence = format!(
            "the processing robot {} is not on: name it in `processing_robots.enable`, or this does nothing",
            quoted(applied)
        );
        report.warning(applied_path.clone(), sentence);
    }
    let own = settings.processing_robots.custom.iter().find(|robot| robot.id.as_str() == applied);
    if own.is_some_and(|robot| robot.actions.iter().any(|action| matches!(action, processing::Action::Split(_)))) {
        let sentence = format!(
            "the processing robot {} splits, which is done when an order is imported and never later: give this what else \
             it does as a robot of its own",
            quoted(applied)
        );
        report.problem(applied_path, sentence);
    }
    let status = apply.to_status.as_str();
    if status != "ready" && HoldReason::from_name(status).is_none() {
        let known: Vec<&str> =
            std::iter::once("ready").chain(HoldReason::ALL.into_iter().map(HoldReason::as_str)).collect();
        let hint = nearest(status, known.iter().copied()).map(|near| format!(": did you mean {near:?}?"));
        let sentence = format!("{} is not one of {}{}", quoted(status), known.join(", "), hint.unwrap_or_default());
        report.problem(path("do.to_status"), sentence);
    }
}
