//! ファイル連携: shipments out to a warehouse and results in, in the layouts that warehouses read and write. The same as
//! `renkei files`.

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::Status;
use renkei_exchange::{ResultLine, Taken, Wanted};
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
}

impl FilesPage {
    /// What has to be given for files of this layout, by the names of fields.
    fn given<'l>(&self, layout: &'l Layout) -> Vec<(String, &'l Column)> {
        given(layout).map(|(name, column)| (field(layout, name), column)).collect()
    }
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
    let set = given(&layout).map(|(name, _)| (name.to_owned(), text(name))).collect();
    let methods: Vec<String> = Some(form.get("method")).filter(|method| !method.is_empty()).into_iter().collect();
    let wanted =
        Wanted { connection: &connection, status, methods: &methods, set: &set, most: MOST, to_take: is_claim };
    let made = renkei_exchange::render(&caller.tenant, &applied.settings, &layout, &wanted, caller.now).await?;
    if !made.problems.is_empty() && !form.has("skip") {
        let problems = made.problems.iter().take(SHOWN).map(ToString::to_string).collect();
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
    for row in &taken.rows {
        file.extend_from_slice(&row.bytes);
    }
    let mut note = format!("{} of {connection} as {}", taken.rows.len(), layout.id);
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
    };
    let note = format!("{} shipped, {} corrected as {}", results.shipped, results.corrected, layout.id);
    caller.audit("files.results", caller.tenant.id().as_str(), AuditOutcome::Done, note).await?;
    let refused = lines.into_iter().filter(|line| !line.is_taken()).take(SHOWN).collect();
    let problems = read.problems.iter().take(SHOWN).map(ToString::to_string).collect();
    page(caller.shell, &settings, problems, Some(Results { refused, ..results }))
}

#[cfg(test)]
mod tests {
    use renkei_store::StoreError;

    use super::*;

    #[test]
    fn a_file_of_a_part_is_noted_as_one() {
        assert_eq!(interruption(&Taken::default()), None);
        let failure = StoreError::Unavailable { operation: "PutItem", code: "no answer".to_owned() };
        let (unsure, untouched) = (vec!["shop.5.1".to_owned()], vec!["shop.9.1".to_owned()]);
        let said = interruption(&Taken { failure: Some(failure), unsure, untouched, ..Taken::default() }).unwrap();
        assert!(said.contains("2 are not in it") && said.ends_with("taken or not: shop.5.1"), "{said}");
    }
}
