//! What applying a document does, part by part; the module above says in which order.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use renkei_domain::document::{Change, Document, difference};
use renkei_domain::ids::{ConnectionId, Sku};
use renkei_domain::run::Outcome;
use renkei_domain::settings::{Connection, Product, TenantSettings};
use renkei_domain::shipment::ShopWork;
use renkei_ecforce::Token;
use renkei_platform::aws::AwsFailure;
use renkei_platform::secrets::{Credentials, SecretsError};
use renkei_products::Released;
use renkei_store::access::Opens;
use renkei_store::settings::AppliedSettings;
use renkei_store::{StoreError, Tenant};
use secrecy::{ExposeSecret, SecretString};

use crate::trial::{self, Trial, TriedChange};
use crate::{Setup, SetupError, grants, leaving, schedules};

/// All that applying would do, but for schedules: those are compared when everything else is in place.
pub struct Plan {
    current: Option<AppliedSettings>,
    settings: Vec<Change>,
    products: Vec<Product>,
    secrets: Vec<(SecretChange, Credentials)>,
    /// What connections that the settings in force do not have, or have at another address, sign in with; changed or not.
    arriving: Vec<(ConnectionId, Credentials)>,
    /// Connections whose secrets are to go, because the document does not hold them any more.
    dropped: Vec<ConnectionId>,
    /// What conversion robots make otherwise of the latest orders.
    trial: Trial,
}

/// What becomes of what a connection signs in with. Never the thing itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretChange {
    /// The connection.
    pub connection: ConnectionId,
    /// Nothing is stored of it yet.
    pub is_new: bool,
}

impl fmt::Display for SecretChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_new { "is stored" } else { "is replaced by the new one" };
        write!(f, "secret of {} {what}", self.connection)
    }
}

impl Plan {
    /// What would change in the settings and products, in the order of the document.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.settings
    }

    /// What connections would sign in with otherwise.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretChange> {
        self.secrets.iter().map(|(change, _)| change)
    }

    /// All of that, a sentence each.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        self.changes().iter().map(ToString::to_string).chain(self.secrets().map(ToString::to_string))
    }

    /// How many changes that is.
    #[must_use]
    pub fn count(&self) -> usize {
        self.settings.len() + self.secrets.len()
    }

    /// What conversion robots make otherwise of the latest orders. Customers' data.
    #[must_use]
    pub fn tried(&self) -> &[TriedChange] {
        &self.trial.changes
    }

    /// The version of the settings that this was compared with; 0 if there are none yet.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.current.as_ref().map_or(0, |applied| applied.version)
    }

    /// What forbids applying, all at once: connections and ship-froms that go while parcels of theirs are still to leave,
    /// connections that lead to another shop than their shipments came from, and conversion robots that fail on orders which
    /// the shop really sent.
    pub async fn problems(
        &self,
        tenant: &Tenant,
        document: &Document,
        consents: Consents,
    ) -> Result<Vec<String>, StoreError> {
        /// Open shipments that are counted of each status.
        const COUNTED: i32 = 100;
        let mut problems = Vec::new();
        for connection in &self.dropped {
            // One that went with an earlier version has only its secret left.
            if self.current.as_ref().is_some_and(|applied| applied.settings.connection(connection).is_some()) {
                problems.extend(unfinished(tenant, connection, document, consents.leave_quarantined).await?);
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
        if let Some(current) = &self.current {
            problems.extend(leaving::left_behind(tenant, &current.settings, document).await?);
            if !consents.same_shop {
                problems.extend(leaving::led_elsewhere(tenant, &current.settings, document).await?);
            }
        }
        for (place, field, reason) in &self.trial.problems {
            let path = format!("conversion_robots[{place}].fields.{field}");
            problems.push(format!("line {}: {path}: {reason}", document.places.line(&path)));
        }
        Ok(problems)
    }
}

/// What whoever applies takes upon themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Consents {
    /// A connection that goes may leave orders in quarantine behind: they stay at the shop as they are.
    pub leave_quarantined: bool,
    /// A connection's new address is still the same shop's.
    pub same_shop: bool,
}

