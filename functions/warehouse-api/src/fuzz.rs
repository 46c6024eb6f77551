//! Ways in for fuzzing: every parser of what comes from outside, as a function of bytes. Nothing else calls them.

use axum::body::Bytes;
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, TenantId, WarehouseId};
use renkei_domain::settings::TenantSettings;
use renkei_domain::work::Hint;

use crate::body::{Raw, limited};
use crate::cancellation::CancellationRequest;
use crate::claim::ClaimRequest;
use crate::cursor::Place;
use crate::query::Query;
use crate::{give_back, hooks, results, stock};

/// A body of a claim, of an answer to a request, of a return, of results and of counts, whichever it may be. Gives how many
/// records would be taken.
#[must_use]
pub fn bodies(body: &[u8], settings: &TenantSettings, now: Timestamp) -> usize {
    let raw = Raw(Bytes::copy_from_slice(body));
    let mut taken = usize::from(raw.read::<CancellationRequest>("").is_ok());
    taken += raw.read::<ClaimRequest>("").and_then(|claim| limited(claim.ids)).map_or(0, |ids| ids.len());
    taken += usize::from(give_back::reason(&raw).is_ok());
    taken += results::readable(&raw, settings, now);
    taken + stock::readable(&raw, now)
}

/// A webhook's body: the hint that it would become.
#[must_use]
pub fn hook(body: &[u8], tenant: TenantId, connection: ConnectionId, now: Timestamp) -> Hint {
    let topic = std::str::from_utf8(body.get(..20).unwrap_or(body)).ok();
    hooks::hint(tenant, connection, topic, body, now)
}

/// A list's address: a query, and the place of its cursor, if it is one that was given out.
#[must_use]
pub fn list(query: &[u8], warehouse: &WarehouseId, key: &[u8]) -> Option<(Query, Option<Place>)> {
    let pairs = url::form_urlencoded::parse(query).into_owned().collect();
    let query = Query::of(pairs).ok()?;
    let place = query.cursor.as_ref().and_then(|cursor| Place::unseal(cursor, key, &query.list(warehouse)).ok());
    Some((query, place))
}
