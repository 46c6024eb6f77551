//! Keys of warehouses and addresses of webhooks: what both have in common. A secret is shown the one time it is made, and
//! kept as a hash; nobody can show it again.

use std::time::Duration;

use jiff::Timestamp;
use renkei_store::Tenant;
use renkei_store::access::{Grant, Opens, Random, Secret};

use crate::SetupError;

/// How a grant stands.
#[must_use]
pub fn state(grant: &Grant, now: Timestamp) -> &'static str {
    match (grant.revoked_at, grant.is_valid(now), grant.valid_until) {
        (Some(_), _, _) => "revoked",
        (None, true, None) => "valid",
        (None, true, Some(_)) => "ending",
        (None, false, _) => "ended",
    }
}

/// Makes a secret that opens this.
pub async fn create(tenant: &Tenant, opens: Opens, now: Timestamp) -> Result<Secret, SetupError> {
    let mut random = Random { secret: [0; 32], seal: [0; 32] };
    for bytes in [&mut random.secret, &mut random.seal] {
        getrandom::fill(bytes)?;
    }
    let id = ulid::Ulid::generate().to_string();
    let (_, secret) = tenant.grant(opens, random, id, now).await?;
    Ok(secret)
}

/// Makes a new one, and lets the former end after the overlap. The new one first: an interruption must not leave anybody
/// without. None if nothing was valid; else the secret, and until when the former ones are.
pub async fn rotate(
    tenant: &Tenant,
    opens: Opens,
    overlap: Duration,
    now: Timestamp,
) -> Result<Option<(Secret, Timestamp)>, SetupError> {
    let before = valid(tenant, &opens, now).await?;
    if before.is_empty() {
        return Ok(None);
    }
    let secret = create(tenant, opens, now).await?;
    let until = now.saturating_add(overlap).unwrap_or(now);
    for grant in &before {
        tenant.end_grant(grant, until).await?;
    }
    Ok(Some((secret, until)))
}

/// Ends what opens this at once: the one of this id, or all. Gives the ids of those that ended.
pub async fn revoke(
    tenant: &Tenant,
    opens: &Opens,
    id: Option<&str>,
    now: Timestamp,
) -> Result<Vec<String>, SetupError> {
    let mut ended = Vec::new();
    for grant in valid(tenant, opens, now).await? {
        if id.is_none_or(|id| grant.id == id) {
            tenant.revoke_grant(&grant, now).await?;
            ended.push(grant.id);
        }
    }
    Ok(ended)
}

async fn valid(tenant: &Tenant, opens: &Opens, now: Timestamp) -> Result<Vec<Grant>, SetupError> {
    let grants = tenant.grants().await?;
    Ok(grants.into_iter().filter(|grant| grant.opens == *opens && grant.is_valid(now)).collect())
}