/// What a connection signs in with, of the password or token that was given for it; or what is wrong with that.
pub fn credential(connection: &Connection, secret: SecretString) -> Result<Credentials, String> {
    if connection.token.is_some() {
        Token::parse(&secret).map_err(|error| error.to_string())?;
        return Ok(Credentials::Token(secret));
    }
    Ok(Credentials::Password { email: connection.email.clone(), password: secret })
}

/// What a connection goes on with where no new secret was given: what is stored, with the e-mail address that the
/// connection has now. None if it was of the other kind.
#[must_use]
pub fn kept(connection: &Connection, stored: &Credentials) -> Option<Credentials> {
    match (stored, connection.token.is_some()) {
        (Credentials::Token(token), true) => Some(Credentials::Token(token.clone())),
        (Credentials::Password { password, .. }, false) => {
            Some(Credentials::Password { email: connection.email.clone(), password: password.clone() })
        }
        (Credentials::Token(_), false) | (Credentials::Password { .. }, true) => None,
    }
}

/// What is stored of a connection, for settings that come without its password or token.
#[derive(Debug)]
pub enum Stored {
    /// It goes on with this.
    Fits(Credentials),
    /// Nothing that can be read; or the settings in force do not have the connection, so that nobody knows for which
    /// address it was given.
    Nothing,
    /// It was given for another address, and is sent to no other: whoever may change an address must not be able to
    /// read a password by it.
    OtherAddress,
    /// A password where a token is wanted, or the other way round.
    OtherKind,
}

impl Setup {
    /// What a connection goes on with where nobody gave its password or token, by the settings in force.
    pub async fn stored(
        &self,
        tenant: &Tenant,
        in_force: Option<&TenantSettings>,
        connection: &Connection,
    ) -> Result<Stored, SetupError> {
        let Some(known) = in_force.and_then(|settings| settings.connection(&connection.id)) else {
            return Ok(Stored::Nothing);
        };
        if known.api_url != connection.api_url {
            return Ok(Stored::OtherAddress);
        }
        match self.secrets.credentials(tenant.id(), &connection.id, &connection.api_url).await {
            Ok((stored, _)) => Ok(kept(connection, &stored).map_or(Stored::OtherKind, Stored::Fits)),
            Err(SecretsError::Missing { .. } | SecretsError::Unreadable { .. }) => Ok(Stored::Nothing),
            Err(SecretsError::OtherAddress { .. }) => Ok(Stored::OtherAddress),
            Err(error @ SecretsError::Aws { .. }) => Err(error.into()),
        }
    }

