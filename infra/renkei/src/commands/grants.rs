//! `renkei warehouse-key` and `renkei webhook`: both make, list and revoke grants ([`renkei_setup::grants`]).

use std::fmt::Display;
use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, TenantId, WarehouseId};
use renkei_domain::jst;
use renkei_setup::grants;
use renkei_store::Tenant;
use renkei_store::access::{Opens, Secret};
use serde::Serialize;

use crate::cli::{WarehouseKeyCommand, WebhookCommand};
use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// A key as it is listed: all but the key.
#[derive(Serialize)]
struct Line<'a> {
    tenant: &'a TenantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    warehouse: Option<&'a WarehouseId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<&'a ConnectionId>,
    id: &'a str,
    state: &'static str,
    created_at: Timestamp,
    valid_until: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct NewKey<'a> {
    warehouse: &'a WarehouseId,
    key: &'a str,
}

#[derive(Serialize)]
struct NewHook<'a> {
    connection: &'a ConnectionId,
    url: &'a str,
}

/// `renkei warehouse-key …`
pub async fn warehouse_key(stack: &Stack, command: WarehouseKeyCommand) -> Result<Exit, CliError> {
    match command {
        WarehouseKeyCommand::Create { warehouse, tenant, json } => {
            let (tenant, warehouse) = warehouse_of(stack, tenant.as_deref(), &warehouse).await?;
            let secret = create(&tenant, Opens::Warehouse(warehouse.clone())).await?;
            show_key(&warehouse, &secret, json)
        }
        WarehouseKeyCommand::List { tenant, json } => {
            list(stack, tenant.as_deref(), json, |opens| matches!(opens, Opens::Warehouse(_))).await
        }
        WarehouseKeyCommand::Rotate { warehouse, tenant, overlap_hours, json } => {
            let (tenant, warehouse) = warehouse_of(stack, tenant.as_deref(), &warehouse).await?;
            let opens = Opens::Warehouse(warehouse.clone());
            let secret = rotate(&tenant, opens, Duration::from_hours(overlap_hours.into())).await?;
            show_key(&warehouse, &secret, json)
        }
        WarehouseKeyCommand::Revoke { warehouse, tenant, id } => {
            let opens = Opens::Warehouse(WarehouseId::parse(&warehouse).map_err(said)?);
            let owner = granted(stack, tenant.as_deref(), &opens, &format!("warehouse {warehouse}")).await?;
            revoke(&owner, &opens, id.as_deref()).await
        }
    }
}

/// `renkei webhook …`
pub async fn webhook(stack: &Stack, command: WebhookCommand) -> Result<Exit, CliError> {
    match command {
        WebhookCommand::Create { connection, tenant, json } => {
            let found = stack.connection(tenant.as_deref(), &connection).await?;
            let secret = create(&found.tenant, Opens::Hook(found.id().clone())).await?;
            show_hook(stack, found.id(), &secret, json)
        }
        WebhookCommand::List { tenant, json } => {
            list(stack, tenant.as_deref(), json, |opens| matches!(opens, Opens::Hook(_))).await
        }
        WebhookCommand::Rotate { connection, tenant, overlap_hours, json } => {
            let found = stack.connection(tenant.as_deref(), &connection).await?;
            let overlap = Duration::from_hours(overlap_hours.into());
            let secret = rotate(&found.tenant, Opens::Hook(found.id().clone()), overlap).await?;
            show_hook(stack, found.id(), &secret, json)
        }
        WebhookCommand::Revoke { connection, tenant, id } => {
            let opens = Opens::Hook(ConnectionId::parse(&connection).map_err(said)?);
            let owner = granted(stack, tenant.as_deref(), &opens, &format!("connection {connection}")).await?;
            revoke(&owner, &opens, id.as_deref()).await
        }
    }
}

/// The tenant whose ship-froms name this warehouse. Two tenants may call theirs alike; a key is of one of them.
async fn warehouse_of(stack: &Stack, tenant: Option<&str>, name: &str) -> Result<(Tenant, WarehouseId), CliError> {
    let wanted = WarehouseId::parse(name).map_err(|error| CliError::said(error.to_string()))?;
    let mut known = Vec::new();
    let mut found = Vec::new();
    for (tenant, applied) in stack.tenants(tenant).await? {
        let mut warehouses = applied.settings.ship_froms.iter().map(|ship_from| &ship_from.warehouse);
        known.extend(warehouses.clone().map(ToString::to_string));
        if warehouses.any(|warehouse| *warehouse == wanted) {
            found.push(tenant);
        }
    }
    let tenant = only(found, &format!("warehouse {wanted}"))?.ok_or_else(|| {
        known.sort();
        known.dedup();
        CliError::said(if known.is_empty() {
            "no ship-from names a warehouse yet; `renkei apply` a merchant's document first".to_owned()
        } else {
            format!("no ship-from names a warehouse {wanted}; there are {}", known.join(", "))
        })
    })?;
    Ok((tenant, wanted))
}

