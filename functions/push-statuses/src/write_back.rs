//! 実績戻し: tracking number, carrier and date of each parcel that left.
//!
//! What is sent is what the record says at that moment, and only the result that was sent is noted as told: a number, a
//! carrier or a date that the warehouse corrects between the shop's answer and our note differs from it, and so the parcel
//! stays on the list of work. A crash between the two repeats a page; the shop keeps the same number twice.
//!
//! An order of one parcel is told its state right after its number, and both are noted in one write: a write of its own for
//! the number, and the way from one list of work to the next, would cost more than all else that is written of an order on
//! its way back. Whatever comes between the two calls, the number is noted alone ([`crate::shipped::note_numbers`]).

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::settings::{Connection, TenantSettings};
use renkei_domain::shipment::{Shipment, ShopError as Refusal, ShopSync, ShopWork};
use renkei_ecforce::{Client, ShippingOptions, ShippingResult, Token};
use renkei_shop::ShopError;
use renkei_shop::robot::Work;
use renkei_shop::together::{Known, of_rows};
use renkei_store::{StoreError, Tenant};

use crate::sale::{self, Capture};
use crate::shipped::{Out, tell_whole_batches};
use crate::{Next, Tally, Verdict};

/// Orders of which a parcel has just been written back, and how many parcels each has: their next step need not wait until
/// the list of work has caught up with the records.
pub(crate) type WrittenBack = HashMap<OrderId, u16>;

/// A parcel as it was read, and what the shop is told of it.
pub(crate) struct Parcel {
    pub(crate) shipment: Shipment,
    pub(crate) row: ShippingResult,
}

/// Tells the shop of all parcels that left. Orders whose number is told and not noted yet, because their state is told next,
/// are left in `open`, less than a batch of them.
pub(crate) async fn write_back(
    work: &mut Work<'_>,
    next: Next,
    tally: &mut Tally,
    open: &mut Vec<Out>,
) -> Result<WrittenBack, ShopError> {
    let tells_state = next.tells_state();
    let batch = i32::from(work.connection.batch_size);
    let mut ready = WrittenBack::new();
    // The list follows the records a moment behind: what was told in this run is not told again because of that.
    let mut done: HashSet<(OrderId, u16)> = HashSet::new();
    let mut from = None;
    loop {
        let page = work.tenant.shop_work(&work.connection.id, ShopWork::WriteBack, batch, from).await?;
        let ids: Vec<ShipmentId> =
            page.rows.into_iter().map(|entry| entry.id).filter(|id| done.insert((id.order, id.parcel))).collect();
        let parcels: Vec<Parcel> = work
            .tenant
            .shipments(&ids)
            .await?
            .into_iter()
            .filter(|shipment| shipment.shop_work() == Some(ShopWork::WriteBack))
            .filter_map(|shipment| Parcel::of(shipment, work.settings, work.connection))
            .collect();
        let Capture { plain: parcels, stopped } = if work.connection.capture_payment_on_shipping {
            sale::capture(work, parcels, tells_state, tally, &mut ready).await?
        } else {
            Capture { plain: parcels, stopped: None }
        };
        // What the shop refuses of captures keeps no number from being told.
        let mut stopped = match stopped {
            Some(error) if of_rows(&error).is_none() => return Err(error),
            refused => refused,
        };
        if !parcels.is_empty() {
            let rows: Vec<ShippingResult> = parcels.iter().map(|parcel| parcel.row.clone()).collect();
            let known = if tally.written_back > 0 { Known::Taken } else { Known::Nothing };
            let request = async |client: &Client, token: &Token, rows: &[ShippingResult]| {
                client.shipping(token, rows, ShippingOptions::default()).await
            };
            let told = work.session.call_together(&rows, known, request).await;
            let told_of = |(place, parcel): (usize, Parcel)| (Verdict::of_row(&told, place, &parcel.row), parcel);
            let heard: Vec<(Verdict, Parcel)> = parcels.into_iter().enumerate().map(told_of).collect();
            let (with_state, others): (Vec<_>, Vec<_>) =
                heard.into_iter().partition(|(_, parcel)| next == Next::State && parcel.state_is_next(work.connection));
            for (verdict, parcel) in with_state {
                match verdict {
                    Verdict::Taken => {
                        tally.written_back += 1;
                        open.push(Out::numbered(parcel));
                    }
                    Verdict::Later => tally.later += 1,
                    Verdict::Refused(refusal) => {
                        note_refused(work.tenant, &parcel, &refusal, work.message.robot.as_str()).await?;
                        tally.refused += 1;
                    }
                }
            }
            note(work, others, tells_state, tally, &mut ready).await?;
            stopped = told.stopped.map(|(_, error)| error).or(stopped);
        }
        if let Some(error) = stopped {
            return Err(error);
        }
        tell_whole_batches(work, open, true, tally).await?;
        from = page.next;
        if from.is_none() {
            return Ok(ready);
        }
    }
}

impl Parcel {
    /// Is its number all that stands before the order's state? A payment's capture is noted at once, and a correction after
    /// the end tells no state.
    fn state_is_next(&self, connection: &Connection) -> bool {
        !connection.capture_payment_on_shipping
            && self.shipment.parcels == 1
            && self.shipment.shop_sync != ShopSync::Completed
    }

