//! `renkei tenant`: the end of a contract. What is kept of a merchant is written to files, then removed everywhere.
//!
//! A merchant's beginning is `renkei apply` of one document. Its end is in the opposite order: first what starts robots, then
//! what they call shops with, then everything that is stored; each step is safe to repeat.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use jiff::{Timestamp, ToSpan};
use renkei_domain::document;
use renkei_domain::ids::TenantId;
use renkei_domain::run::RunState;
use renkei_domain::shipment::Status;
use renkei_platform::aws::AwsFailure;
use renkei_setup::dead_letters::Wanted;
use renkei_store::Tenant;
use serde::Serialize;
use serde_json::json;

use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

const A_PAGE: i32 = 100;
/// A run that began so long ago and has no end is none that still works.
const LONGEST_RUN: i64 = 30;

/// Writes all that is kept of a tenant: its document, and everything else as lines of JSON.
pub async fn export(stack: &Stack, tenant: &str, to: &Path) -> Result<Exit, CliError> {
    let (tenant, applied) = stack.one_tenant(Some(tenant)).await?;
    std::fs::create_dir_all(to)?;
    if to.read_dir()?.next().is_some() {
        return Err(CliError::said(format!("{} is not empty; name a directory of its own", to.display())));
    }
    let mut settings = applied.settings.clone();
    settings.products = tenant.products().await?;
    std::fs::write(to.join("document.yaml"), document::write(&settings))?;
    let mut versions = Lines::new(to, "versions")?;
    for version in tenant.settings_history().await? {
        versions.add(&json!({ "version": version.version, "at": version.at, "by": version.by,
                              "document": document::write(&version.settings) }))?;
    }
    versions.end()?;
    let (mut shipments, mut orders) = (Lines::new(to, "shipments")?, Lines::new(to, "orders")?);
    let (mut counts, mut offers) = (Lines::new(to, "counts")?, Lines::new(to, "offers")?);
    for connection in &settings.connections {
        for status in Status::ALL {
            let mut from = None;
            loop {
                let page = tenant.shipments_by_status(&connection.id, status, A_PAGE, from).await?;
                let found = tenant.shipments(&page.rows).await?;
                let details = tenant.details(&found).await?;
                for (shipment, detail) in found.iter().zip(&details) {
                    shipments.add(&json!({ "shipment": shipment, "detail": detail }))?;
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        for order in tenant.not_imported(&connection.id).await? {
            orders.add(&json!({ "summary": order.summary, "message": order.message }))?;
        }
        for offer in tenant.told_offers(&connection.id).await? {
            offers.add(&json!({ "connection": connection.id, "sku": offer.sku, "told": offer.told }))?;
        }
    }
    for ship_from in &settings.ship_froms {
        for count in tenant.counts(&ship_from.id).await? {
            counts.add(&json!({ "ship_from": ship_from.id, "count": count }))?;
        }
    }
    for lines in [shipments, orders, counts, offers] {
        lines.end()?;
    }
    let mut runs = Lines::new(to, "runs")?;
    let mut from = None;
    loop {
        let page = tenant.runs(A_PAGE, from).await?;
        for run in &page.rows {
            runs.add(run)?;
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    runs.end()?;
    let (mut members, mut audit) = (Lines::new(to, "members")?, Lines::new(to, "audit")?);
    for member in tenant.members().await? {
        members.add(&json!({ "email": member.email.as_str(), "role": member.role.as_str(), "since": member.since }))?;
    }
    let mut before: Option<String> = None;
    loop {
        let page = tenant.audit_log(A_PAGE, before.as_deref()).await?;
        for (_, entry) in &page.rows {
            audit.add(entry)?;
        }
        before = page.rows.last().map(|(key, _)| key.clone());
        if page.next.is_none() || before.is_none() {
            break;
        }
    }
    members.end()?;
    audit.end()?;
    output::line("secrets are not among it; the files hold customers' data: keep them as such")?;
    Ok(Exit::Done)
}

/// A file of lines of JSON.
struct Lines {
    name: &'static str,
    file: BufWriter<File>,
    count: u64,
}

impl Lines {
    fn new(directory: &Path, name: &'static str) -> Result<Self, CliError> {
        let path = directory.join(format!("{name}.jsonl"));
        let file = File::create(&path)
            .map_err(|error| CliError::said(format!("{} cannot be written: {error}", path.display())))?;
        Ok(Self { name, file: BufWriter::new(file), count: 0 })
    }

    fn add(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        serde_json::to_writer(&mut self.file, value)?;
        self.file.write_all(b"\n")?;
        self.count += 1;
        Ok(())
    }

    fn end(mut self) -> Result<(), CliError> {
        self.file.flush()?;
        output::line(format!("{}.jsonl: {}", self.name, self.count))
    }
}

/// Removes all that is kept of a tenant.
pub async fn erase(stack: &Stack, name: &str, confirm: &str) -> Result<Exit, CliError> {
    if name != confirm {
        return Err(CliError::said(format!(
            "nothing was erased: to erase everything of {name} for good, write --confirm {name}"
        )));
    }
    let id = TenantId::parse(name).map_err(|error| CliError::said(error.to_string()))?;
    let tenant = stack.store.tenant(id.clone());
    let known = stack.store.tenants().await?.contains(&id);
    if !known && tenant.count_everything().await?.values().all(|count| *count == 0) {
        return Err(CliError::said(format!("there is no tenant {name}")));
    }
    let removed = renkei_setup::schedules::remove_all(&stack.setup()?.schedules, &id).await?;
    output::line(format!("schedules: {removed}"))?;
    wait_for_runs(&tenant).await?;
    output::line(format!("secrets: {}", remove_secrets(stack, &id).await?))?;
    output::line(format!("accounts: {}", remove_accounts(stack, &tenant).await?))?;
    for (table, count) in tenant.erase_everything().await? {
        output::line(format!("{table}: {count}"))?;
    }
    // What was under way when the settings went may have ended here meanwhile.
    let theirs = Wanted { tenant: Some(&id), ..Wanted::default() };
    output::line(format!("dead letters: {}", stack.dead_letters()?.remove(theirs).await?))?;
    output::line(format!("nothing is kept of {name}; backups of the tables end after 35 days"))?;
    Ok(Exit::Done)
}

/// Nothing starts a run any more; those under way come to an end within minutes.
async fn wait_for_runs(tenant: &Tenant) -> Result<(), CliError> {
    let began = Timestamp::now();
    let since = began.checked_sub(LONGEST_RUN.minutes()).unwrap_or(began);
    for waited in 0.. {
        let page = tenant.runs(A_PAGE, None).await?;
        let at_work = page.rows.iter().any(|run| run.state == RunState::Running && run.started_at >= since);
        if !at_work {
            return Ok(());
        }
        if waited == 0 {
            eprintln!("renkei: a run is under way; waiting for its end, 5 minutes at most");
        }
        if waited >= 100 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    Err(CliError::said(
        "a run of this tenant is still under way; its schedules are removed, so run this again when `renkei runs` shows its end",
    ))
}

/// Secrets of connections that were there in any version of the document.
async fn remove_secrets(stack: &Stack, tenant: &TenantId) -> Result<usize, CliError> {
    let client = aws_sdk_secretsmanager::Client::new(&stack.aws);
    let prefix = format!("{}{tenant}/", stack.output("SecretPrefix")?);
    let by_name = Filter::builder().key(FilterNameStringType::Name).values(&prefix).build();
    let mut names = Vec::new();
    let mut from = None;
    loop {
        let page = client
            .list_secrets()
            .filters(by_name.clone())
            .include_planned_deletion(true)
            .set_next_token(from)
            .send()
            .await
            .map_err(|error| AwsFailure::new("ListSecrets", &error))?;
        // Secrets Manager's own prefix search ignores case and may take a prefix for words.
        names.extend(
            page.secret_list
                .unwrap_or_default()
                .into_iter()
                .filter_map(|secret| secret.name)
                .filter(|name| name.starts_with(&prefix)),
        );
        from = page.next_token;
        if from.is_none() {
            break;
        }
    }
    for name in &names {
        // At once: a secret that can be got back is one that is kept.
        let deleted = client.delete_secret().secret_id(name).force_delete_without_recovery(true).send().await;
        deleted.map_err(|error| AwsFailure::without_message("DeleteSecret", &error))?;
    }
    Ok(names.len())
}

/// Accounts of people who are members of nobody else, where the stack has them.
async fn remove_accounts(stack: &Stack, tenant: &Tenant) -> Result<usize, CliError> {
    let pool = match stack.output("UserPoolId")? {
        "none" => return Ok(0),
        pool => pool,
    };
    let client = aws_sdk_cognitoidentityprovider::Client::new(&stack.aws);
    let mut removed = 0;
    for member in tenant.members().await? {
        if stack.store.memberships(&member.email).await?.len() > 1 {
            continue;
        }
        match client.admin_delete_user().user_pool_id(pool).username(member.email.as_str()).send().await {
            Ok(_) => removed += 1,
            Err(error) if error.as_service_error().is_some_and(|e| e.code() == Some("UserNotFoundException")) => {}
            Err(error) => return Err(AwsFailure::without_message("AdminDeleteUser", &error).into()),
        }
    }
    Ok(removed)
}
