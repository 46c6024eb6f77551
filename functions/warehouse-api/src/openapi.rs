//! The `OpenAPI` document, made from the code that answers: what it says is what is done.
//!
//! Records of a write are described as what they should be, and as anything: a record of another shape is no wrong
//! request, it is refused by itself and the others are taken.

use std::collections::BTreeSet;

use axum::Json;
use renkei_domain::handover::{AnswerRefused, GiveBackRefused};
use renkei_domain::shipment::{CancellationState, Status};
use serde_json::Value;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi};

use crate::limits;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Renkei for warehouses",
        description = "Shipments out, results and stock in. Every call but those marked otherwise needs a key: \
                       `Authorization: Bearer <key>`. Errors are problems by RFC 9457. Writes answer for each record by itself, and may \
                       be repeated.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        crate::list::list,
        crate::list::show,
        crate::claim::claim,
        crate::results::report,
        crate::cancellation::answer,
        crate::give_back::give_back,
        crate::stock::put,
        crate::hooks::receive,
        serve,
    ),
    components(schemas(crate::results::ResultRecord, crate::stock::CountRecord, crate::problem::ProblemBody)),
    modifiers(&Common),
    security(("key" = [])),
    tags(
        (name = "shipments", description = "出荷指示・出荷実績・キャンセル"),
        (name = "stock", description = "在庫"),
        (name = "webhooks", description = "For shops"),
        (name = "document", description = "This document"),
    )
)]
pub struct Api;

/// What all calls share.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut Document) {
        if let Some(components) = &mut document.components {
            let key = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("rkw_…")
                .description(Some("The warehouse's key, as `renkei warehouse-key create` printed it."));
            components.add_security_scheme("key", SecurityScheme::Http(key.build()));
        }
        for (path, item) in &mut document.paths.paths {
            for operation in [&mut item.get, &mut item.put, &mut item.post].into_iter().flatten() {
                let mut add = |status: &str, description: &str| {
                    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
                    let response =
                        ResponseBuilder::new().description(description).content("application/problem+json", problem);
                    operation.responses.responses.insert(status.to_owned(), RefOr::T(response.build()));
                };
                if path.starts_with("/v1/shipments") || path.starts_with("/v1/stock") {
                    add("401", "`unauthorized`: no key, or one that is not valid.");
                }
                add("405", "`method-not-allowed`: `Allow` names the methods.");
                add("429", "By the gateway, with a body of its own: wait a second and send the same again.");
                add("500", "`internal`. Or by the gateway, with a body of its own: whether it was done is not known.");
                add(
                    "503",
                    "`unavailable`: send the same again after the seconds that `Retry-After` names. Or by the gateway, \
                     with a body of its own: whether it was done is not known.",
                );
            }
        }
    }
}

/// This document.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "document", operation_id = "getDocument",
    responses((status = 200, description = "The document.", body = serde_json::Value)),
    security(())
)]
pub async fn serve() -> Json<Document> {
    Json(Api::openapi())
}

fn records(record: RefOr<Schema>) -> ArrayBuilder {
    let anything = ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .description(Some("Anything else is refused by itself, with its index, and hinders no other record."));
    ArrayBuilder::new().items(AnyOfBuilder::new().item(record).item(anything)).max_items(Some(limits::RECORDS))
}

/// `ids` of a claim.
#[must_use]
pub fn ids() -> ArrayBuilder {
    let id = ObjectBuilder::new().schema_type(Type::String).description(Some("A shipment's id."));
    records(RefOr::T(id.into()))
}

/// `results` of a report.
#[must_use]
pub fn results() -> ArrayBuilder {
    records(Ref::from_schema_name("Result").into())
}

/// `counts` of a report.
#[must_use]
pub fn counts() -> ArrayBuilder {
    records(Ref::from_schema_name("Count").into())
}

/// `status` of a shipment.
#[must_use]
pub fn status() -> ObjectBuilder {
    one_of(Status::ALL.map(Status::as_str), "Where it stands.")
}

/// `status` in the answer to a return.
#[must_use]
pub fn status_after_return() -> ObjectBuilder {
    one_of(
        Status::ALL.map(Status::as_str),
        "`hold`: the merchant looks at it. `cancelled`: a cancellation was asked for. Said again later, what it is by \
         then.",
    )
}

/// `cancellation` of a shipment, which may be null.
#[must_use]
pub fn cancellation() -> ObjectBuilder {
    use CancellationState::{Accepted, Refused, Requested, TooLate};
    let states = [Requested, Accepted, Refused, TooLate].map(CancellationState::as_str).map(Value::from);
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
        .description(Some(
            "How a cancellation stands that was asked for after the shipment was claimed; `too-late` also where it left \
             although it had been cancelled before. Null if neither, or if it was taken back.",
        ))
        .enum_values(Some(states.into_iter().chain([Value::Null])))
}

/// `reason` of a problem.
#[must_use]
pub fn refusal() -> ObjectBuilder {
    let answers = [AnswerRefused::NotRequested, AnswerRefused::AlreadyCancelled, AnswerRefused::AlreadyShipped]
        .map(AnswerRefused::as_str);
    let returns = [GiveBackRefused::NotClaimed, GiveBackRefused::AlreadyShipped, GiveBackRefused::Cancelled]
        .map(GiveBackRefused::as_str);
    let words: BTreeSet<&'static str> = answers.into_iter().chain(returns).collect();
    one_of(words, "Of `answer-refused` and `return-refused` alone: why, as a word that stays the same.")
}

fn one_of(words: impl IntoIterator<Item = &'static str>, description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).enum_values(Some(words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_that_stay_the_same_are_listed() {
        let document = serde_json::to_value(Api::openapi()).unwrap();
        let of = |schema: &str, property: &str| {
            let schema = &document["components"]["schemas"][schema];
            (schema["properties"][property]["enum"].clone(), schema["required"].to_string().contains(property))
        };
        let statuses = json!(["hold", "ready", "picking", "shipped", "cancelled"]);
        for schema in ["Shipment", "CancellationAnswer", "ReturnAnswer"] {
            assert_eq!(of(schema, "status"), (statuses.clone(), true), "{schema}");
        }
        let cancellations = json!(["requested", "accepted", "refused", "too-late", null]);
        for schema in ["Shipment", "CancellationAnswer"] {
            assert_eq!(of(schema, "cancellation"), (cancellations.clone(), false), "{schema}");
        }
        let reasons = json!(["already-cancelled", "already-shipped", "cancelled", "not-claimed", "not-requested"]);
        assert_eq!(of("Problem", "reason"), (reasons, false));
    }

    #[test]
    fn every_operation_says_what_comes_of_another_method_and_of_too_many_calls() {
        let document = serde_json::to_value(Api::openapi()).unwrap();
        let mut operations = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let says = |status: &str, words: &str| {
                    let described = operation["responses"][status]["description"].as_str();
                    described.is_some_and(|description| description.contains(words))
                };
                assert!(says("405", "`Allow` names the methods"), "{method} {path}: {operation}");
                assert!(says("429", "wait a second and send the same again"), "{method} {path}: {operation}");
                operations += 1;
            }
        }
        let routed: usize = crate::endpoints().iter().map(|(_, methods, _)| methods.len()).sum();
        assert_eq!(operations, routed);
    }
}
