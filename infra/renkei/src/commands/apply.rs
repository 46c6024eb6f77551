//! `renkei apply`: one document, checked as a whole, shown as changes, applied in an order that can be interrupted.
//!
//! Secrets and products go first, then the settings that need them, then the schedules that start robots by them. Each
//! part is compared with what is there and written only if it differs, so applying again after a crash completes what
//! is missing, and applying twice does nothing.

mod credentials;

use jiff::Timestamp;
use renkei_domain::document;
use renkei_domain::ids::TenantId;
use renkei_ecforce::ApiAddress;
use renkei_setup::{Consents, SetupError, volume};

pub use self::credentials::Secrets;
use self::credentials::Shelf;
use super::products;
use crate::error::{CliError, Exit};
use crate::output::plain;
use crate::stack::Stack;

const NOTHING: &str = "nothing to change (変更はありません)";

/// How a document is applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner<'a> {
    /// Whose document it has to be; anybody's if nobody says.
    pub tenant: Option<&'a str>,
    /// Only say what would change.
    pub dry_run: bool,
    /// What whoever applies takes upon themselves.
    pub consents: Consents,
}

/// Applies a document. What changes is said line by line, as it is done.
pub async fn apply(
    stack: &Stack,
    text: &str,
    secrets: Secrets,
    dry_run: bool,
    say: &dyn Fn(String) -> Result<(), CliError>,
) -> Result<Exit, CliError> {
    apply_so(stack, text, secrets, Manner { dry_run, ..Manner::default() }, say).await
}

/// The same, with all that can be said of how.
pub async fn apply_so(
    stack: &Stack,
    text: &str,
    secrets: Secrets,
    manner: Manner<'_>,
    say: &dyn Fn(String) -> Result<(), CliError>,
) -> Result<Exit, CliError> {
    let Manner { tenant: wanted, dry_run, consents } = manner;
    let policy = stack.address_policy()?;
    let check_url = |url: &str| match ApiAddress::parse(url, &policy) {
        Ok(address) => Ok(address.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let document = document::read(text, &check_url).map_err(|problems| {
        for problem in &problems {
            eprintln!("{}", plain(&problem.to_string()));
        }
        CliError::said(match problems.len() {
            1 => "1 problem to put right; nothing was applied".to_owned(),
            count => format!("{count} problems to put right; nothing was applied"),
        })
    })?;
    for warning in &document.warnings {
        eprintln!("warning: {}", plain(&warning.to_string()));
    }
    let settings = &document.settings;
    refuse_anothers(wanted, &settings.tenant)?;
    let tenant = stack.store.tenant(settings.tenant.clone());
    let setup = stack.setup()?;
    let in_force = tenant.settings().await?;
    let shelf = Shelf { setup: &setup, tenant: &tenant, in_force: in_force.as_ref().map(|applied| &applied.settings) };
    let credentials = match &secrets {
        Secrets::Stored => credentials::of_former(&shelf, settings).await?,
        Secrets::Environment | Secrets::Given(_) => credentials::of_document(&shelf, &document, &secrets, say).await?,
    };
    let plan = setup.plan(&tenant, settings, credentials).await?;
    if plan.version() != in_force.as_ref().map_or(0, |applied| applied.version) {
        // For which addresses something is stored was judged by settings that are not in force any more.
        let who = format!("version {}", plan.version());
        return Err(SetupError::Conflict { tenant: settings.tenant.to_string(), who }.into());
    }
    refuse_what_fails(&plan.problems(&tenant, &document, consents).await?)?;
    for sentence in plan.sentences() {
        say(format!("  {}", plain(&sentence)))?;
    }
    for sentence in volume::advice(&tenant, settings, Timestamp::now()).await? {
        eprintln!("warning: {}", plain(&sentence));
    }
    for change in plan.tried() {
        say(format!("  tried on stored orders (保存済みの受注で試行): {}", plain(&change.to_string())))?;
    }
    if dry_run {
        let nothing = plan.count() == 0;
        say(if nothing { NOTHING } else { "dry run: nothing was applied" }.to_owned())?;
        return Ok(Exit::Done);
    }
    let by = std::env::var("USER").unwrap_or_else(|_| "renkei apply".to_owned());
    let version = setup.put_in_force(&tenant, settings, &plan, Timestamp::now(), &by).await?;
    // After the settings, by which the orders are imported. What follows goes by those that are in force by then: somebody
    // else may save while it is under way.
    if let Some(sentence) = products::released(setup.release(&tenant).await?) {
        say(format!("  {sentence}"))?;
    }
    for sentence in setup.drop_secrets(&tenant, &plan).await? {
        say(format!("  {sentence}"))?;
    }
    let schedules = setup.reconcile(&tenant).await?;
    for sentence in &schedules {
        say(format!("  {}", plain(sentence)))?;
    }
    if schedules.is_empty() && plan.count() == 0 {
        say(NOTHING.to_owned())?;
    } else {
        say(format!("applied: tenant {} is at version {version}", settings.tenant))?;
    }
    Ok(Exit::Done)
}

/// Refuses a document of another merchant than the operator named: it says itself whose it is, and may say so wrongly.
fn refuse_anothers(wanted: Option<&str>, tenant: &TenantId) -> Result<(), CliError> {
    match wanted {
        Some(wanted) if wanted != tenant.as_str() => Err(CliError::said(format!(
            "this is a document of the tenant {tenant}, not of {wanted}; nothing was applied"
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Says what forbids applying.
fn refuse_what_fails(problems: &[String]) -> Result<(), CliError> {
    for problem in problems {
        eprintln!("{}", plain(problem));
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err(CliError::said("1 problem to put right; nothing was applied")),
        count => Err(CliError::said(format!("{count} problems to put right; nothing was applied"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_another_merchant_is_refused_where_one_is_named() {
        let hanako = TenantId::parse("hanako").unwrap();
        assert!(refuse_anothers(None, &hanako).is_ok() && refuse_anothers(Some("hanako"), &hanako).is_ok());
        for other in ["hana", "Hanako", ""] {
            let refused = refuse_anothers(Some(other), &hanako).unwrap_err().to_string();
            assert!(refused.contains("of the tenant hanako") && refused.contains("nothing was applied"), "{refused}");
        }
    }
}
