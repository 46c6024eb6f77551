//! sync-inventory: how much of each SKU a shop may sell, told to the shop.
//!
//! What may be sold is the rule of [`renkei_domain::stock`] over the latest counts and the shipments as they stand. Only
//! what differs from what was told is sent, in batches, in the lowest lane of the day's calls. A value is noted as intended
//! before the call and as told after it, by the run that holds the gate: a lost answer leaves the intention, and the next
//! run tells the value again. What an older run computed is never told after a newer one's, since it lost the gate before
//! that one began.
//!
//! A shop takes from its own stock with every order. That is no error of ours: an order that we have read is reserved, and
//! the value that follows is the shop's own. Orders that are placed between our reading and our telling are the gap that
//! buffers are for.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use renkei_domain::ids::Sku;
use renkei_domain::settings::{Connection, TenantSettings};
use renkei_domain::shipment::ShopError as Refusal;
use renkei_domain::stock::{self, LOOKS_BACK_DAYS, Told as ToldOffer};
use renkei_ecforce::{Client, Retry, StockAnswer, StockError, StockLevel, StockOutcome, Token};
use renkei_shop::ShopError;
use renkei_shop::robot::{Stopped, Told, Work};
use renkei_shop::together::Known;
use renkei_store::Tenant;
use renkei_store::offers::{Before, Heard};

/// SKUs that a sentence names.
const NAMED: usize = 5;

/// Tells the shop what changed.
pub async fn sync(work: Work<'_>) -> Result<Told, Stopped> {
    let Some(location) = &work.connection.stock_location_code else {
        return Ok(Told {
            failure: Some(format!(
                "the connection {} has no stock_location_code: write the shop's 在庫ロケーションコード and apply the document",
                work.connection.id
            )),
            ..Told::default()
        });
    };
    let mut counts = Counts::default();
    match tell(work, location, &mut counts).await {
        Ok(note) => Ok(Told { notes: note.into_iter().collect(), ..counts.told() }),
        // What it left alone, or for later, is before the next invocation again.
        Err(error) => {
            let done = Counts { told: counts.told, refused: counts.refused, ..Counts::default() };
            Stopped::or_told(Err(error), done.told())
        }
    }
}

/// Gives what a person should know.
async fn tell(work: Work<'_>, location: &str, counts: &mut Counts) -> Result<Option<String>, ShopError> {
    let Work { tenant, settings, connection, session, .. } = work;
    let products = tenant.products().await?;
    let now = Timestamp::now();
    let shelf = session.meanwhile(tenant.shelf(settings, &connection.ship_from, &products, now)).await?;
    let offers = shelf.offers(&products, connection.stock_buffer);
    let told: HashMap<Sku, ToldOffer> =
        tenant.told_offers(&connection.id).await?.into_iter().map(|kept| (kept.sku, kept.told)).collect();
    let mut due = stock::due(&offers, &told, location, now);
    let here = |told: &ToldOffer| told.location.as_deref() == Some(location);
    let has_taken = |sku: &Sku| told.get(sku).is_some_and(|told| here(told) && told.told.is_some());
    // A location that the shop does not have is refused in the same words as a SKU. One that has taken a value is there.
    let is_there = told.values().any(|told| here(told) && told.told.is_some());
    let rests = |sku: &Sku| is_there && told.get(sku).is_some_and(|told| here(told) && told.was_not_there(now));
    let resting = due.iter().map(|(sku, _)| sku).filter(|sku| rests(sku) && !has_taken(sku)).cloned();
    let others = elsewhere(tenant, settings, connection, resting.collect()).await?;
    due.retain(|(sku, _)| !others.contains(sku));
    let due: Vec<(Sku, u32, Before)> = due
        .into_iter()
        .map(|(sku, value)| {
            let before = Before::of(told.get(&sku), location);
            (sku, value, before)
        })
        .collect();
    let old = shelf.old_counts(now);
    let unchanged = (offers.len() - due.len()) as u64;
    (counts.unchanged, counts.old) = (unchanged, old.len() as u64);
    let mut not_there: HashSet<Sku> = HashSet::new();
    let mut stopped = None;
    for batch in due.chunks(usize::from(connection.batch_size)) {
        let epoch = session.epoch();
        let mine = tenant.intend_offers(&connection.id, Some(location), batch, epoch, Timestamp::now()).await?;
        let mine: Vec<(&Sku, u32)> =
            batch.iter().zip(mine).filter(|(_, mine)| *mine).map(|((sku, value, _), _)| (sku, *value)).collect();
        counts.later += (batch.len() - mine.len()) as u64;
        if mine.is_empty() {
            continue;
        }
        let levels: Vec<StockLevel> = mine
            .iter()
            .map(|(sku, value)| StockLevel {
                variant_sku: sku.to_string(),
                stock_location_code: location.to_owned(),
                stock: *value,
            })
            .collect();
        let known = if is_there || counts.told > 0 { Known::Taken } else { Known::Nothing };
        let request =
            async |client: &Client, token: &Token, levels: &[StockLevel]| client.put_stock_items(token, levels).await;
        let said = session.call_together(&levels, known, request).await;
        let (answer, error) = said.joined(StockAnswer::join, |answer, place, words| {
            answer.refuse(&levels[place].variant_sku, words);
        });
        let heard = counts.hear(&mine, &answer, location);
        let is_not_there = |heard: &Heard| matches!(heard, Heard::Refused(error) if stock::is_not_there(error));
        not_there.extend(heard.iter().filter(|(_, _, heard)| is_not_there(heard)).map(|(sku, _, _)| sku.clone()));
        tenant.note_offers(&connection.id, &heard, epoch).await?;
        stopped = error;
        if stopped.is_some() {
            break;
        }
    }
    if is_there || counts.told > 0 {
        // Refused because they are another shop's: nobody has to see to that. What this shop has taken before was its own.
        not_there.retain(|sku| !has_taken(sku));
        counts.elsewhere = elsewhere(tenant, settings, connection, not_there).await?.len() as u64;
        counts.refused = counts.refused.saturating_sub(counts.elsewhere);
    }
    if let Some(error) = stopped {
        return Err(error);
    }
    // Where the shop refuses values, people are told of the run for that: a sentence would come before the counts that say it.
    Ok(if counts.refused > 0 { None } else { uncounted(&old) })
}

