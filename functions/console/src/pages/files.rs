//! ファイル連携: shipments out to a warehouse and results in, in the layouts that warehouses read and write; and what they
//! counted ([`counts`]). The same as `renkei files`.

mod claims;
pub mod counts;
mod later;
mod sure;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use jiff::civil::Date;
use renkei_domain::jst;
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::Status;
use renkei_exchange::{Made, ResultLine, Taken, Wanted};
use renkei_files::layout::Column;
use renkei_files::{Layout, LayoutError, export, results};
use renkei_store::audit::AuditOutcome;

use super::confirm::SURE;
use super::{Form, Page, chosen, sentences};
use crate::guard::{Caller, Upload};
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;

/// Bytes of one file, but for the last hundred shipments: Lambda answers with 6 MB at most, and a file grows by a third on its
/// way. Larger, its shipments would be taken, and the file would come to nobody.
const MOST_BYTES: usize = 3_500_000;
/// Shipments in one file: more would not be done within the time that a page has.
const MOST: usize = 1_000;
/// Rows of results in one file, for the same reason.
const MOST_RESULTS: usize = 2_000;
/// Problems that are listed.
const SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "files.html")]
struct FilesPage {
    s: Shell,
    connections: Vec<String>,
    methods: Vec<(String, String)>,
    layouts: Vec<Layout>,
    claims: Vec<claims::Claim>,
    problems: Vec<String>,
    results: Option<Results>,
    ship_froms: Vec<(String, String)>,
    /// In Japan.
    today: Date,
    /// What was chosen, where the page comes back with what is wrong.
    form: Form,
}

struct Results {
    shipped: usize,
    corrected: usize,
    known: usize,
    without_number: usize,
    refused: Vec<ResultLine>,
    /// So many more were refused than are listed.
    unlisted: usize,
}

impl FilesPage {
    /// Was this chosen?
    fn is(&self, name: &str, value: &str) -> bool {
        self.form.get(name) == value
    }

    /// The last day of shipping that the form asks for.
    fn ship_until(&self) -> String {
        later::shown(&self.form, self.today)
    }

    /// What has to be given for files of this layout, by the names of fields.
    fn given<'l>(&self, layout: &'l Layout) -> Vec<(String, &'l Column)> {
        given(layout).map(|(name, column)| (field(layout, name), column)).collect()
    }

    /// What is to be known of a layout. One without Japanese says it as it does.
    fn notes<'l>(&self, layout: &'l Layout) -> &'l [String] {
        if self.s.lang == Lang::Ja && !layout.notes_ja.is_empty() { &layout.notes_ja } else { &layout.notes }
    }

    /// Why a row was refused.
    fn why(&self, line: &ResultLine) -> &'static str {
        sentences::outcome(self.s.lang, line.outcome)
    }
}

/// What is said of a list: no more than people read, and how many more there are.
fn listed(shell: &Shell, mut sentences: Vec<String>) -> Vec<String> {
    if sentences.len() > SHOWN {
        let more = sentences.len() - SHOWN;
        sentences.truncate(SHOWN);
        sentences.push(shell.l("ほか{}件", "and {} more").replace("{}", &more.to_string()));
    }
    sentences
}

/// What cannot be written, what stays for later days, and that there is more at which nobody looked.
fn unwritten(shell: &Shell, made: &Made) -> Vec<String> {
    let said = |problem| sentences::in_file(shell.lang, problem);
    let mut sentences = listed(shell, made.problems.iter().map(said).collect());
    sentences.extend(later::said(shell, made.later));
    if made.more {
        let more =
            shell.l("このほかに、まだ確認していない出荷があります。", "There are more shipments, not looked at yet.");
        sentences.push(more.to_owned());
    }
    sentences
}

