//! ロボット: conversion, processing and integration robots, with their conditions in words.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Html;
use renkei_domain::ids::RuleId;
use renkei_domain::processing::{ProcessingRobot, Run, Target, built_in};
use renkei_domain::settings::{
    Action, ApplyProcessing, CustomAction, STANDARD_CONVERSION, STANDARD_CONVERSION_NAME, TenantSettings, Trigger,
};
use renkei_domain::shipment::Status;
use renkei_words::fields;
use serde::Deserialize;

use super::{Page, proposal, robot, sentences, words};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::shell::Shell;
use crate::{App, Settings};

#[derive(Template)]
#[template(path = "robots.html")]
struct RobotsPage {
    s: Shell,
    integration: Vec<Integration>,
    processing: Vec<Processing>,
    settings: TenantSettings,
    version: u64,
    is_done: bool,
    /// The robot that was moved, and which from the top it is now.
    moved: Option<(String, usize)>,
    /// What to mind about robots, once something was changed about them.
    warnings: Vec<String>,
}

/// What the address says.
#[derive(Deserialize)]
pub struct After {
    done: Option<String>,
    moved: Option<String>,
}

struct Integration {
    id: String,
    name: String,
    trigger: String,
    is_on: bool,
    /// The merchant's own; else one of the easy set-up.
    is_own: bool,
    shop: String,
}

struct Processing {
    /// Which it is from the top, if it stands in the order: a built-in one that is off does not.
    place: Option<usize>,
    id: String,
    name: String,
    is_built_in: bool,
    is_on: bool,
    when: &'static str,
    condition: String,
    does: String,
    /// Names of the conversion robots whose orders it is for; none for all.
    tied: Vec<String>,
}

impl Processing {
    /// The list that it has its place in.
    fn list(&self) -> &'static str {
        if self.is_built_in { "built-in" } else { "processing" }
    }
}

impl RobotsPage {
    fn standard(&self) -> u32 {
        STANDARD_CONVERSION
    }
    fn standard_name(&self) -> &'static str {
        STANDARD_CONVERSION_NAME
    }
    fn field(&self, name: &str) -> String {
        fields::labelled(self.s.lang, name)
    }
}

