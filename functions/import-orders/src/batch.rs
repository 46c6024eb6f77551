//! A batch of orders of one connection: known, decided, stored.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, ShipmentId, Sku};
use renkei_domain::import::{self, Context, Verdict};
use renkei_domain::order::SourceOrder;
use renkei_domain::processing::Goods;
use renkei_domain::run::Outcome;
use renkei_domain::settings::Connection;
use renkei_domain::work::{Fetched, ImportOrder};
use renkei_store::Tenant;
use renkei_store::called_off::CalledOff;
use renkei_store::import::{Known, NewOrder, Stored};
use renkei_store::orders::{NotImported, NotImportedSummary};
use renkei_store::shipments::detail_version;

use crate::cache::Setup;
use crate::{ImportError, Settled};

/// Orders of one connection with all that deciding about them needs.
pub(crate) struct Batch<'a> {
    tenant: &'a Tenant,
    setup: Arc<Setup>,
    connection: Connection,
    orders: Vec<Arrived>,
    goods: Goods,
    called_off: CalledOff,
    now: Timestamp,
}

struct Arrived {
    message: ImportOrder,
    known: Known,
}

impl Arrived {
    fn order(&self) -> Option<&SourceOrder> {
        match &self.message.order {
            Fetched::Order(order) => Some(order),
            Fetched::Unreadable { .. } => None,
        }
    }
}

impl<'a> Batch<'a> {
    /// Reads what is known of the orders and of their products.
    pub(crate) async fn read(
        tenant: &'a Tenant,
        setup: &Arc<Setup>,
        connection: &ConnectionId,
        messages: Vec<ImportOrder>,
        now: Timestamp,
    ) -> Result<Self, ImportError> {
        let Some(settings) = setup.settings.connection(connection) else {
            return Err(ImportError::NotSetUp(format!(
                "connection {connection} is not in the tenant's settings any more"
            )));
        };
        // The same order may have been delivered twice into one batch; its later copies find the first one's record, in
        // a second round.
        let names: Vec<(OrderId, OrderNumber)> = messages
            .iter()
            .filter_map(|message| match &message.order {
                Fetched::Order(order) => Some((order.id, order.number.clone())),
                Fetched::Unreadable { .. } => None,
            })
            .collect();
        let known = tenant.known_orders(connection, &names);
        let (known, called_off) = futures::try_join!(known, tenant.called_off(connection))?;
        let orders: Vec<Arrived> =
            messages.into_iter().zip(known).map(|(message, known)| Arrived { message, known }).collect();
        let new = orders.iter().filter(|arrived| arrived.known.lead.is_none()).filter_map(Arrived::order);
        let goods = setup.goods(tenant, import::skus(new, &setup.robots)).await?;
        Ok(Self { tenant, setup: Arc::clone(setup), connection: settings.clone(), orders, goods, called_off, now })
    }

    /// Decides about each order, stores the new ones, and says what became of each message.
    pub(crate) async fn settle(self) -> Result<Vec<Settled>, ImportError> {
        let mut settled = Vec::with_capacity(self.orders.len());
        let mut open: Vec<&Arrived> = Vec::new();
        let mut copies: HashMap<OrderId, Vec<&Arrived>> = HashMap::new();
        let mut imported: Vec<(&Arrived, u16)> = Vec::new();
        for arrived in &self.orders {
            let Some(order) = arrived.order() else { continue };
            match &arrived.known.lead {
                Some(lead) if lead.run == arrived.message.run && lead.place == arrived.message.place => {
                    // Delivered again: this very message made the record.
                    imported.push((arrived, lead.parcels));
                    settled.push(Self::settled(arrived, Outcome::Imported));
                }
                // Told as known, it would be moved on at the shop, and nobody would ship it.
                Some(lead) if lead.order_number != order.number => {
                    settled.push(self.not_imported(
                        arrived,
                        order,
                        Outcome::Quarantined,
                        import::OTHER_NUMBER.to_owned(),
                        Vec::new(),
                    ));
                }
                Some(lead) => settled.push(Settled {
                    known: Some((lead.clone(), arrived.message.fetched_at)),
                    ..Self::settled(arrived, Outcome::Duplicate)
                }),
                None if self.called_off.since(order.id, arrived.message.fetched_at) => {
                    settled.push(Self::called_off(arrived, order));
                }
                None if open.iter().any(|first| first.order().map(|o| o.id) == Some(order.id)) => {
                    copies.entry(order.id).or_default().push(arrived);
                }
                None => open.push(arrived),
            }
        }
        for round in [false, true] {
            let mut new = Vec::new();
            let mut next = Vec::new();
            for arrived in std::mem::take(&mut open) {
                let Some(order) = arrived.order() else { continue };
                let number_taken = arrived.known.number_of.is_some_and(|other| other != order.id);
                match self.decide(arrived, order, number_taken || round) {
                    Ok(order) => new.push((arrived, order)),
                    Err(other) => settled.push(*other),
                }
            }
            let (waiting, orders): (Vec<&Arrived>, Vec<NewOrder>) = new.into_iter().unzip();
            let parcels: Vec<u16> =
                orders.iter().map(|order| u16::try_from(order.parcels.len()).unwrap_or(u16::MAX)).collect();
            let stored = self.tenant.store_orders(orders).await?;
            for ((arrived, parcels), stored) in waiting.into_iter().zip(parcels).zip(stored) {
                match stored {
                    Stored::New => {
                        imported.push((arrived, parcels));
                        settled.push(Self::settled(arrived, Outcome::Imported));
                    }
                    Stored::Known(lead) => settled.push(Settled {
                        known: Some((lead, arrived.message.fetched_at)),
                        ..Self::settled(arrived, Outcome::Duplicate)
                    }),
                    // Another order took the number a moment ago: decided anew, with that known.
                    Stored::NumberTaken(_) => next.push(arrived),
                }
            }
            open = next;
        }
        self.cancel_called_off(&imported).await?;
        // Copies of one order in one batch: the first stands for all.
        for (order, arrived) in
            copies.into_values().flatten().filter_map(|arrived| Some((arrived.order()?.id, arrived)))
        {
            let first = settled.iter().rfind(|message| message.of == Some(order)).map(|message| message.outcome);
            let outcome = match first {
                Some(Outcome::Imported | Outcome::Duplicate) | None => Outcome::Duplicate,
                Some(other) => other,
            };
            settled.push(Settled { to_forget: None, ..Self::settled(arrived, outcome) });
        }
        Ok(settled)
    }

