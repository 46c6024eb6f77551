//! 出荷時の売上処理: the payment captured with an order's first tracking number, where the merchant wants that.
//!
//! Capturing twice fails the sale, so the shop is asked once for each order, ever; in parts where it refuses a whole
//! call, and a reading shows that nothing of it was carried out. The intention is recorded before the
//! call; only who made that record may call. If no answer comes, or any other than "taken", the order is read back: its
//! payment state says whether the capture happened. If it did not, nobody asks again by itself: a person looks at the
//! shop, and says so with `renkei retry --shipment ID --capture`. The tracking number is told all the same, without a
//! sale.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::payment::Meaning;
use renkei_domain::shipment::Shipment;
use renkei_ecforce::{Client, OrderQuery, Outcome, ShippingOptions, ShippingResult, Token, WriteAnswer};
use renkei_shop::ShopError;
use renkei_shop::robot::Work;
use renkei_shop::together::{Known, Said, Together, of_rows};
use renkei_store::sales::{Sale, show_not_captured};

use crate::write_back::{Parcel, WrittenBack, note};
use crate::{Tally, Verdict};

/// What is left to do once payments were captured.
pub(crate) struct Capture {
    /// Parcels that are still to be told, without a sale.
    pub(crate) plain: Vec<Parcel>,
    /// Why not all was asked for that was to be.
    pub(crate) stopped: Option<ShopError>,
}

/// Captures what is to be captured with these parcels.
pub(crate) async fn capture(
    work: &mut Work<'_>,
    parcels: Vec<Parcel>,
    tells_state: bool,
    tally: &mut Tally,
    ready: &mut WrittenBack,
) -> Result<Capture, ShopError> {
    let due: Vec<&Parcel> = first_of_each(&parcels).filter(|parcel| is_due(work, &parcel.shipment)).collect();
    let orders: Vec<OrderId> = due.iter().map(|parcel| parcel.shipment.id.order).collect();
    let known = work.tenant.sales(&work.connection.id, &orders).await?;
    let mut to_ask = Vec::new();
    let mut unclear = Vec::new();
    let mut unproven = Vec::new();
    for (parcel, sale) in due.into_iter().zip(known) {
        let order = parcel.shipment.id.order;
        match sale {
            // What the shop has cancelled, and what left all the same, is for a person to decide: nobody is charged for it
            // unasked.
            None | Some(Sale::Withdrawn) if is_cancelled(work, &parcel.shipment) => {}
            None | Some(Sale::Withdrawn) => to_ask.push(order),
            // A former run asked, and did not live to hear.
            Some(Sale::Intended) => unclear.push(order),
            Some(Sale::Captured) => {}
            // Its number was refused as well, and is told now that it was corrected, or tried again.
            Some(Sale::Unproven) => unproven.push(order),
        }
    }
    for parcel in first_of_each(&parcels).filter(|parcel| unproven.contains(&parcel.shipment.id.order)) {
        tally.refused += u64::from(raise(work, &parcel.shipment.id).await?);
    }
    let mine = work.tenant.intend_sales(&work.connection.id, &to_ask, work.run, Timestamp::now()).await?;
    let (asking, others): (Vec<_>, Vec<_>) = to_ask.into_iter().zip(mine).partition(|(_, mine)| *mine);
    unclear.extend(others.into_iter().map(|(order, _)| order));
    let asking: HashSet<OrderId> = asking.into_iter().map(|(order, _)| order).collect();

    let mut with_sale = Vec::new();
    let mut plain = Vec::new();
    let mut taken = HashSet::new();
    for parcel in parcels {
        let order = parcel.shipment.id.order;
        if asking.contains(&order) && taken.insert(order) { with_sale.push(parcel) } else { plain.push(parcel) }
    }
    let mut stopped = None;
    if !with_sale.is_empty() {
        let mut told = ask(work, &with_sale).await;
        // Nobody knows what became of these: as if the answer spoke of no order.
        let lost = match told.stopped.take() {
            Some((rows, ShopError::Shop(error))) if error.maybe_applied() => {
                tracing::warn!(error = error.for_log(), "the answer to a capture was lost; the orders are read back");
                rows
            }
            other => {
                stopped = other.map(|(_, error)| error);
                0..0
            }
        };
        let (mut captured, mut not, mut not_asked) = (Vec::new(), Vec::new(), HashSet::new());
        for (place, parcel) in with_sale.into_iter().enumerate() {
            let outcome = match told.said(place) {
                Said::Answer(answer) => answer.outcome_for(parcel.row.order_id, parcel.row.shipping_address_id),
                Said::Refused(_) => Outcome::Unknown,
                Said::Nothing if lost.contains(&place) => Outcome::Unknown,
                Said::Nothing => {
                    not_asked.insert(parcel.shipment.id.order);
                    continue;
                }
            };
            if outcome == Outcome::Success { captured.push(parcel) } else { not.push(parcel) }
        }
        let orders: Vec<OrderId> = not_asked.iter().copied().collect();
        work.tenant.settle_sales(&work.connection.id, &orders, Sale::Withdrawn, Timestamp::now()).await?;
        let before = plain.len();
        plain.retain(|parcel| !not_asked.contains(&parcel.shipment.id.order));
        tally.later += (not_asked.len() + before - plain.len()) as u64;
        let orders: Vec<OrderId> = captured.iter().map(|parcel| parcel.shipment.id.order).collect();
        work.tenant.settle_sales(&work.connection.id, &orders, Sale::Captured, Timestamp::now()).await?;
        tally.captured += orders.len() as u64;
        let captured = captured.into_iter().map(|parcel| (Verdict::Taken, parcel)).collect();
        note(work, captured, tells_state, tally, ready).await?;
        unclear.extend(not.iter().map(|parcel| parcel.shipment.id.order));
        // Their numbers are told without a sale: the shop keeps the same number twice.
        plain.extend(not);
    }
    reconcile(work, &unclear, &plain, tally).await?;
    Ok(Capture { plain, stopped })
}

