//! An integration robot of a merchant's own as a form: when it starts, for which shop, and what it does.

use renkei_domain::settings::{ApplyProcessing, CustomAction, CustomRobot, Trigger};
use serde_json::{Value, json};

use super::Names;

/// As it is typed. What of several ways is not chosen stays in the form and is left out of the document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Integration {
    pub id: String,
    pub name: String,
    pub enabled: bool,
    pub connection: String,
    /// `after`, `every`, `daily_at`, `cron` or `by_hand`.
    pub on: String,
    pub after: String,
    pub every: String,
    /// `minutes` or `hours`.
    pub unit: String,
    pub daily_at: String,
    pub cron: String,
    /// An action, or `apply-processing`.
    pub does: String,
    pub rule: String,
    pub status: String,
}

/// Ways of starting, with their words.
pub const TRIGGERS: [(&str, &str, &str); 5] = [
    ("after", "連携後", "After another robot"),
    ("every", "定期", "Every so often"),
    ("daily_at", "毎日", "Daily"),
    ("cron", "時刻指定（cron）", "By cron"),
    ("by_hand", "手動", "By hand"),
];

impl Integration {
    pub fn of(robot: &CustomRobot) -> Self {
        let mut form = Self {
            id: robot.id.to_string(),
            name: robot.name.clone(),
            enabled: robot.enabled,
            connection: robot.on.connection().to_string(),
            unit: "minutes".to_owned(),
            ..Self::default()
        };
        form.on = match &robot.on {
            Trigger::After { after, .. } => {
                form.after = after.as_str().into();
                "after"
            }
            Trigger::Every { every, .. } => {
                let minutes = every.as_minutes();
                let is_hours = minutes.is_multiple_of(60);
                form.unit = if is_hours { "hours" } else { "minutes" }.into();
                form.every = if is_hours { minutes / 60 } else { minutes }.to_string();
                "every"
            }
            Trigger::DailyAt { daily_at, .. } => {
                form.daily_at = String::from(*daily_at);
                "daily_at"
            }
            Trigger::Cron { cron, .. } => {
                form.cron = String::from(cron.clone());
                "cron"
            }
            Trigger::ByHand { .. } => "by_hand",
        }
        .into();
        match &robot.action {
            CustomAction::Apply(ApplyProcessing { apply_processing_robot, to_status }) => {
                form.does = "apply-processing".into();
                form.rule = apply_processing_robot.to_string();
                form.status.clone_from(to_status);
            }
            CustomAction::Run(action) => form.does = action.as_str().into(),
        }
        form
    }

    pub fn read(names: &Names<'_>) -> Self {
        let text = |name: &str| names.text(name).trim().to_owned();
        Self {
            id: text("id"),
            name: names.text("name"),
            enabled: names.get("enabled").is_some(),
            connection: text("connection"),
            on: text("on"),
            after: text("after"),
            every: text("every"),
            unit: text("unit"),
            daily_at: text("daily_at"),
            cron: text("cron"),
            does: text("does"),
            rule: text("rule"),
            status: text("status"),
        }
    }

    /// Its fields, as a browser would send them.
    pub fn fields(&self, into: &mut Vec<(String, String)>) {
        if self.enabled {
            into.push(("enabled".to_owned(), "1".to_owned()));
        }
        let texts = [
            ("id", &self.id),
            ("name", &self.name),
            ("connection", &self.connection),
            ("on", &self.on),
            ("after", &self.after),
            ("every", &self.every),
            ("unit", &self.unit),
            ("daily_at", &self.daily_at),
            ("cron", &self.cron),
            ("does", &self.does),
            ("rule", &self.rule),
            ("status", &self.status),
        ];
        into.extend(texts.map(|(name, text)| (name.to_owned(), text.clone())));
    }

    /// As a document says it.
    pub fn json(&self) -> Value {
        let trigger: Value = match self.on.as_str() {
            "after" => self.after.as_str().into(),
            "every" => format!("{} {}", self.every, self.unit).into(),
            "daily_at" => self.daily_at.as_str().into(),
            "cron" => self.cron.as_str().into(),
            _ => true.into(),
        };
        let does = match self.does.as_str() {
            "apply-processing" => json!({ "apply_processing_robot": self.rule, "to_status": self.status }),
            action => action.into(),
        };
        json!({
            "id": self.id, "name": self.name, "enabled": self.enabled,
            "on": { self.on.as_str(): trigger, "connection": self.connection },
            "do": does,
        })
    }
}