/// That there is nothing to be written, as far as it was looked for.
fn nothing(shell: &Shell, made: &Made, is_again: bool) -> Vec<String> {
    let nothing = if is_again {
        shell.l(
            "このファイルの出荷のうち、出荷準備中のものはもうありません（出荷済みまたはキャンセルになりました）。",
            "Nothing of this file is in picking any more: it has left, or was cancelled.",
        )
    } else {
        shell.l("この条件の出荷はありません。", "There is no such shipment.")
    };
    let mut sentences = vec![nothing.to_owned()];
    sentences.extend(unwritten(shell, made));
    sentences
}

/// That of all these none was taken, and why.
fn none_taken(shell: &Shell, refused: &[(String, &'static str)]) -> Vec<String> {
    let nothing = shell.l(
        "出荷準備中にできた出荷がないため、ファイルは作っていません。ほかの人か倉庫が先に受け取ったか、状況が変わりました。",
        "No shipment could be taken, so there is no file: somebody else took them first, or they changed meanwhile.",
    );
    let why = |(id, key): &(String, &'static str)| format!("{id}: {}", sentences::outcome(shell.lang, key));
    let mut sentences = vec![nothing.to_owned()];
    sentences.extend(listed(shell, refused.iter().map(why).collect()));
    sentences
}

/// The required texts of a layout that nobody gave, by the names that their fields have on the page.
fn missing(shell: &Shell, layout: &Layout, set: &BTreeMap<String, String>) -> Vec<String> {
    given(layout)
        .filter(|(name, column)| column.required && set.get(*name).is_none_or(String::is_empty))
        .map(|(_, column)| {
            shell
                .l("固定値「{}」を入力してください。", "Fill in the fixed text {}: this layout needs it.")
                .replace("{}", &column.name)
        })
        .collect()
}

/// The columns of a layout that differ by merchant, by the names of their texts.
fn given(layout: &Layout) -> impl Iterator<Item = (&str, &Column)> {
    layout.shipments.columns.iter().filter_map(|column| Some((column.set.as_deref()?, column)))
}

/// Layouts may call different things the same.
fn field(layout: &Layout, name: &str) -> String {
    format!("set.{}.{name}", layout.id)
}

impl From<LayoutError> for Problem {
    fn from(error: LayoutError) -> Self {
        Self::ours(&error.to_string())
    }
}

/// The page, with what was chosen and what is wrong with it.
async fn page(caller: &Caller, settings: &TenantSettings, form: Form, problems: Vec<String>) -> Page {
    shown(caller, settings, form, problems, None).await
}

async fn shown(
    caller: &Caller,
    settings: &TenantSettings,
    form: Form,
    problems: Vec<String>,
    results: Option<Results>,
) -> Page {
    let connections: Vec<String> = settings.connections.iter().map(|it| it.id.to_string()).collect();
    // Without them the page is good for all else, and what was taken in has to be said.
    let mut claims = claims::latest(caller).await.unwrap_or_else(|_| {
        tracing::warn!("the files that took shipments could not be listed");
        Vec::new()
    });
    claims.retain(|claim| connections.contains(&claim.connection));
    let methods = settings.shipping_methods.iter().map(|it| (it.id.to_string(), it.name.clone())).collect();
    let s = caller.shell.clone();
    let (layouts, ship_froms, today) = (Layout::all()?, counts::ship_froms(settings), jst::date(caller.now));
    let page = FilesPage { s, connections, methods, layouts, claims, problems, results, ship_froms, today, form };
    Ok(Html(page.render()?))
}

/// Shows what can be done.
pub async fn show(Extension(caller): Extension<Caller>) -> Page {
    let settings = caller.settings().await?.settings;
    page(&caller, &settings, Form::default(), Vec::new()).await
}

fn layout(name: &str) -> Result<Layout, Problem> {
    Layout::built_in(name).map_err(|_| Problem::not_found())
}

/// Makes a file of shipments, and takes them into the warehouse's hands if asked so and sure.
pub async fn download(Extension(caller): Extension<Caller>, form: Bytes) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let applied = caller.settings().await?;
    let what = form.get("what");
    // A file that is made again is of its own shop and layout, and of all methods that it held.
    let again = claims::wanted(&what);
    let (connection, layout_id, method) = match again {
        Some((_, connection, layout)) => (connection.to_owned(), layout.to_owned(), String::new()),
        None => (form.get("connection"), form.get("layout"), form.get("method")),
    };
    let connection = chosen(&applied, Some(&connection))?.ok_or_else(Problem::not_found)?;
    let layout = layout(&layout_id)?;
    let (status, is_claim) = match what.as_str() {
        "claim" => (Status::Ready, true),
        "ready" => (Status::Ready, false),
        _ if again.is_some() || what == "picking" => (Status::Picking, false),
        _ => return Err(Problem::not_found()),
    };
    let claimed = again.map(|(at, _, _)| at..=at);
    let text = |name: &str| form.get(&field(&layout, name)).trim().to_owned();
    let set: BTreeMap<String, String> = given(&layout).map(|(name, _)| (name.to_owned(), text(name))).collect();
    let mut wrong = missing(&caller.shell, &layout, &set);
    let ship_until = later::asked(&form, jst::date(caller.now)).unwrap_or_else(|_| {
        wrong.push(later::no_day(&caller.shell));
        None
    });
    if !wrong.is_empty() {
        return Ok(page(&caller, &applied.settings, form, wrong).await?.into_response());
    }
    let methods: Vec<String> = Some(method).filter(|method| !method.is_empty()).into_iter().collect();
    let (methods, set) = (methods.as_slice(), &set);
    // A file that is made again holds all that the first one did, which was not larger.
    let most_bytes = if again.is_some() { usize::MAX } else { MOST_BYTES };
    let wanted = Wanted {
        connection: &connection,
        status,
        methods,
        set,
        most: MOST,
        most_bytes,
        to_take: is_claim,
        ship_until,
        claimed,
    };
    let made = renkei_exchange::render(&caller.tenant, &applied.settings, &layout, &wanted, caller.now).await?;
    if !made.problems.is_empty() && (made.rows.is_empty() || !form.has("skip")) {
        let problems = unwritten(&caller.shell, &made);
        return Ok(page(&caller, &applied.settings, form, problems).await?.into_response());
    }
    if made.rows.is_empty() {
        let problems = nothing(&caller.shell, &made, again.is_some());
        return Ok(page(&caller, &applied.settings, form, problems).await?.into_response());
    }
    if is_claim && !form.has(SURE) {
        return Ok(sure::ask(&caller.shell, form, &made)?.into_response());
    }
    let mut file = export::beginning(&layout).map_err(|problem| Problem::ours(&problem.to_string()))?;
    let stay = made.later;
    let note = |count: usize| claims::noted(count, &connection, &layout.id) + &later::noted(stay);
    let asked = note(made.rows.len());
    // Taken first: a file must not hold what somebody else has taken. If it is lost on its way, it is made again of
    // those in picking.
    let taken = if is_claim {
        claims::begin(&caller, asked).await?;
        renkei_exchange::take(&caller.tenant, made.rows, caller.now).await
    } else {
        caller.audit("files.export", caller.tenant.id().as_str(), AuditOutcome::Done, asked).await?;
        Taken { rows: made.rows, ..Taken::default() }
    };
    if let Some(why) = shortfall(&taken) {
        claims::end(&caller, format!("{}{why}", note(taken.rows.len()))).await;
    }
    if is_claim && taken.rows.is_empty() && taken.failure.is_none() {
        let problems = none_taken(&caller.shell, &taken.refused);
        return Ok(page(&caller, &applied.settings, form, problems).await?.into_response());
    }
    for row in &taken.rows {
        file.extend_from_slice(&row.bytes);
    }
    let part = match taken.failure {
        Some(error) if taken.rows.is_empty() => return Err(error.into()),
        // Those that were taken are in nobody's file but this one. The rest is on the page as before.
        Some(error) => {
            tracing::error!(%error, "the store did not take all of a file's shipments");
            "-part"
        }
        None => "",
    };
    let name = format!("{}-{}{}{part}.csv", layout.id, caller.now.strftime("%Y%m%d%H%M%S"), later::in_name(stay));
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, file).into_response())
}