/// Shows them.
pub async fn show(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    Query(after): Query<After>,
) -> Page {
    let applied = caller.settings().await?;
    let is_done = after.done.is_some();
    let processing = processing(&caller.shell, &applied.settings);
    let moved = after.moved.and_then(|id| {
        let robot = processing.iter().find(|robot| robot.id == id)?;
        Some((robot.name.clone(), robot.place?))
    });
    let page = RobotsPage {
        integration: integration(&caller.shell, &applied.settings),
        processing,
        moved,
        warnings: if is_done { warnings(&app, caller.shell.lang, &applied.settings) } else { Vec::new() },
        settings: applied.settings,
        version: applied.version,
        is_done,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// What the checks say is worth a second look about the robots that are in force: a step was made without a look at it.
fn warnings(app: &App<Settings>, lang: Lang, settings: &TenantSettings) -> Vec<String> {
    const LISTS: [&str; 3] = ["conversion_robots", "processing_robots", "integration_robots"];
    let found = proposal::findings(app, settings.clone());
    let of_robots = found.warnings.iter().filter(|warning| LISTS.iter().any(|list| warning.path.starts_with(*list)));
    of_robots.map(|warning| sentences::line(lang, &warning.to_string())).collect()
}

fn integration(shell: &Shell, settings: &TenantSettings) -> Vec<Integration> {
    let mut rows = Vec::new();
    for setup in settings.integration_robots.easy_setup.iter() {
        for (robot, action) in settings.easy_robots(setup) {
            rows.push(Integration {
                id: robot.to_string(),
                name: words::robot(shell.lang, action).to_owned(),
                trigger: if action == Action::Reconcile {
                    shell.l("毎晩", "every night").to_owned()
                } else {
                    words::every(shell.lang, setup.every.as_minutes())
                },
                is_on: true,
                is_own: false,
                shop: setup.connection.to_string(),
            });
        }
    }
    for robot in &settings.integration_robots.custom {
        let does = match &robot.action {
            CustomAction::Apply(apply) => applies(shell.lang, settings, apply),
            CustomAction::Run(action) => words::robot(shell.lang, *action).to_owned(),
        };
        rows.push(Integration {
            id: robot.id.to_string(),
            name: robot.name.clone(),
            trigger: format!("{}: {} → {does}", robot.on.connection(), when(shell, &robot.on)),
            is_on: robot.enabled,
            is_own: true,
            shop: robot.on.connection().to_string(),
        });
    }
    rows
}

/// Which processing robot is applied, and to what.
fn applies(lang: Lang, settings: &TenantSettings, apply: &ApplyProcessing) -> String {
    let rule = &apply.apply_processing_robot;
    if lang == Lang::En {
        return format!("{rule} ({})", apply.to_status);
    }
    let own = settings.processing_robots.custom.iter().find(|robot| robot.id == *rule);
    let name = own.or_else(|| built_in::find(rule)).map_or(rule.as_str(), |robot| robot.name.as_str());
    let to = match Target::of(&apply.to_status) {
        Some(Target::Ready) => words::status(lang, Status::Ready).to_owned(),
        Some(Target::Held(reason)) => format!("{}（{}）", words::status(lang, Status::Hold), words::hold(lang, reason)),
        None => apply.to_status.clone(),
    };
    format!("処理ロボット「{name}」を適用（対象: {to}）")
}

/// When a merchant's own robot starts, in words.
pub(super) fn when(shell: &Shell, trigger: &Trigger) -> String {
    match trigger {
        Trigger::After { after, .. } => format!("{}{}", words::robot(shell.lang, *after), shell.l("の後", " ends")),
        Trigger::Every { every, .. } => words::every(shell.lang, every.as_minutes()),
        Trigger::DailyAt { daily_at, .. } => format!("{} {}", shell.l("毎日", "daily at"), String::from(*daily_at)),
        Trigger::Cron { cron, .. } => format!("{} {}", shell.l("時刻指定", "cron"), String::from(cron.clone())),
        Trigger::ByHand { .. } => shell.l("手動", "by hand").to_owned(),
    }
}

fn processing(shell: &Shell, settings: &TenantSettings) -> Vec<Processing> {
    let names: BTreeMap<String, String> = robot::conversions(settings).collect();
    let row = |robot: &ProcessingRobot, is_built_in: bool, is_on: bool, place: Option<usize>, tied: &[RuleId]| {
        let name = |id: &RuleId| names.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string());
        let does: Vec<String> = robot.actions.iter().map(|it| words::does(shell.lang, settings, it)).collect();
        Processing {
            place,
            id: robot.id.to_string(),
            name: robot.name.clone(),
            is_built_in,
            is_on,
            when: match robot.run {
                Run::OnImport => shell.lang.of("取込時（以後は適用したとき）", "on import, later where it is applied"),
                Run::Always => shell.lang.of(
                    "常に処理（適用した別のロボットが出荷指示を変えたときも）",
                    "always, also where another that is applied changes a shipment",
                ),
            },
            condition: words::condition(shell.lang, settings, &robot.when),
            does: does.join(" → "),
            tied: tied.iter().map(name).collect(),
        }
    };
    let enabled = &settings.processing_robots.enable;
    let mut rows: Vec<Processing> = Vec::new();
    for (place, on) in enabled.iter().enumerate() {
        if let Some(robot) = built_in::find(on.id()) {
            rows.push(row(robot, true, true, Some(place + 1), on.conversion_robots()));
        }
    }
    for (place, robot) in settings.processing_robots.custom.iter().enumerate() {
        rows.push(row(robot, false, robot.enabled, Some(enabled.len() + place + 1), &robot.conversion_robots));
    }
    for robot in built_in::all().iter().filter(|robot| !enabled.iter().any(|on| *on.id() == robot.id)) {
        rows.push(row(robot, true, false, None, &[]));
    }
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_applied_is_called_by_its_name_and_to_what_by_its_label() {
        let settings = json!({ "tenant": "a", "processing_robots": { "custom": [
            { "id": "gift", "name": "贈り物のラベル", "do": [{ "tag": "贈り物" }] },
        ] } });
        let settings: TenantSettings = serde_json::from_value(settings).unwrap();
        for (rule, to, said) in [
            ("gift", "ready", "処理ロボット「贈り物のラベル」を適用（対象: 出荷待ち）"),
            (
                "release",
                "awaiting-payment",
                "処理ロボット「エラーが無くなったら出荷待ちへ移動」を適用（対象: 保留（入金確認））",
            ),
            ("gone", "remark", "処理ロボット「gone」を適用（対象: 保留（備考確認））"),
        ] {
            let apply_processing_robot = RuleId::parse(rule).unwrap();
            let apply = ApplyProcessing { apply_processing_robot, to_status: to.to_owned() };
            assert_eq!(applies(Lang::Ja, &settings, &apply), said);
            assert_eq!(applies(Lang::En, &settings, &apply), format!("{rule} ({to})"));
        }
    }
}
