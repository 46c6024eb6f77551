//! `POST /v1/shipments/results`: what left, and by which number it can be followed. The shop hears of it from
//! push-statuses, which finds the shipment on its list of work by this very write: an answer that was given is on record.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use jiff::Timestamp;
use renkei_domain::handover::{self, ShipRefused, ShippingResult};
use renkei_domain::ids::{ShipmentId, ShippingMethodId};
use renkei_domain::settings::TenantSettings;
use renkei_domain::shipment::Shipment;
use renkei_platform::{Metric, Metrics};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::body::{Raw, Reason, Refused, limited};
use crate::caller::Caller;
use crate::problem::{Problem, ProblemBody};
use crate::writes;

const SHAPE: &str = "an object with a list `results`, and nothing else";

const BAD_TRACKING_NUMBER: Reason = Reason {
    word: "bad-tracking-number",
    message: "tracking_number is 1 to 40 printable ASCII characters without spaces",
};
const BAD_SHIPPED_AT: Reason = Reason {
    word: "bad-shipped-at",
    message: "shipped_at is a time with a zone, at most 90 days ago and at most 24 hours ahead",
};
const UNKNOWN_METHOD: Reason = Reason {
    word: "unknown-shipping-method",
    message: "shipping_method is none of the merchant's: send a shipment's shipping_method or shipping_method_id",
};

/// What left.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultsRequest {
    /// At most 1,000.
    #[schema(schema_with = crate::openapi::results)]
    results: Vec<Value>,
}

/// 出荷実績 of one shipment.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Result)]
pub struct ResultRecord {
    /// The shipment's id.
    #[schema(example = "hanako-ecforce.88111.1")]
    id: String,
    /// お問い合わせ番号: 1 to 40 printable ASCII characters without spaces.
    #[schema(min_length = 1, max_length = 40, pattern = "^[!-~]+$", example = "123456789012")]
    tracking_number: String,
    /// How it left, if otherwise than the shipment said: the warehouse's own name for it, or the merchant's id.
    #[serde(default)]
    #[schema(example = "NEKOPOS")]
    shipping_method: Option<String>,
    /// When it left: a time with a zone, at most 90 days ago and at most 24 hours ahead.
    #[schema(format = DateTime, example = "2026-11-24T17:30:00+09:00")]
    shipped_at: String,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultsAnswer {
    /// Ids of those that are on record as you sent them, whether now or before.
    accepted: Vec<String>,
    /// The others. Reasons: `not-claimed`, `cancelled`, `not-found`, `bad-tracking-number`, `bad-shipped-at`,
    /// `unknown-shipping-method`, `malformed`, `unavailable`.
    refused: Vec<Refused>,
}

/// Report what left.
///
/// Sending the same again changes nothing. Another tracking number, time or method for a shipment that is out corrects
/// it, and is told to the shop again: so do not send a result again that you have replaced by a newer one. Where one
/// request names a shipment several times, the last counts.
#[utoipa::path(
    post, path = "/v1/shipments/results", tag = "shipments", operation_id = "reportResults",
    request_body(content = ResultsRequest, example = json!({ "results": [{ "id": "hanako-ecforce.88111.1", "tracking_number": "123456789012", "shipping_method": "NEKOPOS", "shipped_at": "2026-11-24T17:30:00+09:00" }] })),
    responses(
        (status = 200, description = "What became of each.", body = ResultsAnswer),
        (status = 400, description = "`not-json`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`bad-body`, `too-many-records`.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn report(
    caller: Caller,
    State(app): State<App>,
    Extension(metrics): Extension<Arc<Metrics>>,
    raw: Raw,
) -> Result<Json<ResultsAnswer>, Problem> {
    let ResultsRequest { results: records } = raw.read(SHAPE)?;
    let records = limited(records)?;
    let now = app.clock.now();
    let mut refused = Vec::new();
    let mut given: Vec<(usize, Report)> = Vec::new();
    for (index, record) in records.into_iter().enumerate() {
        let id = record.get("id").and_then(Value::as_str).map(str::to_owned);
        match Report::of(record, &caller.settings, now) {
            Ok(report) => given.push((index, report)),
            Err(reason) => refused.push(reason.refuses(index, id.as_deref())),
        }
    }
    let last = last_of_each(given, |report| report.id.clone());
    let ship = |(_, report): (usize, Report), shipment| ship_one(&caller, report, shipment, now);
    let answers = writes::each_shipment(&caller, &last, |(_, report)| &report.id, ship).await?;
    let mut accepted = Vec::new();
    for ((index, report), answer) in last.into_iter().zip(answers) {
        match answer {
            Ok(()) => accepted.push(report.id.to_string()),
            Err(reason) => refused.push(reason.refuses(index, Some(&report.id.to_string()))),
        }
    }
    refused.sort_by_key(|refused| refused.index);
    metrics.add(Metric::ResultsTaken, accepted.len() as u64);
    metrics.add(Metric::RecordsRefused, refused.len() as u64);
    Ok(Json(ResultsAnswer { accepted, refused }))
}

/// Of records that are about the same, the last, in their order: two writes of one record at the same moment would leave
/// to chance which wins.
pub fn last_of_each<T, K: Hash + Eq>(records: Vec<(usize, T)>, key: impl Fn(&T) -> K) -> Vec<(usize, T)> {
    let mut last = HashMap::new();
    for (place, (_, record)) in records.iter().enumerate() {
        last.insert(key(record), place);
    }
    let is_last = |place: usize, record: &T| last.get(&key(record)) == Some(&place);
    records
        .into_iter()
        .enumerate()
        .filter(|(place, (_, record))| is_last(*place, record))
        .map(|(_, kept)| kept)
        .collect()
}

/// A record that can be taken, if its shipment can.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Report {
    id: ShipmentId,
    /// Without its method.
    result: ShippingResult,
    /// The methods that are called as the record says; none where it says nothing.
    methods: Vec<ShippingMethodId>,
}

impl Report {
    fn of(record: Value, settings: &TenantSettings, now: Timestamp) -> Result<Self, Reason> {
        let record: ResultRecord = serde_json::from_value(record).map_err(|_| Reason::MALFORMED)?;
        let id = record.id.parse().map_err(|_| Reason::NOT_FOUND)?;
        let tracking_number = record.tracking_number;
        if !(1..=40).contains(&tracking_number.len()) || !tracking_number.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(BAD_TRACKING_NUMBER);
        }
        let shipped_at: Timestamp = record.shipped_at.parse().map_err(|_| BAD_SHIPPED_AT)?;
        if !handover::may_have_left(shipped_at, now) {
            return Err(BAD_SHIPPED_AT);
        }
        let methods = match record.shipping_method {
            Some(name) => methods_named(settings, &name).ok_or(UNKNOWN_METHOD)?,
            None => Vec::new(),
        };
        Ok(Self { id, result: ShippingResult { tracking_number, shipped_at, method: None }, methods })
    }

