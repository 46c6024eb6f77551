//! `POST /hooks/ecforce/{secret}`: the shop says that something happened. What it says is a hint only: it wrote the body by
//! a template of its own, and nothing proves that it was the shop. The truth is read from the shop by sync-payments, to
//! whose queue the hint goes; one write, then the shop has its answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_domain::work::{self, Hint};
use renkei_platform::queue::group;
use renkei_platform::{Metric, Metrics};
use renkei_store::access::{Opens, Secret};
use serde_json::Value;

use crate::App;
use crate::body::Raw;
use crate::limits;
use crate::problem::{Problem, ProblemBody};

/// The header in which the shop names the topic.
const TOPIC: &str = "x-ecf-event";
/// Texts of JSON that are looked into within each other. Templates write one; each further one begins its depth anew, and
/// a megabyte holds hundreds.
const TEXTS: u8 = 2;
/// No order number that we know of is longer.
const NUMBER_CHARACTERS: usize = 64;

/// Take a shop's webhook.
///
/// For shops, not for warehouses: the address is made by `renkei webhook create`, and its last part is the secret. Takes a
/// body of any form.
#[utoipa::path(
    post, path = "/hooks/ecforce/{secret}", tag = "webhooks", operation_id = "receiveWebhook",
    params(("secret" = String, Path, description = "The secret part of the address.")),
    request_body(content = Value, description = "Whatever the shop's template writes; at most 1 MB."),
    responses(
        (status = 202, description = "Queued."),
        (status = 404, description = "`not-found`: no such address was handed out.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(())
)]
pub async fn receive(
    State(app): State<App>,
    Extension(metrics): Extension<Arc<Metrics>>,
    secret: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    raw: Result<Raw, Problem>,
) -> Result<StatusCode, Problem> {
    let refused = || {
        metrics.add(Metric::HooksRefused, 1);
        Problem::NotFound
    };
    let secret = secret.ok().and_then(|Path(secret)| Secret::parse(Secret::HOOK, &secret)).ok_or_else(refused)?;
    let now = app.clock.now();
    let grant = app.store.opened_by(&secret, now).await?.ok_or_else(refused)?;
    let Opens::Hook(connection) = grant.opens else { return Err(refused()) };
    metrics.of_connection(&grant.tenant, &connection);
    // Who has no address is told so, whatever came.
    let raw = raw?;
    let topic = headers.get(TOPIC).and_then(|topic| topic.to_str().ok());
    let group = group(&grant.tenant, &connection);
    let hint = hint(grant.tenant, connection, topic, &raw.0, now);
    let body = serde_json::to_string(&hint).map_err(|_| Problem::Internal)?;
    app.hints.send(body, group, Duration::ZERO).await?;
    metrics.add(Metric::HooksTaken, 1);
    Ok(StatusCode::ACCEPTED)
}

/// What can be told of a webhook: the orders that it seems to be about.
pub(crate) fn hint(
    tenant: TenantId,
    connection: ConnectionId,
    topic: Option<&str>,
    body: &[u8],
    at: Timestamp,
) -> Hint {
    let found = Found::in_body(body);
    Hint {
        v: work::VERSION,
        tenant,
        connection,
        order_ids: found.ids.into_iter().take(limits::HINTS).collect(),
        order_numbers: found.numbers.into_iter().take(limits::HINTS).collect(),
        topic: topic.filter(|topic| is_topic(topic)).map(str::to_owned),
        anew_by: None,
        received_at: at,
    }
}

fn is_topic(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Orders that a body seems to name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    ids: BTreeSet<u64>,
    numbers: BTreeSet<String>,
}

/// Where in a body a value stands: `id` and `number` mean an order at the top and below what is called an order, and
/// something else below a customer or a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Order,
    Other,
}

impl Found {
    fn in_body(body: &[u8]) -> Self {
        let mut found = Self::default();
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => found.look(&value, Of::Order, TEXTS),
            Err(_) => found.digits(&String::from_utf8_lossy(body)),
        }
        found
    }

    fn is_full(&self) -> bool {
        self.ids.len() + self.numbers.len() >= limits::HINTS
    }

    fn look(&mut self, value: &Value, of: Of, texts: u8) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.look(value, of, texts)),
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), of) {
                        ("order_id" | "order_ids", _) | ("id" | "ids", Of::Order) => self.id(value),
                        ("order_number" | "order_numbers", _) | ("number" | "numbers", Of::Order) => self.number(value),
                        _ => {}
                    }
                    self.look(value, below(name, of), texts);
                }
            }
            // Some templates write JSON into a text.
            Value::String(text) if texts > 0 && text.trim_start().starts_with(['{', '[']) => {
                if let Ok(value) = serde_json::from_str::<Value>(text) {
                    self.look(&value, of, texts - 1);
                }
            }
            // A bare number, or a bare text with one.
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn id(&mut self, value: &Value) {
        let id = match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Array(values) => return values.iter().for_each(|value| self.id(value)),
            Value::Null | Value::Bool(_) | Value::Object(_) => None,
        };
        if let Some(id) = id.filter(|id| is_id(*id) && !self.is_full()) {
            self.ids.insert(id);
        }
    }

    fn number(&mut self, value: &Value) {
        let number = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            Value::Array(values) => return values.iter().for_each(|value| self.number(value)),
            Value::Null | Value::Bool(_) | Value::Object(_) => return,
        };
        let fits = !number.is_empty()
            && number.chars().count() <= NUMBER_CHARACTERS
            && !number.chars().any(|c| c.is_control() || c.is_whitespace());
        if fits && !self.is_full() {
            self.numbers.insert(number);
        }
    }

    /// Out of a text: runs of digits. One that begins with 0 is a phone number or a postal code, not an id.
    fn digits(&mut self, text: &str) {
        for run in text.split(|c: char| !c.is_ascii_digit()) {
            if self.is_full() {
                return;
            }
            if !run.starts_with('0')
                && let Some(id) = run.parse().ok().filter(|id| is_id(*id))
            {
                self.ids.insert(id);
            }
        }
    }
}