/// Those of these SKUs that another shop of the merchant sells: one document has the products of all shops, and not every
/// shop has them all.
async fn elsewhere(
    tenant: &Tenant,
    settings: &TenantSettings,
    connection: &Connection,
    mut skus: HashSet<Sku>,
) -> Result<HashSet<Sku>, ShopError> {
    let mut sold = HashSet::new();
    if skus.is_empty() {
        return Ok(sold);
    }
    for other in settings.connections.iter().filter(|other| other.id != connection.id) {
        let told = tenant.told_offers(&other.id).await?;
        sold.extend(told.into_iter().filter(|kept| kept.told.told.is_some()).map(|kept| kept.sku));
    }
    skus.retain(|sku| sold.contains(sku));
    Ok(skus)
}

/// What a person should know of counts that are too old to be right.
fn uncounted(old: &[&Sku]) -> Option<String> {
    let first: Vec<&str> = old.iter().take(NAMED).map(|sku| sku.as_str()).collect();
    let more = if old.len() > first.len() { ", …" } else { "" };
    (!old.is_empty()).then(|| {
        format!(
            "{} SKUs were counted more than {LOOKS_BACK_DAYS} days ago, and what left before that is not taken off; the \
             warehouse is to count them again: {}{more}",
            old.len(),
            first.join(", ")
        )
    })
}

/// What a run did.
#[derive(Default)]
struct Counts {
    unchanged: u64,
    told: u64,
    later: u64,
    refused: u64,
    /// SKUs that this shop does not have, and another shop of the merchant does.
    elsewhere: u64,
    /// SKUs whose count is old.
    old: u64,
}

impl Counts {
    /// What the shop said of each value. What it does not mention, or refuses in passing, keeps its intention.
    fn hear(&mut self, sent: &[(&Sku, u32)], answer: &StockAnswer, location: &str) -> Vec<(Sku, u32, Heard)> {
        let mut heard = Vec::new();
        for (sku, value) in sent {
            match answer.outcome_for(sku.as_str(), location) {
                StockOutcome::Success => {
                    self.told += 1;
                    heard.push(((*sku).clone(), *value, Heard::Taken));
                }
                StockOutcome::Unknown => self.later += 1,
                StockOutcome::Failure(error) => match error.map(StockError::retry) {
                    Some(Retry::Passing { .. }) => self.later += 1,
                    Some(Retry::Permanent) | None => {
                        self.refused += 1;
                        heard.push(((*sku).clone(), *value, Heard::Refused(refusal(error))));
                    }
                },
            }
        }
        heard
    }

    fn told(self) -> Told {
        let counts = [
            ("told", self.told),
            ("unchanged", self.unchanged),
            ("later", self.later),
            ("refused", self.refused),
            ("sold-elsewhere", self.elsewhere),
            ("old-counts", self.old),
        ];
        Told {
            counts: counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect::<BTreeMap<_, _>>(),
            for_a_person: self.refused,
            ..Told::default()
        }
    }
}

fn refusal(error: Option<&StockError>) -> Refusal {
    // The code that merely wraps others says nothing.
    let cause = error.and_then(|error| error.causes.as_slice().first());
    match (cause, error) {
        (Some(cause), _) => Refusal { code: cause.code.clone(), message: cause.message.clone() },
        (None, Some(error)) => Refusal { code: error.code.clone(), message: error.message.clone() },
        (None, None) => Refusal { code: "unknown".into(), message: "the shop gave no reason".into() },
    }
}
