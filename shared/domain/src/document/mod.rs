//! The document: one merchant's settings as one text that people write, keep under version control and apply.
//!
//! It stands before everything else in the order's way: what is wrong here must be said here, all of it at once, each
//! with its line and a sentence that tells what to write instead, because whoever applies it is about to change how
//! parcels leave a warehouse. Nothing is applied from a document that has a single problem.
//!
//! [`read`] goes in three steps: `tree` (YAML into nodes with places, limits kept), `shape` (nodes along the JSON Schema
//! of the types, so that types and messages cannot drift apart), [`check`] (what the settings mean together). [`write`]
//! is the way back, [`difference`] what applying would change, [`schema()`] the description for editors.
//!
//! `docs/document.md` is the reference for merchants.

mod check;
mod difference;
mod nearest;
mod ordered;
mod problem;
mod schema;
mod shape;
mod tree;
mod write;

pub use check::{CheckUrl, FIELDS, check, is_of_others};
pub(crate) use nearest::{nearest as nearest_name, suggestion};

pub use difference::{Change, ChangeKind, difference};
pub use problem::{Findings, Places, Problem, Warning};
pub use schema::schema;
pub use write::write;

use crate::settings::TenantSettings;
use problem::MOST_TOLD;

/// A document that may be applied.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it sets up. Addresses of shops are in their normal form.
    pub settings: TenantSettings,
    /// What is allowed but worth a second look, in the order of lines.
    pub warnings: Vec<Warning>,
    /// Where each setting stands, for whoever finds more to say about it.
    pub places: Places,
}

/// Reads a document: the settings, or everything that is wrong with it in the order of lines.
///
/// `check_url` brings a shop's address into its normal form, or says in a sentence what is wrong with it.
pub fn read(text: &str, check_url: CheckUrl<'_>) -> Result<Document, Vec<Problem>> {
    let (node, mut problems) = tree::parse(text);
    let Some(node) = node else {
        return Err(sorted(problems));
    };
    let shaped = shape::settings(&node);
    problems.extend(shaped.problems);
    let Some(mut settings) = shaped.settings else {
        return Err(sorted(problems));
    };
    let findings = check(&mut settings, &shaped.places, check_url);
    problems.extend(findings.problems);
    if problems.is_empty() {
        Ok(Document { settings, warnings: findings.warnings, places: shaped.places })
    } else {
        Err(sorted(problems))
    }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| (problem.line, problem.column));
    if let Some(after) = problems.get(MOST_TOLD) {
        let Problem { line, column, .. } = *after;
        problems.truncate(MOST_TOLD);
        let sentence = "there are more problems from here on: put these right first".into();
        problems.push(Problem { line, column, path: String::new(), sentence });
    }
    problems
}