    /// Compares settings with what is there. Changes nothing.
    pub async fn plan(
        &self,
        tenant: &Tenant,
        settings: &TenantSettings,
        credentials: Vec<(ConnectionId, Credentials)>,
    ) -> Result<Plan, SetupError> {
        let current = tenant.settings().await?;
        // There may be very many; they are looked at only where some are named.
        let stored = if settings.products.is_empty() { Vec::new() } else { tenant.products().await? };
        // Products come from elsewhere too: what the document does not name stays, and is no change.
        let mut before = current.as_ref().map(|applied| applied.settings.clone());
        let named: HashMap<&Sku, &Product> = stored.iter().map(|product| (&product.sku, product)).collect();
        let known = |product: &Product| named.get(&product.sku).copied();
        if let Some(before) = &mut before {
            before.products = settings.products.iter().filter_map(known).cloned().collect();
        }
        let changes = difference(before.as_ref(), settings);
        let products = settings.products.iter().filter(|product| known(product) != Some(product)).cloned().collect();
        let (mut arriving, mut new_secrets) = (Vec::new(), Vec::new());
        for (id, credentials) in credentials {
            let Some(connection) = settings.connection(&id) else { continue };
            let known = current.as_ref().and_then(|applied| applied.settings.connection(&id));
            let stays = known.is_some_and(|known| known.api_url == connection.api_url);
            if !stays {
                arriving.push((id.clone(), credentials.clone()));
            }
            let is_new = match self.secrets.credentials(tenant.id(), &id, &connection.api_url).await {
                // Of one that moves, or is new, the address has to be noted, too: an earlier release noted none.
                Ok((stored, _)) if stays && same(&stored, &credentials) => continue,
                Ok(_) | Err(SecretsError::Unreadable { .. } | SecretsError::OtherAddress { .. }) => false,
                Err(SecretsError::Missing { .. }) => true,
                Err(error @ SecretsError::Aws { .. }) => return Err(error.into()),
            };
            new_secrets.push((SecretChange { connection: id, is_new }, credentials));
        }
        let dropped = dropped(tenant, current.as_ref(), settings).await?;
        let trial =
            trial::on_latest_orders(tenant, current.as_ref().map(|applied| &applied.settings), settings).await?;
        Ok(Plan { current, settings: changes, products, secrets: new_secrets, arriving, dropped, trial })
    }

    /// Does what is planned, and gives the version of the settings in force.
    pub async fn put_in_force(
        &self,
        tenant: &Tenant,
        settings: &TenantSettings,
        plan: &Plan,
        now: Timestamp,
        by: &str,
    ) -> Result<u64, SetupError> {
        // A secret is not part of the settings' version: who has lost already must not leave theirs behind.
        let in_force = tenant.settings().await?.map_or(0, |applied| applied.version);
        if in_force != plan.version() {
            return Err(changed_meanwhile(tenant).await?);
        }
        // Before the settings: what an earlier release stored, without an address, would go to the one that they bring.
        for (change, credentials) in &plan.secrets {
            self.put_secret(tenant, settings, &change.connection, credentials).await?;
        }
        tenant.put_products(&plan.products).await?;
        let after = plan.version();
        if plan.settings.is_empty() {
            return Ok(after);
        }
        let applied = match tenant.apply_settings(settings, after, now, by).await {
            Ok(applied) => applied,
            Err(StoreError::Conflict { .. }) => return Err(changed_meanwhile(tenant).await?),
            Err(error) => return Err(error.into()),
        };
        // Whoever let such a shop go before may have removed its secret since this was planned, and whoever saved it at its
        // former address may have put theirs, to be refused after that. From now on they look.
        for (connection, credentials) in &plan.arriving {
            self.put_secret(tenant, settings, connection, credentials).await?;
        }
        Ok(applied.version)
    }

    /// Keeps what a connection signs in with, for the address that these settings have it at and for no other.
    async fn put_secret(
        &self,
        tenant: &Tenant,
        settings: &TenantSettings,
        connection: &ConnectionId,
        credentials: &Credentials,
    ) -> Result<(), SetupError> {
        if let Some(connection) = settings.connection(connection) {
            let api_url = &connection.api_url;
            self.secrets.put_credentials(tenant.id(), &connection.id, api_url, credentials).await?;
        }
        Ok(())
    }

    /// Lets the orders go whose products exist by now; whatever changed, for an earlier attempt may have ended before
    /// this.
    pub async fn release(&self, tenant: &Tenant) -> Result<Released, SetupError> {
        let Some(applied) = tenant.settings().await? else { return Ok(Released::default()) };
        let connections: Vec<&ConnectionId> =
            applied.settings.connections.iter().map(|connection| &connection.id).collect();
        Ok(renkei_products::release(tenant, connections, &self.import_orders).await?)
    }