/// What the audit log says of a file that does not hold all that it was asked for: some were refused, or the store failed on
/// the way. Then of some nobody knows whether they are taken; who looks for them later finds them there.
fn shortfall(taken: &Taken) -> Option<String> {
    let mut note = String::new();
    if !taken.refused.is_empty() {
        let _ = write!(note, "; {} could not be taken any more", taken.refused.len());
    }
    if taken.failure.is_some() {
        let left = taken.unsure.len() + taken.untouched.len();
        let _ = write!(note, "; {left} are not in it: the store failed; taken or not: {}", taken.unsure.join(", "));
    }
    Some(note).filter(|note| !note.is_empty())
}

/// Takes a file of results in.
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
    let layout = layout(&upload.text("layout"))?;
    // Files of carriers name orders by their numbers at the shop; the form says whose they are.
    let named = upload.text("connection");
    let shop = settings.connections.iter().map(|connection| &connection.id).find(|id| id.as_str() == named);
    let only =
        settings.connections.first().map(|connection| &connection.id).filter(|_| settings.connections.len() == 1);
    if settings.connections.len() > 1 && shop.is_none() {
        return Err(Problem::bad(
            "どのショップの出荷実績か選んでください。何も取り込んでいません。",
            "Choose the shop whose results these are. Nothing was taken in.",
        ));
    }
    let mut read = results::read(&layout, shop.or(only), &bytes);
    if read.rows.len() > MOST_RESULTS {
        let sentence = caller.shell.l(
            "2,000行を超えています。ファイルを分けてください。何も取り込んでいません。",
            "There are more than 2,000 rows: send the file in parts. Nothing was taken in.",
        );
        return Ok(page(&caller, &settings, Form::default(), vec![sentence.to_owned()]).await?.into_response());
    }
    // A shop that is not this merchant's is unknown, whoever's it is: the tenant's own handle finds nothing there.
    let given = read.rows.len();
    let (lines, failure) = renkei_exchange::ship_all(&caller.tenant, std::mem::take(&mut read.rows), caller.now).await;
    let count = |outcome: &str| lines.iter().filter(|line| line.outcome == outcome).count();
    let results = Results {
        shipped: count("shipped"),
        corrected: count("corrected"),
        known: count("known"),
        without_number: read.without_number,
        refused: Vec::new(),
        unlisted: 0,
    };
    let mut note = format!("{} shipped, {} corrected as {}", results.shipped, results.corrected, layout.id);
    let said = |problem| sentences::in_file(caller.shell.lang, problem);
    let mut problems = listed(&caller.shell, read.problems.iter().map(said).collect());
    let (mut outcome, mut status) = (AuditOutcome::Done, StatusCode::OK);
    if let Some(error) = failure {
        let open = given - lines.len();
        tracing::error!(%error, open, "the store did not take all of a file's results");
        let _ = write!(note, "; the store failed: {open} of {given} rows are not in, or nobody knows");
        (outcome, status) = (AuditOutcome::Failed, StatusCode::SERVICE_UNAVAILABLE);
        let sentence = caller.shell.l(
            "データベースが混み合い、途中で止まりました。残り{}行は取り込めていないか、結果が分かりません。\
             同じファイルをもう一度取り込んでください（二重にはなりません）。",
            "The database was busy, and this ended on its way: {} rows are not in, or nobody knows. Send the same file \
             again; nothing is done twice.",
        );
        problems.insert(0, sentence.replace("{}", &open.to_string()));
    }
    let noted = caller.audit("files.results", caller.tenant.id().as_str(), outcome, note.clone()).await;
    if noted.is_err() {
        // What was taken in has to be said all the same.
        tracing::error!(%note, "results by file are not in the audit log");
    }
    let mut refused: Vec<ResultLine> = lines.into_iter().filter(|line| !line.is_taken()).collect();
    let unlisted = refused.len().saturating_sub(SHOWN);
    refused.truncate(SHOWN);
    let results = Some(Results { refused, unlisted, ..results });
    Ok((status, shown(&caller, &settings, Form::default(), problems, results).await?).into_response())
}

