//! 商品マスタ by CSV: read and compared first if asked so, then kept; orders that waited for these products go on.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Html;
use renkei_domain::ids::ConnectionId;
use renkei_domain::products::from_csv;
use renkei_products::{ProductsError, Released};
use renkei_setup::SetupError;
use renkei_store::audit::AuditOutcome;

use super::{Page, sentences};
use crate::guard::{Caller, Upload};
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Daily};

/// Rows in one file: more would not be done within the time that a page has.
const MOST: usize = 10_000;

#[derive(Template)]
#[template(path = "products.html")]
struct ProductsPage {
    s: Shell,
    problems: Vec<String>,
    outcome: Option<Outcome>,
}

struct Outcome {
    read: usize,
    new: usize,
    replaced: usize,
    same: usize,
    /// Orders that went on; None where nothing was kept yet.
    released: Option<Released>,
}

/// Shows the form.
pub async fn show(Extension(caller): Extension<Caller>) -> Page {
    Ok(Html(ProductsPage { s: caller.shell, problems: Vec::new(), outcome: None }.render()?))
}

/// Reads a table; keeps its products unless it was only to be looked at.
pub async fn import(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    upload: Option<Extension<Upload>>,
) -> Page {
    let no_file = || Problem::bad("CSVファイルを選んでください。", "Choose a CSV file.");
    let Extension(upload) = upload.ok_or_else(no_file)?;
    let bytes = upload.bytes("file");
    if bytes.is_empty() {
        return Err(no_file());
    }
    let table = match from_csv(&bytes) {
        Ok(table) => table,
        Err(problems) => {
            let problems = problems.iter().map(|it| sentences::goods::problem(caller.shell.lang, it)).collect();
            return Ok(Html(ProductsPage { s: caller.shell, problems, outcome: None }.render()?));
        }
    };
    if table.products.len() > MOST {
        let sentence = caller.shell.l(
            "10,000行を超えています。ファイルを分けてください。",
            "There are more than 10,000 rows: send the file in parts.",
        );
        let problems = vec![sentence.to_owned()];
        return Ok(Html(ProductsPage { s: caller.shell, problems, outcome: None }.render()?));
    }
    let settings = caller.settings().await?.settings;
    let import = renkei_products::compare(&caller.tenant, table).await?;
    let released = if upload.text("step") == "import" {
        let connections: Vec<&ConnectionId> = settings.connections.iter().map(|it| &it.id).collect();
        let put = renkei_products::put(&caller.tenant, connections, &app.import_orders, &import.changed).await;
        let (outcome, of_them) =
            if put.is_ok() { (AuditOutcome::Done, "") } else { (AuditOutcome::Failed, "stopped on its way; of ") };
        let note = format!("{of_them}{} new, {} changed", import.new, import.replaced());
        caller.audit("products.import", caller.tenant.id().as_str(), outcome, note).await?;
        Some(put.map_err(|error: ProductsError| Problem::from(SetupError::from(error)))?)
    } else {
        None
    };
    let outcome =
        Outcome { read: import.read, new: import.new, replaced: import.replaced(), same: import.same(), released };
    Ok(Html(ProductsPage { s: caller.shell, problems: Vec::new(), outcome: Some(outcome) }.render()?))
}
