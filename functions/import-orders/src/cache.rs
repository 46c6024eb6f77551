//! What a warm function remembers of a merchant: settings with their compiled robots, and products that exist.
//!
//! Settings are believed for a few seconds, so that a batch costs no read of them. That a product exists is believed
//! while the settings are; that it does not is never believed, because an order would stay in quarantine for it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use renkei_domain::convert::ConversionRobots;
use renkei_domain::ids::{Sku, TenantId};
use renkei_domain::processing::RobotSet;
use renkei_domain::settings::TenantSettings;
use renkei_store::Tenant;

use crate::ImportError;

/// How long settings are believed.
const BELIEVED_FOR: Duration = Duration::from_secs(10);

/// A merchant's settings, ready to import by.
pub struct Setup {
    /// The settings.
    pub settings: TenantSettings,
    /// The processing robots.
    pub robots: RobotSet,
    /// The conversion robots.
    pub conversions: ConversionRobots,
    read: Instant,
    known: Mutex<HashSet<Sku>>,
}

impl Setup {
    /// Which of these SKUs are no products of the merchant.
    pub async fn unknown_skus(&self, tenant: &Tenant, skus: HashSet<Sku>) -> Result<HashSet<Sku>, ImportError> {
        let mut unknown: HashSet<Sku> = match self.known.lock() {
            Ok(known) => skus.difference(&known).cloned().collect(),
            Err(_) => skus,
        };
        if unknown.is_empty() {
            return Ok(unknown);
        }
        let found = tenant.known_skus(&unknown).await?;
        unknown.retain(|sku| !found.contains(sku));
        if let Ok(mut known) = self.known.lock() {
            known.extend(found);
        }
        Ok(unknown)
    }
}

/// What a warm function remembers.
#[derive(Clone, Default)]
pub struct Cache {
    setups: Arc<Mutex<HashMap<TenantId, Arc<Setup>>>>,
}

impl Cache {
    /// A merchant's settings.
    pub async fn setup(&self, tenant: &Tenant) -> Result<Arc<Setup>, ImportError> {
        let remembered = self.setups.lock().ok().and_then(|setups| setups.get(tenant.id()).cloned());
        if let Some(setup) = remembered.filter(|setup| setup.read.elapsed() < BELIEVED_FOR) {
            return Ok(setup);
        }
        let applied = tenant.settings().await?.ok_or_else(|| {
            ImportError::NotSetUp(format!("tenant {} has no settings; apply its document", tenant.id()))
        })?;
        let robots = RobotSet::compile(&applied.settings).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            ImportError::NotSetUp(format!("the processing robots of tenant {} cannot be used: {first}", tenant.id()))
        })?;
        let conversions = ConversionRobots::compile(&applied.settings).map_err(|problems| {
            let first = problems.first().map(|p| format!("{}: {}", p.path, p.message)).unwrap_or_default();
            ImportError::NotSetUp(format!("the conversion robots of tenant {} cannot be used: {first}", tenant.id()))
        })?;
        let setup = Arc::new(Setup {
            settings: applied.settings,
            robots,
            conversions,
            read: Instant::now(),
            known: Mutex::default(),
        });
        if let Ok(mut setups) = self.setups.lock() {
            setups.insert(tenant.id().clone(), Arc::clone(&setup));
        }
        Ok(setup)
    }
}
