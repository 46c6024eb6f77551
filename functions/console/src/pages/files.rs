//! ファイル連携: shipments out to a warehouse and results in, in the layouts that warehouses read and write. The same as
//! `renkei files`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::Status;
use renkei_exchange::{Made, ResultLine, Taken, Wanted};
use renkei_files::layout::Column;
use renkei_files::{Layout, LayoutError, export, results};
use renkei_store::audit::AuditOutcome;

use super::{Form, Page, chosen};
use crate::guard::{Caller, Upload};
use crate::problem::Problem;
use crate::shell::Shell;

/// Shipments in one file: more would not be done within the time that a page has.
const MOST: usize = 1_000;
/// Rows of results in one file, for the same reason.
const MOST_RESULTS: usize = 2_000;
/// Problems that are listed.
const SHOWN: usize = 100;
/// [`export::NO_AMOUNT`] in Japanese.
const NO_AMOUNT: &str = "代引ですが、この形式には代引金額の列がありません。標準の形式（standard）で出力して送り状を手で作るか、\
    合計金額の列（total）を持つ独自の形式を使ってください。";

#[derive(Template)]
#[template(path = "files.html")]
struct FilesPage {
    s: Shell,
    connections: Vec<String>,
    methods: Vec<(String, String)>,
    layouts: Vec<Layout>,
    problems: Vec<String>,
    results: Option<Results>,
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

    /// Why a row was refused.
    fn why(&self, line: &ResultLine) -> &'static str {
        self.s.lang.of(in_japanese(line.outcome), line.outcome)
    }
}

/// The sentences of the stable keys for what was not taken, in and out.
const SENTENCES: [(&str, &str); 9] = [
    ("unknown", "この出荷指示IDの出荷はありません。形式とショップを確認してください。"),
    ("not-claimed", "まだ出荷準備中ではありません（倉庫に渡していない出荷です）。"),
    ("cancelled", "キャンセル済みの出荷です。"),
    ("bad-shipped-at", "出荷日が90日より前か、1日より先です。"),
    ("other-order-number", "受注番号がこの出荷のものと違います。ショップと行を確認してください。"),
    ("on-hold", "保留中です。"),
    ("unpaid", "未入金です。"),
    ("already-claimed", "すでにほかで出荷準備中になっています。"),
    ("already-shipped", "すでに出荷済みです。"),
];

/// A stable key's sentence; the key itself where it has none.
fn in_japanese(key: &'static str) -> &'static str {
    SENTENCES.iter().find(|(known, _)| *known == key).map_or(key, |found| found.1)
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
    let said = |problem: &renkei_files::Problem| {
        if problem.what == export::NO_AMOUNT {
            format!("{}: {}", problem.shipment, shell.l(NO_AMOUNT, export::NO_AMOUNT))
        } else {
            problem.to_string()
        }
    };
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
    let why = |(id, key): &(String, &'static str)| format!("{id}: {}", shell.l(in_japanese(key), key));
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

fn page(shell: Shell, settings: &TenantSettings, problems: Vec<String>, results: Option<Results>) -> Page {
    let page = FilesPage {
        connections: settings.connections.iter().map(|it| it.id.to_string()).collect(),
        methods: settings.shipping_methods.iter().map(|it| (it.id.to_string(), it.name.clone())).collect(),
        layouts: Layout::all()?,
        problems,
        results,
        s: shell,
    };
    Ok(Html(page.render()?))
}

/// Shows what can be done.
pub async fn show(Extension(caller): Extension<Caller>) -> Page {
    let settings = caller.settings().await?.settings;
    page(caller.shell, &settings, Vec::new(), None)
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
    let (status, is_claim) = match form.get("what").as_str() {
        "claim" => (Status::Ready, true),
        "ready" => (Status::Ready, false),
        "picking" => (Status::Picking, false),
        _ => return Err(Problem::not_found()),
    };
    let text = |name: &str| form.get(&field(&layout, name)).trim().to_owned();
    let set: BTreeMap<String, String> = given(&layout).map(|(name, _)| (name.to_owned(), text(name))).collect();
    let missing = missing(&caller.shell, &layout, &set);
    if !missing.is_empty() {
        return Ok(page(caller.shell, &applied.settings, missing, None)?.into_response());
    }
    let methods: Vec<String> = Some(form.get("method")).filter(|method| !method.is_empty()).into_iter().collect();
    let wanted =
        Wanted { connection: &connection, status, methods: &methods, set: &set, most: MOST, to_take: is_claim };
    let made = renkei_exchange::render(&caller.tenant, &applied.settings, &layout, &wanted, caller.now).await?;
    if !made.problems.is_empty() && (made.rows.is_empty() || !form.has("skip")) {
        let problems = unwritten(&caller.shell, &made);
        return Ok(page(caller.shell, &applied.settings, problems, None)?.into_response());
    }
    if made.rows.is_empty() {
        let nothing = caller.shell.l("この条件の出荷はありません。", "There is no such shipment.").to_owned();
        return Ok(page(caller.shell, &applied.settings, vec![nothing], None)?.into_response());
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
        return Ok(page(caller.shell, &applied.settings, problems, None)?.into_response());
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
    let action = if is_claim { "files.claim" } else { "files.export" };
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
        return page(caller.shell.clone(), &settings, vec![sentence.to_owned()], None);
    }
    // A shop that is not this merchant's is unknown, whoever's it is: the tenant's own handle finds nothing there.
    let lines = renkei_exchange::ship_all(&caller.tenant, std::mem::take(&mut read.rows), caller.now).await?;
    let count = |outcome: &str| lines.iter().filter(|line| line.outcome == outcome).count();
    let results = Results {
        shipped: count("shipped"),
        corrected: count("corrected"),
        known: count("known"),
        without_number: read.without_number,
        refused: Vec::new(),
        unlisted: 0,
    };
    let note = format!("{} shipped, {} corrected as {}", results.shipped, results.corrected, layout.id);
    caller.audit("files.results", caller.tenant.id().as_str(), AuditOutcome::Done, note).await?;
    let mut refused: Vec<ResultLine> = lines.into_iter().filter(|line| !line.is_taken()).collect();
    let unlisted = refused.len().saturating_sub(SHOWN);
    refused.truncate(SHOWN);
    let problems = listed(&caller.shell, read.problems.iter().map(ToString::to_string).collect());
    page(caller.shell, &settings, problems, Some(Results { refused, unlisted, ..results }))
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
    fn a_file_of_a_part_is_noted_as_one() {
        assert_eq!(interruption(&Taken::default()), None);
        let failure = StoreError::Unavailable { operation: "PutItem", code: "no answer".to_owned() };
        let (unsure, untouched) = (vec!["shop.5.1".to_owned()], vec!["shop.9.1".to_owned()]);
        let said = interruption(&Taken { failure: Some(failure), unsure, untouched, ..Taken::default() }).unwrap();
        assert!(said.contains("2 are not in it") && said.ends_with("taken or not: shop.5.1"), "{said}");
    }
}
