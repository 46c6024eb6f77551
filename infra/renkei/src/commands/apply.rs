//! `renkei apply`: one document, checked as a whole, shown as changes, applied in an order that can be interrupted.
//!
//! Secrets and products go first, then the settings that need them, then the schedules that start robots by them. Each
//! part is compared with what is there and written only if it differs, so applying again after a crash completes what
//! is missing, and applying twice does nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use renkei_domain::document::{self, Document};
use renkei_domain::ids::ConnectionId;
use renkei_domain::settings::{Connection, SecretSource, TenantSettings};
use renkei_ecforce::ApiAddress;
use renkei_platform::secrets::{Credentials, SecretsError};
use renkei_setup::volume;
use secrecy::{ExposeSecret, SecretString};

use super::products;
use crate::error::{CliError, Exit};
use crate::output::plain;
use crate::stack::Stack;

const NOTHING: &str = "nothing to change (変更はありません)";

/// Where the values of `{ env: NAME }` come from.
pub enum Secrets {
    /// This process's environment.
    Environment,
    /// These, by name.
    Given(BTreeMap<String, SecretString>),
    /// From nowhere: what is stored stays.
    Stored,
}

impl Secrets {
    fn get(&self, name: &str) -> Option<SecretString> {
        match self {
            Self::Environment => std::env::var(name).ok().map(SecretString::from),
            Self::Given(values) => values.get(name).cloned(),
            Self::Stored => None,
        }
        .filter(|value| !value.expose_secret().is_empty())
    }
}

