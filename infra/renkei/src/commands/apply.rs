//! `renkei apply`: one document, checked as a whole, shown as changes, applied in an order that can be interrupted.
//!
//! Secrets and products go first, then the settings that need them, then the schedules that start robots by them. Each
//! part is compared with what is there and written only if it differs, so applying again after a crash completes what
//! is missing, and applying twice does nothing.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use renkei_domain::document::{self, Document, difference};
use renkei_domain::ids::{ConnectionId, Sku};
use renkei_domain::plan::Volume;
use renkei_domain::run::Outcome;
use renkei_domain::settings::{Connection, Product, SecretSource, TenantSettings};
use renkei_domain::shipment::ShopWork;
use renkei_ecforce::{ApiAddress, Token};
use renkei_platform::secrets::{Credentials, SecretsError};
use renkei_store::settings::AppliedSettings;
use renkei_store::{StoreError, Tenant};
use secrecy::{ExposeSecret, SecretString};

use super::trial::{self, Trial};
use super::{products, schedules};
use crate::error::{CliError, Exit};
use crate::output::plain;
use crate::stack::Stack;

/// As often as this, what robots spend is told even where it fits.
const FREQUENT_MINUTES: u32 = 5;

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

/// All that applying would do, but for schedules: those are compared when everything else is in place.
struct Plan {
    current: Option<AppliedSettings>,
    settings: Vec<String>,
    products: Vec<Product>,
    secrets: Vec<(ConnectionId, Credentials, String)>,
    /// Connections whose secrets are to go, because the document does not hold them any more.
    dropped: Vec<ConnectionId>,
    /// What conversion robots make otherwise of the latest orders.
    trial: Trial,
}

