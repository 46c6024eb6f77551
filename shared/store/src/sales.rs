//! 売上処理: the record that an order's payment was, or is about to be, captured through the shop. It is written before the
//! shop is asked, and never taken away: whoever finds it asks no second time, but looks what became of the first.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId};
use renkei_domain::shipment::{Shipment, ShopError};
use serde::{Deserialize, Serialize};

use crate::Tenant;
use crate::codec;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::reads;
use crate::statements::{self, Statement, Written};

const KIND: &str = "sale";

/// How the capture of an order's payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sale {
    /// The shop is being asked, or was and its answer was lost.
    Intended,
    /// Captured: by the shop's answer, or as read from the order afterwards.
    Captured,
    /// It was asked once, and is not captured, by what the order shows: a person must look at the shop.
    Unproven,
    /// It is certain that the shop was not asked: it may be asked anew.
    Withdrawn,
}

impl Sale {
    fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Captured => "captured",
            Self::Unproven => "unproven",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What people are shown of a capture that is unproven.
#[must_use]
pub fn not_captured() -> ShopError {
    ShopError {
        code: ShopError::CAPTURE_UNPROVEN.into(),
        message: "the shop was asked once to capture the payment and shows none: look at the order there".into(),
    }
}

/// Shows on a shipment that its order's payment is not captured. True if that was not shown. What the shop said before is the
/// lesser news.
pub fn show_not_captured(shipment: &mut Shipment, at: Timestamp, by: &str) -> bool {
    let error = Some(not_captured());
    if shipment.shop_error == error {
        return false;
    }
    shipment.shop_error = error;
    shipment.note(at, "payment not captured", by);
    true
}

#[derive(Deserialize)]
struct Kept {
    sale: Sale,
}

impl Tenant {
    fn sale_key(&self, connection: &ConnectionId, order: OrderId) -> Key {
        keys::sale(&self.id, &ShipmentId::lead(connection.clone(), order))
    }

    /// How the captures of these orders stand, in their order; None where the shop was never asked.
    pub async fn sales(&self, connection: &ConnectionId, orders: &[OrderId]) -> Result<Vec<Option<Sale>>, StoreError> {
        let keys: Vec<Key> = orders.iter().map(|order| self.sale_key(connection, *order)).collect();
        let mut found = reads::batch_get(self, &self.tables().shipments, keys.clone()).await?;
        keys.iter()
            .map(|key| {
                found.remove(key).map(|item| codec::from_item::<Kept>(KIND, item).map(|kept| kept.sale)).transpose()
            })
            .collect()
    }

    /// Notes that these orders' payments are about to be captured by `run`. True for each that nobody else has noted: only
    /// those may be asked for.
    pub async fn intend_sales(
        &self,
        connection: &ConnectionId,
        orders: &[OrderId],
        run: &str,
        at: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        let inserts = orders
            .iter()
            .map(|order| {
                let mut item = self.sale_key(connection, *order).attributes();
                item.insert("v".into(), codec::version());
                item.insert("sale".into(), codec::text(Sale::Intended.as_str()));
                item.insert("run".into(), codec::text(run));
                item.insert("at".into(), codec::text(at.to_string()));
                statements::insert(&self.tables().shipments, item)
            })
            .collect();
        let written = statements::execute(self, inserts).await?;
        let mut mine: Vec<bool> = written.iter().map(|written| *written == Written::Yes).collect();
        // What was withdrawn may be intended again. An insert of our own whose answer was lost is not told from another's:
        // then the order is read back instead of asked for, which is safe.
        let again: Vec<usize> = (0..orders.len()).filter(|n| !mine[*n]).collect();
        let statements =
            again.iter().map(|n| self.move_sale(connection, orders[*n], Sale::Withdrawn, Sale::Intended, at)).collect();
        for (n, written) in again.iter().zip(statements::execute(self, statements).await?) {
            mine[*n] = written == Written::Yes;
        }
        Ok(mine)
    }

    /// Notes what became of captures that were intended. Those that are settled already stay as they are.
    pub async fn settle_sales(
        &self,
        connection: &ConnectionId,
        orders: &[OrderId],
        sale: Sale,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let statements =
            orders.iter().map(|order| self.move_sale(connection, *order, Sale::Intended, sale, at)).collect();
        statements::execute(self, statements).await?;
        Ok(())
    }

    /// A person has looked at the shop and says that the payment may be captured anew. False if it is not waiting for that.
    /// Said once more, it is still true: whoever said it may have come no further.
    pub async fn withdraw_sale(
        &self,
        connection: &ConnectionId,
        order: OrderId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.moved(connection, order, (Sale::Unproven, Sale::Withdrawn), at).await
    }

    /// The shop had said that it captured the payment, and the order shows otherwise: a person must look. False if no
    /// such word of the shop is noted. Said once more, it is still true.
    pub async fn doubt_sale(
        &self,
        connection: &ConnectionId,
        order: OrderId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.moved(connection, order, (Sale::Captured, Sale::Unproven), at).await
    }

    /// Does it stand so now, whether it was moved by this or before?
    async fn moved(
        &self,
        connection: &ConnectionId,
        order: OrderId,
        (from, to): (Sale, Sale),
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let statement = self.move_sale(connection, order, from, to, at);
        if statements::execute(self, vec![statement]).await?.first() == Some(&Written::Yes) {
            return Ok(true);
        }
        Ok(self.sales(connection, &[order]).await? == [Some(to)])
    }

    fn move_sale(&self, connection: &ConnectionId, order: OrderId, from: Sale, to: Sale, at: Timestamp) -> Statement {
        let key = self.sale_key(connection, order);
        Statement {
            text: format!(
                "UPDATE \"{}\" SET sale='{}' SET \"at\"=? WHERE pk=? AND sk=? AND sale='{}'",
                self.tables().shipments,
                to.as_str(),
                from.as_str(),
            ),
            parameters: vec![codec::text(at.to_string()), codec::text(key.pk), codec::text(key.sk)],
        }
    }
}
