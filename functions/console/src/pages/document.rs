//! 設定文書: the settings as one text, checked as a whole, shown as changes, applied all or nothing; every version that
//! ever was, what each changed, and the way back to it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::document::{self, difference};
use serde::Deserialize;

use super::proposal::{self, Proposal, SecretField};
use super::sentences::{self, changes};
use super::{Form, Page};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Settings};

/// Versions on a page.
const VERSIONS: i32 = 30;
/// Changes of a version that are shown.
const CHANGES: usize = 20;

#[derive(Template)]
#[template(path = "document.html")]
struct DocumentPage {
    s: Shell,
    text: String,
    version: u64,
    /// The former version whose text this is.
    former: Option<u64>,
    problems: Vec<String>,
    warnings: Vec<String>,
    changes: Vec<String>,
    tried: Vec<String>,
    secrets: Vec<SecretField>,
    is_checked: bool,
}

impl DocumentPage {
    fn must_enter(&self) -> impl Iterator<Item = &SecretField> {
        self.secrets.iter().filter(|field| field.must)
    }
    fn may_replace(&self) -> impl Iterator<Item = &SecretField> {
        self.secrets.iter().filter(|field| !field.must)
    }
    fn has_replaceable(&self) -> bool {
        self.may_replace().next().is_some()
    }
    fn may_apply(&self) -> bool {
        // With a new password nothing may be said to change, and still something does; and what is wrong may be that a
        // password is missing, which can be entered here.
        self.is_checked && (self.problems.is_empty() || self.must_enter().next().is_some())
    }
}

/// What the address says.
#[derive(Deserialize)]
pub struct Which {
    version: Option<u64>,
}

/// Shows the text in force, or that of a former version, which may be applied again.
pub async fn show(Extension(caller): Extension<Caller>, Query(which): Query<Which>) -> Page {
    let applied = caller.settings().await?;
    let former = match which.version.filter(|version| *version != applied.version) {
        Some(version) => Some(caller.tenant.settings_version(version).await?.ok_or_else(Problem::not_found)?),
        None => None,
    };
    let shown = former.as_ref().unwrap_or(&applied);
    let changes = former.as_ref().map(|former| difference(Some(&applied.settings), &former.settings));
    let changes = changes.unwrap_or_default();
    let page = DocumentPage {
        text: document::write(&shown.settings),
        version: applied.version,
        former: former.as_ref().map(|former| former.version),
        problems: Vec::new(),
        warnings: Vec::new(),
        changes: changes.iter().map(|change| changes::change(caller.shell.lang, change)).collect(),
        tried: Vec::new(),
        secrets: Vec::new(),
        is_checked: false,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

async fn proposed(app: &App<Settings>, caller: &Caller, form: &Form, to_apply: bool) -> Result<Proposal, Problem> {
    // Browsers send line ends as \r\n.
    let text = form.get("text").replace("\r\n", "\n");
    let version = form.version()?;
    proposal::check(app, caller, text, version, to_apply.then_some(form)).await
}

/// A checked proposal, as a page.
pub fn page_of(caller: Caller, proposal: Proposal) -> Page {
    let lang = caller.shell.lang;
    let said = |lines: &[String]| lines.iter().map(|line| sentences::line(lang, line)).collect();
    let (problems, warnings, changes, tried) = match proposal.outcome {
        Err(problems) => (said(&problems), Vec::new(), Vec::new(), Vec::new()),
        Ok(ready) => (Vec::new(), said(&ready.warnings), ready.changes(lang), ready.tried(lang)),
    };
    let page = DocumentPage {
        text: proposal.text,
        version: proposal.version,
        former: None,
        problems,
        warnings,
        changes,
        tried,
        secrets: proposal.secrets,
        is_checked: true,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Shows what is wrong with a text, or what applying it would change. Changes nothing.
pub async fn check(State(app): State<Arc<App<Settings>>>, Extension(caller): Extension<Caller>, form: Bytes) -> Page {
    let proposal = proposed(&app, &caller, &Form::read(&form), false).await?;
    page_of(caller, proposal)
}

/// Applies a text over the version that it was made from.
pub async fn apply(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    let proposal = proposed(&app, &caller, &Form::read(&form), true).await?;
    match proposal::enforce(&app, &caller, &proposal).await? {
        Ok(_) => Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to("/history?done"))]).into_response()),
        Err(_) => Ok(page_of(caller, proposal)?.into_response()),
    }
}

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    s: Shell,
    versions: Vec<Version>,
    older: Option<u64>,
    is_done: bool,
}

struct Version {
    number: u64,
    at: String,
    by: String,
    is_current: bool,
    changes: Vec<String>,
    more: usize,
}

/// What the address of the history says.
#[derive(Deserialize)]
pub struct Before {
    before: Option<u64>,
    done: Option<String>,
}

/// Lists versions, the latest first, with what each changed.
pub async fn history(Extension(caller): Extension<Caller>, Query(page): Query<Before>) -> Page {
    // One more than are shown: what the oldest of them changed is told by the one before it.
    let all = caller.tenant.settings_versions(page.before, VERSIONS + 1).await?;
    let versions: Vec<Version> = all
        .iter()
        .take(VERSIONS as usize)
        .enumerate()
        .map(|(at, applied)| {
            let before = all.get(at + 1).map(|before| &before.settings);
            let changed = difference(before, &applied.settings);
            let said = |change| changes::change(caller.shell.lang, change);
            Version {
                number: applied.version,
                at: caller.shell.full_time(&applied.at),
                by: applied.by.clone(),
                is_current: at == 0 && page.before.is_none(),
                more: changed.len().saturating_sub(CHANGES),
                changes: changed.iter().take(CHANGES).map(said).collect(),
            }
        })
        .collect();
    let page = HistoryPage {
        older: versions.last().map(|version| version.number).filter(|number| *number > 1),
        versions,
        is_done: page.done.is_some(),
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}