    /// Cancels what was called off while it was stored: who noted that may have looked for its shipment a moment before.
    async fn cancel_called_off(&self, imported: &[(&Arrived, u16)]) -> Result<(), ImportError> {
        if imported.is_empty() {
            return Ok(());
        }
        let called_off = self.tenant.called_off(&self.connection.id).await?;
        for (arrived, parcels) in imported {
            let read_at = arrived.message.fetched_at;
            let Some(order) = arrived.order().filter(|order| called_off.since(order.id, read_at)) else { continue };
            for parcel in 1..=*parcels {
                let id = ShipmentId { parcel, ..ShipmentId::lead(self.connection.id.clone(), order.id) };
                self.tenant
                    .change(&id, |shipment| import::cancel_called_off(shipment, self.now, "import-orders"))
                    .await?;
            }
        }
        Ok(())
    }

    /// An order that was called off after it was read: nobody waits for it any more. What is kept of a later reading stays.
    fn called_off(arrived: &Arrived, order: &SourceOrder) -> Settled {
        let noted = arrived.known.not_imported.as_ref();
        let is_later = |noted: &&NotImportedSummary| {
            noted.changed_at.zip(order.updated_at).is_some_and(|(noted, read)| read < noted)
        };
        tracing::info!(order = %order.id, "cancelled at the shop since it was read: it is not imported");
        let to_forget = noted.filter(|noted| !is_later(noted)).map(|_| order.id);
        Settled { to_forget, ..Self::settled(arrived, Outcome::Refused) }
    }

    fn settled(arrived: &Arrived, outcome: Outcome) -> Settled {
        let message = &arrived.message;
        let imported = matches!(outcome, Outcome::Imported | Outcome::Duplicate);
        let order = arrived.order().map(|order| order.id);
        Settled {
            run: message.run.clone(),
            place: message.place,
            outcome,
            of: order,
            kept: None,
            known: None,
            to_forget: order.filter(|_| imported && arrived.known.not_imported.is_some()),
        }
    }

    /// The order to be stored, or what becomes of it instead.
    fn decide(&self, arrived: &Arrived, order: &SourceOrder, number_taken: bool) -> Result<NewOrder, Box<Settled>> {
        let message = &arrived.message;
        let context = Context {
            settings: &self.setup.settings,
            connection: &self.connection,
            robots: &self.setup.robots,
            conversions: &self.setup.conversions,
            goods: &self.goods,
            conversion_robot: message.conversion_robot.as_ref(),
            run: &message.run,
            place: message.place,
            now: self.now,
        };
        let unknown = import::unknown_skus(order, &self.goods);
        let verdict = import::too_old(message.fetched_at, self.now)
            .unwrap_or_else(|| import::decide(&context, order, &unknown, number_taken));
        let outcome = verdict.outcome();
        let (reason, missing_skus) = match verdict {
            Verdict::Store { mut parcels, claim_number } => {
                for (shipment, detail) in &mut parcels {
                    shipment.detail = detail_version(detail);
                }
                return Ok(NewOrder { parcels, claim_number });
            }
            Verdict::Quarantine { reason, missing_skus } => (reason, missing_skus),
            Verdict::Refuse { reason, .. } => (reason, Vec::new()),
        };
        Err(Box::new(self.not_imported(arrived, order, outcome, reason, missing_skus)))
    }

    /// An order that is not imported, with why.
    fn not_imported(
        &self,
        arrived: &Arrived,
        order: &SourceOrder,
        outcome: Outcome,
        reason: String,
        missing_skus: Vec<Sku>,
    ) -> Settled {
        let message = &arrived.message;
        let summary = NotImportedSummary {
            order_id: Some(order.id.0),
            order_number: Some(order.number.to_string()),
            outcome,
            reason,
            missing_skus,
            at: self.now,
            changed_at: order.updated_at,
            run: message.run.clone(),
        };
        // An order that waits is read again with every fetch; what is noted of it already is not written again. One that
        // was changed at the shop meanwhile is kept as it is now.
        let noted = arrived.known.not_imported.as_ref();
        let told = |summary: &NotImportedSummary| {
            (summary.outcome, summary.reason.clone(), summary.missing_skus.clone(), summary.changed_at)
        };
        let changed = noted.is_none_or(|noted| told(noted) != told(&summary));
        Settled {
            kept: changed.then(|| NotImported { summary, message: message.clone() }),
            to_forget: None,
            ..Self::settled(arrived, outcome)
        }
    }
}
