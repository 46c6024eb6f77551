//! What syncs remember of a connection: how far the last one came, which orders webhooks named, and back-fills that were
//! asked for. Beside it, the list of what is open.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use jiff::Timestamp;
use jiff::civil::Date;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId};
use renkei_domain::settings::Connection;
use renkei_domain::shipment::Status;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Tenant;
use crate::access::hex;
use crate::codec;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::reads;

const MARK: &str = "mark of the last status sync";
const HINT: &str = "hint of a webhook";
const BACKFILL: &str = "back-fill";
/// How many keys of an index are read in one request.
const KEYS_A_REQUEST: i32 = 1_000;
/// How long a drain of hints that was announced is waited for, from when it is due, before another is.
const DRAIN_EXPECTED_WITHIN_S: i64 = 120;

/// How far a connection's status sync has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncMark {
    /// When the last sync that came to its end began: what the shop showed before that is known.
    pub began: Timestamp,
    /// The day in Japan on which open orders were last reported on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_on: Option<Date>,
    /// Up to when cancellations of what has left are known, if that is not as far as `began`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_known: Option<Timestamp>,
    /// A digest of the tables by which it read what orders' states mean ([`SyncMark::tables`]). Where they are others since,
    /// what did not change at the shop means something else. None for a mark of a release before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<String>,
    /// The gate's epoch of the run that wrote this.
    pub epoch: u64,
}

impl SyncMark {
    /// The digest of a shop's tables of order and payment states.
    #[must_use]
    pub fn tables(connection: &Connection) -> String {
        let tables = serde_json::json!([connection.states, connection.payment_states]).to_string();
        hex(&Sha256::digest(tables.as_bytes())[..8])
    }

    /// May a sync read what changed since, and leave the rest? Not where the shop's tables are others than then; and not with
    /// the first sync of a day in Japan, `today`, for an order that is not there any more is among no changes.
    #[must_use]
    pub fn tells_changes(&self, connection: &Connection, today: Date) -> bool {
        self.tables.as_deref() == Some(Self::tables(connection).as_str()) && self.reported_on == Some(today)
    }
}

/// A range of dates to be fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// Orders made from here on …
    pub from: Timestamp,
    /// … and before this.
    pub before: Timestamp,
}

/// An open order, as the list of a status has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOrder {
    /// Its shipments that are open.
    pub parcels: BTreeSet<u16>,
    /// When it was imported.
    pub imported_at: Timestamp,
}

/// An order that a webhook named, by id or by number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// By the shop's id.
    Id(u64),
    /// By its number.
    Number(String),
    /// By the shop's id, and the webhook said that it was cancelled.
    Cancelled(u64),
    /// By its number, and the webhook said that it was cancelled.
    CancelledNumber(String),
    /// By the shop's id, and by a person: its shipments are to be made anew.
    Anew(u64),
}

/// An order that was named, and when last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintedOrder {
    /// Which.
    pub named: Named,
    /// When last.
    pub at: Timestamp,
    /// The person who named it, if it was one.
    pub by: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct HintItem {
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// A look at hints that somebody has announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The run that will look.
    pub run: String,
    /// After this nobody waits for it any more: two minutes after it was due.
    pub until: Timestamp,
}

/// How it stands with the looks at a shop's hints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drain {
    /// The one that is announced and has not begun.
    pub announced: Option<Announced>,
    /// When the latest began.
    pub began: Option<Timestamp>,
}

impl Drain {
    /// Is a look announced that begins up to `by`, and that `run` need not announce?
    #[must_use]
    pub fn comes_by(&self, by: Timestamp, run: &str, now: Timestamp) -> bool {
        self.announced.as_ref().is_some_and(|announced| {
            announced.run != run
                && announced.until >= now
                && announced.until.as_second() - DRAIN_EXPECTED_WITHIN_S <= by.as_second()
        })
    }
}

impl Named {
    fn sort_key(&self) -> String {
        match self {
            Self::Id(id) => format!("H#{id}"),
            Self::Number(number) => format!("N#{number}"),
            Self::Cancelled(id) => format!("C#{id}"),
            Self::CancelledNumber(number) => format!("D#{number}"),
            Self::Anew(id) => format!("A#{id}"),
        }
    }

    fn of(sort_key: &str) -> Option<Self> {
        match sort_key.split_once('#')? {
            ("H", id) => id.parse().ok().map(Self::Id),
            ("N", number) => Some(Self::Number(number.to_owned())),
            ("C", id) => id.parse().ok().map(Self::Cancelled),
            ("D", number) => Some(Self::CancelledNumber(number.to_owned())),
            ("A", id) => id.parse().ok().map(Self::Anew),
            _ => None,
        }
    }
}

