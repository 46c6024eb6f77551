//! Reading and plain writing in batches, with what DynamoDB left over asked for again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt};

use crate::Tenant;
use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys::Key;
use crate::shipments::{Cursor, Page};

const ATTEMPTS: u32 = 8;
/// DynamoDB's limits.
pub(crate) const READ_AT_ONCE: usize = 100;
const WRITE_AT_ONCE: usize = 25;
const REQUESTS_AT_ONCE: usize = 4;

pub(crate) async fn get(tenant: &Tenant, table: &str, key: &Key) -> Result<Option<Item>, StoreError> {
    let answer = tenant
        .client()
        .get_item()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .consistent_read(true)
        .send()
        .await
        .map_err(|e| StoreError::from_sdk("GetItem", &e))?;
    Ok(answer.item)
}

/// Items by key, read consistently. Keys without an item are not in the answer; one may be wanted twice.
pub(crate) async fn batch_get(tenant: &Tenant, table: &str, keys: Vec<Key>) -> Result<HashMap<Key, Item>, StoreError> {
    let requests: Vec<Vec<Key>> = once(keys).chunks(READ_AT_ONCE).map(<[Key]>::to_vec).collect();
    let answers: Vec<Vec<Item>> = futures::stream::iter(requests)
        .map(|keys| batch_get_request(tenant, table, keys))
        .buffered(REQUESTS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().filter_map(|item| Some((Key::of(&item)?, item))).collect())
}

/// Each key once, where it stood first: DynamoDB refuses a request that names one twice.
fn once(keys: Vec<Key>) -> Vec<Key> {
    let mut seen = HashSet::new();
    keys.into_iter().filter(|key| seen.insert(key.clone())).collect()
}

async fn batch_get_request(tenant: &Tenant, table: &str, keys: Vec<Key>) -> Result<Vec<Item>, StoreError> {
    let mut found = batch_get_tables(tenant, vec![(table, keys)]).await?;
    Ok(found.remove(table).unwrap_or_default())
}

/// Items of several tables in one request, read consistently: at most [`READ_AT_ONCE`] keys in all. The answer has the
/// items by table, in no order.
pub(crate) async fn batch_get_tables(
    tenant: &Tenant,
    wanted: Vec<(&str, Vec<Key>)>,
) -> Result<HashMap<String, Vec<Item>>, StoreError> {
    const OPERATION: &str = "BatchGetItem";
    let mut open = HashMap::new();
    for (table, keys) in wanted.into_iter().filter(|(_, keys)| !keys.is_empty()) {
        let keys = keys.iter().map(Key::attributes).collect();
        let keys = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys)).build();
        let keys = keys.map_err(|e| StoreError::Refused {
            operation: OPERATION,
            code: "build".into(),
            message: e.to_string(),
        })?;
        open.insert(table.to_owned(), keys);
    }
    let mut found: HashMap<String, Vec<Item>> = HashMap::new();
    if open.is_empty() {
        return Ok(found);
    }
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
        }
        let answer = tenant
            .client()
            .batch_get_item()
            .set_request_items(Some(open))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(OPERATION, &e))?;
        for (table, items) in answer.responses.unwrap_or_default() {
            found.entry(table).or_default().extend(items);
        }
        open = answer.unprocessed_keys.unwrap_or_default();
        open.retain(|_, left| !left.keys().is_empty());
        if open.is_empty() {
            return Ok(found);
        }
    }
    Err(StoreError::Unavailable { operation: OPERATION, code: "keys left unread".into() })
}

/// Writes items without a condition.
pub(crate) async fn batch_put(tenant: &Tenant, table: &str, items: Vec<Item>) -> Result<(), StoreError> {
    let requests: Vec<Vec<Item>> = items.chunks(WRITE_AT_ONCE).map(<[Item]>::to_vec).collect();
    futures::stream::iter(requests)
        .map(|items| batch_put_request(tenant, table, items))
        .buffered(REQUESTS_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

async fn batch_put_request(tenant: &Tenant, table: &str, items: Vec<Item>) -> Result<(), StoreError> {
    const OPERATION: &str = "BatchWriteItem";
    let mut open = items
        .into_iter()
        .map(|item| {
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(|e| StoreError::Refused {
                operation: OPERATION,
                code: "build".into(),
                message: e.to_string(),
            })?;
            Ok(WriteRequest::builder().put_request(put).build())
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
        }
        let answer = tenant
            .client()
            .batch_write_item()
            .request_items(table, open)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(OPERATION, &e))?;
        match answer.unprocessed_items.and_then(|mut left| left.remove(table)) {
            Some(left) if !left.is_empty() => open = left,
            _ => return Ok(()),
        }
    }
    Err(StoreError::Unavailable { operation: OPERATION, code: "items left unwritten".into() })
}

/// A page of an index, in the order of its sort key.
pub(crate) async fn query_index(
    tenant: &Tenant,
    table: &str,
    index: &str,
    partition: (&str, &str),
    limit: i32,
    from: Option<Cursor>,
) -> Result<Page<Item>, StoreError> {
    query_index_from(tenant, table, index, partition, None, limit, from).await
}

/// The same, beginning at a sort key (its name and its least value).
pub(crate) async fn query_index_from(
    tenant: &Tenant,
    table: &str,
    index: &str,
    (name, pk): (&str, &str),
    least: Option<(&str, &str)>,
    limit: i32,
    from: Option<Cursor>,
) -> Result<Page<Item>, StoreError> {
    let request = tenant
        .client()
        .query()
        .table_name(table)
        .index_name(index)
        .expression_attribute_names("#pk", name)
        .expression_attribute_values(":pk", codec::text(pk));
    let request = match least {
        None => request.key_condition_expression("#pk = :pk"),
        Some((name, least)) => request
            .key_condition_expression("#pk = :pk AND #sk >= :least")
            .expression_attribute_names("#sk", name)
            .expression_attribute_values(":least", codec::text(least)),
    };
    let answer = request
        .limit(limit)
        .set_exclusive_start_key(from.map(|cursor| cursor.0))
        .send()
        .await
        .map_err(|e| StoreError::from_sdk("Query", &e))?;
    Ok(Page {
        rows: answer.items.unwrap_or_default(),
        next: answer.last_evaluated_key.filter(|key| !key.is_empty()).map(Cursor),
    })
}

/// All items of a partition whose sort key begins with `prefix`, page by page, read consistently.
pub(crate) async fn partition(
    tenant: &Tenant,
    table: &str,
    pk: &str,
    prefix: Option<&str>,
) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    let take = |item| {
        items.push(item);
        Ok(())
    };
    each(tenant, table, pk, prefix, take).await?;
    Ok(items)
}

