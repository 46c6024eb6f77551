//! What a robot would do now, and the calls it would spend: `renkei run ROBOT --dry-run`, and the same in the console.
//!
//! What is decided is decided by the same rules as in the functions; nothing is written but the gate's count of the calls
//! that fetch-orders needs, if whoever asks allows any.

mod orders;
mod over;
mod release;
mod rule;
mod tell;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, RobotId, Sku};
use renkei_domain::jst;
use renkei_domain::processing::ProcessingRobot;
use renkei_domain::settings::{Action, Connection, TenantSettings};
use renkei_domain::shipment::Status;
use renkei_domain::stock;
use renkei_domain::sync::reading::{self, Late, Reading};
use renkei_domain::sync::{RECONCILED_PAGES, RECONCILED_STATES};
use renkei_shop::{ShopError, Shops};
use renkei_store::sync::SyncMark;
use renkei_store::{StoreError, Tenant};
use serde::Serialize;
use serde_json::{Value, json};

use crate::try_robot::ChangeLine;

/// Whose robot, and of which shop.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// By which settings.
    pub settings: &'a TenantSettings,
    /// Of which shop.
    pub connection: &'a Connection,
}

impl Place<'_> {
    fn id(&self) -> &ConnectionId {
        &self.connection.id
    }
}

/// How far the shop may be asked what waits there. Each page is a call, and a sign-in may come before the first.
#[derive(Clone, Copy)]
pub struct Looking<'a> {
    /// The way to shops.
    pub shops: &'a Shops,
    /// Pages of a hundred orders that are read at most; at least 1.
    pub pages: usize,
    /// No call is begun after so long.
    pub patience: Duration,
}

/// Why it cannot be said what a robot would do.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// The run would fail, in a sentence that says what to do. Permanent, until the settings change.
    #[error("{0}")]
    Robot(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The shop, or the gate before it.
    #[error(transparent)]
    Shop(#[from] ShopError),
}

fn said(sentence: impl Into<String>) -> DryRunError {
    DryRunError::Robot(sentence.into())
}

/// What a robot would do.
#[derive(Default)]
pub struct Foreseen {
    /// By the words that the run would count with.
    pub counts: BTreeMap<String, u64>,
    /// Calls of the whole run, sign-ins not counted.
    pub calls: Calls,
    /// Calls that looking has spent, sign-ins counted.
    pub spent: u32,
    /// Thing by thing.
    pub lines: Vec<Line>,
    /// What else is to be said.
    pub notes: Vec<Note>,
}

impl Foreseen {
    fn add(&mut self, word: impl Into<String>, count: u64) {
        *self.counts.entry(word.into()).or_default() += count;
    }
}

/// A sentence.
#[derive(Debug)]
pub struct Note {
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
}

fn note(ja: impl Into<String>, en: impl Into<String>) -> Note {
    Note { en: en.into(), ja: ja.into() }
}

/// How many calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// At least so many.
    pub least: u64,
    /// At most so many; None where the shop does not say how much there is.
    pub most: Option<u64>,
}

impl Calls {
    fn exactly(calls: u64) -> Self {
        Self { least: calls, most: Some(calls) }
    }
}

/// One thing that would be done. Customers' data among it, so that it does not show itself in a log.
pub struct Line {
    /// In words.
    pub text: String,
    /// In Japanese, but for the changes.
    pub ja: String,
    /// What would change of a shipment: whoever shows it in Japanese knows what people call its fields.
    pub changes: Vec<ChangeLine>,
    /// By the stable keys of `docs/cli.md`.
    pub keys: Value,
}

/// What a robot would do now. Without `looking` no call is made: of what waits at the shop it then says only that.
pub async fn foresee(
    place: &Place<'_>,
    robot: &RobotId,
    action: Action,
    looking: Option<Looking<'_>>,
) -> Result<Foreseen, DryRunError> {
    match action {
        Action::FetchOrders => match looking {
            Some(looking) => orders::foresee(place, looking).await,
            None => Ok(orders::unseen()),
        },
        Action::StateWorking => tell::working(place).await,
        Action::StateShipped => tell::shipped(place, true).await,
        Action::WriteBack => tell::shipped(place, false).await,
        Action::StatusSync => status_sync(place).await,
        Action::Inventory => inventory(place).await,
        Action::ApplyProcessing => release::foresee(place, robot).await,
        Action::Reconcile => Ok(reconcile()),
    }
}

/// What a processing robot would make of the shop's open shipments if it were applied to them now, as it is here: stored,
/// on or off, or just being written. Looks at the latest `most` of them, makes no call and writes nothing.
pub async fn processing(
    place: &Place<'_>,
    robot: &ProcessingRobot,
    is_built_in: bool,
    most: usize,
) -> Result<Foreseen, DryRunError> {
    rule::foresee(place, robot, is_built_in, most).await
}

