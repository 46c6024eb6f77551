//! 倉庫のキーとWebhookのアドレス: made, changed and taken back. A secret is shown the one time it is made.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_domain::ids::{ConnectionId, WarehouseId};
use renkei_domain::settings::TenantSettings;
use renkei_setup::grants;
use renkei_store::access::{Grant, Opens, Secret};
use renkei_store::audit::AuditOutcome;
use serde::Deserialize;

use super::confirm::{self, Question, SURE};
use super::{Form, Page};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Daily};

/// How long the former may stay valid beside a new one, in hours.
const OVERLAPS: [u32; 4] = [0, 1, 24, 168];

#[derive(Template)]
#[template(path = "access.html")]
struct AccessPage {
    s: Shell,
    groups: Vec<Group>,
    new: Option<New>,
    /// What was just done.
    done: Option<&'static str>,
}

/// A warehouse or a shop, and what was handed out for it.
struct Group {
    kind: &'static str,
    name: String,
    has_valid: bool,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    state: &'static str,
    is_valid: bool,
    created: String,
    ends: String,
}

/// What is shown once.
struct New {
    is_key: bool,
    name: String,
    text: String,
}

/// What was done just before.
#[derive(Deserialize)]
pub struct After {
    done: Option<String>,
}

fn state(shell: &Shell, grant: &Grant, caller: &Caller) -> &'static str {
    match grants::state(grant, caller.now) {
        "valid" => shell.lang.of("有効", "valid"),
        "ending" => shell.lang.of("まもなく終了", "ending"),
        "revoked" => shell.lang.of("失効", "revoked"),
        _ => shell.lang.of("終了", "ended"),
    }
}

fn opened(settings: &TenantSettings) -> Vec<Opens> {
    let mut warehouses: Vec<&WarehouseId> = settings.ship_froms.iter().map(|from| &from.warehouse).collect();
    warehouses.sort();
    warehouses.dedup();
    let warehouses = warehouses.into_iter().map(|id| Opens::Warehouse(id.clone()));
    warehouses.chain(settings.connections.iter().map(|it| Opens::Hook(it.id.clone()))).collect()
}

fn named(opens: &Opens) -> (&'static str, String) {
    match opens {
        Opens::Warehouse(id) => ("warehouse", id.to_string()),
        Opens::Hook(id) => ("hook", id.to_string()),
    }
}

async fn page(caller: Caller, new: Option<New>, done: Option<&'static str>) -> Page {
    let settings = caller.settings().await?.settings;
    let all = caller.tenant.grants().await?;
    let mut wanted = opened(&settings);
    // What is left of those that are in no settings any more can still be taken back.
    for grant in all.iter().filter(|grant| grant.is_valid(caller.now)) {
        if !wanted.contains(&grant.opens) {
            wanted.push(grant.opens.clone());
        }
    }
    let groups = wanted
        .iter()
        .map(|opens| {
            let (kind, name) = named(opens);
            let own = all.iter().rev().filter(|grant| grant.opens == *opens);
            let rows: Vec<Row> = own
                .take(20)
                .map(|grant| Row {
                    id: grant.id.clone(),
                    state: state(&caller.shell, grant, &caller),
                    is_valid: grant.is_valid(caller.now),
                    created: caller.shell.full_time(&grant.created_at),
                    ends: grant
                        .revoked_at
                        .or(grant.valid_until)
                        .map(|at| caller.shell.full_time(&at))
                        .unwrap_or_default(),
                })
                .collect();
            Group { kind, name, has_valid: rows.iter().any(|row| row.is_valid), rows }
        })
        .collect();
    let page = AccessPage { groups, new, done, s: caller.shell };
    Ok(Html(page.render()?))
}

/// Lists them.
pub async fn show(Extension(caller): Extension<Caller>, Query(after): Query<After>) -> Page {
    let is_revoked = after.done.as_deref() == Some("revoked");
    let done = is_revoked.then(|| caller.shell.lang.of("失効させました。", "It was revoked."));
    page(caller, None, done).await
}

