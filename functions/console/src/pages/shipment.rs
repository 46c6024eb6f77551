//! One shipment, with everything: what the shop gave, what robots did, what happened, what the shop has otherwise.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use renkei_domain::convert::standard;
use renkei_domain::handover;
use renkei_domain::ids::ShipmentId;
use renkei_domain::import::anew;
use renkei_domain::shipment::{CancellationState, RobotTrace, ShipTo, Shipment, ShipmentDetail, ShopSync, Status};
use renkei_setup::retry::{self, ToldAgain};
use renkei_store::audit::AuditOutcome;
use serde::Deserialize;

use super::confirm::{self, Question, SURE};
use super::shipments::Row;
use super::{Form, Page, encoded, sentences, words};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::{Shell, grouped};
use crate::{App, Daily};

/// How a form says that the warehouse has given a shipment back.
const GIVE_BACK: &str = "give-back";
/// And that it consents to a cancellation.
const ACCEPT: &str = "accept";

/// The merchant and the shipment in the address.
#[derive(Deserialize)]
pub struct Which {
    pub(super) id: String,
}

/// What was done just before.
#[derive(Deserialize)]
pub struct After {
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "shipment.html")]
struct ShipmentPage {
    s: Shell,
    row: Row,
    detail: ShipmentDetail,
    siblings: Vec<Shipment>,
    method: Option<String>,
    source: String,
    /// Messages of orders wait that could not be worked on: one may be of this order.
    has_dead_letters: bool,
    done: Option<String>,
}

impl ShipmentPage {
    fn shipment(&self) -> &Shipment {
        &self.row.shipment
    }
    fn yen(&self, amount: &renkei_domain::money::Yen) -> String {
        format!("{}円", grouped(amount.0))
    }
    fn status(&self, shipment: &Shipment) -> &'static str {
        words::status(self.s.lang, shipment.status)
    }
    fn holds(&self) -> Vec<&'static str> {
        self.shipment().holds.iter().map(|reason| words::hold(self.s.lang, *reason)).collect()
    }
    fn differences(&self) -> Vec<&'static str> {
        self.shipment().all_differences().map(|it| words::difference(self.s.lang, it)).collect()
    }
    fn sync(&self) -> &'static str {
        words::sync(self.s.lang, self.shipment().shop_sync)
    }
    fn cancellation(&self) -> Option<&'static str> {
        self.shipment().cancellation.map(|it| words::cancellation(self.s.lang, it.state))
    }
    /// What a person may say about the cancellation: the warehouse's answer where it has none of its own to give by, and
    /// that somebody has seen to it.
    fn answers(&self) -> Vec<(&'static str, &'static str)> {
        let l = |ja, en| self.s.lang.of(ja, en);
        let accepted = (ACCEPT, l("倉庫が承諾した（キャンセル済みにする）", "The warehouse consented: cancel it"));
        let refused = ("refuse", l("倉庫が断った", "The warehouse refused"));
        let seen = ("close", l("対応済みにする", "I have seen to it"));
        let shipment = self.shipment();
        match shipment.cancellation {
            None => Vec::new(),
            Some(asked) => match (asked.state, shipment.status) {
                (CancellationState::Requested, Status::Picking) => vec![accepted, refused],
                (CancellationState::Refused, Status::Picking) if asked.closed_at.is_none() => vec![accepted, seen],
                (CancellationState::Refused | CancellationState::TooLate, _) if asked.closed_at.is_none() => vec![seen],
                (
                    CancellationState::Requested
                    | CancellationState::Refused
                    | CancellationState::TooLate
                    | CancellationState::Accepted,
                    _,
                ) => Vec::new(),
            },
        }
    }
    /// What it comes to where the warehouse gives it back, if it has it in hand. To an open cancellation consent says that.
    fn return_label(&self) -> Option<&'static str> {
        let l = |ja, en| self.s.lang.of(ja, en);
        let shipment = self.shipment();
        let may_consent = self.answers().iter().any(|(answer, _)| *answer == ACCEPT);
        (shipment.status == Status::Picking && !may_consent).then(|| match shipment.cancellation {
            None => l("倉庫から戻った（保留にする）", "It is back from the warehouse: hold it"),
            Some(_) => l("倉庫から戻った（キャンセル済みにする）", "It is back from the warehouse: cancel it"),
        })
    }
    /// Where the dead letters of its order are looked for.
    fn dead_letters(&self) -> String {
        let Shipment { id, order_number, .. } = self.shipment();
        let address = format!("/dead-letters?connection={}&order={}&number=", id.connection, id.order);
        format!("{}{}", self.s.to(&address), encoded(order_number.as_str()))
    }
    /// Why the shop refused it: its own words, or ours where it has none.
    fn refusal(&self, message: &str) -> String {
        sentences::runs::said(self.s.lang, message)
    }
    fn event(&self, what: &str) -> String {
        sentences::history::event(self.s.lang, what)
    }
    fn by<'a>(&self, who: &'a str) -> &'a str {
        sentences::history::by(self.s.lang, who)
    }
    fn changes(&self, trace: &RobotTrace) -> String {
        let changes: Vec<String> = trace.changes.iter().map(|change| self.event(change)).collect();
        changes.join(" · ")
    }
    /// Who ordered, if that is not who receives this parcel.
    fn orderer(&self) -> Option<ShipTo> {
        let orderer = self.detail.source.orderer()?;
        (orderer.id != self.shipment().address_id).then(|| standard::ship_to(orderer))
    }
    fn can_be_made_anew(&self) -> bool {
        anew::is_possible(self.shipment())
    }
    fn has_unseen_differences(&self) -> bool {
        self.shipment().has_unseen_differences()
    }
    fn shown_differences(&self) -> String {
        super::differences::shown(self.shipment())
    }
    fn is_refused(&self) -> bool {
        self.shipment().shop_sync == ShopSync::Failed
    }
    fn is_paid(&self) -> bool {
        self.shipment().payment == renkei_domain::payment::Payment::Paid
    }
}

