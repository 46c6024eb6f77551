//! Shipments: their two parts, how they are changed, and the lists that work is taken from. How they come in is told in
//! [`crate::import`].

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId};
use renkei_domain::shipment::{Shipment, ShipmentDetail, ShopError, ShopSync, ShopWork, Status};

use crate::Tenant;
use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::needs;
use crate::reads;
use crate::statements::{self, Statement, Written};

pub(crate) const SHIPMENT: &str = "shipment";
pub(crate) const DETAIL: &str = "shipment detail";

/// One entry of a list of work. It carries all that the work needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkEntry {
    /// The shipment.
    pub id: ShipmentId,
    /// How many parcels its order has.
    pub parcels: u16,
}

/// A page of a list, and where the next begins.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub rows: Vec<T>,
    /// Where the next page begins; None at the end.
    pub next: Option<Cursor>,
}

/// Where a list goes on.
#[derive(Debug, Clone)]
pub struct Cursor(pub(crate) Item);

impl Tenant {
    /// A shipment.
    pub async fn shipment(&self, id: &ShipmentId) -> Result<Option<Shipment>, StoreError> {
        reads::get(self, &self.tables().shipments, &keys::shipment(&self.id, id)).await?.map(shipment_of).transpose()
    }

    /// Shipments by id; those that do not exist are left out.
    pub async fn shipments(&self, ids: &[ShipmentId]) -> Result<Vec<Shipment>, StoreError> {
        let wanted: Vec<Key> = ids.iter().map(|id| keys::shipment(&self.id, id)).collect();
        let mut found = reads::batch_get(self, &self.tables().shipments, wanted.clone()).await?;
        wanted.iter().filter_map(|key| found.remove(key)).map(shipment_of).collect()
    }

    /// The large parts of these shipments, in their order.
    pub async fn details(&self, shipments: &[Shipment]) -> Result<Vec<ShipmentDetail>, StoreError> {
        let key = |shipment: &Shipment| keys::detail(&self.id, &shipment.id, &shipment.detail);
        let wanted = shipments.iter().map(key).collect();
        let found = reads::batch_get(self, &self.tables().shipments, wanted).await?;
        shipments
            .iter()
            .map(|shipment| {
                let missing = || StoreError::Unreadable { kind: DETAIL, reason: "it is missing".into() };
                codec::unpack(DETAIL, found.get(&key(shipment)).ok_or_else(missing)?, "body")
            })
            .collect()
    }

    /// Stores a large part, and gives the version that a shipment names it by. Until one does nobody reads it.
    pub async fn put_detail(&self, id: &ShipmentId, detail: &ShipmentDetail) -> Result<String, StoreError> {
        let version = detail_version(detail);
        let mut item = keys::detail(&self.id, id, &version).attributes();
        item.insert("v".into(), codec::version());
        item.insert("body".into(), codec::pack(DETAIL, detail)?);
        reads::batch_put(self, &self.tables().shipments, vec![item]).await?;
        Ok(version)
    }

    /// Ids of the shipments of a connection in a status, oldest first.
    pub async fn shipments_by_status(
        &self,
        connection: &ConnectionId,
        status: Status,
        limit: i32,
        from: Option<Cursor>,
    ) -> Result<Page<ShipmentId>, StoreError> {
        self.shipments_by_status_since(connection, status, None, limit, from).await
    }

    /// The same without those that came into the list before `since`: by the time of import, for what is out by the time of
    /// its result.
    pub async fn shipments_by_status_since(
        &self,
        connection: &ConnectionId,
        status: Status,
        since: Option<Timestamp>,
        limit: i32,
        from: Option<Cursor>,
    ) -> Result<Page<ShipmentId>, StoreError> {
        let pk = keys::status_pk(&self.id, connection, status);
        let least = since.map(keys::status_sk_since);
        let range = least.as_deref().map(|least| ("status_sk", least));
        let table = &self.tables().shipments;
        let page = reads::query_index_from(self, table, "by_status", ("status_pk", &pk), range, limit, from).await?;
        Ok(Page {
            rows: page
                .rows
                .iter()
                .map(|item| {
                    let mut parts = sort_key(item, "status_sk")?.split('#').skip(1).map(str::to_owned);
                    id_from(connection, parts.next(), parts.next())
                })
                .collect::<Result<_, StoreError>>()?,
            next: page.next,
        })
    }

