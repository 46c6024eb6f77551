//! Orders whose shipments a person wants to be made anew from what the shop has: see [`renkei_domain::import::anew`].
//!
//! It is asked for as a webhook asks for a look: the wish is noted, and one run reads all that is wished for, a
//! hundred orders a call. The wish is forgotten when its order is done; a crash before that makes the same once more, which
//! changes nothing. What cannot be done is said on the shipment and in the run.

use jiff::Timestamp;
use renkei_domain::convert::ConversionRobots;
use renkei_domain::ids::{OrderId, ShipmentId};
use renkei_domain::import::{self, Context, Verdict, anew};
use renkei_domain::order::SourceOrder;
use renkei_domain::processing::{Goods, RobotSet};
use renkei_domain::settings::{Connection, TenantSettings};
use renkei_domain::shipment::{Shipment, ShipmentDetail};
use renkei_domain::work::Fetched;
use renkei_ecforce::{BadRecord, Order, id_of};
use renkei_shop::ShopError;
use renkei_shop::order::{fetched, too_large};
use renkei_store::Tenant;
use renkei_store::sync::{HintedOrder, Named};

use crate::commit::{Read, Tally};

/// Orders that a run's notes name.
const NAMED: usize = 5;

/// Longest reason that is noted, in characters: it may name every SKU of an order.
const LONGEST_NOTE: usize = 200;

const NOT_THERE: &str = "the shop does not give it";
const BEHIND: &str = "the shop shows it as it was before it was last read: wish for it again later";
const IN_HAND: &str = "a part of it is with the warehouse, has left, or is cancelled";

/// Makes shipments anew, and keeps what could not be.
pub struct Anew<'a> {
    tenant: &'a Tenant,
    settings: &'a TenantSettings,
    connection: &'a Connection,
    /// Which order, and why.
    refused: Vec<String>,
}

impl<'a> Anew<'a> {
    /// For a run.
    #[must_use]
    pub fn begin(tenant: &'a Tenant, settings: &'a TenantSettings, connection: &'a Connection) -> Self {
        Self { tenant, settings, connection, refused: Vec::new() }
    }

    /// Makes the shipments of one order anew, of which the shop has shown these rows.
    ///
    /// # Errors
    /// `LeaseLost` if the reading has grown old meanwhile: the wish stays, and the run reads again.
    pub async fn make(
        &mut self,
        wish: &HintedOrder,
        (read, rows): (&Read, &[Result<Order, BadRecord>]),
        tally: &mut Tally,
    ) -> Result<(), ShopError> {
        let Named::Anew(id) = wish.named else { return Ok(()) };
        let lead = ShipmentId::lead(self.connection.id.clone(), OrderId(id));
        let Some(lead) = self.tenant.shipment(&lead).await? else { return Ok(()) };
        let by = wish.by.as_deref().unwrap_or_default();
        let row = rows.iter().find(|row| id_of(row) == Some(id));
        let made = match row.map(|row| fetched(row.clone())) {
            None => Err(NOT_THERE.to_owned()),
            Some(Fetched::Unreadable { reason, .. }) => Err(reason),
            Some(Fetched::Order(order)) => self.of_order(&lead, &order, read, by).await?,
        };
        match made {
            Ok(()) => tally.add("made-anew", 1),
            // It was made in an earlier turn, and somebody has taken it since.
            Err(_) if self.is_settled(&lead, wish).await? => tally.add("made-anew", 1),
            Err(reason) => {
                tally.add("not-made-anew", 1);
                tally.for_a_person += 1;
                let reason: String = reason.chars().take(LONGEST_NOTE).collect();
                self.refused.push(format!("{} ({reason})", lead.order_number));
                let what: String = format!("not made anew: {reason}").chars().take(LONGEST_NOTE).collect();
                // Each of them is on hold for it, and says why.
                for parcel in 1..=lead.parcels {
                    let id = ShipmentId { parcel, ..lead.id.clone() };
                    self.tenant.change(&id, |shipment| note_once(shipment, &what, by)).await?;
                }
            }
        }
        Ok(())
    }

    /// What a run says of those that could not be made anew.
    #[must_use]
    pub fn notes(self) -> Option<String> {
        let more = if self.refused.len() > NAMED { ", …" } else { "" };
        let first: Vec<&str> = self.refused.iter().take(NAMED).map(String::as_str).collect();
        (!first.is_empty()).then(|| {
            format!(
                "{} orders could not be made anew from what the shop has: {}{more}",
                self.refused.len(),
                first.join(", ")
            )
        })
    }

