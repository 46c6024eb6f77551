//! What the settings mean together: references that lead nowhere, choices that exclude each other, numbers out of reason.
//!
//! Each check says what is wrong where the merchant wrote it. Checks that need a shop to answer are not here.

mod connections;
mod goods;
mod integration;
mod robots;

use std::collections::HashMap;

use super::nearest::{quoted, suggestion};
use super::problem::{Findings, Places, Report};
use crate::settings::TenantSettings;

pub use connections::is_of_others;
pub use robots::FIELDS;

/// Brings a shop's address into its normal form, or says in a sentence what is wrong with it.
pub type CheckUrl<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Checks settings as a whole and brings the addresses of shops into their normal form.
///
/// Works for settings from anywhere; those that were not read from a text have no places ([`Places::default`]).
pub fn check(settings: &mut TenantSettings, places: &Places, check_url: CheckUrl<'_>) -> Findings {
    let mut report = Report { places, findings: Findings::default() };
    connections::addresses(settings, check_url, &mut report);
    let settings = &*settings;
    connections::ship_froms(settings, &mut report);
    connections::connections(settings, &mut report);
    goods::shipping_methods(settings, &mut report);
    goods::products(settings, &mut report);
    robots::conversion(settings, &mut report);
    robots::processing(settings, &mut report);
    integration::easy_setups(settings, &mut report);
    integration::custom(settings, &mut report);
    let mut findings = report.findings;
    findings.problems.sort_by_key(|problem| (problem.line, problem.column));
    findings.warnings.sort_by_key(|warning| (warning.line, warning.column));
    findings
}

/// Says which ids of a list stand there twice.
fn unique<'a>(report: &mut Report<'_>, list: &str, key: &str, ids: impl Iterator<Item = &'a str>) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (at, id) in ids.enumerate() {
        match first.get(id) {
            Some(before) => {
                let on_line = report.on_line(&format!("{list}[{before}].{key}"));
                let sentence = format!("{key} {} is used twice, first{on_line}: each needs its own", quoted(id));
                report.problem(format!("{list}[{at}].{key}"), sentence);
            }
            None => {
                first.insert(id, at);
            }
        }
    }
}

/// Says that a reference leads nowhere.
fn exists(report: &mut Report<'_>, path: String, what: &str, id: &str, known: &[&str]) -> bool {
    let found = known.contains(&id);
    if !found {
        report.problem(path, format!("no {what} {} is set up: {}", quoted(id), suggestion(id, known)));
    }
    found
}

/// Says that a text is empty.
fn filled(report: &mut Report<'_>, path: String, text: &str) -> bool {
    let filled = !text.trim().is_empty();
    if !filled {
        report.problem(path, "this is empty: write something");
    }
    filled
}