    /// What is to be told to a shop, oldest first. The list follows the records a moment behind: an entry may be done
    /// already, which makes telling it again harmless and never missing.
    pub async fn shop_work(
        &self,
        connection: &ConnectionId,
        work: ShopWork,
        limit: i32,
        from: Option<Cursor>,
    ) -> Result<Page<WorkEntry>, StoreError> {
        let pk = keys::work_pk(&self.id, connection, work);
        let page = reads::query_index(self, &self.tables().shipments, "work", ("work_pk", &pk), limit, from).await?;
        Ok(Page {
            rows: page
                .rows
                .iter()
                .map(|item| {
                    let mut parts = sort_key(item, "work_sk")?.split('#').skip(1).map(str::to_owned);
                    let id = id_from(connection, parts.next(), parts.next())?;
                    let parcels = parts.next().and_then(|p| p.parse().ok()).ok_or_else(unreadable_key)?;
                    Ok(WorkEntry { id, parcels })
                })
                .collect::<Result<_, StoreError>>()?,
            next: page.next,
        })
    }

    /// Notes that the shop has been told that we took these orders. Those that were noted already stay as they are. A parcel
    /// that left before this was noted has its tracking number on the list of work afterwards.
    pub async fn acknowledge(&self, orders: &[WorkEntry], at: Timestamp) -> Result<(), StoreError> {
        // The first parcel stands for its order on the list of work: it goes last, so that a crash in between leaves the
        // order there, and its other parcels are noted by the next run.
        let (leads, others): (Vec<ShipmentId>, Vec<ShipmentId>) =
            orders.iter().flat_map(WorkEntry::parcel_ids).partition(ShipmentId::is_lead);
        self.acknowledge_parcels(&others, at).await?;
        self.acknowledge_parcels(&leads, at).await
    }

    async fn acknowledge_parcels(&self, ids: &[ShipmentId], at: Timestamp) -> Result<(), StoreError> {
        let statements = ids
            .iter()
            .map(|id| {
                let key = keys::shipment(&self.id, id);
                Statement {
                    text: format!(
                        "UPDATE \"{}\" SET shop_sync='{}' SET updated_at=? SET told_at=? SET rev=rev+1 \
                         REMOVE work_pk REMOVE work_sk REMOVE shop_error \
                         WHERE pk=? AND sk=? AND shop_sync='{}' AND \"status\"<>'{}'",
                        self.tables().shipments,
                        ShopSync::Acknowledged.as_str(),
                        ShopSync::Registered.as_str(),
                        // What has left has more to tell: what, is decided on the whole record.
                        Status::Shipped.as_str(),
                    ),
                    parameters: vec![
                        codec::text(at.to_string()),
                        codec::text(at.to_string()),
                        codec::text(key.pk),
                        codec::text(key.sk),
                    ],
                }
            })
            .collect();
        for (id, written) in ids.iter().zip(statements::execute(self, statements).await?) {
            match written {
                Written::Yes | Written::Exists => {}
                // Acknowledged before, or shipped by now.
                Written::ConditionFailed(item) if item.as_deref().is_none_or(is_settled) => {}
                Written::ConditionFailed(_) => {
                    self.change(id, |shipment| shipment.acknowledged(at)).await?;
                }
            }
        }
        Ok(())
    }

    /// Notes that the shop refused for good what it was told of a shipment: it leaves the list of work, and waits for a
    /// person.
    pub async fn shop_refused(
        &self,
        id: &ShipmentId,
        told: ShopWork,
        error: &ShopError,
        at: Timestamp,
        by: &str,
    ) -> Result<(), StoreError> {
        self.change(id, |shipment| shipment.refused(told, error, at, by)).await?;
        Ok(())
    }

