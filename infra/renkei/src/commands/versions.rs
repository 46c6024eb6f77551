//! `renkei export`, `history`, `rollback`: the document as it is in force, as it was, and back to it.

use jiff::Timestamp;
use renkei_domain::document::{self, difference};
use renkei_domain::jst;
use renkei_domain::settings::TenantSettings;
use renkei_store::Tenant;
use renkei_store::settings::AppliedSettings;
use serde::Serialize;

use super::apply::{Secrets, apply};
use crate::error::{CliError, Exit};
use crate::output::{self, plain};
use crate::stack::Stack;

/// Prints the document of a tenant: as it is in force, or as a former version was.
pub async fn export(stack: &Stack, tenant: Option<&str>, version: Option<u64>) -> Result<Exit, CliError> {
    let (tenant, applied) = stack.one_tenant(tenant).await?;
    let mut settings = match version {
        Some(version) => version_of(&tenant, version).await?.settings,
        None => applied.settings,
    };
    settings.products = tenant.products().await?;
    output::text(&document::write(&settings))?;
    Ok(Exit::Done)
}

/// By the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct VersionLine<'a> {
    tenant: &'a str,
    version: u64,
    at: Timestamp,
    by: &'a str,
    changes: Vec<String>,
}

/// Lists the versions of a tenant's document, latest first, with what each changed.
pub async fn history(stack: &Stack, tenant: Option<&str>, json: bool) -> Result<Exit, CliError> {
    let (tenant, _) = stack.one_tenant(tenant).await?;
    let versions = tenant.settings_history().await?;
    let before = std::iter::once(None).chain(versions.iter().map(|applied| Some(&applied.settings)));
    let lines: Vec<VersionLine<'_>> = versions
        .iter()
        .zip(before)
        .map(|(applied, before)| VersionLine {
            tenant: tenant.id().as_str(),
            version: applied.version,
            at: applied.at,
            by: &applied.by,
            changes: changes(before, &applied.settings),
        })
        .collect();
    for line in lines.iter().rev() {
        if json {
            output::json_line(line)?;
            continue;
        }
        output::line(format!("version {}, {}, by {}", line.version, jst::display(line.at), plain(line.by)))?;
        for change in &line.changes {
            output::line(format!("  {}", plain(change)))?;
        }
    }
    Ok(Exit::Done)
}

/// Brings a former version back into force, as a new one. Secrets stay as they are stored; products stay.
pub async fn rollback(stack: &Stack, tenant: Option<&str>, to: u64, dry_run: bool) -> Result<Exit, CliError> {
    let (tenant, _) = stack.one_tenant(tenant).await?;
    let former = version_of(&tenant, to).await?;
    apply(stack, &document::write(&former.settings), Secrets::Stored, dry_run, &output::line).await
}

fn changes(before: Option<&TenantSettings>, after: &TenantSettings) -> Vec<String> {
    difference(before, after).iter().map(ToString::to_string).collect()
}

async fn version_of(tenant: &Tenant, version: u64) -> Result<AppliedSettings, CliError> {
    let versions = tenant.settings_history().await?;
    let (first, last) = (versions.first().map_or(0, |v| v.version), versions.last().map_or(0, |v| v.version));
    versions.into_iter().find(|applied| applied.version == version).ok_or_else(|| {
        CliError::said(format!(
            "tenant {} has no version {version}: there are {first} to {last}; see `renkei history`",
            tenant.id()
        ))
    })
}
