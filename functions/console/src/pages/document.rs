//! 設定文書: the settings as one text, checked as a whole, shown as changes, applied all or nothing.
//!
//! What starts robots by the clock (connections and integration robots) is changed by `renkei apply`, which brings
//! schedules and credentials along; here it is refused, so that no robot runs by a schedule that its settings do not say.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::document::{self, Document};
use renkei_domain::settings::{Product, TenantSettings};
use renkei_ecforce::ApiAddress;
use renkei_store::StoreError;
use renkei_store::audit::AuditOutcome;
use renkei_store::settings::AppliedSettings;

use super::Page;
use crate::App;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;

#[derive(Template)]
#[template(path = "document.html")]
struct DocumentPage {
    s: Shell,
    text: String,
    version: u64,
    problems: Vec<String>,
    warnings: Vec<String>,
    changes: Vec<String>,
    is_checked: bool,
}

/// Shows the text in force.
pub async fn show(Extension(caller): Extension<Caller>) -> Page {
    let applied = caller.settings().await?;
    let page = DocumentPage {
        text: document::write(&applied.settings),
        version: applied.version,
        problems: Vec::new(),
        warnings: Vec::new(),
        changes: Vec::new(),
        is_checked: false,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// A text against what is in force.
struct Checked {
    text: String,
    version: u64,
    current: AppliedSettings,
    outcome: Result<Ready, Vec<String>>,
}

/// What may be applied.
struct Ready {
    settings: TenantSettings,
    products: Vec<Product>,
    changes: Vec<String>,
    warnings: Vec<String>,
}

async fn checked(app: &App, caller: &Caller, form: &Bytes) -> Result<Checked, Problem> {
    let field = |wanted: &str| {
        url::form_urlencoded::parse(form)
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    // Browsers send line ends as \r\n.
    let text = field("text").replace("\r\n", "\n");
    let current = caller.settings().await?;
    let version = field("version").parse().map_err(|_| Problem::bad("版がありません。", "The version is missing."))?;
    let check_url = |url: &str| match ApiAddress::parse(url, &app.policy) {
        Ok(address) => Ok(address.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let outcome = match document::read(&text, &check_url) {
        Err(problems) => Err(problems.iter().take(100).map(ToString::to_string).collect()),
        Ok(read) => ready(caller, &current.settings, read).await?,
    };
    Ok(Checked { text, version, current, outcome })
}

async fn ready(
    caller: &Caller,
    current: &TenantSettings,
    read: Document,
) -> Result<Result<Ready, Vec<String>>, Problem> {
    let Document { mut settings, warnings, .. } = read;
    let l = |ja: &str, en: &str| caller.shell.l(ja, en).to_owned();
    let mut problems = Vec::new();
    if settings.tenant != *caller.tenant.id() {
        problems.push(l("tenant はこの契約企業のものではありません。", "`tenant` is not this company."));
    }
    if settings.connections != current.connections || settings.integration_robots != current.integration_robots {
        problems.push(l(
            "connections と integration_robots は予定や認証情報と一緒に変わるため、この画面では変えられません。運用者が renkei apply で適用します。",
            "`connections` and `integration_robots` change together with schedules and credentials: your operator applies them with `renkei apply`.",
        ));
    }
    if !problems.is_empty() {
        return Ok(Err(problems));
    }
    let wanted = std::mem::take(&mut settings.products);
    let mut changes: Vec<String> =
        document::difference(Some(current), &settings).iter().map(ToString::to_string).collect();
    let known = if wanted.is_empty() { Vec::new() } else { caller.tenant.products().await? };
    let products: Vec<Product> = wanted.into_iter().filter(|product| !known.contains(product)).collect();
    changes.extend(products.iter().map(|product| format!("product {}: {}", product.sku, product.name)));
    Ok(Ok(Ready { settings, products, changes, warnings: warnings.iter().map(ToString::to_string).collect() }))
}

fn page_of(caller: Caller, checked: Checked) -> Page {
    let (problems, warnings, changes) = match checked.outcome {
        Err(problems) => (problems, Vec::new(), Vec::new()),
        Ok(ready) => (Vec::new(), ready.warnings, ready.changes),
    };
    let page = DocumentPage {
        text: checked.text,
        version: checked.version,
        problems,
        warnings,
        changes,
        is_checked: true,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Shows what is wrong with a text, or what applying it would change. Changes nothing.
pub async fn check(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>, form: Bytes) -> Page {
    let checked = checked(&app, &caller, &form).await?;
    page_of(caller, checked)
}

/// Applies a text over the version that it was made from.
pub async fn apply(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    let checked = checked(&app, &caller, &form).await?;
    let conflict = || {
        Problem::new(
            StatusCode::CONFLICT,
            "編集中に別の人が設定を変えました。何も適用していません。設定文書を開き直し、変更をやり直してください。",
            "Somebody else changed the settings meanwhile; nothing was applied. Open the document again and redo your change.",
        )
    };
    if checked.version != checked.current.version {
        return Err(conflict());
    }
    let Ok(ready) = &checked.outcome else { return Ok(page_of(caller, checked)?.into_response()) };
    // Products first, as the command line does: settings never stand that need products which are not there.
    caller.tenant.put_products(&ready.products).await?;
    let done = caller
        .tenant
        .apply_settings(&ready.settings, checked.version, caller.now, caller.email.as_str())
        .await
        .map_err(|error| match error {
            StoreError::Conflict { .. } => conflict(),
            other => other.into(),
        })?;
    let note = format!("version {}, {} changes", done.version, ready.changes.len());
    caller.audit("settings.apply", caller.tenant.id().as_str(), AuditOutcome::Done, note).await?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to("/robots"))]).into_response())
}