    /// The result for a shipment that has this method. Several of the merchant's methods may have one name at the
    /// warehouse: where the shipment's own is among them, it left by that one.
    fn of_shipment(&self, has: Option<&ShippingMethodId>) -> ShippingResult {
        let own = self.methods.iter().find(|method| Some(*method) == has);
        ShippingResult { method: own.or(self.methods.first()).cloned(), ..self.result.clone() }
    }
}

/// The warehouse's own name goes first: two merchants' methods may be called alike by chance, its own are its own.
fn methods_named(settings: &TenantSettings, name: &str) -> Option<Vec<ShippingMethodId>> {
    let methods = &settings.shipping_methods;
    let mut named: Vec<_> = methods.iter().filter(|method| method.warehouse_code == name).collect();
    if named.is_empty() {
        named.extend(methods.iter().find(|method| method.id.as_str() == name));
    }
    (!named.is_empty()).then(|| named.into_iter().map(|method| method.id.clone()).collect())
}

async fn ship_one(caller: &Caller, report: Report, shipment: Option<Shipment>, now: Timestamp) -> Result<(), Reason> {
    let shipment = shipment.ok_or(Reason::NOT_FOUND)?;
    let mut taken = None;
    let changed = caller.tenant.change_from(shipment, |shipment| {
        // Decided on what the record is at this moment.
        taken = caller.may_see(shipment).then(|| {
            let result = report.of_shipment(shipment.shipping_method.as_ref());
            handover::ship(shipment, &result, now)
        });
        taken.is_some_and(handover::is_changed)
    });
    changed.await.map_err(|error| writes::failed(&error))?;
    taken.ok_or(Reason::NOT_FOUND)?.map(|_| ()).map_err(reason)
}