async fn asked(caller: &Caller, form: &Form) -> Result<Opens, Problem> {
    let name = form.get("name");
    let opens = match form.get("kind").as_str() {
        "warehouse" => Opens::Warehouse(WarehouseId::parse(name).map_err(|_| Problem::not_found())?),
        "hook" => Opens::Hook(ConnectionId::parse(name).map_err(|_| Problem::not_found())?),
        _ => return Err(Problem::not_found()),
    };
    let is_theirs = opened(&caller.settings().await?.settings).contains(&opens)
        || caller.tenant.grants().await?.iter().any(|grant| grant.opens == opens);
    if is_theirs { Ok(opens) } else { Err(Problem::not_found()) }
}

fn new(app: &App<Daily>, opens: &Opens, secret: &Secret) -> New {
    let name = named(opens).1;
    match opens {
        Opens::Warehouse(_) => New { is_key: true, name, text: secret.expose().to_owned() },
        Opens::Hook(_) => {
            New { is_key: false, name, text: format!("{}/hooks/ecforce/{}", app.part.warehouse_url, secret.expose()) }
        }
    }
}

/// Makes one, or another in the place of those there are, and shows it.
pub async fn create(State(app): State<Arc<App<Daily>>>, Extension(caller): Extension<Caller>, form: Bytes) -> Page {
    let form = Form::read(&form);
    let opens = asked(&caller, &form).await?;
    let secret = if form.has("overlap") {
        let hours: u32 = form.get("overlap").parse().unwrap_or_default();
        if !OVERLAPS.contains(&hours) {
            return Err(Problem::not_found());
        }
        let overlap = Duration::from_hours(hours.into());
        let rotated = grants::rotate(&caller.tenant, opens.clone(), overlap, caller.now).await?;
        rotated.map(|(secret, _)| secret)
    } else {
        None
    };
    let secret = match secret {
        Some(secret) => secret,
        None => grants::create(&caller.tenant, opens.clone(), caller.now).await?,
    };
    let (kind, name) = named(&opens);
    let action = if form.has("overlap") { "rotate" } else { "create" };
    caller.audit(&format!("{kind}.{action}"), name, AuditOutcome::Done, "").await?;
    let new = new(&app, &opens, &secret);
    page(caller, Some(new), None).await
}

/// Takes one back at once.
pub async fn revoke(Extension(caller): Extension<Caller>, form: Bytes) -> Result<Response, Problem> {
    let form = Form::read(&form);
    let opens = asked(&caller, &form).await?;
    let id = form.get("id");
    if id.is_empty() {
        return Err(Problem::not_found());
    }
    if !caller.tenant.grants().await?.iter().any(|grant| grant.opens == opens && grant.id == id) {
        return Err(Problem::not_found());
    }
    if !form.has(SURE) {
        return Ok(ask_to_revoke(&caller.shell, form, &opens, &id)?.into_response());
    }
    // What was taken back before stays so: a second click changes nothing, and is no event of its own.
    if !grants::revoke(&caller.tenant, &opens, Some(&id), caller.now).await?.is_empty() {
        let (kind, name) = named(&opens);
        caller.audit(&format!("{kind}.revoke"), name, AuditOutcome::Done, id).await?;
    }
    Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to("/access?done=revoked"))]).into_response())
}

fn ask_to_revoke(shell: &Shell, form: Form, opens: &Opens, id: &str) -> Page {
    let said = match opens {
        Opens::Warehouse(_) => shell.l(
            "このキーを失効させると、倉庫は次の要求から使えなくなります。元に戻せません。",
            "The warehouse cannot use this key any more, from its next request on. This cannot be undone.",
        ),
        Opens::Hook(_) => shell.l(
            "このアドレスを失効させると、ショップからのWebhookは次から受け付けません。元に戻せません。",
            "The shop's next webhook to this address is not taken any more. This cannot be undone.",
        ),
    };
    let question = Question {
        title: shell.l("いますぐ失効させる", "Revoke now"),
        of: &format!("{} {id}", named(opens).1),
        said: vec![said.to_owned()],
        address: "/access/revoke",
        back: "/access",
    };
    confirm::ask(shell, form, question)
}