/// Open orders against the shop: by id, or by what changed, which only the shop can say how much it is.
async fn status_sync(place: &Place<'_>) -> Result<Foreseen, DryRunError> {
    let (tenant, connection) = (place.tenant, &place.connection.id);
    let open = tenant.open_orders(connection, &[Status::Hold, Status::Ready, Status::Picking]).await?;
    let mark = tenant.sync_mark(connection).await?;
    let today = jst::date(Timestamp::now());
    let reads_changes = mark.as_ref().is_some_and(|mark| mark.tells_changes(place.connection, today));
    let way = reading::begin(open.len(), reads_changes);
    // Cancellations of what has left are looked for now and then: one call by state, one by payment state.
    let is_late =
        |mark: &SyncMark| matches!(reading::late(mark.began, mark.late_known, false, Timestamp::now()), Late::Look(_));
    let late = if mark.as_ref().is_some_and(is_late) { 2 } else { 0 };
    let stale = mark.map_or(0, |mark| {
        open.values().filter(|order| reading::may_be_stale(mark.began, order.imported_at, None)).count()
    });
    let (least, most) = reading::calls(way, open.len(), stale);
    let (least, most) = (if way == Reading::ByChanges { least } else { least + late }, most + late);
    let mut foreseen = Foreseen { calls: Calls { least, most: Some(most) }, ..Foreseen::default() };
    foreseen.add("open", open.len() as u64);
    foreseen.notes.push(match way {
        Reading::Nothing => note("確認する受注がないので、呼び出しません。", "nothing is open: no call"),
        Reading::ByIds => {
            note("未出荷の受注をIDで100件ずつ読みます。", "the open orders are read by id, a hundred a call")
        }
        Reading::ByChanges => note(
            "前回の同期より後に変わった受注から読み、少なければIDで続けます。どれだけ変わったかはショップに聞くまで分かりません。",
            "begins with what changed since the last sync, and goes on by id if that is less; how much changed only the \
             shop knows",
        ),
    });
    Ok(foreseen)
}

/// Values that differ from what the shop was told.
async fn inventory(place: &Place<'_>) -> Result<Foreseen, DryRunError> {
    let Place { tenant, settings, connection } = *place;
    let Some(location) = &connection.stock_location_code else {
        return Err(said(format!(
            "the run would fail: the connection {} has no stock_location_code: write the shop's 在庫ロケーションコード and \
             apply the document",
            connection.id
        )));
    };
    let products = tenant.products().await?;
    let now = Timestamp::now();
    let shelf = tenant.shelf(settings, &connection.ship_from, &products, now).await?;
    let offers = shelf.offers(&products, connection.stock_buffer);
    let told: HashMap<Sku, stock::Told> =
        tenant.told_offers(&connection.id).await?.into_iter().map(|kept| (kept.sku, kept.told)).collect();
    let due = stock::due(&offers, &told, location, now);
    let calls = (due.len() as u64).div_ceil(u64::from(connection.batch_size.max(1)));
    let mut foreseen = Foreseen { calls: Calls::exactly(calls), ..Foreseen::default() };
    foreseen.add("told", due.len() as u64);
    foreseen.add("unchanged", (offers.len() - due.len()) as u64);
    foreseen.add("old-counts", shelf.old_counts(now).len() as u64);
    foreseen.lines = due
        .into_iter()
        .map(|(sku, sellable)| {
            let before = told.get(&sku).filter(|told| told.is_of(location)).and_then(|told| told.told);
            let shown = before.map_or_else(|| "nothing yet".to_owned(), |before| before.to_string());
            let known = before.map_or_else(|| "未通知".to_owned(), |before| before.to_string());
            Line {
                text: format!("{sku}: {shown} → {sellable}"),
                ja: format!("{sku}: {known} → {sellable}"),
                changes: Vec::new(),
                keys: json!({ "kind": "sku", "sku": sku.as_str(), "told": before, "sellable": sellable }),
            }
        })
        .collect();
    Ok(foreseen)
}

/// What it will find only the shop knows.
fn reconcile() -> Foreseen {
    let most = u64::from(RECONCILED_STATES) * u64::from(RECONCILED_PAGES);
    Foreseen {
        calls: Calls { least: u64::from(RECONCILED_STATES), most: Some(most) },
        notes: vec![note(
            format!(
                "{RECONCILED_STATES} 種類の対応状況の受注を100件ずつ、それぞれ最大 {RECONCILED_PAGES} 回まで読みます。その日の呼び出しが残り少なくなると途中で止まります。"
            ),
            format!(
                "reads the orders in each of {RECONCILED_STATES} states, a hundred a call and {RECONCILED_PAGES} calls each \
                 at most; stops sooner when the day's calls run low"
            ),
        )],
        ..Foreseen::default()
    }
}