impl Plan {
    fn sentences(&self) -> impl Iterator<Item = &str> {
        let secrets = self.secrets.iter().map(|(_, _, sentence)| sentence);
        self.settings.iter().chain(secrets).map(String::as_str)
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
    let plan = plan(stack, &tenant, settings, credentials).await?;
    refuse_what_fails(&tenant, &plan, &document, leave_quarantined).await?;
    for sentence in plan.sentences() {
        say(format!("  {}", plain(sentence)))?;
    }
    warn_of_limits(&tenant, settings).await?;
    for change in &plan.trial.changes {
        say(format!("  tried on stored orders (保存済みの受注で試行): {}", plain(change)))?;
    }
    if dry_run {
        let nothing = plan.sentences().next().is_none();
        say(if nothing { NOTHING } else { "dry run: nothing was applied" }.to_owned())?;
        return Ok(Exit::Done);
    }
    let version = carry_out(stack, &tenant, settings, &plan).await?;
    // After the settings, by which the orders are imported; and whatever changed, for an earlier attempt may have ended
    // before this.
    if let Some(sentence) = products::released(products::release(stack, &tenant, settings).await?) {
        say(format!("  {sentence}"))?;
    }
    for connection in &plan.dropped {
        if stack.secrets()?.delete(tenant.id(), connection).await? {
            say(format!("  secret of {connection} is removed with its connection"))?;
        }
    }
    let schedules = schedules::reconcile(stack, settings).await?;
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

/// The credentials that are stored already. A connection that has none cannot come back without its document.
async fn stored_credentials(
    stack: &Stack,
    settings: &TenantSettings,
) -> Result<Vec<(ConnectionId, Credentials)>, CliError> {
    let secrets = stack.secrets()?;
    let mut found = Vec::new();
    for connection in &settings.connections {
        match secrets.credentials(&settings.tenant, &connection.id).await {
            Ok((credentials, _)) => found.push((connection.id.clone(), credentials)),
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
    if key == "token" {
        Token::parse(&secret).map_err(|error| format!("{name}: {error}"))?;
        return Ok(Credentials::Token(secret));
    }
    Ok(Credentials::Password { email: connection.email.clone(), password: secret })
}

async fn plan(
    stack: &Stack,
    tenant: &Tenant,
    settings: &TenantSettings,
    credentials: Vec<(ConnectionId, Credentials)>,
) -> Result<Plan, CliError> {
    let current = tenant.settings().await?;
    let stored = tenant.products().await?;
    // Products come from elsewhere too: what the document does not name stays, and is no change.
    let mut before = current.as_ref().map(|applied| applied.settings.clone());
    let named: HashMap<&Sku, &Product> = stored.iter().map(|product| (&product.sku, product)).collect();
    let known = |product: &Product| named.get(&product.sku).copied();
    if let Some(before) = &mut before {
        before.products = settings.products.iter().filter_map(known).cloned().collect();
    }
    let changes = difference(before.as_ref(), settings);
    let products = settings.products.iter().filter(|product| known(product) != Some(product)).cloned().collect();
    let secrets = stack.secrets()?;
    let mut new_secrets = Vec::new();
    for (connection, credentials) in credentials {
        let what = match secrets.credentials(tenant.id(), &connection).await {
            Ok((stored, _)) if same(&stored, &credentials) => continue,
            Ok(_) | Err(SecretsError::Unreadable { .. }) => "is replaced by the new one",
            Err(SecretsError::Missing { .. }) => "is stored",
            Err(error @ SecretsError::Aws { .. }) => return Err(error.into()),
        };
        let sentence = format!("secret of {connection} {what}");
        new_secrets.push((connection, credentials, sentence));
    }
    let dropped = dropped(tenant, current.as_ref(), settings).await?;
    let trial = trial::on_latest_orders(tenant, current.as_ref().map(|applied| &applied.settings), settings).await?;
    let settings = changes.iter().map(ToString::to_string).collect();
    Ok(Plan { current, settings, products, secrets: new_secrets, dropped, trial })
}

/// Connections of the settings in force, and of those before, that the document does not hold. Those before as well:
/// applying may have ended before their secrets were gone.
async fn dropped(
    tenant: &Tenant,
    current: Option<&AppliedSettings>,
    settings: &TenantSettings,
) -> Result<Vec<ConnectionId>, CliError> {
    let Some(current) = current else { return Ok(Vec::new()) };
    let before = match current.version {
        0 | 1 => None,
        version => tenant.settings_version(version - 1).await?,
    };
    let mut dropped = Vec::new();
    for applied in std::iter::once(current).chain(before.as_ref()) {
        for connection in &applied.settings.connections {
            if settings.connection(&connection.id).is_none() && !dropped.contains(&connection.id) {
                dropped.push(connection.id.clone());
            }
        }
    }
    Ok(dropped)
}

/// Says what forbids applying, all at once: connections that go while parcels of theirs are still to leave, and
/// conversion robots that fail on orders which the shop really sent.
async fn refuse_what_fails(
    tenant: &Tenant,
    plan: &Plan,
    document: &Document,
    leave_quarantined: bool,
) -> Result<(), CliError> {
    /// Open shipments that are counted of each status.
    const COUNTED: i32 = 100;
    let mut problems = Vec::new();
    for connection in &plan.dropped {
        // One that went with an earlier version has only its secret left.
        if plan.current.as_ref().is_some_and(|applied| applied.settings.connection(connection).is_some()) {
            refuse_unfinished(tenant, connection, document, leave_quarantined, &mut problems).await?;
        }
        let open = tenant.open_shipments(connection, COUNTED).await?;
        if open.is_empty() {
            continue;
        }
        let counts: Vec<String> = open
            .iter()
            .map(|(status, count)| {
                let more = if *count >= COUNTED as usize { " or more" } else { "" };
                format!("{count}{more} {} ({})", status.as_str(), status.label())
            })
            .collect();
        problems.push(format!(
            "line {}: connections: {connection} is not in the document any more, but has open shipments: {}. Ship or cancel \
             them first, and take its easy set-up out so that no new orders come",
            document.places.line("connections"),
            counts.join(", ")
        ));
    }
    for (place, field, reason) in &plan.trial.problems {
        let path = format!("conversion_robots[{place}].fields.{field}");
        problems.push(format!("line {}: {path}: {reason}", document.places.line(&path)));
    }
    for problem in &problems {
        eprintln!("{}", plain(problem));
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err(CliError::said("1 problem to put right; nothing was applied")),
        count => Err(CliError::said(format!("{count} problems to put right; nothing was applied"))),
    }
}

/// Orders that wait in quarantine, and shipments of which the shop is still to be told, would have nowhere to go.
async fn refuse_unfinished(
    tenant: &Tenant,
    connection: &ConnectionId,
    document: &Document,
    leave_quarantined: bool,
    problems: &mut Vec<String>,
) -> Result<(), CliError> {
    /// Shipments that are counted of each kind of what is to be told.
    const COUNTED: i32 = 1_000;
    let kept = tenant.not_imported(connection).await?;
    let waiting = kept.iter().filter(|order| order.summary.outcome == Outcome::Quarantined).count();
    let mut counts = Vec::new();
    if waiting > 0 && !leave_quarantined {
        counts.push(format!("{waiting} orders in quarantine (取込保留)"));
    }
    for (work, what) in [
        (ShopWork::TellWorking, "orders that the shop has not been told of (取込通知待ち)"),
        (ShopWork::WriteBack, "tracking numbers to write back (実績戻し待ち)"),
        (ShopWork::TellShipped, "orders to tell as shipped (出荷済み通知待ち)"),
    ] {
        let page = tenant.shop_work(connection, work, COUNTED, None).await?;
        let more = if page.next.is_some() { " or more" } else { "" };
        if !page.rows.is_empty() {
            counts.push(format!("{}{more} {what}", page.rows.len()));
        }
    }
    if !counts.is_empty() {
        problems.push(format!(
            "line {}: connections: {connection} is not in the document any more, but has {}. Take its easy set-up out of \
             the document, let its other robots run until nothing is left (`renkei run`), and see to what is in \
             quarantine (`renkei orders --outcome quarantined`; `--leave-quarantined` leaves it at the shop)",
            document.places.line("connections"),
            counts.join(", ")
        ));
    }
    Ok(())
}

fn same(one: &Credentials, other: &Credentials) -> bool {
    let equal = |one: &SecretString, other: &SecretString| one.expose_secret() == other.expose_secret();
    match (one, other) {
        (Credentials::Token(one), Credentials::Token(other)) => equal(one, other),
        (
            Credentials::Password { email: one_email, password: one },
            Credentials::Password { email: other_email, password: other },
        ) => one_email == other_email && equal(one, other),
        (Credentials::Token(_), Credentials::Password { .. })
        | (Credentials::Password { .. }, Credentials::Token(_)) => false,
    }
}

/// Says before it is saved where robots will spend more calls than a shop bears, with the numbers.
async fn warn_of_limits(tenant: &Tenant, settings: &TenantSettings) -> Result<(), CliError> {
    let skus = super::plan::offered(&settings.products);
    let measured = super::plan::measured(tenant).await?;
    let webhooks = super::plan::webhooks(tenant).await?;
    for connection in &settings.connections {
        let orders = measured.get(&connection.id).copied().unwrap_or(0);
        let webhooks = webhooks.contains(&connection.id);
        for plan in super::plan::plans(settings, &connection.id, Volume { orders, skus }, webhooks) {
            let spent = format!("{} calls a day of {} ({} %)", plan.calls, plan.limit, plan.share());
            let advice = plan.advice().or_else(|| (plan.every_minutes <= FREQUENT_MINUTES).then_some(spent));
            if let Some(advice) = advice {
                let robots: Vec<String> =
                    plan.robots.iter().map(|robot| format!("{} {}", robot.robot, robot.calls)).collect();
                eprintln!("warning: {}: at {orders} orders a day, {advice} ({})", connection.id, robots.join(", "));
            }
        }
    }
    Ok(())
}

/// Does what is planned, and gives the version of the settings in force.
async fn carry_out(stack: &Stack, tenant: &Tenant, settings: &TenantSettings, plan: &Plan) -> Result<u64, CliError> {
    let secrets = stack.secrets()?;
    for (connection, credentials, _) in &plan.secrets {
        secrets.put_credentials(tenant.id(), connection, credentials).await?;
    }
    tenant.put_products(&plan.products).await?;
    let after = plan.current.as_ref().map_or(0, |applied| applied.version);
    if plan.settings.is_empty() {
        return Ok(after);
    }
    let by = std::env::var("USER").unwrap_or_else(|_| "renkei apply".to_owned());
    match tenant.apply_settings(settings, after, Timestamp::now(), &by).await {
        Ok(applied) => Ok(applied.version),
        Err(StoreError::Conflict { .. }) => Err(changed_meanwhile(tenant).await?),
        Err(error) => Err(error.into()),
    }
}

/// What was shown, and agreed to, is not what would be changed any more.
async fn changed_meanwhile(tenant: &Tenant) -> Result<CliError, CliError> {
    let who = match tenant.settings().await? {
        Some(applied) => format!("version {} by {}", applied.version, plain(&applied.by)),
        None => "another version".to_owned(),
    };
    Ok(CliError::said(format!(
        "somebody else changed the settings of {} meanwhile ({who}): yours were not applied. Apply again to see what they \
         would change now",
        tenant.id()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_is_none() {
        let secrets = Secrets::Given(BTreeMap::from([("A".to_owned(), "x".into()), ("B".to_owned(), "".into())]));
        assert!(secrets.get("A").is_some() && secrets.get("B").is_none() && secrets.get("C").is_none());
    }

    #[test]
    fn another_email_is_another_credential() {
        let password = |email: Option<&str>, password: &str| Credentials::Password {
            email: email.map(str::to_owned),
            password: password.into(),
        };
        assert!(same(&password(None, "p"), &password(None, "p")));
        assert!(!same(&password(None, "p"), &password(Some("a@shop.example"), "p")));
        assert!(!same(&password(None, "p"), &password(None, "q")));
        assert!(!same(&password(None, "p"), &Credentials::Token("p".into())));
    }
}
