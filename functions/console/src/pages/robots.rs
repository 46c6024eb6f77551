//! ロボット: conversion, processing and integration robots, with their conditions in words.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::Query;
use axum::response::Html;
use renkei_domain::ids::RuleId;
use renkei_domain::processing::{ProcessingRobot, Run, built_in};
use renkei_domain::settings::{CustomAction, STANDARD_CONVERSION, TenantSettings, Trigger};
use serde::Deserialize;

use super::{Page, robot, words};
use crate::guard::Caller;
use crate::shell::Shell;

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
}

/// Shows them.
pub async fn show(Extension(caller): Extension<Caller>, Query(after): Query<After>) -> Page {
    let applied = caller.settings().await?;
    let processing = processing(&caller.shell, &applied.settings);
    let moved = after.moved.and_then(|id| {
        let robot = processing.iter().find(|robot| robot.id == id)?;
        Some((robot.name.clone(), robot.place?))
    });
    let page = RobotsPage {
        integration: integration(&caller.shell, &applied.settings),
        processing,
        moved,
        settings: applied.settings,
        version: applied.version,
        is_done: after.done.is_some(),
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

fn integration(shell: &Shell, settings: &TenantSettings) -> Vec<Integration> {
    let mut rows = Vec::new();
    for setup in settings.integration_robots.easy_setup.iter() {
        for (robot, action) in settings.easy_robots(setup) {
            let minutes = setup.every.as_minutes();
            rows.push(Integration {
                id: robot.to_string(),
                name: words::robot(shell.lang, action).to_owned(),
                trigger: match minutes {
                    m if m.is_multiple_of(60) => format!("{} {}", m / 60, shell.l("時間ごと", "h")),
                    m => format!("{m} {}", shell.l("分ごと", "min")),
                },
                is_on: true,
                is_own: false,
            });
        }
    }
    for robot in &settings.integration_robots.custom {
        let does = match &robot.action {
            CustomAction::Apply(apply) => format!("{} ({})", apply.apply_processing_robot, apply.to_status),
            CustomAction::Run(action) => words::robot(shell.lang, *action).to_owned(),
        };
        rows.push(Integration {
            id: robot.id.to_string(),
            name: robot.name.clone(),
            trigger: format!("{}: {} → {does}", robot.on.connection(), when(shell, &robot.on)),
            is_on: robot.enabled,
            is_own: true,
        });
    }
    rows
}

/// When a merchant's own robot starts, in words.
pub(super) fn when(shell: &Shell, trigger: &Trigger) -> String {
    match trigger {
        Trigger::After { after, .. } => format!("{} {}", words::robot(shell.lang, *after), shell.l("の後", "ends")),
        Trigger::Every { every, .. } => match every.as_minutes() {
            m if m.is_multiple_of(60) => format!("{} {}", m / 60, shell.l("時間ごと", "h")),
            m => format!("{m} {}", shell.l("分ごと", "min")),
        },
        Trigger::DailyAt { daily_at, .. } => format!("{} {}", shell.l("毎日", "daily at"), String::from(*daily_at)),
        Trigger::Cron { cron, .. } => format!("cron {}", String::from(cron.clone())),
        Trigger::ByHand { .. } => shell.l("手動", "by hand").to_owned(),
    }
}

fn processing(shell: &Shell, settings: &TenantSettings) -> Vec<Processing> {
    let names: BTreeMap<String, String> = robot::conversions(settings).collect();
    let row = |robot: &ProcessingRobot, is_built_in: bool, is_on: bool, place: Option<usize>, tied: &[RuleId]| {
        let name = |id: &RuleId| names.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string());
        let does: Vec<String> = robot.actions.iter().map(|action| words::does(shell.lang, action)).collect();
        Processing {
            place,
            id: robot.id.to_string(),
            name: robot.name.clone(),
            is_built_in,
            is_on,
            when: match robot.run {
                Run::OnImport => shell.lang.of("取込み時のみ", "on import"),
                Run::Always => shell.lang.of("常に処理", "always"),
            },
            condition: words::condition(shell.lang, &robot.when),
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
