//! 操作履歴: who changed what, and who was refused.

use askama::Template;
use axum::Extension;
use axum::extract::Query;
use axum::response::Html;
use renkei_store::audit::{AuditEntry, AuditOutcome};
use serde::Deserialize;

use super::{Page, encoded, sentences};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;

const ROWS: i32 = 100;

/// What the address says.
#[derive(Deserialize)]
pub struct Filter {
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    s: Shell,
    rows: Vec<AuditEntry>,
    next: Option<String>,
}

impl AuditPage {
    fn action<'a>(&self, entry: &'a AuditEntry) -> &'a str {
        sentences::audit::action(self.s.lang, &entry.action)
    }
    fn note(&self, entry: &AuditEntry) -> String {
        sentences::audit::note(self.s.lang, &entry.note)
    }
    fn outcome(&self, entry: &AuditEntry) -> &'static str {
        match entry.outcome {
            AuditOutcome::Done => self.s.lang.of("実行", "done"),
            AuditOutcome::Refused => self.s.lang.of("拒否", "refused"),
            AuditOutcome::Failed => self.s.lang.of("失敗", "failed"),
        }
    }
    fn class(&self, entry: &AuditEntry) -> &'static str {
        if entry.outcome == AuditOutcome::Done { "good" } else { "bad" }
    }
}

/// Shows the log, latest first.
pub async fn show(Extension(caller): Extension<Caller>, Query(filter): Query<Filter>) -> Page {
    let before = filter.before.filter(|before| !before.is_empty());
    // A place of the log's own form, so that nothing else is asked of the store.
    if before.as_deref().is_some_and(|it| {
        it.len() > 80 || it.split_once('#').is_none_or(|(at, _)| at.parse::<jiff::Timestamp>().is_err())
    }) {
        return Err(Problem::not_found());
    }
    let page = caller.tenant.audit_log(ROWS, before.as_deref()).await?;
    let next = page.rows.last().filter(|_| page.next.is_some()).map(|(place, _)| encoded(place));
    let page = AuditPage { rows: page.rows.into_iter().map(|(_, entry)| entry).collect(), next, s: caller.shell };
    Ok(Html(page.render()?))
}
