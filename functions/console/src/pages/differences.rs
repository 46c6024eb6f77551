//! 差分: what a person makes of what the shop has otherwise by now. The shipment is made anew from it, or it stays as
//! imported and somebody has seen that.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use renkei_domain::ids::ShipmentId;
use renkei_domain::shipment::{Difference, Shipment};
use renkei_setup::anew::{self, Wished};
use renkei_store::audit::AuditOutcome;

use super::Form;
use super::shipment::Which;
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::{App, Daily};

/// Has it made anew, or notes that somebody has seen the differences.
pub async fn answer(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    form: Bytes,
) -> Result<Response, Problem> {
    let id = ShipmentId::try_from(which.id).map_err(|_| Problem::not_found())?;
    let shipment = caller.tenant.shipment(&id).await?.ok_or_else(Problem::not_found)?;
    let form = Form::read(&form);
    let answer = form.get("answer");
    match answer.as_str() {
        "anew" => wish(&app, &caller, &shipment).await?,
        "seen" => seen(&caller, shipment, &form.get("of")).await?,
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
            "ショップの最新内容を読んで作り直します。ふつうは数十秒で終わり、それまでは保留にします（APIの上限に達しているときは、9時に再開してから）。この画面を開き直してください。作り直せなかった場合は、保留のまま履歴に理由が出ます。",
            "The shop will be read and the shipment made anew, mostly within half a minute; until then it is on hold. Where \
             the day's calls are spent, that is after 09:00 in Japan. Open this page again; if it could not be done, it \
             stays on hold and the history says why.",
        )),
        "differences.seen" => Some(lang.of(
            "確認済みにしました。出荷指示の内容は変わりません。保留中の出荷は保留のままです。出荷するには「保留を解除…」を押してください。",
            "Noted as seen. What is sent stays as it is, and what is on hold stays on hold: to send it, press “Release…”.",
        )),
        _ => None,
    }
}

async fn wish(app: &App<Daily>, caller: &Caller, shipment: &Shipment) -> Result<(), Problem> {
    match anew::wish(&caller.tenant, &app.part.hints, shipment, caller.now, caller.email.as_str()).await? {
        Wished::Yes => Ok(()),
        Wished::InHand => Err(Problem::new(
            StatusCode::CONFLICT,
            "倉庫に渡した出荷、出荷済み・キャンセル済みの出荷のある受注は作り直せません。",
            "An order of which something is with the warehouse, has left or is cancelled cannot be made anew.",
        )),
    }
}

/// What a page shows of the differences, for its form to say what was seen.
pub fn shown(shipment: &Shipment) -> String {
    let kinds: Vec<&str> = shipment.all_differences().map(Difference::as_str).collect();
    format!("{} {}", kinds.join(","), shipment.differences_of.as_deref().unwrap_or_default())
}

/// Nobody has seen what came after the page: then it is refused.
async fn seen(caller: &Caller, shipment: Shipment, of: &str) -> Result<(), Problem> {
    let mut is_other = false;
    let note = |shipment: &mut Shipment| {
        is_other = shown(shipment) != of;
        let is_new = !is_other && shipment.has_unseen_differences();
        if is_new {
            shipment.differences_seen = true;
            shipment.note(caller.now, "differences seen", caller.email.as_str());
        }
        is_new
    };
    caller.tenant.change_from(shipment, note).await?;
    if is_other {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "ショップの内容がその後また変わりました。出荷の画面を開き直してください。",
            "The shop has it otherwise again by now. Open the shipment again.",
        ));
    }
    Ok(())
}