    /// Changes a shipment by `change`, which answers whether it changed anything. Reads, changes and writes on condition
    /// that nobody else wrote meanwhile, as often as it takes. Gives the shipment as it is then; None if there is none.
    pub async fn change(
        &self,
        id: &ShipmentId,
        change: impl FnMut(&mut Shipment) -> bool,
    ) -> Result<Option<Shipment>, StoreError> {
        match self.shipment(id).await? {
            Some(current) => self.change_from(current, change).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same for a shipment that was read already, a moment ago and together with others: if it changed since, that
    /// shows when it is written, and it is decided anew.
    pub async fn change_from(
        &self,
        mut current: Shipment,
        mut change: impl FnMut(&mut Shipment) -> bool,
    ) -> Result<Shipment, StoreError> {
        const OPERATION: &str = "PutItem";
        const ATTEMPTS: usize = 8;
        for _ in 0..ATTEMPTS {
            let mut next = current.clone();
            if !change(&mut next) {
                return Ok(current);
            }
            next.rev = current.rev + 1;
            let put = self
                .client()
                .put_item()
                .table_name(&self.tables().shipments)
                .set_item(Some(self.shipment_item(&next)?))
                .condition_expression("rev = :rev")
                .expression_attribute_values(":rev", codec::number(current.rev))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            match put {
                Ok(_) => return Ok(next),
                Err(error) => {
                    let Some(item) = reads::conflicting_item(&error) else {
                        return Err(StoreError::from_sdk(OPERATION, &error));
                    };
                    current = shipment_of(item)?;
                    // The answer to our own write may have been lost, and the SDK have repeated it.
                    if current == next {
                        return Ok(next);
                    }
                }
            }
        }
        Err(StoreError::Conflict { kind: SHIPMENT })
    }

    pub(crate) fn shipment_item(&self, shipment: &Shipment) -> Result<Item, StoreError> {
        let id = &shipment.id;
        let mut item = codec::to_item(SHIPMENT, shipment)?;
        item.extend(keys::shipment(&self.id, id).attributes());
        item.insert("v".into(), codec::version());
        item.insert("status_pk".into(), codec::text(keys::status_pk(&self.id, &id.connection, shipment.status)));
        item.insert("status_sk".into(), codec::text(keys::status_sk(since(shipment), id)));
        if let Some(work) = shipment.shop_work() {
            let since = match work {
                ShopWork::TellWorking => shipment.imported_at,
                ShopWork::WriteBack | ShopWork::TellShipped => shipment.result_at.unwrap_or(shipment.updated_at),
            };
            item.insert("work_pk".into(), codec::text(keys::work_pk(&self.id, &id.connection, work)));
            item.insert("work_sk".into(), codec::text(keys::work_sk(since, id, shipment.parcels)));
        }
        for (name, value) in needs::marks(self, shipment).into_iter().flatten() {
            item.insert(name.into(), codec::text(value));
        }
        Ok(item)
    }
}

/// What a status list is sorted by: the time of import; for what is out, when that became known, so that the latest can
/// be asked for alone.
fn since(shipment: &Shipment) -> Timestamp {
    match (shipment.status, shipment.result_at) {
        (Status::Shipped, Some(at)) => at,
        _ => shipment.imported_at,
    }
}

impl WorkEntry {
    /// Ids of all parcels of its order.
    pub(crate) fn parcel_ids(&self) -> impl Iterator<Item = ShipmentId> {
        let id = self.id.clone();
        (1..=self.parcels).map(move |parcel| ShipmentId { parcel, ..id.clone() })
    }
}

/// The version that a detail's key carries: the same content has the same.
#[must_use]
pub fn detail_version(detail: &ShipmentDetail) -> String {
    let json = serde_json::to_vec(detail).unwrap_or_default();
    format!("{:08x}", crc32fast::hash(&json))
}

pub(crate) fn shipment_of(item: Item) -> Result<Shipment, StoreError> {
    codec::from_item(SHIPMENT, item)
}

/// Has the shop been told already that we took it?
fn is_settled(item: &Item) -> bool {
    let sync = item.get("shop_sync").and_then(|sync| sync.as_s().ok());
    sync.is_some_and(|sync| sync != ShopSync::Registered.as_str())
}

pub(crate) fn sort_key<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    item.get(name).and_then(|v| v.as_s().ok()).map(String::as_str).ok_or_else(unreadable_key)
}

fn unreadable_key() -> StoreError {
    StoreError::Unreadable { kind: SHIPMENT, reason: "its key is not of the known form".into() }
}

pub(crate) fn id_from(
    connection: &ConnectionId,
    order: Option<String>,
    parcel: Option<String>,
) -> Result<ShipmentId, StoreError> {
    let order = order.and_then(|o| o.parse().ok()).ok_or_else(unreadable_key)?;
    let parcel = parcel.and_then(|p| p.parse().ok()).ok_or_else(unreadable_key)?;
    Ok(ShipmentId { connection: connection.clone(), order: OrderId(order), parcel })
}

pub(crate) fn refused(operation: &'static str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Refused { operation, code: "build".into(), message: error.to_string() }
}
