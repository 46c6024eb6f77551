//! The pages, a file for each; and what they share.

#![expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]

pub mod access;
pub mod apply_robot;
pub mod audit;
pub mod bulk;
pub mod charts;
mod confirm;
pub mod connection;
pub mod csv;
mod day;
pub mod dead_letters;
pub mod differences;
pub mod document;
mod draft;
pub mod dry_run;
pub mod easy;
pub mod files;
mod foreseen;
mod needs;
pub mod notices;
mod opening;
pub mod order;
pub mod orders;
mod piece;
pub mod products;
mod proposal;
pub mod robot;
pub mod robot_form;
pub mod robots;
pub mod run;
pub mod run_now;
pub mod runs;
mod said;
pub mod search;
mod sentences;
pub(crate) mod setting_fields;
pub mod setting_form;
pub mod settings;
pub mod shipment;
pub mod shipments;
pub mod steps;
pub mod stock;
pub mod today;
mod trial_words;
mod words;

use axum::response::Html;
use renkei_domain::ids::ConnectionId;
use renkei_store::days::Usual;
use renkei_store::desk::{Desk, KeptCounts};
use renkei_store::lists::Count;
use renkei_store::settings::AppliedSettings;

use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::grouped;

/// A page, or why there is none.
pub type Page = Result<Html<String>, Problem>;

/// Lists are counted to here and no further.
pub const COUNTED: i32 = 1_000;

/// A count as people read it: `1,000+` where it was given up.
pub fn counted(count: &Count) -> String {
    format!("{}{}", grouped(count.counted), if count.more { "+" } else { "" })
}

impl Caller {
    /// The merchant's settings.
    pub async fn settings(&self) -> Result<AppliedSettings, Problem> {
        self.tenant.settings().await?.ok_or_else(no_settings)
    }
}

/// What a page with counts begins with, as its guard has read it.
pub fn spread(desk: Desk) -> Result<(AppliedSettings, Option<Usual>, KeptCounts), Problem> {
    Ok((desk.settings.ok_or_else(no_settings)?, desk.usual, desk.kept))
}

fn no_settings() -> Problem {
    Problem::new(
        axum::http::StatusCode::NOT_FOUND,
        "この契約企業にはまだ設定がありません。運用者に設定の適用を依頼してください。",
        "This company has no settings yet. Ask your operator to apply its document.",
    )
}

/// What a form says.
#[derive(Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// From what a browser sent.
    pub fn read(bytes: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// A field's text; empty if there is none.
    pub fn get(&self, name: &str) -> String {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Is a box checked?
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    /// The version of the settings that a form was made from.
    pub fn version(&self) -> Result<u64, Problem> {
        self.get("version").parse().map_err(|_| Problem::bad("版がありません。", "The version is missing."))
    }
}

/// The shop that an address names, or the first where it names none. One that is not among the settings is not found.
pub fn chosen(settings: &AppliedSettings, named: Option<&str>) -> Result<Option<ConnectionId>, Problem> {
    let connections = &settings.settings.connections;
    match named.filter(|name| !name.is_empty()) {
        None => Ok(connections.first().map(|connection| connection.id.clone())),
        Some(name) => connections
            .iter()
            .find(|connection| connection.id.as_str() == name)
            .map(|connection| Some(connection.id.clone()))
            .ok_or_else(Problem::not_found),
    }
}

/// A value for an address.
pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
