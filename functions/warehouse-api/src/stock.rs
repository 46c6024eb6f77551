//! `PUT /v1/stock`: what the warehouse counted. Absolute counts: the newest wins, whatever order they arrive in.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use jiff::Timestamp;
use renkei_domain::ids::{ShipFromId, Sku};
use renkei_domain::stock::latest_count;
use renkei_platform::{Metric, Metrics};
use renkei_store::stock::StockCount;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::body::{Raw, Reason, Refused, limited};
use crate::caller::Caller;
use crate::problem::{Problem, ProblemBody};
use crate::results::last_of_each;
use crate::writes;

const SHAPE: &str = "an object with `ship_from` and a list `counts`, and nothing else";

const UNKNOWN_SKU: Reason = Reason { word: "unknown-sku", message: "the merchant has no product with this SKU" };
const BAD_QUANTITY: Reason =
    Reason { word: "bad-quantity", message: "quantity is a whole number from 0 to 1,000,000,000" };
const BAD_COUNTED_AT: Reason = Reason {
    word: "bad-counted-at",
    message: "counted_at is a time with a zone, at most 5 minutes ahead of our clock",
};
/// Larger numbers are a slip, such as a code in the wrong column.
const MOST: u64 = 1_000_000_000;

/// What was counted in one place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockRequest {
    /// 発送元: where it was counted.
    #[schema(example = "tokyo-dc")]
    ship_from: String,
    /// At most 1,000.
    #[schema(schema_with = crate::openapi::counts)]
    counts: Vec<Value>,
}

