//! What the shop would be told: which orders we took, tracking numbers, and which orders are wholly out.
//!
//! The lists follow the records a moment behind, as they do for the robots.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::shipment::{Shipment, ShopSync, ShopWork, is_wholly_out};
use renkei_store::shipments::WorkEntry;
use serde_json::json;

use super::{Calls, DryRunError, Foreseen, Line, Place, note};

const PAGE: i32 = 100;
/// Orders that one call reads.
const READ: u64 = 100;

/// Everything on a list of work, each entry once.
async fn all(place: &Place<'_>, work: ShopWork) -> Result<Vec<WorkEntry>, DryRunError> {
    let mut seen: HashSet<(OrderId, u16)> = HashSet::new();
    let mut entries = Vec::new();
    let mut from = None;
    loop {
        let page = place.tenant.shop_work(place.id(), work, PAGE, from).await?;
        entries.extend(page.rows.into_iter().filter(|entry| seen.insert((entry.id.order, entry.id.parcel))));
        from = page.next;
        if from.is_none() {
            return Ok(entries);
        }
    }
}

fn batches(count: usize, place: &Place<'_>) -> u64 {
    (count as u64).div_ceil(u64::from(place.connection.batch_size.max(1)))
}

fn told(order: OrderId, state: &str) -> Line {
    Line {
        text: format!("order {order}: {state}"),
        ja: format!("受注 {order}: 対応状況を {state} へ"),
        changes: Vec::new(),
        keys: json!({ "kind": "order", "order_id": order.0, "state": state }),
    }
}

/// state-working.
pub(super) async fn working(place: &Place<'_>) -> Result<Foreseen, DryRunError> {
    let entries = all(place, ShopWork::TellWorking).await?;
    let mut foreseen = Foreseen { calls: Calls::exactly(batches(entries.len(), place)), ..Foreseen::default() };
    foreseen.add("told", entries.len() as u64);
    let state = &place.connection.states.working;
    foreseen.lines = entries.iter().map(|entry| told(entry.id.order, state)).collect();
    Ok(foreseen)
}

/// state-shipped, and write-back, which does not tell the state. A shop with the automation option is never told one.
pub(super) async fn shipped(place: &Place<'_>, tells_state: bool) -> Result<Foreseen, DryRunError> {
    let connection = &place.connection;
    let tells_state = tells_state && !connection.automation_option;
    let ids: Vec<ShipmentId> = all(place, ShopWork::WriteBack).await?.into_iter().map(|entry| entry.id).collect();
    let mut parcels = place.tenant.shipments(&ids).await?;
    parcels.retain(|shipment| shipment.shop_work() == Some(ShopWork::WriteBack));
    let mut foreseen = Foreseen::default();
    let mut written_back: HashMap<ShipmentId, Shipment> = HashMap::new();
    for mut shipment in parcels {
        let Some(number) = shipment.tracking_number.clone() else { continue };
        foreseen.lines.push(Line {
            text: format!("{}: tracking number {number}", shipment.id),
            ja: format!("{}: お問い合わせ番号 {number}", shipment.id),
            changes: Vec::new(),
            keys: json!({ "kind": "shipment", "id": shipment.id.to_string(), "tracking_number": number }),
        });
        shipment.written_back(&number, tells_state, Timestamp::now(), "dry-run");
        written_back.insert(shipment.id.clone(), shipment);
    }
    let numbers = batches(written_back.len(), place);
    let out = if tells_state { wholly_out(place, &written_back).await? } else { Vec::new() };
    let states = batches(out.len(), place);
    foreseen.add("written-back", written_back.len() as u64);
    foreseen.add("told", out.len() as u64);
    foreseen.lines.extend(out.into_iter().map(|order| told(order, &connection.states.shipped)));
    foreseen.calls = Calls::exactly(numbers + states);
    if connection.capture_payment_on_shipping && numbers > 0 {
        // Of each batch: the captures, the parcels without one, and orders whose capture is unclear, read back.
        let read_back = u64::from(connection.batch_size.max(1)).div_ceil(READ.min(connection.batch_size.max(1).into()));
        foreseen.calls.most = Some(numbers * (2 + read_back) + states);
        foreseen.notes.push(note(
            "最初のお問い合わせ番号と同時に売上処理をするため、その呼び出しが加わります。結果がはっきりしない受注は読み直します。",
            "payments are captured with first tracking numbers, which takes a call of its own; where the answer is not \
             clear, orders are read back",
        ));
    }
    Ok(foreseen)
}

/// The orders that are wholly out once these parcels are written back.
async fn wholly_out(
    place: &Place<'_>,
    written_back: &HashMap<ShipmentId, Shipment>,
) -> Result<Vec<OrderId>, DryRunError> {
    let mut orders: BTreeMap<OrderId, u16> =
        all(place, ShopWork::TellShipped).await?.into_iter().map(|entry| (entry.id.order, entry.parcels)).collect();
    // A correction that follows after the order was told as shipped leaves nothing to tell.
    let waiting = written_back.values().filter(|shipment| shipment.shop_sync != ShopSync::Completed);
    orders.extend(waiting.map(|shipment| (shipment.id.order, shipment.parcels)));
    let (single, several): (Vec<_>, Vec<_>) = orders.into_iter().partition(|(_, parcels)| *parcels == 1);
    let mut out: Vec<OrderId> = single.into_iter().map(|(order, _)| order).collect();
    let parcels = place.tenant.parcels(place.id(), &several).await?;
    for ((order, _), mut parcels) in several.into_iter().zip(parcels) {
        for parcel in &mut parcels {
            if let Some(then) = written_back.get(&parcel.id) {
                parcel.clone_from(then);
            }
        }
        if is_wholly_out(&parcels) {
            out.push(order);
        }
    }
    Ok(out)
}
