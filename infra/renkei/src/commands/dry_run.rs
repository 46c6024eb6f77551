//! `renkei run ROBOT --dry-run`: what a robot would do now, and the calls it would spend.
//!
//! What is decided is decided by the same rules as in the functions; nothing is written but the gate's count of the calls
//! that fetch-orders needs, ten pages at most.

mod orders;
mod release;
mod tell;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use renkei_domain::ids::{RobotId, Sku};
use renkei_domain::settings::Action;
use renkei_domain::shipment::Status;
use renkei_domain::stock;
use renkei_domain::sync::reading::{self, Late, Reading};
use renkei_domain::sync::{RECONCILED_PAGES, RECONCILED_STATES};
use renkei_store::sync::SyncMark;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{CliError, Exit};
use crate::output::{self, plain};
use crate::stack::{Found, Stack};

/// Lines that people are shown; scripts get all.
const SHOWN: usize = 20;

/// What a robot would do.
#[derive(Default)]
struct Foreseen {
    /// By the words that the run would count with.
    counts: BTreeMap<String, u64>,
    /// Calls of the whole run, sign-ins not counted.
    calls: Calls,
    /// Calls that looking has spent, sign-ins counted.
    spent: u32,
    /// Thing by thing.
    lines: Vec<Line>,
    /// What else is to be said.
    notes: Vec<String>,
}

impl Foreseen {
    fn add(&mut self, word: impl Into<String>, count: u64) {
        *self.counts.entry(word.into()).or_default() += count;
    }
}

/// How many calls.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Calls {
    least: u64,
    /// None where the shop does not say how much there is.
    most: Option<u64>,
}

impl Calls {
    fn exactly(calls: u64) -> Self {
        Self { least: calls, most: Some(calls) }
    }
}

/// One thing that would be done: in words, and by the stable keys of `docs/cli.md`.
struct Line {
    text: String,
    keys: Value,
}

/// The last line, by the stable keys of `docs/cli.md`.
#[derive(Serialize)]
struct Summary<'a> {
    kind: &'static str,
    tenant: &'a str,
    connection: &'a str,
    robot: &'a str,
    action: &'static str,
    counts: &'a BTreeMap<String, u64>,
    calls: Calls,
    spent: u32,
    starts_after: &'a [String],
    notes: &'a [String],
}

/// Says what a robot would do.
pub async fn command(stack: &Stack, tenant: Option<&str>, robot: &str, json: bool) -> Result<Exit, CliError> {
    let (place, robot, action) = stack.robot(tenant, robot).await?;
    let foreseen = match action {
        Action::FetchOrders => orders::foresee(stack, &place).await?,
        Action::StateWorking => tell::working(&place).await?,
        Action::StateShipped => tell::shipped(&place, true).await?,
        Action::WriteBack => tell::shipped(&place, false).await?,
        Action::StatusSync => status_sync(&place).await?,
        Action::Inventory => inventory(&place).await?,
        Action::ApplyProcessing => release::foresee(&place, &robot).await?,
        Action::Reconcile => reconcile(),
    };
    let after = place.settings.integration_robots.after(place.id(), action);
    let after: Vec<String> = after.map(|robot| robot.id.to_string()).collect();
    if json {
        print(&place, &robot, action, &foreseen, &after)?;
    } else {
        describe(&robot, &foreseen, &after)?;
    }
    Ok(Exit::Done)
}

/// Open orders against the shop: by id, or by what changed, which only the shop can say how much it is.
async fn status_sync(place: &Found) -> Result<Foreseen, CliError> {
    let (tenant, connection) = (&place.tenant, &place.connection.id);
    let open = tenant.open_orders(connection, &[Status::Hold, Status::Ready, Status::Picking]).await?;
    let mark = tenant.sync_mark(connection).await?;
    let way = reading::begin(open.len(), mark.is_some());
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
        Reading::Nothing => "nothing is open: no call".to_owned(),
        Reading::ByIds => "the open orders are read by id, a hundred a call".to_owned(),
        Reading::ByChanges => {
            "begins with what changed since the last sync, and goes on by id if that is less; how much changed only the shop \
             knows"
                .to_owned()
        }
    });
    Ok(foreseen)
}

