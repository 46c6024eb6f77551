//! 差分: what a person makes of what the shop has otherwise by now. The shipment is made anew from it, or it goes out as it is
//! and somebody has seen that.
//!
//! Only robots call shops: what is wished for goes to the one that looks at orders, as a webhook's hint does, and is there
//! within seconds. Wished for twice, it is made once.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use renkei_domain::ids::ShipmentId;
use renkei_domain::import::anew;
use renkei_domain::shipment::Shipment;
use renkei_domain::work::{Hint, VERSION};
use renkei_platform::queue::group;
use renkei_store::audit::AuditOutcome;

use super::Form;
use super::shipment::Which;
use crate::App;
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;

/// Has it made anew, or notes that somebody has seen the differences.
pub async fn answer(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    form: Bytes,
) -> Result<Response, Problem> {
    let id = ShipmentId::try_from(which.id).map_err(|_| Problem::not_found())?;
    let shipment = caller.tenant.shipment(&id).await?.ok_or_else(Problem::not_found)?;
    let answer = Form::read(&form).get("answer");
    match answer.as_str() {
        "anew" => wish(&app, &caller, &shipment).await?,
        "seen" => seen(&caller, shipment).await?,
        _ => return Err(Problem::not_found()),
    }
    caller.audit(&format!("differences.{answer}"), id.to_string(), AuditOutcome::Done, "").await?;
    let to = caller.shell.to(&format!("/shipment/{id}?done=differences.{answer}"));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
}

/// What was done, from what an address says of it.
pub fn done(lang: Lang, code: &str) -> Option<&'static str> {
    match code {
        "differences.anew" => Some(lang.of(
            "ショップの最新内容を読み、出荷指示を作り直しています。数十秒後にこの画面を開き直してください。作り直せなかった場合は履歴に理由が出ます。",
            "The shop is being read and the shipment made anew. Open this page again in half a minute; if it could not be \
             done, the history says why.",
        )),
        "differences.seen" => {
            Some(lang.of("確認済みにしました。出荷指示の内容は変わりません。", "Noted as seen. The shipment stays as it is."))
        }
        _ => None,
    }
}

async fn wish(app: &App, caller: &Caller, shipment: &Shipment) -> Result<(), Problem> {
    if !anew::is_possible(shipment) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "倉庫に渡した出荷、出荷済み・キャンセル済みの出荷は作り直せません。",
            "What is with the warehouse, has left or is cancelled cannot be made anew.",
        ));
    }
    let ShipmentId { connection, order, .. } = shipment.id.clone();
    let group = group(caller.tenant.id(), &connection);
    let hint = Hint {
        v: VERSION,
        tenant: caller.tenant.id().clone(),
        connection,
        order_ids: vec![order.0],
        order_numbers: Vec::new(),
        topic: None,
        anew_by: Some(caller.email.as_str().to_owned()),
        received_at: caller.now,
    };
    let body = serde_json::to_string(&hint).map_err(|error| Problem::ours(&error.to_string()))?;
    app.hints.send(body, group, Duration::ZERO).await.map_err(|error| Problem::ours(&error.to_string()))
}

async fn seen(caller: &Caller, shipment: Shipment) -> Result<(), Problem> {
    let note = |shipment: &mut Shipment| {
        let is_new = !shipment.differences.is_empty() && !shipment.differences_seen;
        if is_new {
            shipment.differences_seen = true;
            shipment.note(caller.now, "differences seen", caller.email.as_str());
        }
        is_new
    };
    caller.tenant.change_from(shipment, note).await?;
    Ok(())
}