/// May it be an order's id? Shops keep theirs in 63 bits, and one that is asked for more may refuse the whole call, with
/// the orders of all other hints in it.
fn is_id(id: u64) -> bool {
    id > 0 && i64::try_from(id).is_ok()
}

/// What stands below a member.
fn below(name: &str, of: Of) -> Of {
    match name {
        "order" | "orders" => Of::Order,
        // Wrappings that templates put around an order.
        "data" | "attributes" | "payload" | "body" | "event" | "resource" | "object" | "result" | "results" => of,
        _ => Of::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(body: impl AsRef<[u8]>) -> (Vec<u64>, Vec<String>) {
        let found = Found::in_body(body.as_ref());
        (found.ids.into_iter().collect(), found.numbers.into_iter().collect())
    }

    #[test]
    fn orders_are_found_in_any_template() {
        let number = || vec!["EC-88111".to_owned()];
        for body in [
            json!({ "id": 88111, "number": "EC-88111" }),
            json!({ "order": { "id": "88111", "number": "EC-88111", "customer": { "id": 7, "number": "C-7" } } }),
            json!({ "event": { "order_id": 88111, "order_number": "EC-88111" }, "shop": { "id": 1 } }),
            json!({ "data": [{ "id": "88111", "type": "order", "attributes": { "number": "EC-88111" } }] }),
            json!({ "orders": [{ "id": 88111, "order_items": [{ "id": 5 }] }], "order_number": "EC-88111" }),
            json!({ "payload": "{\"order_id\":88111,\"order_number\":\"EC-88111\"}" }),
        ] {
            assert_eq!(found(body.to_string()), (vec![88111], number()), "{body}");
        }
        assert_eq!(found("受注 88111 がキャンセルされました TEL 0312345678"), (vec![88111], vec![]));
        assert_eq!(found("id=88111&state=canceled"), (vec![88111], vec![]));
    }

    /// Each text begins its depth anew: a body of many in each other must not take the function's stack.
    #[test]
    fn a_text_in_a_text_in_a_text_has_an_end() {
        let wrapped = |inner: &str| format!("{}{}{}", "[".repeat(120), Value::from(inner), "]".repeat(120));
        let order = json!({ "order_id": 88111 }).to_string();
        assert_eq!(found(wrapped(&wrapped(&order))), (vec![88111], vec![]), "two texts");
        let mut deep = order;
        while deep.len() < 200_000 {
            // Escapes of a kind that do not double with each text.
            let inner = deep.replace('\\', "\\u005c").replace('"', "\\u0022");
            deep = format!("{}\"{inner}\"{}", "[".repeat(120), "]".repeat(120));
        }
        assert_eq!(found(&deep), (vec![], vec![]));
    }

    #[test]
    fn a_body_without_orders_is_a_hint_all_the_same() {
        for body in ["", "{}", "[]", "null", "{\"id\": -1}", "{\"number\": \"\"}"] {
            assert_eq!(found(body), (vec![], vec![]), "{body}");
        }
    }

    #[test]
    fn no_shop_is_asked_for_an_id_that_none_can_have() {
        let (most, more) = (i64::MAX as u64, i64::MAX as u64 + 1);
        assert_eq!(found(json!({ "order_ids": [0, more, most, u64::MAX] }).to_string()), (vec![most], vec![]));
        assert_eq!(found(format!("{more} {most} {}0", u64::MAX)), (vec![most], vec![]));
    }

    #[test]
    fn topics_are_words_and_nothing_else() {
        assert!(is_topic("order_canceled"));
        for bad in ["", "Order", "a b", "x\u{e9}", &"a".repeat(65)] {
            assert!(!is_topic(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_the_hint_is_small(body in proptest::collection::vec(any::<u8>(), 0..2_000), ids in proptest::collection::vec(any::<u64>(), 0..500)) {
            for body in [body, json!({ "order_ids": ids, "order_numbers": ids }).to_string().into_bytes()] {
                let (tenant, connection) = (TenantId::parse("t").unwrap(), ConnectionId::parse("c").unwrap());
                let hint = hint(tenant, connection, None, &body, Timestamp::UNIX_EPOCH);
                prop_assert!(hint.order_ids.len() + hint.order_numbers.len() <= limits::HINTS);
                let text = serde_json::to_string(&hint).unwrap();
                prop_assert!(text.len() < 64 * 1024);
                prop_assert_eq!(Hint::read(&text).unwrap(), hint);
            }
        }
    }
}
