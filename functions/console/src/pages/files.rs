//! ファイル連携: shipments out to a warehouse and results in, in the layouts that warehouses read and write. The same as
//! `renkei files`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use renkei_domain::shipment::Status;
use renkei_exchange::{Made, ResultLine, Taken, Wanted};
use renkei_files::layout::Column;
use renkei_files::{Layout, LayoutError, export, results};
use renkei_store::audit::AuditOutcome;

use super::{Form, Page, chosen, sentences};
use crate::guard::{Caller, Upload};
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;

/// Shipments in one file: more would not be done within the time that a page has.
const MOST: usize = 1_000;
/// Rows of results in one file, for the same reason.
const MOST_RESULTS: usize = 2_000;
/// Problems that are listed.
const SHOWN: usize = 100;
/// Files that took shipments which are offered to be written again, and entries of the audit log that are looked at for
/// them.
const CLAIMS: usize = 10;
const LOOKED_AT: i32 = 200;
/// What the audit log calls such a file.
const CLAIM: &str = "files.claim";

#[derive(Template)]
#[template(path = "files.html")]
struct FilesPage {
    s: Shell,
    connections: Vec<String>,
    methods: Vec<(String, String)>,
    layouts: Vec<Layout>,
    claims: Vec<Claim>,
    problems: Vec<String>,
    results: Option<Results>,
}

/// A file that took shipments. What of them is still in picking can be written again.
struct Claim {
    /// The moment at which they were taken: by it they are found.
    at: Timestamp,
    by: String,
    /// What it held.
    held: String,
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

/// What cannot be written, and that there is more at which nobody looked.
fn unwritten(shell: &Shell, made: &Made) -> Vec<String> {
    let said = |problem| sentences::in_file(shell.lang, problem);
    let mut sentences = listed(shell, made.problems.iter().map(said).collect());
    if made.more {
        let more =
            shell.l("このほかに、まだ確認していない出荷があります。", "There are more shipments, not looked at yet.");
        sentences.push(more.to_owned());
    }
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

async fn page(caller: &Caller, problems: Vec<String>, results: Option<Results>) -> Page {
    let settings = caller.settings().await?.settings;
    let page = FilesPage {
        connections: settings.connections.iter().map(|it| it.id.to_string()).collect(),
        methods: settings.shipping_methods.iter().map(|it| (it.id.to_string(), it.name.clone())).collect(),
        layouts: Layout::all()?,
        claims: claims(caller).await?,
        problems,
        results,
        s: caller.shell.clone(),
    };
    Ok(Html(page.render()?))
}

/// The latest files that took shipments, by the audit log.
async fn claims(caller: &Caller) -> Result<Vec<Claim>, Problem> {
    let entries = caller.tenant.audit_log(LOOKED_AT, None).await?.rows.into_iter().map(|(_, entry)| entry);
    let claims = entries.filter(|entry| entry.action == CLAIM).take(CLAIMS);
    Ok(claims.map(|entry| Claim { at: entry.at, by: entry.by, held: held(caller.shell.lang, &entry.note) }).collect())
}

/// What a file held, by its note in the audit log: `12 of shop as standard; …`.
fn held(lang: Lang, note: &str) -> String {
    let short = note.split(';').next().unwrap_or_default();
    let parts = short.split_once(" of ").and_then(|(count, rest)| Some((count, rest.split_once(" as ")?)));
    match (lang, parts) {
        (Lang::Ja, Some((count, (shop, layout)))) => format!("{count}件 {shop} {layout}"),
        _ => short.to_owned(),
    }
}

/// Shows what can be done.
pub async fn show(Extension(caller): Extension<Caller>) -> Page {
    page(&caller, Vec::new(), None).await
}

fn layout(name: &str) -> Result<Layout, Problem> {
    Layout::built_in(name).map_err(|_| Problem::not_found())
}

/// Makes a file of shipments, and takes them into the warehouse's hands if asked so.
pub async fn download(Extension(caller): Extension<Caller>, form: Bytes) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let applied = caller.settings().await?;
    let connection = chosen(&applied, Some(form.get("connection").as_str()))?.ok_or_else(Problem::not_found)?;
    let layout = layout(&form.get("layout"))?;
    let what = form.get("what");
    let (status, is_claim, claimed) = match (what.as_str(), what.split_once('@')) {
        ("claim", _) => (Status::Ready, true, None),
        ("ready", _) => (Status::Ready, false, None),
        ("picking", _) => (Status::Picking, false, None),
        (_, Some(("picking", at))) => {
            let at: Timestamp = at.parse().map_err(|_| Problem::not_found())?;
            (Status::Picking, false, Some(at..=at))
        }
        _ => return Err(Problem::not_found()),
    };
    let text = |name: &str| form.get(&field(&layout, name)).trim().to_owned();
    let set: BTreeMap<String, String> = given(&layout).map(|(name, _)| (name.to_owned(), text(name))).collect();
    let missing = missing(&caller.shell, &layout, &set);
    if !missing.is_empty() {
        return Ok(page(&caller, missing, None).await?.into_response());
    }
    let methods: Vec<String> = Some(form.get("method")).filter(|method| !method.is_empty()).into_iter().collect();
    let (methods, set) = (methods.as_slice(), &set);
    let wanted = Wanted { connection: &connection, status, methods, set, most: MOST, to_take: is_claim, claimed };
    let made = renkei_exchange::render(&caller.tenant, &applied.settings, &layout, &wanted, caller.now).await?;
    if !made.problems.is_empty() && (made.rows.is_empty() || !form.has("skip")) {
        let problems = unwritten(&caller.shell, &made);
        return Ok(page(&caller, problems, None).await?.into_response());
    }
    if made.rows.is_empty() {
        let nothing = caller.shell.l("この条件の出荷はありません。", "There is no such shipment.").to_owned();
        return Ok(page(&caller, vec![nothing], None).await?.into_response());
    }
    let mut file = export::beginning(&layout).map_err(|problem| Problem::ours(&problem.to_string()))?;
    // Taken first: a file must not hold what somebody else has taken. If it is lost on its way, it is made again of
    // those in picking.
    let taken = if is_claim {
        renkei_exchange::take(&caller.tenant, made.rows, caller.now).await
    } else {
        Taken { rows: made.rows, ..Taken::default() }
    };
    if is_claim && taken.rows.is_empty() && taken.failure.is_none() {
        let problems = none_taken(&caller.shell, &taken.refused);
        return Ok(page(&caller, problems, None).await?.into_response());
    }
    for row in &taken.rows {
        file.extend_from_slice(&row.bytes);
    }
    let mut note = format!("{} of {connection} as {}", taken.rows.len(), layout.id);
    if !taken.refused.is_empty() {
        let _ = write!(note, "; {} could not be taken any more", taken.refused.len());
    }
    if let Some(interruption) = interruption(&taken) {
        note.push_str(&interruption);
    }
    let action = if is_claim { CLAIM } else { "files.export" };
    let noted = caller.audit(action, caller.tenant.id().as_str(), AuditOutcome::Done, note.clone()).await;
    match noted {
        // Parcels that were taken are in nobody's file but this one: it goes out also where no note of it can be made.
        Err(_) if is_claim && !taken.rows.is_empty() => {
            tracing::error!(%note, "a claim by file is not in the audit log");
        }
        noted => noted?,
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
    let name = format!("{}-{}{part}.csv", layout.id, caller.now.strftime("%Y%m%d%H%M%S"));
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, file).into_response())
}