    /// Takes the secrets away of connections that went. Says of which. Not of one that somebody else has taken in again
    /// since: the secret is theirs by now. Whoever does so after the last look puts it there again by themselves.
    pub async fn drop_secrets(&self, tenant: &Tenant, plan: &Plan) -> Result<Vec<String>, SetupError> {
        let mut done = Vec::new();
        for connection in &plan.dropped {
            if is_in_force(tenant, connection).await? {
                continue;
            }
            if self.secrets.delete(tenant.id(), connection).await? {
                if is_in_force(tenant, connection).await? {
                    self.secrets.get_back(tenant.id(), connection).await?;
                    continue;
                }
                done.push(format!("secret of {connection} is removed with its connection"));
            }
            // A shop that goes on calling is refused, rather than noted for a robot that is not there.
            let hooks = grants::revoke(tenant, &Opens::Hook(connection.clone()), None, Timestamp::now()).await?;
            if !hooks.is_empty() {
                done.push(format!("webhook of {connection} is revoked with its connection"));
            }
        }
        Ok(done)
    }

    /// Makes the schedules what the settings in force say; what was otherwise is mended, whoever changed it. Says what it
    /// did. Somebody else may save while this is under way, and be done sooner: then it is done again, by theirs. So it is
    /// where a schedule was made or removed by somebody else in the moment between looking and doing.
    pub async fn reconcile(&self, tenant: &Tenant) -> Result<Vec<String>, SetupError> {
        /// Times in a row that another may be quicker.
        const TRIES: usize = 5;
        let (mut done, mut version, mut tries) = (Vec::new(), None, 0);
        while let Some(applied) = tenant.settings().await?.filter(|applied| version != Some(applied.version)) {
            match schedules::reconcile(&self.schedules, &applied.settings, &mut done).await {
                Ok(()) => version = Some(applied.version),
                Err(SetupError::Aws(failure)) if tries < TRIES && is_of_two(&failure) => tries += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

/// Does the scheduler say with this that somebody else was quicker?
fn is_of_two(failure: &AwsFailure) -> bool {
    failure.is("ConflictException") || failure.is("ResourceNotFoundException")
}

async fn is_in_force(tenant: &Tenant, connection: &ConnectionId) -> Result<bool, StoreError> {
    Ok(tenant.settings().await?.is_some_and(|applied| applied.settings.connection(connection).is_some()))
}

/// Connections of the settings in force, and of those before, that the document does not hold. Those before as well:
/// applying may have ended before their secrets were gone.
async fn dropped(
    tenant: &Tenant,
    current: Option<&AppliedSettings>,
    settings: &TenantSettings,
) -> Result<Vec<ConnectionId>, StoreError> {
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

/// Orders that wait in quarantine, and shipments of which the shop is still to be told, would have nowhere to go.
async fn unfinished(
    tenant: &Tenant,
    connection: &ConnectionId,
    document: &Document,
    leave_quarantined: bool,
) -> Result<Option<String>, StoreError> {
    /// Shipments that are counted of each kind of what is to be told.
    const COUNTED: i32 = 1_000;
    let kept = tenant.not_imported_summaries(connection).await?;
    let waiting = kept.iter().filter(|order| order.outcome == Outcome::Quarantined).count();
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
    Ok((!counts.is_empty()).then(|| {
        format!(
            "line {}: connections: {connection} is not in the document any more, but has {}. Take its easy set-up out of \
             the document, let its other robots run until nothing is left (`renkei run`), and see to what is in \
             quarantine (`renkei orders --outcome quarantined`; `--leave-quarantined` leaves it at the shop)",
            document.places.line("connections"),
            counts.join(", ")
        )
    }))
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

/// What was shown, and agreed to, is not what would be changed any more.
async fn changed_meanwhile(tenant: &Tenant) -> Result<SetupError, SetupError> {
    let who = match tenant.settings().await? {
        Some(applied) => format!("version {} by {}", applied.version, applied.by),
        None => "another version".to_owned(),
    };
    Ok(SetupError::Conflict { tenant: tenant.id().to_string(), who })
}

#[cfg(test)]
mod tests;
