//! `POST /v1/shipments/{id}/return`: a shipment that the warehouse claimed and cannot send, or claimed by mistake, goes back
//! to the merchant.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use renkei_domain::handover::{self, GiveBackRefused};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::body::{Raw, Reason};
use crate::caller::Caller;
use crate::list::shipment_id;
use crate::problem::{Problem, ProblemBody};

const SHAPE: &str = "an object with `reason`, a text of 1 to 100 characters and not of spaces alone, and nothing else";

/// A shipment that goes back. Its reason is the merchant's to read, and is not printed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnRequest {
    /// Why, for the merchant's staff: 1 to 100 characters, not spaces alone. Write nothing of the customer.
    #[schema(min_length = 1, max_length = 100, pattern = "[^\\s\\x00-\\x1f\\x7f-\\x9f]", example = "在庫切れ")]
    reason: String,
}

/// Where the shipment stands now.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReturnAnswer {
    /// The shipment's id.
    id: String,
    /// `hold`: the merchant looks at it. `cancelled`: a cancellation was asked for. Said again later, what it is by then.
    #[schema(schema_with = crate::openapi::status_after_return)]
    status: &'static str,
}

/// Give a shipment back.
///
/// `picking` → `hold`: it is not yours any more, from the moment at which you ask for this. The merchant's staff look at it;
/// once they release it, it is `ready` again, and may be claimed as any other. Where a cancellation was asked for, whether or
/// not you refused it, it is cancelled for good, as by your consent.
///
/// The same again changes nothing until the shipment is claimed anew. Do not say it again after that: it would give that
/// claim back.
#[utoipa::path(
    post, path = "/v1/shipments/{id}/return", tag = "shipments", operation_id = "returnShipment",
    params(("id" = String, Path, description = "The shipment's id.", example = "hanako-ecforce.88111.1")),
    request_body(content = ReturnRequest, example = json!({ "reason": "在庫切れ" })),
    responses(
        (status = 200, description = "It is given back, now or before.", body = ReturnAnswer),
        (status = 400, description = "`not-json`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`no-such-shipment`: there is none, or it is another warehouse's.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`return-refused`: it is not claimed, has left, or is cancelled already; `reason` says which.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`bad-body`.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn give_back(
    caller: Caller,
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    raw: Raw,
) -> Result<Json<ReturnAnswer>, Problem> {
    let why = reason(&raw)?;
    let id = shipment_id(id)?;
    let now = app.clock.now();
    let mut outcome = Ok(false);
    let changed = caller.tenant.change(&id, |shipment| {
        outcome = if caller.may_see(shipment) {
            handover::give_back(shipment, &why, now, handover::WAREHOUSE).map_err(refusal)
        } else {
            Err(Problem::NoShipment)
        };
        outcome == Ok(true)
    });
    let shipment = changed.await?.ok_or(Problem::NoShipment)?;
    outcome?;
    Ok(Json(ReturnAnswer { id: shipment.id.to_string(), status: shipment.status.as_str() }))
}

/// Why it is given back, as a body says.
pub(crate) fn reason(raw: &Raw) -> Result<String, Problem> {
    let ReturnRequest { reason } = raw.read(SHAPE)?;
    if handover::is_reason(&reason) { Ok(reason) } else { Err(Problem::BadBody(SHAPE)) }
}

fn refusal(refused: GiveBackRefused) -> Problem {
    let message = match refused {
        GiveBackRefused::NotClaimed => "nobody has claimed it",
        GiveBackRefused::AlreadyShipped => "it has left already",
        GiveBackRefused::Cancelled => "it is cancelled already",
    };
    Problem::ReturnRefused(Reason { word: refused.as_str(), message })
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value) -> Result<String, Problem> {
        reason(&Raw(Bytes::from(body.to_string())))
    }

    #[test]
    fn a_reason_is_asked_for() {
        for good in ["x", " 在庫切れ\n", &"あ".repeat(100)] {
            assert_eq!(read(&json!({ "reason": good })).as_deref(), Ok(good));
        }
        for bad in [json!(""), json!(" \t\u{3000}\u{1}"), json!("あ".repeat(101)), json!(null), json!(1), json!(["x"])]
        {
            assert_eq!(read(&json!({ "reason": bad })), Err(Problem::BadBody(SHAPE)), "{bad}");
        }
        assert_eq!(read(&json!({})), Err(Problem::BadBody(SHAPE)));
        assert_eq!(read(&json!({ "reason": "x", "id": "y" })), Err(Problem::BadBody(SHAPE)));
    }
}