/// The first items of a partition, so many at most.
pub(crate) async fn first(tenant: &Tenant, table: &str, pk: &str, most: usize) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    let mut from = None;
    loop {
        let answer = tenant
            .client()
            .query()
            .table_name(table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", codec::text(pk))
            .consistent_read(true)
            .limit(i32::try_from(most - items.len()).unwrap_or(i32::MAX))
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("Query", &e))?;
        items.extend(answer.items.unwrap_or_default());
        from = answer.last_evaluated_key.filter(|key| !key.is_empty());
        if from.is_none() || items.len() >= most {
            return Ok(items);
        }
    }
}

/// Takes each item of a partition, of which a page is in memory at a time.
pub(crate) async fn each(
    tenant: &Tenant,
    table: &str,
    pk: &str,
    prefix: Option<&str>,
    mut take: impl FnMut(Item) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut from = None;
    loop {
        let mut request = tenant
            .client()
            .query()
            .table_name(table)
            .expression_attribute_values(":pk", codec::text(pk))
            .consistent_read(true)
            .set_exclusive_start_key(from);
        request = match prefix {
            None => request.key_condition_expression("pk = :pk"),
            Some(prefix) => request
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", codec::text(prefix)),
        };
        let answer = request.send().await.map_err(|e| StoreError::from_sdk("Query", &e))?;
        answer.items.unwrap_or_default().into_iter().try_for_each(&mut take)?;
        from = answer.last_evaluated_key.filter(|key| !key.is_empty());
        if from.is_none() {
            return Ok(());
        }
    }
}

/// The item that made a conditional put fail; None if it failed otherwise, or if there is no item.
pub(crate) fn conflicting_item<R>(error: &SdkError<PutItemError, R>) -> Option<Item> {
    match error.as_service_error()? {
        PutItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
        _ => None,
    }
}

/// Why a part of a transaction was refused: its condition did not hold.
pub(crate) const CONDITION_FAILED: &str = "ConditionalCheckFailed";
/// Why a part of a transaction was refused: another request had the item in hand. The same request may succeed later.
pub(crate) const TRANSACTION_CONFLICT: &str = "TransactionConflict";

/// The codes of those parts of a transaction for which it was cancelled; none if it failed otherwise.
pub(crate) fn cancelled_for<R>(error: &SdkError<TransactWriteItemsError, R>) -> Vec<&str> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
            codes.filter(|code| *code != "None").collect()
        }
        _ => Vec::new(),
    }
}

/// Why a transaction was not carried out. Cancelled for what passes only, because another request had an item in hand or the
/// table was busy, it may be repeated.
pub(crate) fn not_written<R>(operation: &'static str, error: &SdkError<TransactWriteItemsError, R>) -> StoreError {
    let reasons = cancelled_for(error).into_iter();
    let parts = reasons.map(|code| StoreError::from_code(operation, code, "the transaction was cancelled"));
    // What would be refused again counts before what passes.
    parts.min_by_key(StoreError::is_passing).unwrap_or_else(|| StoreError::from_sdk(operation, error))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;

    use super::*;

    #[test]
    fn a_key_is_asked_for_once() {
        let key = |sk: &str| Key { pk: "p".to_owned(), sk: sk.to_owned() };
        assert_eq!(once(["b", "a", "b", "c", "a"].map(key).to_vec()), ["b", "a", "c"].map(key));
    }

    #[test]
    fn a_transaction_that_met_another_or_a_busy_table_may_be_repeated() {
        let cancelled = |codes: &[&str]| {
            let reason = |code: &&str| CancellationReason::builder().code(*code).build();
            let reasons = codes.iter().map(reason).collect();
            let cancelled = TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).build();
            let error = TransactWriteItemsError::TransactionCanceledException(cancelled);
            not_written("TransactWriteItems", &SdkError::service_error(error, ()))
        };
        for code in ["ThrottlingError", "ProvisionedThroughputExceeded", TRANSACTION_CONFLICT] {
            let error = cancelled(&["None", code]);
            assert!(error.is_passing() && error.to_string().contains(code), "{error}");
        }
        for codes in [&["ValidationError", "None"], &[TRANSACTION_CONFLICT, CONDITION_FAILED]] {
            assert!(!cancelled(codes).is_passing(), "{codes:?}");
        }
    }
}
