//! What a warm function remembers of a merchant: settings with their compiled robots, and products that exist.
//!
//! Each batch reads the settings, one small item, so that what was applied counts for the very next order; what is spared
//! is compiling the same robots again. That a product exists is believed for a few seconds; that it does not is never
//! believed, because an order would stay in quarantine for it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use renkei_domain::convert::ConversionRobots;
use renkei_domain::ids::{Sku, TenantId};
use renkei_domain::processing::{Goods, RobotSet};
use renkei_domain::settings::TenantSettings;
use renkei_store::Tenant;

use crate::ImportError;

/// Merchants that are remembered, those that were used last: compiled robots may be megabytes, and one function works for
/// all merchants.
const REMEMBERED: usize = 32;
/// How long what was made of a version, and read of products beside it, is believed.
const BELIEVED_FOR: Duration = Duration::from_secs(10);

/// A merchant's settings, ready to import by.
pub struct Setup {
    /// The settings.
    pub settings: TenantSettings,
    /// The processing robots.
    pub robots: RobotSet,
    /// The conversion robots.
    pub conversions: ConversionRobots,
    version: u64,
    read: Instant,
    known: Mutex<Goods>,
}

impl Setup {
    /// How the products of these SKUs are kept. A SKU that is not in the answer is no product of the merchant.
    pub async fn goods(&self, tenant: &Tenant, skus: HashSet<Sku>) -> Result<Goods, ImportError> {
        let mut goods: Goods = match self.known.lock() {
            Ok(known) => skus.iter().filter_map(|sku| Some((sku.clone(), *known.get(sku)?))).collect(),
            Err(_) => Goods::new(),
        };
        let unknown: HashSet<Sku> = skus.into_iter().filter(|sku| !goods.contains_key(sku)).collect();
        if unknown.is_empty() {
            return Ok(goods);
        }
        let found = tenant.products_of(&unknown).await?;
        goods.extend(found.into_iter().map(|product| (product.sku, product.temperature)));
        if let Ok(mut known) = self.known.lock() {
            known.extend(goods.iter().map(|(sku, temperature)| (sku.clone(), *temperature)));
        }
        Ok(goods)
    }
}

/// What a warm function remembers.
#[derive(Clone, Default)]
pub struct Cache {
    setups: Arc<Mutex<Remembered<Arc<Setup>>>>,
}

/// By merchant, who was used last at the end.
type Remembered<T> = Vec<(TenantId, T)>;

/// What is remembered of a merchant, who is the last that was used then, and so stands at the end.
fn used<T: Clone>(remembered: &mut Remembered<T>, tenant: &TenantId) -> Option<T> {
    let place = remembered.iter().position(|(known, _)| known == tenant)?;
    let last = remembered.remove(place);
    let value = last.1.clone();
    remembered.push(last);
    Some(value)
}

/// Remembers it of a merchant, and forgets whoever was not used for the longest time where there are too many.
fn remember<T>(remembered: &mut Remembered<T>, tenant: TenantId, value: T) {
    remembered.retain(|(known, _)| *known != tenant);
    remembered.push((tenant, value));
    if remembered.len() > REMEMBERED {
        remembered.remove(0);
    }
}

impl Cache {
    /// A merchant's settings.
    pub async fn setup(&self, tenant: &Tenant) -> Result<Arc<Setup>, ImportError> {
        let applied = tenant.settings().await?.ok_or_else(|| {
            ImportError::NotSetUp(format!("tenant {} has no settings; apply its document", tenant.id()))
        })?;
        let remembered = self.setups.lock().ok().and_then(|mut setups| used(&mut setups, tenant.id()));
        let is_current = |setup: &Arc<Setup>| setup.version == applied.version && setup.read.elapsed() < BELIEVED_FOR;
        if let Some(setup) = remembered.filter(is_current) {
            return Ok(setup);
        }
        let robots = RobotSet::compile(&applied.settings).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            ImportError::NotSetUp(format!("the processing robots of tenant {} cannot be used: {first}", tenant.id()))
        })?;
        let conversions = ConversionRobots::of_applied(&applied.settings);
        let setup = Arc::new(Setup {
            settings: applied.settings,
            robots,
            conversions,
            version: applied.version,
            read: Instant::now(),
            known: Mutex::default(),
        });
        if let Ok(mut setups) = self.setups.lock() {
            remember(&mut setups, tenant.id().clone(), Arc::clone(&setup));
        }
        Ok(setup)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_merchants_those_that_were_used_last_are_remembered() {
        let tenant = |n: usize| TenantId::parse(format!("merchant-{n}")).unwrap();
        let mut remembered = Vec::new();
        for n in 0..REMEMBERED {
            remember(&mut remembered, tenant(n), n);
        }
        assert_eq!(used(&mut remembered, &tenant(0)), Some(0));
        remember(&mut remembered, tenant(REMEMBERED), REMEMBERED);
        assert_eq!(used(&mut remembered, &tenant(1)), None, "nobody was longer not used");
        assert_eq!(used(&mut remembered, &tenant(0)), Some(0));
        // Made anew, nobody is forgotten for it.
        remember(&mut remembered, tenant(0), 99);
        assert_eq!(used(&mut remembered, &tenant(0)), Some(99));
        assert_eq!((used(&mut remembered, &tenant(2)), remembered.len()), (Some(2), REMEMBERED));
    }
}
