//! 在庫数 in ファイル連携: what a warehouse counted, from a file. The same as `renkei files counts`.

use std::fmt::Write as _;

use askama::Template;
use axum::Extension;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::settings::{ShipFrom, TenantSettings};
use renkei_exchange::counts;
use renkei_store::audit::AuditOutcome;

use super::listed;
use crate::guard::{Caller, Upload};
use crate::pages::{Page, sentences};
use crate::problem::Problem;
use crate::shell::{Shell, grouped};

/// Rows in one file: more would not be done within the time that a page has.
const MOST: usize = 2_000;

#[derive(Template)]
#[template(path = "counts.html")]
struct CountsPage {
    s: Shell,
    ship_froms: Vec<(String, String)>,
    problems: Vec<String>,
    taken: Option<Taken>,
}

/// What became of a file.
struct Taken {
    ship_from: String,
    /// A shop whose stock it is, if one sends from there.
    connection: Option<String>,
    /// Counts that are newer than what was known.
    kept: usize,
    older: usize,
    left_out: usize,
}

impl CountsPage {
    fn g(&self, number: &usize) -> String {
        grouped(i64::try_from(*number).unwrap_or(i64::MAX))
    }
}

/// Ship-froms by id and name, for the form.
pub fn ship_froms(settings: &TenantSettings) -> Vec<(String, String)> {
    settings.ship_froms.iter().map(|from| (from.id.to_string(), from.name.clone())).collect()
}

/// The ship-from that a form names, or the only one where it names none.
fn chosen<'s>(settings: &'s TenantSettings, named: &str) -> Result<&'s ShipFrom, Problem> {
    match settings.ship_froms.as_slice() {
        [only] if named.is_empty() => Ok(only),
        _ if named.is_empty() => Err(Problem::bad(
            "どの発送元の在庫数か選んでください。何も取り込んでいません。",
            "Choose the ship-from that was counted. Nothing was taken in.",
        )),
        all => all.iter().find(|from| from.id.as_str() == named).ok_or_else(Problem::not_found),
    }
}

/// Takes a file of counts in: what is wrong in a row leaves that row out, and is said.
pub async fn upload(
    Extension(caller): Extension<Caller>,
    upload: Option<Extension<Upload>>,
) -> Result<Response, Problem> {
    let no_file = || Problem::bad("ファイルを選んでください。", "Choose a file.");
    let Extension(upload) = upload.ok_or_else(no_file)?;
    let bytes = upload.bytes("file");
    if bytes.is_empty() {
        return Err(no_file());
    }
    let settings = caller.settings().await?.settings;
    let ship_from = chosen(&settings, &upload.text("ship_from"))?;
    let read = renkei_files::counts::read(&bytes);
    if read.0.len() > MOST {
        let sentence = caller.shell.l(
            "2,000行を超えています。ファイルを分けてください。何も取り込んでいません。",
            "There are more than 2,000 rows: send the file in parts. Nothing was taken in.",
        );
        return Ok(page(&caller, &settings, vec![sentence.to_owned()], None)?.into_response());
    }
    let found = counts::choose(&caller.tenant, read, caller.now).await?;
    let given = found.counts.len();
    let (answers, failure) = counts::keep(&caller.tenant, &ship_from.id, found.counts).await;
    let kept = answers.iter().filter(|kept| **kept).count();
    // Rows than which another row is newer are older too.
    let older = found.usable - given + answers.len() - kept;
    let left_out = found.problems.len();
    let mut note = format!("{kept} kept, {older} older, {left_out} with problems");
    let said = |problem| sentences::in_file(caller.shell.lang, problem);
    let mut problems = listed(&caller.shell, found.problems.iter().map(said).collect());
    let (mut outcome, mut status) = (AuditOutcome::Done, StatusCode::OK);
    if given == 0 {
        let sentence = caller.shell.l(
            "取り込める行がありません。何も取り込んでいません。",
            "There is no row that can be taken. Nothing was taken in.",
        );
        problems.insert(0, sentence.to_owned());
    }
    if let Some(error) = failure {
        let open = given - answers.len();
        tracing::error!(%error, open, "the store did not take all of a file's counts");
        let _ = write!(note, "; the store failed: {open} of {given} rows are not in, or nobody knows");
        (outcome, status) = (AuditOutcome::Failed, StatusCode::SERVICE_UNAVAILABLE);
        let sentence = caller.shell.l(
            "データベースが混み合い、途中で止まりました。残り{}件は取り込めていないか、結果が分かりません。\
             同じファイルをもう一度取り込んでください（二重にはなりません）。",
            "The database was busy, and this ended on its way: {} counts are not in, or nobody knows. Send the same file \
             again; nothing is done twice.",
        );
        problems.insert(0, sentence.replace("{}", &open.to_string()));
    }
    let noted = caller.audit("counts.import", ship_from.id.as_str(), outcome, note.clone()).await;
    if noted.is_err() {
        // What was taken in has to be said all the same.
        tracing::error!(%note, "counts by file are not in the audit log");
    }
    let shop = settings.connections.iter().find(|connection| connection.ship_from == ship_from.id);
    let connection = shop.map(|connection| connection.id.to_string());
    let taken = Taken { ship_from: ship_from.id.to_string(), connection, kept, older, left_out };
    Ok((status, page(&caller, &settings, problems, (given > 0).then_some(taken))?).into_response())
}