/// Values that differ from what the shop was told.
async fn inventory(place: &Found) -> Result<Foreseen, CliError> {
    let Found { tenant, settings, connection } = place;
    if connection.stock_location_code.is_none() {
        return Err(CliError::said(format!(
            "the run would fail: the connection {} has no stock_location_code: write the shop's 在庫ロケーションコード and \
             apply the document",
            connection.id
        )));
    }
    let products = tenant.products().await?;
    let shelf = tenant.shelf(settings, &connection.ship_from, &products).await?;
    let offers = shelf.offers(&products, connection.stock_buffer);
    let told: HashMap<Sku, stock::Told> =
        tenant.told_offers(&connection.id).await?.into_iter().map(|kept| (kept.sku, kept.told)).collect();
    let due = stock::due(&offers, &told, Timestamp::now());
    let calls = (due.len() as u64).div_ceil(u64::from(connection.batch_size.max(1)));
    let mut foreseen = Foreseen { calls: Calls::exactly(calls), ..Foreseen::default() };
    foreseen.add("told", due.len() as u64);
    foreseen.add("unchanged", (offers.len() - due.len()) as u64);
    foreseen.lines = due
        .into_iter()
        .map(|(sku, sellable)| {
            let before = told.get(&sku).and_then(|told| told.told);
            let shown = before.map_or_else(|| "nothing yet".to_owned(), |before| before.to_string());
            Line {
                text: format!("{sku}: {shown} → {sellable}"),
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
        notes: vec![format!(
            "reads the orders in each of {RECONCILED_STATES} states, a hundred a call and {RECONCILED_PAGES} calls each at \
             most; stops sooner when the day's calls run low"
        )],
        ..Foreseen::default()
    }
}

fn print(
    place: &Found,
    robot: &RobotId,
    action: Action,
    foreseen: &Foreseen,
    after: &[String],
) -> Result<(), CliError> {
    for line in &foreseen.lines {
        output::json_line(&line.keys)?;
    }
    output::json_line(&Summary {
        kind: "summary",
        tenant: place.tenant.id().as_str(),
        connection: place.id().as_str(),
        robot: robot.as_str(),
        action: action.as_str(),
        counts: &foreseen.counts,
        calls: foreseen.calls,
        spent: foreseen.spent,
        starts_after: after,
        notes: &foreseen.notes,
    })
}

fn describe(robot: &RobotId, foreseen: &Foreseen, after: &[String]) -> Result<(), CliError> {
    for line in foreseen.lines.iter().take(SHOWN) {
        output::line(format!("  {}", plain(&line.text)))?;
    }
    if foreseen.lines.len() > SHOWN {
        output::line(format!("  … and {} more; all with --json", foreseen.lines.len() - SHOWN))?;
    }
    let counts: Vec<String> =
        foreseen.counts.iter().filter(|(_, n)| **n > 0).map(|(word, count)| format!("{word} {count}")).collect();
    let counts = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
    let calls = match foreseen.calls {
        Calls { least, most: Some(most) } if least == most => format!("{least} calls"),
        Calls { least, most: Some(most) } => format!("{least} to {most} calls"),
        Calls { least, most: None } => format!("at least {least} calls"),
    };
    let sign_in = if foreseen.calls.most == Some(0) { "" } else { ", and a sign-in where the token is old" };
    output::line(format!("{robot} would: {counts} ({calls}{sign_in})"))?;
    for note in &foreseen.notes {
        output::line(format!("  {}", plain(note)))?;
    }
    if !after.is_empty() {
        output::line(format!("  its end starts {}", after.join(", ")))?;
    }
    let spent =
        if foreseen.spent > 0 { format!("; calls spent on looking: {}", foreseen.spent) } else { String::new() };
    output::line(format!("nothing was written (書き込みはしていません){spent}"))
}