/// Shows it.
pub async fn show(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    Query(after): Query<After>,
) -> Page {
    let id = ShipmentId::try_from(which.id).map_err(|_| Problem::not_found())?;
    let shipment = caller.tenant.shipment(&id).await?.ok_or_else(Problem::not_found)?;
    let settings = caller.settings().await?.settings;
    let detail = caller
        .tenant
        .details(std::slice::from_ref(&shipment))
        .await?
        .pop()
        .ok_or_else(|| Problem::ours("a shipment without a detail"))?;
    let siblings = match shipment.parcels {
        1 => Vec::new(),
        _ => caller.tenant.shipments_of(&id.connection, id.order).await?,
    };
    let method = shipment.shipping_method.as_ref().map(|id| {
        let named = settings.shipping_methods.iter().find(|method| method.id == *id);
        named.map_or_else(|| id.to_string(), |method| method.name.clone())
    });
    // Queues are all merchants' together: whose they are is seen by looking through them, which the page that this leads to
    // does. If a queue does not say how many it has, the page does not fail for that.
    let has_dead_letters = app.part.dead_letters.has_orders().await.unwrap_or(false);
    let source = serde_json::to_string_pretty(&detail.source).map_err(|error| Problem::ours(&error.to_string()))?;
    let page = ShipmentPage {
        row: Row::of(&caller.shell, shipment, &detail),
        siblings,
        method,
        source,
        has_dead_letters,
        done: after.done.and_then(|code| done(caller.shell.lang, &code)),
        detail,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// What was done, from what an address says of it.
fn done(lang: Lang, code: &str) -> Option<String> {
    let said = match code {
        "retry.1" => {
            lang.of("ロボットの次の実行でショップに通知します。", "The robot's next run tells it to the shop.")
        }
        "retry.0" => lang.of(
            "ショップが拒否したものはもうありません。既に受け付けています。",
            "The shop has refused nothing of it any more; it was taken up already.",
        ),
        "answer.accept" | "answer.refuse" => {
            lang.of("倉庫の回答を登録しました。", "The warehouse's answer is registered.")
        }
        "answer.close" => lang.of("対応済みにしました。", "Noted: somebody has seen to it."),
        "answer.give-back" => {
            lang.of("倉庫から戻った出荷として登録しました。", "The shipment is registered as back from the warehouse.")
        }
        other => {
            let said = super::differences::done(lang, other).map(str::to_owned);
            return said.or_else(|| super::bulk::done(lang, other));
        }
    };
    Some(said.to_owned())
}

/// Takes up what the shop refused: the robot's next run tells it where it stood. A second time it finds nothing refused.
pub async fn tell_again(Extension(caller): Extension<Caller>, Path(which): Path<Which>) -> Result<Response, Problem> {
    let id = ShipmentId::try_from(which.id).map_err(|_| Problem::not_found())?;
    let taken_up = match retry::shipment(&caller.tenant, &id, false, caller.now, caller.email.as_str()).await? {
        ToldAgain::Yes => 1,
        ToldAgain::NothingRefused => 0,
        ToldAgain::Unknown | ToldAgain::NotToCapture => return Err(Problem::not_found()),
    };
    if taken_up == 1 {
        caller.audit("shipment.retry", id.to_string(), AuditOutcome::Done, "").await?;
    }
    let to = caller.shell.to(&format!("/shipment/{id}?done=retry.{taken_up}"));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
}

/// Writes down what the warehouse said to a person: what became of a cancellation, or that a shipment is back; or that
/// somebody has seen to a cancellation.
pub async fn answer(
    Extension(caller): Extension<Caller>,
    Path(which): Path<Which>,
    form: Bytes,
) -> Result<Response, Problem> {
    let id = ShipmentId::try_from(which.id).map_err(|_| Problem::not_found())?;
    let form = Form::read(&form);
    let (answer, reason) = (form.get("answer"), form.get("reason"));
    if answer == ACCEPT && !form.has(SURE) {
        return ask_to_cancel(&caller, &id, form).await;
    }
    let (now, by) = (caller.now, caller.email.as_str());
    let mut became = Ok(false);
    let found = caller
        .tenant
        .change(&id, |shipment| {
            became = match answer.as_str() {
                GIVE_BACK => given_back(shipment, &reason, now, by),
                answer => answered(shipment, answer, now, by),
            };
            became.as_ref().is_ok_and(|changed| *changed)
        })
        .await?;
    found.ok_or_else(Problem::not_found)?;
    if became? {
        // Why it came back stands in the shipment's history only: people may write of people.
        let action = match answer.as_str() {
            GIVE_BACK => "shipment.give-back".to_owned(),
            answer => format!("cancellation.{answer}"),
        };
        caller.audit(&action, id.to_string(), AuditOutcome::Done, "").await?;
    }
    Ok(back(&caller.shell, &id, &answer))
}

/// Asks before a shipment is cancelled for good. The change itself, on a copy, says whether it can be made.
async fn ask_to_cancel(caller: &Caller, id: &ShipmentId, form: Form) -> Result<Response, Problem> {
    let mut shipment = caller.tenant.shipment(id).await?.ok_or_else(Problem::not_found)?;
    let s = &caller.shell;
    if !answered(&mut shipment, ACCEPT, caller.now, caller.email.as_str())? {
        return Ok(back(s, id, ACCEPT));
    }
    let said = s.l(
        "この出荷をキャンセル済みにします。元に戻せません。倉庫が出荷しないことを確認しましたか。",
        "This shipment is cancelled. This cannot be undone. Are you certain that the warehouse will not send it?",
    );
    let question = Question {
        title: s.l("キャンセル済みにする", "Cancel it"),
        of: &format!("{} · {id}", shipment.order_number),
        said: vec![said.to_owned()],
        address: &format!("/shipment/{id}/cancellation"),
        back: &format!("/shipment/{id}"),
    };
    Ok(confirm::ask(s, form, question)?.into_response())
}

/// To the shipment, which says what was done. A second click is told the same.
fn back(shell: &Shell, id: &ShipmentId, answer: &str) -> Response {
    let to = shell.to(&format!("/shipment/{id}?done=answer.{answer}"));
    (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
}

fn given_back(shipment: &mut Shipment, reason: &str, now: Timestamp, by: &str) -> Result<bool, Problem> {
    if !handover::is_reason(reason) {
        return Err(Problem::bad(
            "戻った理由を1〜100文字で入力してください。",
            "Say why it is back, in 1 to 100 characters.",
        ));
    }
    handover::give_back(shipment, reason, now, by).map_err(|_| {
        Problem::new(
            StatusCode::CONFLICT,
            "この出荷は、もう出荷準備中ではありません。出荷の画面を開き直してください。",
            "The warehouse does not have it in hand any more. Open the shipment again.",
        )
    })
}

fn answered(shipment: &mut Shipment, answer: &str, now: Timestamp, by: &str) -> Result<bool, Problem> {
    let too_late = || {
        Problem::new(
            StatusCode::CONFLICT,
            "このキャンセル依頼は、もうその状態ではありません。出荷の画面を開き直してください。",
            "The cancellation is not in that state any more. Open the shipment again.",
        )
    };
    match answer {
        ACCEPT | "refuse" => {
            let changed = handover::answer_cancellation(shipment, answer == ACCEPT, now).map_err(|_| too_late())?;
            if changed {
                shipment.note(now, "the answer was entered in the console", by);
            }
            Ok(changed)
        }
        "close" => {
            let Some(mut asked) = shipment.cancellation else { return Err(too_late()) };
            if asked.closed_at.is_some() {
                return Ok(false);
            }
            if !matches!(asked.state, CancellationState::Refused | CancellationState::TooLate) {
                return Err(too_late());
            }
            asked.closed_at = Some(now);
            shipment.cancellation = Some(asked);
            shipment.note(now, "cancellation closed", by);
            Ok(true)
        }
        _ => Err(Problem::not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_is_looked_up() {
        for answer in [ACCEPT, "refuse", "close", GIVE_BACK] {
            assert!(done(Lang::Ja, &format!("answer.{answer}")).is_some(), "{answer}");
        }
        assert_eq!(done(Lang::Ja, "answer.<b>anything</b>"), None);
    }
}