/// What was counted of one SKU.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Count)]
pub struct CountRecord {
    /// 商品コード.
    #[schema(example = "SERUM-30", min_length = 1, max_length = 128)]
    sku: String,
    /// How many are there, not the difference to the last count: without what you have claimed by then, or with it, as the
    /// merchant has set up for this ship-from (`counts_include_claimed`).
    #[schema(value_type = u64, minimum = 0, maximum = 1_000_000_000, example = 120)]
    quantity: Value,
    /// When it was counted: a time with a zone, at most 5 minutes ahead of our clock.
    #[schema(format = DateTime, example = "2026-11-24T17:30:00+09:00")]
    counted_at: String,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
pub struct StockAnswer {
    /// SKUs whose count is on record as you sent it, whether now or before.
    accepted: Vec<String>,
    /// SKUs of which a newer count is on record; it stays.
    stale: Vec<String>,
    /// The others; `id` is the SKU. Reasons: `unknown-sku`, `bad-quantity`, `bad-counted-at`, `malformed`, `unavailable`.
    refused: Vec<Refused>,
}

/// Report counts.
///
/// An older `counted_at` never overwrites a newer one. Sending the same again changes nothing; another quantity of the same
/// `counted_at` replaces the former. Where one request names a SKU several times, the newest counts, and of equally new ones
/// the last.
#[utoipa::path(
    put, path = "/v1/stock", tag = "stock", operation_id = "putStock",
    request_body(content = StockRequest, example = json!({ "ship_from": "tokyo-dc", "counts": [{ "sku": "SERUM-30", "quantity": 120, "counted_at": "2026-11-24T17:30:00+09:00" }] })),
    responses(
        (status = 200, description = "What became of each.", body = StockAnswer),
        (status = 400, description = "`not-json`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`no-such-ship-from`: there is none, or it is another warehouse's.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`bad-body`, `too-many-records`.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn put(
    caller: Caller,
    State(app): State<App>,
    Extension(metrics): Extension<Arc<Metrics>>,
    raw: Raw,
) -> Result<Json<StockAnswer>, Problem> {
    let StockRequest { ship_from, counts: records } = raw.read(SHAPE)?;
    let records = limited(records)?;
    let ship_from = ShipFromId::parse(ship_from).ok().filter(|id| caller.owns(id)).ok_or(Problem::NoShipFrom)?;
    let latest = latest_count(app.clock.now());
    let mut refused = Vec::new();
    let mut given: Vec<(usize, StockCount)> = Vec::new();
    for (index, record) in records.into_iter().enumerate() {
        let sku = record.get("sku").and_then(Value::as_str).map(str::to_owned);
        match count(record, latest) {
            Ok(count) => given.push((index, count)),
            Err(reason) => refused.push(reason.refuses(index, sku.as_deref())),
        }
    }
    // The newest of each last, so that it is the one that stays; sorting keeps the order of equally new ones.
    given.sort_by_key(|(_, count)| count.counted_at);
    let newest = last_of_each(given, |count| count.sku.clone());
    let skus: HashSet<Sku> = newest.iter().map(|(_, count)| count.sku.clone()).collect();
    let known = caller.tenant.known_skus(&skus).await?;
    let (caller, ship_from, known) = (&caller, &ship_from, &known);
    let work: Vec<StockCount> = newest.iter().map(|(_, count)| count.clone()).collect();
    let answers = writes::each(work, async |count| {
        if !known.contains(&count.sku) {
            return Err(UNKNOWN_SKU);
        }
        caller.tenant.put_count(ship_from, &count).await.map_err(|error| writes::failed(&error))
    });
    let (mut accepted, mut stale) = (Vec::new(), Vec::new());
    for ((index, count), answer) in newest.into_iter().zip(answers.await) {
        let sku = count.sku.to_string();
        match answer.unwrap_or(Err(Reason::UNAVAILABLE)) {
            Ok(true) => accepted.push(sku),
            Ok(false) => stale.push(sku),
            Err(reason) => refused.push(reason.refuses(index, Some(&sku))),
        }
    }
    refused.sort_by_key(|refused| refused.index);
    metrics.add(Metric::CountsTaken, accepted.len() as u64);
    metrics.add(Metric::RecordsRefused, refused.len() as u64);
    Ok(Json(StockAnswer { accepted, stale, refused }))
}

/// How many records of a body would be taken, if it is one of counts.
pub(crate) fn readable(raw: &Raw, latest: Timestamp) -> usize {
    let counts = raw.read::<StockRequest>(SHAPE).and_then(|request| limited(request.counts)).unwrap_or_default();
    counts.into_iter().filter_map(|record| count(record, latest).ok()).count()
}

fn count(record: Value, latest: Timestamp) -> Result<StockCount, Reason> {
    let record: CountRecord = serde_json::from_value(record).map_err(|_| Reason::MALFORMED)?;
    let sku = Sku::parse(record.sku).map_err(|_| UNKNOWN_SKU)?;
    let quantity = whole(&record.quantity).ok_or(BAD_QUANTITY)?;
    let counted_at: Timestamp = record.counted_at.parse().map_err(|_| BAD_COUNTED_AT)?;
    if counted_at > latest {
        return Err(BAD_COUNTED_AT);
    }
    Ok(StockCount { sku, quantity, counted_at })
}

/// A whole number; JSON knows no other than `120` and `120.0`, which some programs write.
fn whole(value: &Value) -> Option<u32> {
    let number =
        value.as_u64().or_else(|| value.as_f64().filter(|f| f.fract() == 0.0 && *f >= 0.0).map(|f| f as u64))?;
    (number <= MOST).then(|| u32::try_from(number).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(change: impl FnOnce(&mut Value)) -> Result<StockCount, Reason> {
        let mut record = json!({ "sku": "SERUM-30", "quantity": 120, "counted_at": "2026-11-24T20:00:00+09:00" });
        change(&mut record);
        count(record, "2026-11-24T12:05:00Z".parse().unwrap())
    }

    #[test]
    fn quantities_are_whole_and_not_negative() {
        assert_eq!(of(|_| {}).unwrap().quantity, 120);
        assert_eq!(of(|r| r["quantity"] = json!(0)).unwrap().quantity, 0);
        assert_eq!(of(|r| r["quantity"] = json!(3.0)).unwrap().quantity, 3);
        for bad in [json!(-1), json!(1.5), json!("120"), json!(null), json!(1_000_000_001_u64), json!(1e300)] {
            assert_eq!(of(|r| r["quantity"] = bad), Err(BAD_QUANTITY));
        }
    }

    #[test]
    fn a_count_of_the_future_would_win_for_ever_and_is_refused() {
        assert!(of(|r| r["counted_at"] = json!("2026-11-24T12:05:00Z")).is_ok());
        for bad in ["2026-11-24T12:05:01Z", "2026-11-24", "", "2026-11-24T12:00:00"] {
            assert_eq!(of(|r| r["counted_at"] = json!(bad)), Err(BAD_COUNTED_AT), "{bad}");
        }
    }

    #[test]
    fn a_sku_that_cannot_be_one_is_unknown() {
        assert_eq!(of(|r| r["sku"] = json!("")), Err(UNKNOWN_SKU));
        assert_eq!(of(|r| r["sku"] = json!(" A")), Err(UNKNOWN_SKU));
        assert_eq!(of(|r| r["sku"] = json!(1)), Err(Reason::MALFORMED));
    }
}