fn reason(refused: ShipRefused) -> Reason {
    let message = match refused {
        ShipRefused::NotClaimed => "it has not been claimed; claim it first",
        ShipRefused::LeftCancelled | ShipRefused::Cancelled => {
            "it is cancelled; that the parcel left all the same is noted, and the merchant sees it: call it back if you can"
        }
    };
    Reason { word: refused.as_str(), message }
}

/// How many records of a body would be taken, if it is one of results.
pub(crate) fn readable(raw: &Raw, settings: &TenantSettings, now: Timestamp) -> usize {
    let results = raw.read::<ResultsRequest>(SHAPE).and_then(|request| limited(request.results)).unwrap_or_default();
    results.into_iter().filter_map(|record| Report::of(record, settings, now).ok()).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings() -> TenantSettings {
        serde_json::from_value(json!({
            "tenant": "hanako",
            "shipping_methods": [
                { "id": "nekopos", "name": "ネコポス", "warehouse_code": "NEKOPOS" },
                { "id": "yamato", "name": "ヤマト", "warehouse_code": "Y" },
                { "id": "yamato-cool", "name": "ヤマト（冷蔵）", "warehouse_code": "Y" },
            ],
        }))
        .unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn of(change: impl FnOnce(&mut Value)) -> Result<Report, Reason> {
        let mut record = json!({ "id": "hanako-ecforce.88111.1", "tracking_number": "1234-5678",
            "shipping_method": "NEKOPOS", "shipped_at": "2026-11-24T20:00:00+09:00" });
        change(&mut record);
        Report::of(record, &settings(), now())
    }

    #[test]
    fn a_method_is_known_by_the_warehouses_name_and_by_ours() {
        let by = |name: Value| of(|record| record["shipping_method"] = name).map(|it| it.of_shipment(None).method);
        let is = |id: &str| Ok(Some(ShippingMethodId::parse(id).unwrap()));
        assert_eq!(by(json!("NEKOPOS")), is("nekopos"));
        assert_eq!(by(json!("yamato")), is("yamato"));
        assert_eq!(by(json!("Z")), Err(UNKNOWN_METHOD));
        assert_eq!(by(Value::Null), Ok(None));
    }

    #[test]
    fn of_methods_with_one_name_the_shipments_own_is_meant() {
        let own = |id: &str| ShippingMethodId::parse(id).unwrap();
        let report = of(|record| record["shipping_method"] = json!("Y")).unwrap();
        for id in ["yamato", "yamato-cool"] {
            assert_eq!(report.of_shipment(Some(&own(id))).method, Some(own(id)));
        }
        assert_eq!(report.of_shipment(Some(&own("nekopos"))).method, Some(own("yamato")), "it left otherwise");
    }

    #[test]
    fn a_record_says_what_is_wrong_with_it() {
        for bad in ["", "12 34", "１２３", "1\n", &"1".repeat(41)] {
            assert_eq!(of(|r| r["tracking_number"] = json!(bad)), Err(BAD_TRACKING_NUMBER), "{bad:?}");
        }
        for bad in [
            "2026-11-24",
            "2026-11-24T20:00:00",
            "",
            "2026-08-01T00:00:00Z",
            "2026-11-26T00:00:00Z",
            "-9999-01-01T00:00:00Z",
        ] {
            assert_eq!(of(|r| r["shipped_at"] = json!(bad)), Err(BAD_SHIPPED_AT), "{bad:?}");
        }
        for bad in [json!(1), json!(null), json!([]), json!({}), json!({ "id": "a.1.1", "more": 1 })] {
            assert_eq!(Report::of(bad, &settings(), now()), Err(Reason::MALFORMED));
        }
        assert_eq!(of(|r| r["id"] = json!("hanako")), Err(Reason::NOT_FOUND));
    }

    #[test]
    fn of_several_records_for_one_the_last_counts_and_order_stays() {
        let records = vec![(0, "a1"), (1, "b1"), (2, "a2"), (5, "c1")];
        assert_eq!(last_of_each(records, |record| record.as_bytes()[0]), [(1, "b1"), (2, "a2"), (5, "c1")]);
    }
}
