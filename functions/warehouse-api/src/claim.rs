//! `POST /v1/shipments/claim`: the warehouse takes shipments, `ready` → `picking`, and with that the last look at payment
//! and cancellation. Each is taken by one conditional write, so of two that claim the same one, one has it.

use std::collections::HashSet;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use renkei_domain::handover::{self, ClaimRefused};
use renkei_domain::ids::ShipmentId;
use renkei_domain::shipment::{Shipment, Status};
use renkei_platform::{Metric, Metrics};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use utoipa::ToSchema;

use crate::App;
use crate::body::{Raw, Reason, Refused, limited};
use crate::caller::Caller;
use crate::problem::{Problem, ProblemBody};
use crate::writes;

/// Names a request, so that it can be made again: the same one is told that it has what it took.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest key, in characters.
const LONGEST_KEY: usize = 255;
/// Of a key's digest so many bytes are kept, on each shipment: two keys are alike once in 2⁷².
const KEPT_OF_DIGEST: usize = 9;

const SHAPE: &str = "an object with a list `ids` of shipments' ids, and nothing else";

/// What is to be claimed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// Shipments' ids; at most 1,000. What is no id of yours is refused by itself.
    #[schema(schema_with = crate::openapi::ids)]
    pub(crate) ids: Vec<Value>,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimAnswer {
    /// Ids of those that are yours now, and `picking`.
    claimed: Vec<String>,
    /// The others. Reasons: `cancelled`, `on-hold`, `unpaid`, `already-claimed`, `already-shipped`, `not-found`,
    /// `malformed`, `unavailable`.
    refused: Vec<Refused>,
}

/// Take shipments.
///
/// An id that is claimed already is refused with `already-claimed`, whoever claimed it: so of two workers that claim the
/// same, one packs. Named twice, it is answered once. With an `Idempotency-Key` of your own for each claim it is safe to
/// repeat: what this key has claimed, and is still `picking`, is answered as `claimed` again. Without one, after a lost
/// answer, wait 30 seconds and ask for each by `GET /v1/shipments/{id}`: `picking` with a `claimed_at` not before your request
/// is yours, if no other worker of yours has it, or had a claim of it without an answer at that time.
#[utoipa::path(
    post, path = "/v1/shipments/claim", tag = "shipments", operation_id = "claimShipments",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters without spaces, anew for each claim, and the same where that claim is made again.", min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body(content = ClaimRequest, example = json!({ "ids": ["hanako-ecforce.88111.1"] })),
    responses(
        (status = 200, description = "What became of each.", body = ClaimAnswer),
        (status = 400, description = "`not-json`, `bad-idempotency-key`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`bad-body`, `too-many-records`.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn claim(
    caller: Caller,
    State(app): State<App>,
    Extension(metrics): Extension<Arc<Metrics>>,
    headers: HeaderMap,
    raw: Raw,
) -> Result<Json<ClaimAnswer>, Problem> {
    let key = key_of(&headers)?;
    let ClaimRequest { ids: records } = raw.read(SHAPE)?;
    let records = limited(records)?;
    let now = app.clock.now();
    let mut refused = Vec::new();
    let mut wanted: Vec<(usize, ShipmentId)> = Vec::new();
    let mut named = HashSet::new();
    for (index, record) in records.iter().enumerate() {
        let Value::String(text) = record else {
            refused.push(Reason::MALFORMED.refuses(index, None));
            continue;
        };
        match text.parse::<ShipmentId>() {
            // Named twice is claimed once, and answered once.
            Ok(id) if named.insert(id.clone()) => wanted.push((index, id)),
            Ok(_) => {}
            Err(_) => refused.push(Reason::NOT_FOUND.refuses(index, Some(text))),
        }
    }
    let by = By { now, key: key.as_deref() };
    let answers =
        writes::each_shipment(&caller, &wanted, |(_, id)| id, |_, shipment| claim_one(&caller, shipment, by)).await?;
    let mut claimed = Vec::new();
    for ((index, id), answer) in wanted.into_iter().zip(answers) {
        match answer {
            Ok(()) => claimed.push(id.to_string()),
            Err(reason) => refused.push(reason.refuses(index, Some(&id.to_string()))),
        }
    }
    refused.sort_by_key(|refused| refused.index);
    metrics.add(Metric::ShipmentsClaimed, claimed.len() as u64);
    metrics.add(Metric::RecordsRefused, refused.len() as u64);
    Ok(Json(ClaimAnswer { claimed, refused }))
}

/// Which request claims.
#[derive(Clone, Copy)]
struct By<'a> {
    now: Timestamp,
    /// A digest of what it calls itself.
    key: Option<&'a str>,
}

/// What is kept of a request's key: short, and nothing that anybody could read.
fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.as_bytes();
    if key.is_empty() || key.len() > LONGEST_KEY || !key.iter().all(u8::is_ascii_graphic) {
        return Err(Problem::BadIdempotencyKey);
    }
    let digest = Sha256::digest(key);
    Ok(Some(BASE64_URL_SAFE_NO_PAD.encode(&digest[..KEPT_OF_DIGEST])))
}

async fn claim_one(caller: &Caller, shipment: Option<Shipment>, by: By<'_>) -> Result<(), Reason> {
    let shipment = shipment.ok_or(Reason::NOT_FOUND)?;
    let mut outcome = Ok(false);
    let changed = caller.tenant.change_from(shipment, |shipment| {
        outcome = decide(caller, shipment, by);
        outcome == Ok(true)
    });
    changed.await.map_err(|error| writes::failed(&error))?;
    outcome.map(|_| ())
}

/// Decides on what the record is at this moment; true if that changes it.
fn decide(caller: &Caller, shipment: &mut Shipment, by: By<'_>) -> Result<bool, Reason> {
    if !caller.may_see(shipment) {
        return Err(Reason::NOT_FOUND);
    }
    // Our own write, whose answer was lost on the way, and which somebody has added to since; or the same request's, made
    // before.
    let is_ours = shipment.claimed_at == Some(by.now) || (by.key.is_some() && shipment.claim_key.as_deref() == by.key);
    if shipment.status == Status::Picking && is_ours {
        return Ok(false);
    }
    handover::claim(shipment, by.now).map_err(reason)?;
    shipment.claim_key = by.key.map(str::to_owned);
    Ok(true)
}

fn reason(refused: ClaimRefused) -> Reason {
    let message = match refused {
        ClaimRefused::Cancelled => "the order was cancelled; do not ship it",
        ClaimRefused::OnHold => "the merchant holds it back; it comes back to ready when that is over",
        ClaimRefused::Unpaid => "it is not paid by the shop's latest word",
        ClaimRefused::AlreadyClaimed => "it is claimed already, by you or by another worker",
        ClaimRefused::AlreadyShipped => "it has left already",
    };
    Reason { word: refused.as_str(), message }
}
