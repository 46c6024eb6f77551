//! Shipments out to warehouses and results in, as files: what the command line and the console both do with them.
//! [`renkei_files`] knows what files look like; here they meet what is stored.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use jiff::civil::Time;
use renkei_domain::handover::{self, ClaimRefused, ShippingResult};
use renkei_domain::ids::{ConnectionId, ShippingMethodId};
use renkei_domain::jst;
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::{Shipment, Status};
use renkei_files::export::{self, Around, Rendered};
use renkei_files::layout::Rows;
use renkei_files::results::ResultRow;
use renkei_files::{Layout, Problem};
use renkei_store::{StoreError, Tenant};
use serde::Serialize;

const PAGE: i32 = 100;
/// Shipments that are changed at the same moment.
const AT_ONCE: usize = 8;

/// Which shipments go into a file.
pub struct Wanted<'a> {
    /// Of this shop.
    pub connection: &'a ConnectionId,
    /// In this status.
    pub status: Status,
    /// With one of these methods; any if empty.
    pub methods: &'a [String],
    /// Texts for the layout's columns that differ by merchant.
    pub set: &'a BTreeMap<String, String>,
    /// No more than so many.
    pub most: usize,
    /// They are to be taken afterwards: what cannot be is a problem.
    pub to_take: bool,
}

/// A file in the making.
#[derive(Default)]
pub struct Made {
    /// Its rows.
    pub rows: Vec<Rendered>,
    /// What cannot be written.
    pub problems: Vec<Problem>,
    /// There are more shipments than were asked for.
    pub more: bool,
}

/// Makes the rows of a file. Changes nothing.
pub async fn render(
    tenant: &Tenant,
    settings: &TenantSettings,
    layout: &Layout,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<Made, StoreError> {
    let around = Around { settings, set: wanted.set, today: jst::date(now) };
    let mut file = Made::default();
    let mut next_row = 1 + usize::from(layout.shipments.header);
    let mut from = None;
    let mut seen = 0;
    loop {
        let page = tenant.shipments_by_status(wanted.connection, wanted.status, PAGE, from).await?;
        let mut shipments = tenant.shipments(&page.rows).await?;
        shipments.retain(|shipment| {
            let method = shipment.shipping_method.as_ref().map(ShippingMethodId::as_str);
            let wanted_method = wanted.methods.is_empty()
                || method.is_some_and(|method| wanted.methods.iter().any(|wanted| wanted == method));
            // The list follows the records a moment behind.
            shipment.status == wanted.status && wanted_method
        });
        if shipments.len() > wanted.most - seen {
            shipments.truncate(wanted.most - seen);
            file.more = true;
        }
        seen += shipments.len();
        if wanted.to_take {
            shipments.retain(|shipment| match handover::claim(&mut shipment.clone(), now) {
                Ok(()) => true,
                Err(reason) => {
                    file.problems.push(not_to_be_taken(shipment, reason));
                    false
                }
            });
        }
        let details = tenant.details(&shipments).await?;
        let whole: Vec<_> = shipments.into_iter().zip(details).collect();
        let (made, found) = export::rows(layout, &around, &whole, next_row);
        next_row += match layout.shipments.rows {
            Rows::Parcel => whole.len(),
            Rows::Item => whole.iter().map(|(_, detail)| detail.items.len()).sum(),
        };
        file.rows.extend(made);
        file.problems.extend(found);
        from = page.next;
        if from.is_none() || file.more {
            return Ok(file);
        }
    }
}

fn not_to_be_taken(shipment: &Shipment, reason: ClaimRefused) -> Problem {
    let what = match reason {
        ClaimRefused::Unpaid => "it is ready, but not paid: release it although unpaid, or wait for its payment",
        ClaimRefused::Cancelled
        | ClaimRefused::OnHold
        | ClaimRefused::AlreadyClaimed
        | ClaimRefused::AlreadyShipped => reason.as_str(),
    };
    Problem { row: 0, shipment: shipment.id.to_string(), column: String::new(), what: what.to_owned() }
}

/// Takes shipments: ready → picking. Gives the rows of those taken, and which were refused, and why.
pub async fn take(
    tenant: &Tenant,
    rows: Vec<Rendered>,
    now: Timestamp,
) -> Result<(Vec<Rendered>, Vec<(String, &'static str)>), StoreError> {
    let answers: Vec<(Rendered, Option<&'static str>)> = futures::stream::iter(rows)
        .map(|row| async move {
            let mut refused = None;
            let shipment = tenant
                .change(&row.id, |shipment| match handover::claim(shipment, now) {
                    Ok(()) => {
                        refused = None;
                        true
                    }
                    Err(reason) => {
                        refused = Some(reason.as_str());
                        false
                    }
                })
                .await?;
            if shipment.is_none() {
                refused = Some("unknown");
            }
            Ok::<_, StoreError>((row, refused))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let mut taken = Vec::new();
    let mut refused = Vec::new();
    for (row, reason) in answers {
        match reason {
            None => taken.push(row),
            Some(reason) => refused.push((row.id.to_string(), reason)),
        }
    }
    Ok((taken, refused))
}

/// What became of a row of results, by the stable keys of `docs/cli.md`.
#[derive(Debug, Serialize)]
pub struct ResultLine {
    /// The row in the file.
    pub row: usize,
    /// The shipment.
    pub id: String,
    /// The number that was given.
    pub tracking_number: String,
    /// `shipped`, `corrected`, `known`, or why it was refused.
    pub outcome: &'static str,
}

impl ResultLine {
    /// Was it taken, now or before?
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self.outcome, "shipped" | "corrected" | "known")
    }
}

/// Takes a row of results in. `None` for the tenant is a shop that nobody has.
pub async fn ship(tenant: Option<&Tenant>, row: ResultRow, now: Timestamp) -> Result<ResultLine, StoreError> {
    let line = |outcome| ResultLine {
        row: row.row,
        id: row.id.to_string(),
        tracking_number: row.tracking_number.clone(),
        outcome,
    };
    let Some(tenant) = tenant else { return Ok(line("unknown")) };
    // A file knows the day. Read again, it is the same moment.
    let left = row.shipped_on.map(|day| jst::instant(day.to_datetime(Time::midnight())).unwrap_or(now));
    if left.is_some_and(|at| !handover::may_have_left(at, now)) {
        return Ok(line("bad-shipped-at"));
    }
    let mut outcome = "unknown";
    tenant
        .change(&row.id, |shipment| {
            let result = ShippingResult {
                tracking_number: row.tracking_number.clone(),
                // A day that is left out stays what it was.
                shipped_at: left.or(shipment.shipped_at).unwrap_or(now),
            };
            match handover::ship(shipment, &result, now) {
                Ok(handover::Shipped::Now) => {
                    outcome = "shipped";
                    true
                }
                Ok(handover::Shipped::Corrected) => {
                    outcome = "corrected";
                    true
                }
                Ok(handover::Shipped::Known) => {
                    outcome = "known";
                    false
                }
                Err(reason) => {
                    outcome = reason.as_str();
                    false
                }
            }
        })
        .await?;
    Ok(line(outcome))
}

/// Takes rows of results in, several at once; in the order of the file.
pub async fn ship_all(tenant: &Tenant, rows: Vec<ResultRow>, now: Timestamp) -> Result<Vec<ResultLine>, StoreError> {
    futures::stream::iter(rows).map(|row| ship(Some(tenant), row, now)).buffered(AT_ONCE).try_collect().await
}