/// Asks for these parcels to be told with a sale. Where the shop refuses the call, it is taken apart only once a reading shows
/// that nothing of it was carried out: else it is as if no answer had come.
async fn ask(work: &mut Work<'_>, parcels: &[Parcel]) -> Together<WriteAnswer> {
    let rows: Vec<ShippingResult> = parcels.iter().map(|parcel| parcel.row.clone()).collect();
    let options = ShippingOptions { with_sale: true, ..ShippingOptions::default() };
    let request =
        async |client: &Client, token: &Token, rows: &[ShippingResult]| client.shipping(token, rows, options).await;
    let whole = work.session.call_once(async |client, token| request(client, token, &rows).await).await;
    let is_refused = whole.as_ref().is_err_and(|error| of_rows(error).is_some());
    if is_refused && rows.len() > 1 {
        let orders: Vec<OrderId> = parcels.iter().map(|parcel| parcel.shipment.id.order).collect();
        match states(work, &orders).await {
            Ok(states) if states.values().any(|state| is_captured(work, state)) => {
                tracing::warn!("a call with captures was refused, and some happened; the orders are read back");
                return Together::of(0..rows.len(), Ok(WriteAnswer::default()));
            }
            Ok(_) => return work.session.call_together_once(&rows, Known::Refused, request).await,
            // By the shop's word nothing was carried out; who may not read now does not ask again either.
            Err(error) => {
                let error = error.for_log();
                tracing::warn!(error, "what became of a refused call with captures was not read");
            }
        }
    }
    Together::of(0..rows.len(), whole)
}

/// The first parcel of each order among these.
fn first_of_each(parcels: &[Parcel]) -> impl Iterator<Item = &Parcel> {
    let mut seen = HashSet::new();
    parcels.iter().filter(move |parcel| seen.insert(parcel.shipment.id.order))
}

/// Is its order's payment to be captured with it? A corrected number captures nothing, nor does what is paid by the shop's
/// latest word.
fn is_due(work: &Work<'_>, shipment: &Shipment) -> bool {
    shipment.tracking_told.is_none() && !is_captured(work, &shipment.payment_state)
}

/// Has the shop cancelled its order?
fn is_cancelled(work: &Work<'_>, shipment: &Shipment) -> bool {
    shipment.is_cancelled_at_shop()
        || work.connection.payment_states.meaning(&shipment.payment_state) == Meaning::Cancelled
}

fn is_captured(work: &Work<'_>, payment_state: &str) -> bool {
    work.connection.captured_payment_states.iter().any(|state| state == payment_state)
}

/// Reads orders whose capture is unclear, and settles each by what the shop has.
async fn reconcile(
    work: &mut Work<'_>,
    orders: &[OrderId],
    parcels: &[Parcel],
    tally: &mut Tally,
) -> Result<(), ShopError> {
    if orders.is_empty() {
        return Ok(());
    }
    let states = states(work, orders).await?;
    let is = |order: &OrderId| states.get(&order.0).is_some_and(|state| is_captured(work, state));
    let (captured, unproven): (Vec<OrderId>, Vec<OrderId>) = orders.iter().copied().partition(|order| is(order));
    let now = Timestamp::now();
    work.tenant.settle_sales(&work.connection.id, &captured, Sale::Captured, now).await?;
    tally.captured += captured.len() as u64;
    tally.refused += unproven.len() as u64;
    let unproven: HashSet<OrderId> = unproven.into_iter().collect();
    for parcel in parcels.iter().filter(|parcel| unproven.contains(&parcel.shipment.id.order)) {
        raise(work, &parcel.shipment.id).await?;
    }
    // Last: until here a crash repeats this.
    let orders: Vec<OrderId> = unproven.into_iter().collect();
    work.tenant.settle_sales(&work.connection.id, &orders, Sale::Unproven, now).await?;
    Ok(())
}

/// The payment states of these orders, as the shop has them now.
async fn states(work: &mut Work<'_>, orders: &[OrderId]) -> Result<HashMap<u64, String>, ShopError> {
    let mut states = HashMap::new();
    for ids in orders.chunks(usize::from(work.connection.batch_size).min(100)) {
        let query = OrderQuery::new().id_in(ids.iter().map(|id| id.0)).per(100).lighter(true);
        let page = work.session.call(async |client, token| client.orders(token, &query).await).await?;
        // A row that cannot be read proves nothing.
        let read = page.orders.into_iter().flatten();
        states.extend(read.map(|order| (order.id, order.payment_state.unwrap_or_default())));
    }
    Ok(states)
}

/// Shows on a shipment that its order's payment is not captured. True if that was not shown.
async fn raise(work: &Work<'_>, id: &ShipmentId) -> Result<bool, ShopError> {
    let mut raised = false;
    work.tenant
        .change(id, |shipment| {
            raised = show_not_captured(shipment, Timestamp::now(), work.message.robot.as_str());
            raised
        })
        .await?;
    Ok(raised)
}