fn page(caller: &Caller, settings: &TenantSettings, problems: Vec<String>, taken: Option<Taken>) -> Page {
    // The address of the form is no page that could be shown in the other language.
    let here = format!("/t/{}/files", caller.tenant.id());
    let s = Shell { here, ..caller.shell.clone() };
    Ok(Html(CountsPage { s, ship_froms: ship_froms(settings), problems, taken }.render()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(ship_froms: &[&str]) -> TenantSettings {
        let from = |id: &&str| {
            json!({ "id": id, "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                    "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "dc" })
        };
        let ship_froms: Vec<_> = ship_froms.iter().map(from).collect();
        serde_json::from_value(json!({ "tenant": "hanako", "ship_froms": ship_froms })).unwrap()
    }

    #[test]
    fn a_ship_from_is_taken_for_granted_only_where_there_is_no_other() {
        let (one, two) = (settings(&["dc"]), settings(&["dc", "osaka"]));
        let chosen = |settings: &TenantSettings, named: &str| {
            chosen(settings, named).map(|from| from.id.to_string()).map_err(|problem| problem.status)
        };
        assert_eq!(chosen(&one, ""), Ok("dc".to_owned()));
        assert_eq!(chosen(&two, ""), Err(StatusCode::BAD_REQUEST));
        assert_eq!(chosen(&two, "osaka"), Ok("osaka".to_owned()));
        assert_eq!(chosen(&one, "osaka"), Err(StatusCode::NOT_FOUND), "another merchant's, or nobody's");
        assert_eq!(chosen(&settings(&[]), ""), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn a_page_says_what_was_taken_and_offers_the_form_again() {
        let html = |problems: Vec<String>, taken: Option<Taken>| {
            let ship_froms = ship_froms(&settings(&["dc", "osaka"]));
            CountsPage { s: Shell::default(), ship_froms, problems, taken }.render().unwrap()
        };
        let (ship_from, connection) = ("dc".to_owned(), Some("shop".to_owned()));
        let taken = html(Vec::new(), Some(Taken { ship_from, connection, kept: 1_234, older: 2, left_out: 0 }));
        assert!(taken.contains("1,234") && taken.contains("/stock?connection=shop"), "{taken}");
        assert!(taken.contains("role=\"status\"") && !taken.contains("role=\"alert\""), "{taken}");
        // Of two nobody's is taken for granted.
        assert!(taken.contains("<option value=\"\">") && taken.contains("name=\"file\" "), "{taken}");
        let refused = html(vec!["2行目 数量: <b>".to_owned()], None);
        assert!(refused.contains("role=\"alert\"") && !refused.contains("<b>"), "{refused}");
        assert!(!refused.contains("role=\"status\""), "{refused}");
    }
}