/// What the audit log says of a file that does not hold all that it was asked for, because the store failed on the way. Of
/// some nobody knows whether they are taken; who looks for them later finds them there.
fn interruption(taken: &Taken) -> Option<String> {
    taken.failure.as_ref()?;
    let left = taken.unsure.len() + taken.untouched.len();
    Some(format!("; {left} are not in it: the store failed; taken or not: {}", taken.unsure.join(", ")))
}

/// Takes a file of results in.
pub async fn upload(Extension(caller): Extension<Caller>, upload: Option<Extension<Upload>>) -> Page {
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
        return page(&caller, vec![sentence.to_owned()], None).await;
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
    if failure.is_some() {
        let _ = write!(note, "; the store failed: it did not answer for {} of {given} rows", given - lines.len());
    }
    let outcome = if failure.is_some() { AuditOutcome::Failed } else { AuditOutcome::Done };
    let noted = caller.audit("files.results", caller.tenant.id().as_str(), outcome, note.clone()).await;
    if let Some(error) = failure {
        if noted.is_err() {
            tracing::error!(%note, "results by file are not in the audit log");
        }
        return Err(error.into());
    }
    noted?;
    let mut refused: Vec<ResultLine> = lines.into_iter().filter(|line| !line.is_taken()).collect();
    let unlisted = refused.len().saturating_sub(SHOWN);
    refused.truncate(SHOWN);
    let said = |problem| sentences::in_file(caller.shell.lang, problem);
    let problems = listed(&caller.shell, read.problems.iter().map(said).collect());
    page(&caller, problems, Some(Results { refused, unlisted, ..results })).await
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
    fn what_a_file_held_is_said_in_the_pages_language() {
        let note = "12 of hanako-ecforce as yamato-b2; 3 could not be taken any more";
        assert_eq!(held(Lang::Ja, note), "12件 hanako-ecforce yamato-b2");
        assert_eq!(held(Lang::En, note), "12 of hanako-ecforce as yamato-b2");
        assert_eq!(held(Lang::Ja, "another note"), "another note");
    }

    #[test]
    fn a_file_of_a_part_is_noted_as_one() {
        assert_eq!(interruption(&Taken::default()), None);
        let failure = StoreError::Unavailable { operation: "PutItem", code: "no answer".to_owned() };
        let (unsure, untouched) = (vec!["shop.5.1".to_owned()], vec!["shop.9.1".to_owned()]);
        let said = interruption(&Taken { failure: Some(failure), unsure, untouched, ..Taken::default() }).unwrap();
        assert!(said.contains("2 are not in it") && said.ends_with("taken or not: shop.5.1"), "{said}");
    }
}