    fn of(shipment: Shipment, settings: &TenantSettings, connection: &Connection) -> Option<Self> {
        let tracking_number = shipment.tracking_number.clone()?;
        let method = shipment.shipping_method.as_ref();
        let carrier = settings
            .shipping_methods
            .iter()
            .find(|known| Some(&known.id) == method)
            .and_then(|known| known.carrier_ids.get(&connection.id).copied());
        let row = ShippingResult {
            order_id: shipment.id.order.0,
            shipping_slip: tracking_number,
            shipping_carrier_id: carrier,
            shipped_at: shipment.shipped_at.or(shipment.result_at).unwrap_or(shipment.updated_at),
            // The shop keeps one number for each address: of parcels that a robot split off one, the last that is told.
            shipping_address_id: shipment.is_told_by_address().then_some(shipment.address_id.0),
        };
        Some(Self { shipment, row })
    }
}

/// Notes what the shop said of each parcel.
pub(crate) async fn note(
    work: &Work<'_>,
    heard: Vec<(Verdict, Parcel)>,
    tells_state: bool,
    tally: &mut Tally,
    ready: &mut WrittenBack,
) -> Result<(), ShopError> {
    let mut taken = Vec::new();
    let mut refused: Vec<(Parcel, Refusal)> = Vec::new();
    for (verdict, parcel) in heard {
        match verdict {
            Verdict::Taken => taken.push(parcel),
            Verdict::Later => tally.later += 1,
            Verdict::Refused(refusal) => refused.push((parcel, refusal)),
        }
    }
    note_told(work, &taken, tells_state, ready).await?;
    tally.written_back += taken.len() as u64;
    for (parcel, error) in refused {
        note_refused(work.tenant, &parcel, &error, work.message.robot.as_str()).await?;
        tally.refused += 1;
    }
    Ok(())
}

/// Notes that the shop was told these results, and no others.
pub(crate) async fn note_told(
    work: &Work<'_>,
    parcels: &[Parcel],
    tells_state: bool,
    ready: &mut WrittenBack,
) -> Result<(), StoreError> {
    let (now, by) = (Timestamp::now(), work.message.robot.as_str());
    let sent: HashMap<&ShipmentId, &Shipment> =
        parcels.iter().map(|parcel| (&parcel.shipment.id, &parcel.shipment)).collect();
    let shipments: Vec<Shipment> = parcels.iter().map(|parcel| parcel.shipment.clone()).collect();
    work.tenant
        .change_all(&shipments, |shipment| {
            sent.get(&shipment.id).copied().is_some_and(|sent| shipment.told_result(sent, tells_state, now, by))
        })
        .await?;
    // A correction that follows after the order was told as shipped leaves nothing to tell.
    let waiting = shipments.iter().filter(|shipment| shipment.shop_sync != ShopSync::Completed);
    ready.extend(waiting.map(|shipment| (shipment.id.order, shipment.parcels)));
    Ok(())
}

/// Notes that the shop refused a result: it leaves the list of work and waits for a person. One that was corrected
/// meanwhile is not the one that was refused, and is tried.
async fn note_refused(tenant: &Tenant, parcel: &Parcel, error: &Refusal, by: &str) -> Result<(), StoreError> {
    let now = Timestamp::now();
    tenant
        .change(&parcel.shipment.id, |shipment| {
            shipment.has_result_of(&parcel.shipment) && shipment.refused(ShopWork::WriteBack, error, now, by)
        })
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use renkei_ecforce::{RecordKey, WriteAnswer};
    use renkei_shop::together::Together;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_says_nothing_of_a_parcel_that_was_not_in_its_call() {
        // Two parcels of one address have one name at the shop; of these only the first was sent.
        let row = |slip: &str| ShippingResult {
            order_id: 88_111,
            shipping_slip: slip.to_owned(),
            shipping_carrier_id: None,
            shipped_at: "2026-11-24T01:00:00Z".parse().unwrap(),
            shipping_address_id: Some(120),
        };
        let mut answer = WriteAnswer::default();
        answer.success.push(RecordKey { order: 88_111, address: None });
        let told = Together::of(0..1, Ok(answer));
        assert!(matches!(Verdict::of_row(&told, 0, &row("1111")), Verdict::Taken));
        assert!(matches!(Verdict::of_row(&told, 1, &row("2222")), Verdict::Later));
    }

    #[test]
    fn a_parcel_names_its_address_where_the_shop_keeps_numbers_by_address() {
        let settings: TenantSettings = serde_json::from_value(json!({
            "tenant": "hanako",
            "connections": [{
                "id": "hanako-ecforce", "api": "ecforce", "api_url": "api.hanako.example", "ship_from": "tokyo-dc",
                "password": { "env": "HANAKO_ECFORCE_PASSWORD" }, "daily_call_limit": 10_000
            }]
        }))
        .unwrap();
        let shipment: Shipment = serde_json::from_value(json!({
            "id": "hanako-ecforce.88111.1", "order_number": "H-1001", "address_id": 120, "parcels": 1,
            "ship_from": "tokyo-dc", "status": "shipped", "payment": "paid", "payment_state": "authed",
            "shop_sync": "acknowledged", "tracking_number": "1111", "imported_at": "2026-11-24T01:00:00Z",
            "updated_at": "2026-11-24T01:00:00Z", "run": "01HZX", "place": { "page": 1, "row": 0 }, "detail": "1"
        }))
        .unwrap();
        let named = |parcels, several_addresses| {
            let shipment = Shipment { parcels, several_addresses, ..shipment.clone() };
            Parcel::of(shipment, &settings, &settings.connections[0]).unwrap().row.shipping_address_id
        };
        assert_eq!([named(1, false), named(1, true), named(2, false)], [None, Some(120), Some(120)]);
    }
}