#[cfg(test)]
mod tests {
    use renkei_store::StoreError;

    use super::*;

    #[test]
    fn what_is_not_listed_is_counted() {
        let shell = Shell::default();
        let lines = |n: usize| listed(&shell, (0..n).map(|line| line.to_string()).collect());
        assert_eq!(lines(SHOWN).len(), SHOWN);
        assert_eq!((lines(SHOWN + 7).len(), lines(SHOWN + 7).pop().unwrap().as_str()), (SHOWN + 1, "ほか7件"));
    }

    #[test]
    fn what_stays_for_later_days_is_said_with_what_is_wrong() {
        let shell = Shell::default();
        let made = |later: usize, more: bool| Made { later, more, ..Made::default() };
        assert!(unwritten(&shell, &made(0, false)).is_empty());
        let said = nothing(&shell, &made(3, true), false);
        assert!(said.len() == 3 && said[1].contains("3件") && said[2].contains("まだ確認していない"), "{said:?}");
    }

    #[test]
    fn nothing_is_taken_unless_somebody_chooses_so() {
        let html = |form: &str| {
            let page = FilesPage {
                s: Shell::default(),
                connections: Vec::new(),
                methods: Vec::new(),
                layouts: Vec::new(),
                claims: Vec::new(),
                problems: Vec::new(),
                results: None,
                ship_froms: Vec::new(),
                today: "2026-11-25".parse().unwrap(),
                form: Form::read(form.as_bytes()),
            };
            page.render().unwrap()
        };
        let first = html("");
        let which = first.split("name=\"what\">").nth(1).unwrap().split("</select>").next().unwrap();
        assert!(which.starts_with("<option value=\"ready\">") && !which.contains("selected"), "{which}");
        assert!(first.contains("name=\"ship_until\" value=\"2026-11-25\""), "{first}");
        let back = html("what=claim&ship_until=");
        assert!(back.contains("<option value=\"claim\" selected>"), "{back}");
        assert!(back.contains("name=\"ship_until\" value=\"\""), "{back}");
    }