impl Tenant {
    /// How far the connection's status sync has come; None before the first.
    pub async fn sync_mark(&self, connection: &ConnectionId) -> Result<Option<SyncMark>, StoreError> {
        let key = keys::sync(&self.id, connection, "MARK");
        let item = reads::get(self, &self.tables().robots, &key).await?;
        item.map(|item| codec::from_item(MARK, item)).transpose()
    }

    /// Notes that a sync came to its end. False if a run that entered the gate later has written already: this one was
    /// paused, and changes nothing.
    pub async fn move_sync_mark(&self, connection: &ConnectionId, mark: &SyncMark) -> Result<bool, StoreError> {
        let mut item = codec::to_item(MARK, mark)?;
        item.extend(keys::sync(&self.id, connection, "MARK").attributes());
        item.insert("v".into(), codec::version());
        let put = self
            .client()
            .put_item()
            .table_name(&self.tables().robots)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #epoch <= :epoch")
            .expression_attribute_names("#epoch", "epoch")
            .expression_attribute_values(":epoch", codec::number(mark.epoch))
            .send()
            .await;
        written(put)
    }

    /// The orders of a connection that have shipments in these statuses, by id. The list follows the records a moment
    /// behind.
    pub async fn open_orders(
        &self,
        connection: &ConnectionId,
        statuses: &[Status],
    ) -> Result<BTreeMap<OrderId, OpenOrder>, StoreError> {
        let mut open: BTreeMap<OrderId, OpenOrder> = BTreeMap::new();
        for status in statuses {
            let pk = keys::status_pk(&self.id, connection, *status);
            let mut from = None;
            loop {
                let table = &self.tables().shipments;
                let page =
                    reads::query_index(self, table, "by_status", ("status_pk", &pk), KEYS_A_REQUEST, from).await?;
                for item in &page.rows {
                    let unreadable = || StoreError::Unreadable {
                        kind: "shipment",
                        reason: "its key is not of the known form".into(),
                    };
                    let text = item.get("status_sk").and_then(|v| v.as_s().ok()).ok_or_else(unreadable)?;
                    let mut parts = text.split('#');
                    let mut next = || parts.next().ok_or_else(unreadable);
                    let imported_at: Timestamp = next()?.parse().map_err(|_| unreadable())?;
                    let order = OrderId(next()?.parse().map_err(|_| unreadable())?);
                    let parcel = next()?.parse().map_err(|_| unreadable())?;
                    open.entry(order)
                        .or_insert_with(|| OpenOrder { parcels: BTreeSet::new(), imported_at })
                        .parcels
                        .insert(parcel);
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(open)
    }

    /// Notes orders that a webhook named, or the person `by`: each once, however often it is named. Safe to repeat.
    pub async fn note_hints(
        &self,
        connection: &ConnectionId,
        named: &BTreeSet<Named>,
        by: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let items = named
            .iter()
            .map(|named| {
                let mut item = codec::to_item(HINT, HintItem { at, by: by.map(str::to_owned) })?;
                item.extend(keys::hint(&self.id, connection, &named.sort_key()).attributes());
                item.insert("v".into(), codec::version());
                Ok(item)
            })
            .collect::<Result<_, StoreError>>()?;
        reads::batch_put(self, &self.tables().robots, items).await
    }

    /// Orders that webhooks or people named and that have not been looked at since: so many of them at most, first what people
    /// wish for and what was called cancelled.
    pub async fn hints(&self, connection: &ConnectionId, most: usize) -> Result<Vec<HintedOrder>, StoreError> {
        let pk = keys::hints_pk(&self.id, connection);
        let items = reads::first(self, &self.tables().robots, &pk, most).await?;
        items
            .into_iter()
            .filter_map(|item| Some((Named::of(&Key::of(&item)?.sk)?, item)))
            .map(|(named, item)| {
                let HintItem { at, by } = codec::from_item(HINT, item)?;
                Ok(HintedOrder { named, at, by })
            })
            .collect()
    }

    /// Forgets hints that have been looked at; one that came again meanwhile stays.
    pub async fn forget_hints(&self, connection: &ConnectionId, hints: &[HintedOrder]) -> Result<(), StoreError> {
        for hint in hints {
            let key = keys::hint(&self.id, connection, &hint.named.sort_key());
            let deleted = self
                .client()
                .delete_item()
                .table_name(&self.tables().robots)
                .set_key(Some(key.attributes()))
                .condition_expression("attribute_not_exists(pk) OR #at = :at")
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":at", codec::text(hint.at.to_string()))
                .send()
                .await;
            match deleted {
                Ok(_) => {}
                Err(error)
                    if error.as_service_error().is_some_and(
                        aws_sdk_dynamodb::operation::delete_item::DeleteItemError::is_conditional_check_failed_exception,
                    ) => {}
                Err(error) => return Err(StoreError::from_sdk("DeleteItem", &error)),
            }
        }
        Ok(())
    }

    /// How it stands with the looks at what is hinted.
    pub async fn drain(&self, connection: &ConnectionId) -> Result<Drain, StoreError> {
        let item = reads::get(self, &self.tables().robots, &keys::sync(&self.id, connection, "DRAIN")).await?;
        let Some(item) = item else { return Ok(Drain::default()) };
        codec::known_version("announced look at hints", &item)?;
        let time = |name: &str| {
            let seconds = item.get(name)?.as_n().ok()?.parse().ok()?;
            Timestamp::from_second(seconds).ok()
        };
        let run = item.get("run").and_then(|run| run.as_s().ok()).cloned();
        let announced = run.zip(time("until")).map(|(run, until)| Announced { run, until });
        Ok(Drain { announced, began: time("began") })
    }

    /// Announces that hints will be looked at when `due`. True for the one who has to see to it; false if it is announced
    /// already for a time up to `by` (a later one is not waited for by who wants it sooner). An announcement that nobody made
    /// good counts for two minutes.
    pub async fn announce_drain(
        &self,
        connection: &ConnectionId,
        run: &str,
        (due, by): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .client()
            .update_item()
            .table_name(&self.tables().robots)
            .set_key(Some(keys::sync(&self.id, connection, "DRAIN").attributes()))
            .update_expression("SET v = :v, #run = :run, #until = :until")
            // The same run again: its announcement's answer, or its message, was lost.
            .condition_expression("attribute_not_exists(#until) OR #until < :now OR #run = :run OR #until > :late")
            .expression_attribute_names("#until", "until")
            .expression_attribute_names("#run", "run")
            .expression_attribute_values(":v", codec::version())
            .expression_attribute_values(":now", codec::number(now.as_second()))
            .expression_attribute_values(":late", codec::number(by.as_second() + DRAIN_EXPECTED_WITHIN_S))
            .expression_attribute_values(":until", codec::number(due.as_second() + DRAIN_EXPECTED_WITHIN_S))
            .expression_attribute_values(":run", codec::text(run))
            .send()
            .await;
        match update {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk("UpdateItem", &error)),
        }
    }

    /// Hints are being looked at now: one that comes from here on needs another look.
    pub async fn begin_drain(&self, connection: &ConnectionId, now: Timestamp) -> Result<(), StoreError> {
        self.client()
            .update_item()
            .table_name(&self.tables().robots)
            .set_key(Some(keys::sync(&self.id, connection, "DRAIN").attributes()))
            // The release before takes only an announcement whose time is over for none.
            .update_expression("SET v = :v, began = :began, #until = :over REMOVE #run")
            .expression_attribute_names("#until", "until")
            .expression_attribute_names("#run", "run")
            .expression_attribute_values(":v", codec::version())
            .expression_attribute_values(":began", codec::number(now.as_second()))
            .expression_attribute_values(":over", codec::number(0))
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("UpdateItem", &error))?;
        Ok(())
    }