/// The tenant that handed out what opens this, whether or not its document names it still: what it does not name any more
/// has to be revocable most of all.
async fn granted(stack: &Stack, tenant: Option<&str>, opens: &Opens, what: &str) -> Result<Tenant, CliError> {
    let mut found = Vec::new();
    for (tenant, _) in stack.tenants(tenant).await? {
        if tenant.grants().await?.iter().any(|grant| grant.opens == *opens) {
            found.push(tenant);
        }
    }
    only(found, what)?.ok_or_else(|| CliError::said(format!("nothing was handed out that opens a {what}")))
}

fn said(error: impl Display) -> CliError {
    CliError::said(error.to_string())
}

fn only(mut found: Vec<Tenant>, what: &str) -> Result<Option<Tenant>, CliError> {
    let last = found.pop();
    if found.is_empty() {
        return Ok(last);
    }
    let names: Vec<&str> = found.iter().chain(&last).map(|tenant| tenant.id().as_str()).collect();
    Err(CliError::said(format!(
        "several tenants have a {what} ({}); what is handed out is of one of them: say which with --tenant",
        names.join(", ")
    )))
}

/// Makes a secret that opens this.
pub async fn create(tenant: &Tenant, opens: Opens) -> Result<Secret, CliError> {
    Ok(grants::create(tenant, opens, Timestamp::now()).await?)
}

async fn rotate(tenant: &Tenant, opens: Opens, overlap: Duration) -> Result<Secret, CliError> {
    match grants::rotate(tenant, opens, overlap, Timestamp::now()).await? {
        Some((secret, until)) => {
            eprintln!("The former stays valid until {}.", jst::display(until));
            Ok(secret)
        }
        None => Err(CliError::said("there is nothing to rotate that is still valid; create one instead")),
    }
}

async fn revoke(tenant: &Tenant, opens: &Opens, id: Option<&str>) -> Result<Exit, CliError> {
    let ended = grants::revoke(tenant, opens, id, Timestamp::now()).await?;
    if let (Some(id), true) = (id, ended.is_empty()) {
        return Err(CliError::said(format!("there is no valid {id} among them; list them to see which there are")));
    }
    for id in &ended {
        output::line(format!("revoked {id}"))?;
    }
    if ended.is_empty() {
        output::line("nothing was valid any more")?;
    }
    Ok(Exit::Done)
}

async fn list(
    stack: &Stack,
    tenant: Option<&str>,
    json: bool,
    wanted: impl Fn(&Opens) -> bool,
) -> Result<Exit, CliError> {
    let now = Timestamp::now();
    let mut rows = Vec::new();
    for (tenant, _) in stack.tenants(tenant).await? {
        for grant in tenant.grants().await?.iter().filter(|grant| wanted(&grant.opens)) {
            let (warehouse, connection) = match &grant.opens {
                Opens::Warehouse(warehouse) => (Some(warehouse), None),
                Opens::Hook(connection) => (None, Some(connection)),
            };
            let state = grants::state(grant, now);
            if json {
                output::json_line(&Line {
                    tenant: &grant.tenant,
                    warehouse,
                    connection,
                    id: &grant.id,
                    state,
                    created_at: grant.created_at,
                    valid_until: grant.valid_until,
                    revoked_at: grant.revoked_at,
                })?;
                continue;
            }
            let name = warehouse.map(ToString::to_string).or(connection.map(ToString::to_string));
            let end = grant.revoked_at.or(grant.valid_until).map(jst::display).unwrap_or_default();
            rows.push(vec![
                grant.tenant.to_string(),
                name.unwrap_or_default(),
                grant.id.clone(),
                state.to_owned(),
                jst::display(grant.created_at),
                end,
            ]);
        }
    }
    if !json {
        output::table(&["tenant", "for", "id", "state", "created", "ends"], &rows)?;
    }
    Ok(Exit::Done)
}

fn show_key(warehouse: &WarehouseId, secret: &Secret, json: bool) -> Result<Exit, CliError> {
    if json {
        output::json_line(&NewKey { warehouse, key: secret.expose() })?;
    } else {
        eprintln!("The key of {warehouse}. It is shown this one time, and kept nowhere: hand it over now.");
        output::line(secret.expose())?;
    }
    Ok(Exit::Done)
}

fn show_hook(stack: &Stack, connection: &ConnectionId, secret: &Secret, json: bool) -> Result<Exit, CliError> {
    let url = format!("{}/hooks/ecforce/{}", stack.warehouse_url()?, secret.expose());
    if json {
        output::json_line(&NewHook { connection, url: &url })?;
    } else {
        eprintln!("The address for webhooks of {connection}. It is shown this one time: enter it at the shop now.");
        output::line(&url)?;
    }
    Ok(Exit::Done)
}