/// How a document is applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Only say what would change.
    pub dry_run: bool,
    /// Connections that go may leave orders in quarantine behind; they stay at the shop as they are.
    pub leave_quarantined: bool,
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
    manner: Manner,
    say: &dyn Fn(String) -> Result<(), CliError>,
) -> Result<Exit, CliError> {
    let Manner { dry_run, leave_quarantined } = manner;
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
    let credentials = match &secrets {
        Secrets::Stored => stored_credentials(stack, settings).await?,
        Secrets::Environment | Secrets::Given(_) => credentials(&document, &secrets)?,
    };
    let tenant = stack.store.tenant(settings.tenant.clone());
    let setup = stack.setup()?;
    let plan = setup.plan(&tenant, settings, credentials).await?;
    refuse_what_fails(&plan.problems(&tenant, &document, leave_quarantined).await?)?;
    for sentence in plan.sentences() {
        say(format!("  {}", plain(sentence)))?;
    }
    for sentence in volume::advice(&tenant, settings, Timestamp::now()).await? {
        eprintln!("warning: {}", plain(&sentence));
    }
    for change in plan.tried() {
        say(format!("  tried on stored orders (保存済みの受注で試行): {}", plain(change)))?;
    }
    if dry_run {
        let nothing = plan.sentences().next().is_none();
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
    if schedules.is_empty() && plan.sentences().next().is_none() {
        say(NOTHING.to_owned())?;
    } else {
        say(format!("applied: tenant {} is at version {version}", settings.tenant))?;
    }
    Ok(Exit::Done)
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

/// The connections' credentials; or, all at once, what is missing.
fn credentials(document: &Document, secrets: &Secrets) -> Result<Vec<(ConnectionId, Credentials)>, CliError> {
    let mut found = Vec::new();
    let mut complete = true;
    for (place, connection) in document.settings.connections.iter().enumerate() {
        let (key, source) = match (&connection.token, &connection.password) {
            (Some(token), _) => ("token", token),
            (None, Some(password)) => ("password", password),
            // The document's check asks for one of them.
            (None, None) => continue,
        };
        match credential(connection, key, source, secrets) {
            Ok(credentials) => found.push((connection.id.clone(), credentials)),
            Err(sentence) => {
                complete = false;
                let line = document.places.line(&format!("connections[{place}].{key}.env"));
                eprintln!("line {line}: {sentence}");
            }
        }
    }
    if complete { Ok(found) } else { Err(CliError::said("secrets are missing; nothing was applied")) }
}

/// The credentials that are stored already. A connection that has none, or none of its kind, cannot come back without its
/// document.
async fn stored_credentials(
    stack: &Stack,
    settings: &TenantSettings,
) -> Result<Vec<(ConnectionId, Credentials)>, CliError> {
    let secrets = stack.secrets()?;
    let in_force = stack.store.tenant(settings.tenant.clone()).settings().await?;
    let mut found = Vec::new();
    for connection in &settings.connections {
        goes_to_the_same(connection, in_force.as_ref().and_then(|it| it.settings.connection(&connection.id)))?;
        match secrets.credentials(&settings.tenant, &connection.id).await {
            Ok((stored, _)) => found.push((connection.id.clone(), still_fits(connection, &stored)?)),
            Err(SecretsError::Missing { .. } | SecretsError::Unreadable { .. }) => {
                return Err(CliError::said(format!(
                    "the connection {} has no stored password or token any more: apply its document, which says where to \
                     take it from; nothing was changed",
                    connection.id
                )));
            }
            Err(error @ SecretsError::Aws { .. }) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// A stored secret is not sent to another address than the one it is for now: that of a former version may have been
/// mistyped, or be somebody else's by now.
fn goes_to_the_same(connection: &Connection, in_force: Option<&Connection>) -> Result<(), CliError> {
    if in_force.is_none_or(|known| known.api_url == connection.api_url) {
        return Ok(());
    }
    Err(CliError::said(format!(
        "the connection {} had another api_url then, and what is stored is for that of now: write the former version to a \
         file with `renkei export --version N`, and apply it with the password or token in the environment; nothing was \
         changed",
        connection.id
    )))
}

/// What a connection of a former version signs in with by what is stored now: with its own e-mail address of then.
fn still_fits(connection: &Connection, stored: &Credentials) -> Result<Credentials, CliError> {
    renkei_setup::kept(connection, stored).ok_or_else(|| {
        let (was, is) = match stored {
            Credentials::Password { .. } => ("token", "password"),
            Credentials::Token(_) => ("password", "token"),
        };
        CliError::said(format!(
            "the connection {} signed in with a {was} then, and a {is} is stored now: write the former version to a file \
             with `renkei export --version N`, and apply it with the {was} in the environment; nothing was changed",
            connection.id
        ))
    })
}

fn credential(
    connection: &Connection,
    key: &str,
    source: &SecretSource,
    secrets: &Secrets,
) -> Result<Credentials, String> {
    let name = &source.env;
    let secret = secrets.get(name).ok_or_else(|| {
        format!("the environment variable {name} is not set: set it to the {key} of {} and apply again", connection.id)
    })?;
    renkei_setup::credential(connection, secret).map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(signs_in_with: &str, email: Option<&str>) -> Connection {
        let mut connection = serde_json::json!({ "id": "shop", "api": "ecforce", "api_url": "https://api.shop.example",
                                                 "ship_from": "dc", "daily_call_limit": 1_000, "email": email });
        connection[signs_in_with] = serde_json::json!({ "env": "SECRET" });
        serde_json::from_value(connection).unwrap()
    }

    #[test]
    fn a_former_connection_goes_on_with_its_own_address_or_not_at_all() {
        let stored = Credentials::Password { email: Some("b@shop.example".to_owned()), password: "p".into() };
        let then = connection("password", Some("a@shop.example"));
        let Ok(Credentials::Password { email, password }) = still_fits(&then, &stored) else {
            panic!("a password is a password")
        };
        assert_eq!((email.as_deref(), password.expose_secret()), (Some("a@shop.example"), "p"));
        let refused = still_fits(&connection("token", None), &stored).unwrap_err().to_string();
        assert!(refused.contains("signed in with a token then, and a password is stored now"), "{refused}");
        let refused = still_fits(&then, &Credentials::Token("t".into())).unwrap_err().to_string();
        assert!(refused.contains("apply it with the password in the environment"), "{refused}");
        assert!(still_fits(&connection("token", None), &Credentials::Token("t".into())).is_ok());
    }

    #[test]
    fn a_stored_secret_goes_nowhere_else() {
        let now = connection("password", None);
        let mut then = now.clone();
        assert!(goes_to_the_same(&then, Some(&now)).is_ok() && goes_to_the_same(&then, None).is_ok());
        then.api_url = "https://api.shop.example.test".to_owned();
        assert!(goes_to_the_same(&then, Some(&now)).unwrap_err().to_string().contains("another api_url"));
    }

    #[test]
    fn an_empty_secret_is_none() {
        let secrets = Secrets::Given(BTreeMap::from([("A".to_owned(), "x".into()), ("B".to_owned(), "".into())]));
        assert!(secrets.get("A").is_some() && secrets.get("B").is_none() && secrets.get("C").is_none());
    }
}