    /// Notes what a run of back-fill is to read.
    pub async fn ask_backfill(&self, connection: &ConnectionId, run: &str, range: Backfill) -> Result<(), StoreError> {
        let mut item = codec::to_item(BACKFILL, range)?;
        item.extend(keys::sync(&self.id, connection, &format!("B#{run}")).attributes());
        item.insert("v".into(), codec::version());
        reads::batch_put(self, &self.tables().robots, vec![item]).await
    }

    /// What a run of back-fill is to read; None if it is none.
    pub async fn backfill(&self, connection: &ConnectionId, run: &str) -> Result<Option<Backfill>, StoreError> {
        let key = keys::sync(&self.id, connection, &format!("B#{run}"));
        let item = reads::get(self, &self.tables().robots, &key).await?;
        item.map(|item| codec::from_item(BACKFILL, item)).transpose()
    }

    /// The shipments of these open orders, in the orders' order.
    #[must_use]
    pub fn open_ids(connection: &ConnectionId, orders: &BTreeMap<OrderId, OpenOrder>) -> Vec<ShipmentId> {
        orders
            .iter()
            .flat_map(|(order, open)| open.parcels.iter().map(|parcel| (*order, *parcel)))
            .map(|(order, parcel)| ShipmentId { connection: connection.clone(), order, parcel })
            .collect()
    }
}

/// True if a conditional put was done, false if its condition did not hold.
pub(crate) fn written<T, R>(put: Result<T, SdkError<PutItemError, R>>) -> Result<bool, StoreError> {
    match put {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
            Ok(false)
        }
        Err(error) => Err(StoreError::from_sdk("PutItem", &error)),
    }
}
