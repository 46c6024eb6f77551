//! Who asks: a key, and through it one warehouse of one tenant. Every call but two begins here, before anything else of
//! the request is looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use renkei_domain::ids::{ShipFromId, WarehouseId};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::Shipment;
use renkei_platform::{Metric, Metrics};
use renkei_store::Tenant;
use renkei_store::access::{Grant, Opens, Secret};

use crate::App;
use crate::problem::Problem;

/// A warehouse that has shown its key.
#[derive(Debug, Clone)]
pub struct Caller {
    /// All that is the tenant's. What of it is this warehouse's, [`Caller::may_see`] says.
    pub tenant: Tenant,
    /// The tenant's settings, as they are now.
    pub settings: TenantSettings,
    /// The warehouse.
    pub warehouse: WarehouseId,
    grant: Grant,
    ship_froms: BTreeSet<ShipFromId>,
}

impl Caller {
    /// Is this shipment this warehouse's? Everything that is read or written passes here.
    #[must_use]
    pub fn may_see(&self, shipment: &Shipment) -> bool {
        self.owns(&shipment.ship_from)
    }

    /// Is this ship-from this warehouse's?
    #[must_use]
    pub fn owns(&self, ship_from: &ShipFromId) -> bool {
        self.ship_froms.contains(ship_from)
    }

    /// What cursors are sealed with.
    #[must_use]
    pub fn seal(&self) -> &[u8] {
        self.grant.seal()
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let metrics = parts.extensions.get::<Arc<Metrics>>().cloned();
        let refused = || {
            if let Some(metrics) = &metrics {
                metrics.add(Metric::KeysRefused, 1);
            }
            Problem::Unauthorized
        };
        let secret = bearer(parts).and_then(|key| Secret::parse(Secret::WAREHOUSE, key)).ok_or_else(refused)?;
        let grant = app.store.opened_by(&secret, app.clock.now()).await?.ok_or_else(refused)?;
        let Opens::Warehouse(warehouse) = grant.opens.clone() else { return Err(refused()) };
        let tenant = app.store.tenant(grant.tenant.clone());
        let settings = tenant.settings().await?.ok_or_else(refused)?.settings;
        // Read anew each time: a ship-from that was given to another warehouse is that one's from the next request on.
        let of_this_warehouse = settings.ship_froms.iter().filter(|ship_from| ship_from.warehouse == warehouse);
        let ship_froms = of_this_warehouse.map(|ship_from| ship_from.id.clone()).collect();
        if let Some(metrics) = &metrics {
            metrics.note("tenant", grant.tenant.as_str());
            metrics.note("warehouse", warehouse.as_str());
            metrics.note("key", grant.id.as_str());
        }
        Ok(Self { tenant, settings, warehouse, grant, ship_froms })
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, key) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The route that was taken, for the log: never the path itself, which may hold a secret.
#[must_use]
pub fn route(parts: Option<&MatchedPath>) -> &str {
    parts.map_or("none", MatchedPath::as_str)
}