    /// Did an earlier turn do all of it? One that died between two parcels of an order leaves them on hold.
    async fn is_settled(&self, lead: &Shipment, wish: &HintedOrder) -> Result<bool, ShopError> {
        let parcels = self.tenant.parcels(&self.connection.id, &[(lead.id.order, lead.parcels)]).await?;
        Ok(parcels.iter().flatten().all(|parcel| anew::is_settled_since(parcel, wish.at)))
    }

    async fn of_order(
        &self,
        lead: &Shipment,
        order: &SourceOrder,
        read: &Read,
        by: &str,
    ) -> Result<Result<(), String>, ShopError> {
        let connection = &self.connection.id;
        let parcels = self.tenant.parcels(connection, &[(order.id, lead.parcels)]).await?.pop().unwrap_or_default();
        if !parcels.iter().all(anew::is_possible) {
            return Ok(Err(IN_HAND.to_owned()));
        }
        if let Some(reason) = too_large(serde_json::to_vec(order).map_or(0, |order| order.len())) {
            return Ok(Err(reason));
        }
        let made = match self.import(lead, order).await? {
            Ok(made) => made,
            Err(reason) => return Ok(Err(reason)),
        };
        if made.len() != parcels.len() {
            return Ok(Err(format!(
                "it would be {} parcels and is {}: cancel it here and place it anew at the shop",
                made.len(),
                parcels.len()
            )));
        }
        let details = self.tenant.details(&parcels).await?;
        let (several, mut is_other) = (parcels.len() > 1, false);
        let mut kept = Vec::new();
        for ((shipment, detail), (new, new_detail)) in parcels.into_iter().zip(details).zip(made) {
            let mut tried = shipment.clone();
            anew::make(&mut tried, &new, order, &shipment.detail, Timestamp::now(), by);
            if detail == new_detail && anew::is_same(&shipment, &tried) {
                continue;
            }
            if !read.is_fresh() {
                return Err(ShopError::LeaseLost);
            }
            is_other = true;
            let version = self.tenant.put_detail(&shipment.id, &new_detail).await?;
            let (mut refused, mut is_kept) = (None, false);
            self.tenant
                .change(&shipment.id, |now| {
                    refused = if anew::is_behind(now, order) {
                        Some(BEHIND)
                    } else if !anew::is_possible(now) || now.detail != shipment.detail {
                        Some(IN_HAND)
                    } else {
                        anew::make(now, &new, order, &version, Timestamp::now(), by);
                        is_kept = several && anew::keep(now);
                        None
                    };
                    refused.is_none()
                })
                .await?;
            if let Some(reason) = refused {
                return Ok(Err(reason.to_owned()));
            }
            if is_kept {
                kept.push(shipment.id);
            }
        }
        // Of several none leaves as it is now while another is as it was.
        for id in &kept {
            self.tenant.change(id, anew::let_go).await?;
        }
        if !is_other {
            self.tenant.change(&lead.id, |shipment| anew::unchanged(shipment, Timestamp::now(), by)).await?;
        }
        Ok(Ok(()))
    }

    /// The order as import makes shipments of it now; or why it would not.
    async fn import(
        &self,
        lead: &Shipment,
        order: &SourceOrder,
    ) -> Result<Result<Vec<(Shipment, ShipmentDetail)>, String>, ShopError> {
        let robots = match RobotSet::compile(self.settings) {
            Ok(robots) => robots,
            Err(problems) => return Ok(Err(problems.first().map(ToString::to_string).unwrap_or_default())),
        };
        let products = self.tenant.products_of(&import::skus([order], &robots)).await?;
        let goods: Goods = products.into_iter().map(|product| (product.sku, product.temperature)).collect();
        let context = Context {
            settings: self.settings,
            connection: self.connection,
            robots: &robots,
            conversions: &ConversionRobots::of_applied(self.settings),
            goods: &goods,
            conversion_robot: self.settings.conversion_robot_of(&self.connection.id),
            run: &lead.run,
            place: lead.place,
            now: Timestamp::now(),
        };
        Ok(match import::decide(&context, order, &import::unknown_skus(order, &goods), false) {
            Verdict::Store { parcels, .. } if parcels.iter().all(|(new, _)| anew::is_possible(new)) => Ok(parcels),
            Verdict::Store { .. } => Err(IN_HAND.to_owned()),
            Verdict::Quarantine { reason, .. } | Verdict::Refuse { reason, .. } => Err(reason),
        })
    }
}

fn note_once(shipment: &mut Shipment, what: &str, by: &str) -> bool {
    if shipment.events.last().is_some_and(|event| event.what == what && event.by == by) {
        return false;
    }
    shipment.note(Timestamp::now(), what, by);
    true
}