    #[test]
    fn refusals_have_a_sentence_and_texts_the_name_of_their_field() {
        let shell = Shell::default();
        let said = none_taken(&shell, &[("shop.5.1".to_owned(), "already-claimed")]);
        assert!(said.len() == 2 && said[1].starts_with("shop.5.1: すでに"), "{said:?}");
        let layout = Layout::built_in("yamato-b2").unwrap();
        let set =
            BTreeMap::from([("slip_type".to_owned(), String::new()), ("billing_code".to_owned(), "1".to_owned())]);
        let said = missing(&shell, &layout, &set).concat();
        assert!(said.contains("送り状種類") && said.contains("運賃管理番号") && !said.contains("請求先"), "{said}");
    }

    #[test]
    fn a_file_of_a_part_is_noted_as_one() {
        assert_eq!(shortfall(&Taken::default()), None);
        let failure = StoreError::Unavailable { operation: "PutItem", code: "no answer".to_owned() };
        let (unsure, untouched) = (vec!["shop.5.1".to_owned()], vec!["shop.9.1".to_owned()]);
        let said = shortfall(&Taken { failure: Some(failure), unsure, untouched, ..Taken::default() }).unwrap();
        assert!(said.contains("2 are not in it") && said.ends_with("taken or not: shop.5.1"), "{said}");
        let refused = vec![("shop.5.1".to_owned(), "unpaid")];
        assert_eq!(
            shortfall(&Taken { refused, ..Taken::default() }).as_deref(),
            Some("; 1 could not be taken any more")
        );
    }
}
