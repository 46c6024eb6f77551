//! `POST /v1/shipments/{id}/cancellation`: the warehouse's answer to a request to stop a parcel that it has in hand.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use renkei_domain::handover::{self, AnswerRefused};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::body::{Raw, Reason};
use crate::caller::Caller;
use crate::list::shipment_id;
use crate::problem::{Problem, ProblemBody};

const SHAPE: &str = "an object with `accept`, true or false, and nothing else";

/// An answer to a cancellation request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancellationRequest {
    /// True: the parcel stays, the shipment is cancelled. False: it leaves all the same, and a person at the merchant's is
    /// asked to look.
    accept: bool,
}

/// How the cancellation stands now.
#[derive(Debug, Serialize, ToSchema)]
pub struct CancellationAnswer {
    /// The shipment's id.
    id: String,
    /// Where the shipment stands now.
    #[schema(schema_with = crate::openapi::status)]
    status: &'static str,
    /// How the cancellation stands now; null if there was never a request, and it did not leave although cancelled.
    #[schema(schema_with = crate::openapi::cancellation)]
    cancellation: Option<&'static str>,
}

/// Answer a cancellation request.
///
/// The same answer again changes nothing. Who refused may still accept until the parcel leaves; who accepted cannot take
/// it back. A request that the shop has taken back is none any more: an answer to it is refused as `not-requested`.
#[utoipa::path(
    post, path = "/v1/shipments/{id}/cancellation", tag = "shipments", operation_id = "answerCancellation",
    params(("id" = String, Path, description = "The shipment's id.", example = "hanako-ecforce.88111.1")),
    request_body(content = CancellationRequest, example = json!({ "accept": true })),
    responses(
        (status = 200, description = "The answer is on record.", body = CancellationAnswer),
        (status = 400, description = "`not-json`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`no-such-shipment`: there is none, or it is another warehouse's.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`answer-refused`: nobody asked, or it is cancelled or has left already; `reason` says which.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`bad-body`.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn answer(
    caller: Caller,
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    raw: Raw,
) -> Result<Json<CancellationAnswer>, Problem> {
    let CancellationRequest { accept } = raw.read(SHAPE)?;
    let id = shipment_id(id)?;
    let now = app.clock.now();
    let mut outcome = Ok(false);
    let changed = caller.tenant.change(&id, |shipment| {
        outcome = if caller.may_see(shipment) {
            handover::answer_cancellation(shipment, accept, now).map_err(reason)
        } else {
            Err(Problem::NoShipment)
        };
        outcome == Ok(true)
    });
    let shipment = changed.await?.ok_or(Problem::NoShipment)?;
    outcome?;
    Ok(Json(CancellationAnswer {
        id: shipment.id.to_string(),
        status: shipment.status.as_str(),
        cancellation: shipment.cancellation.map(|asked| asked.state.as_str()),
    }))
}

fn reason(refused: AnswerRefused) -> Problem {
    let message = match refused {
        AnswerRefused::NotRequested => "nobody asked to cancel this shipment",
        AnswerRefused::AlreadyCancelled => "it is cancelled already",
        AnswerRefused::AlreadyShipped => "it has left already",
    };
    Problem::AnswerRefused(Reason { word: refused.as_str(), message })
}
