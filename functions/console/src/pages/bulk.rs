//! 一括操作: hold, release, cancel. First a preview of what would become of each shipment, then the change: the same
//! function decides both. Each shipment is changed by itself and on condition; doing it twice changes nothing more.

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use futures::StreamExt;
use jiff::Timestamp;
use renkei_domain::handover::{self, Cancelled};
use renkei_domain::ids::ShipmentId;
use renkei_domain::import::anew;
use renkei_domain::payment::Payment;
use renkei_domain::shipment::{HoldReason, Shipment, Status};
use renkei_store::audit::AuditOutcome;

use super::{Form, Page, words};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;

/// Shipments in one form. The preview has them in its address, of which no more than 10 kB reach us.
const MOST: usize = 100;
const AT_ONCE: usize = 8;

/// What a person wants with shipments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Hold(HoldReason),
    Release,
    ReleaseUnpaid,
    Cancel,
}

impl Wish {
    fn as_str(self) -> &'static str {
        match self {
            Self::Hold(_) => "hold",
            Self::Release => "release",
            Self::ReleaseUnpaid => "release-unpaid",
            Self::Cancel => "cancel",
        }
    }

    fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Hold(_) => lang.of("保留にする", "Hold"),
            Self::Release => lang.of("保留を解除して出荷待ちへ", "Release to ready"),
            Self::ReleaseUnpaid => lang.of("未入金でも出荷待ちへ", "Release although unpaid"),
            Self::Cancel => lang.of("キャンセルする", "Cancel"),
        }
    }
}

/// What becomes of a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Becomes {
    /// Changed to this.
    Status(Status),
    /// The warehouse is asked to let it go.
    Asked,
    /// It is that already.
    Same,
    /// Out of our hands.
    TooLate,
    /// It is not paid; that is another, deliberate action.
    Unpaid,
}

/// May no warehouse take it even when it is ready, because it is not paid and nobody has let it go all the same?
fn is_refused_to_warehouses(shipment: &Shipment) -> bool {
    shipment.payment == Payment::Unpaid && !shipment.released_unpaid
}

/// Does it, on the record, and says what became of it. The one rule for preview and change.
fn carry_out(wish: Wish, shipment: &mut Shipment, at: Timestamp, by: &str) -> Becomes {
    let becomes = match wish {
        Wish::Hold(reason) => {
            // What robots or a wish to be made anew put it on hold for may fall away; a person's hold stays beyond that.
            if shipment.holds.contains(&reason) && anew::is_held_by_hand(shipment, reason) {
                Becomes::Same
            } else if shipment.hold(reason) {
                Becomes::Status(Status::Hold)
            } else {
                Becomes::TooLate
            }
        }
        Wish::Release | Wish::ReleaseUnpaid => match shipment.status {
            Status::Ready if wish == Wish::Release || !is_refused_to_warehouses(shipment) => Becomes::Same,
            Status::Hold if wish == Wish::Release && shipment.payment != Payment::Paid => Becomes::Unpaid,
            Status::Hold | Status::Ready => {
                shipment.holds.clear();
                shipment.release();
                shipment.released_unpaid = shipment.payment == Payment::Unpaid;
                Becomes::Status(Status::Ready)
            }
            Status::Picking | Status::Shipped | Status::Cancelled => Becomes::TooLate,
        },
        Wish::Cancel => match shipment.status {
            // Out of the shop's page this would be a matter for a person; here a person sees it at once.
            Status::Shipped => Becomes::TooLate,
            Status::Hold | Status::Ready | Status::Picking | Status::Cancelled => {
                match handover::cancel_by_person(shipment, at, "asked for in the console", by) {
                    Cancelled::Now => Becomes::Status(Status::Cancelled),
                    Cancelled::Requested => Becomes::Asked,
                    Cancelled::TooLate => Becomes::TooLate,
                    Cancelled::Known => Becomes::Same,
                }
            }
        },
    };
    match (becomes, wish) {
        (Becomes::Status(_), Wish::Hold(reason)) => shipment.note(at, format!("hold {}", reason.as_str()), by),
        (Becomes::Status(_), Wish::Release | Wish::ReleaseUnpaid) => shipment.note(at, wish.as_str(), by),
        // A cancellation has written its own note.
        (Becomes::Status(_) | Becomes::Asked | Becomes::Same | Becomes::TooLate | Becomes::Unpaid, _) => {}
    }
    becomes
}

/// What was done, from what an address says of it: numbers only, so that no address can put words into our mouth.
pub fn done(lang: Lang, code: &str) -> Option<String> {
    let (name, counts) = code.split_once('.')?;
    let title = match name {
        "hold" => Wish::Hold(HoldReason::NeedsReview).title(lang),
        "release" => Wish::Release.title(lang),
        "release-unpaid" => Wish::ReleaseUnpaid.title(lang),
        "cancel" => Wish::Cancel.title(lang),
        "robot" => lang.of("ロボットの適用", "Robot applied"),
        _ => return None,
    };
    let counts: Vec<u32> = counts.split('.').map(|count| count.parse().ok()).collect::<Option<_>>()?;
    let (changed, asked, rest) = match *counts.as_slice() {
        [changed, rest] => (changed, 0, rest),
        // Only a cancellation can be asked of a warehouse.
        [changed, asked, rest] if name == "cancel" => (changed, asked, rest),
        _ => return None,
    };
    Some(match (lang, asked) {
        (Lang::Ja, 0) => format!("{title}: {changed}件を変更しました。{rest}件はそのままです。"),
        (Lang::En, 0) => format!("{title}: {changed} changed, {rest} left as they were."),
        (Lang::Ja, asked) => format!(
            "{title}: {changed}件を変更しました。{asked}件は倉庫に依頼しました（まだキャンセルされていません。API連携のない倉庫には電話などで連絡し、出荷の画面で回答を登録してください）。{rest}件はそのままです。"
        ),
        (Lang::En, asked) => format!(
            "{title}: {changed} changed, {asked} asked of the warehouse (not cancelled yet: tell a warehouse without the API by \
             telephone, and enter its answer on the shipment's page), {rest} left as they were."
        ),
    })
}

/// The shipments that a form chose, and where it came from.
#[derive(Debug)]
pub struct Selection {
    /// Which, each once.
    pub ids: Vec<ShipmentId>,
    /// The list's path below the base; empty if the form does not say it, or says one that is not ours.
    pub back: String,
}

impl Selection {
    /// From a form's fields.
    pub fn read(form: &[u8]) -> Result<Self, Problem> {
        let (mut back, mut ids) = (String::new(), Vec::new());
        for (name, value) in url::form_urlencoded::parse(form) {
            match name.as_ref() {
                "back" => back = value.into_owned(),
                "id" => ids.push(ShipmentId::try_from(value.into_owned()).map_err(|_| Problem::not_found())?),
                _ => {}
            }
        }
        ids.sort();
        ids.dedup();
        if ids.is_empty() {
            return Err(Problem::bad(
                "出荷が選ばれていません。戻って選んでください。",
                "No shipment is selected. Go back and select some.",
            ));
        }
        if ids.len() > MOST {
            return Err(Problem::bad("一度に操作できるのは100件までです。", "At most 100 shipments at a time."));
        }
        let is_own = |path: &str| path.starts_with("/t/") && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        Ok(Self { ids, back: if is_own(&back) && back.len() < 500 { back } else { String::new() } })
    }

    /// Back to the list, which then says what was done.
    pub fn back(&self, caller: &Caller, done: &str) -> Response {
        let list = format!("/t/{}/shipments", caller.tenant.id());
        let back = if self.back.is_empty() { &list } else { &self.back };
        let without_done = back.split("done=").next().unwrap_or_default().trim_end_matches(['?', '&']);
        let separator = if without_done.contains('?') { '&' } else { '?' };
        let to = caller.shell.at(&format!("{without_done}{separator}done={done}"));
        (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
    }
}

/// What a form asks for.
struct Asked {
    wish: Wish,
    selection: Selection,
}

/// How many shipments a form names, if it is one of these.
pub fn asked(form: &[u8]) -> usize {
    Asked::read(form).map_or(0, |asked| asked.selection.ids.len())
}

impl Asked {
    fn read(form: &[u8]) -> Result<Self, Problem> {
        let not_understood = || {
            Problem::bad(
                "操作の内容を読み取れません。一覧からやり直してください。",
                "The form cannot be understood. Begin again from the list.",
            )
        };
        let fields = Form::read(form);
        let wish = match fields.get("action").as_str() {
            "hold" => Wish::Hold(HoldReason::from_name(&fields.get("reason")).ok_or_else(not_understood)?),
            "release" => Wish::Release,
            "release-unpaid" => Wish::ReleaseUnpaid,
            "cancel" => Wish::Cancel,
            _ => return Err(not_understood()),
        };
        Ok(Self { wish, selection: Selection::read(form)? })
    }
}

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage {
    s: Shell,
    title: &'static str,
    action: &'static str,
    reason: &'static str,
    is_cancel: bool,
    back: String,
    rows: Vec<PreviewRow>,
    changing: usize,
}

struct PreviewRow {
    shipment: Shipment,
    now: &'static str,
    then: String,
    class: &'static str,
    changes: bool,
}

fn sentence(lang: Lang, becomes: Becomes) -> (String, &'static str) {
    match becomes {
        Becomes::Status(status) => (format!("→ {}", words::status(lang, status)), "good"),
        Becomes::Asked => (
            lang.of("→ 倉庫へキャンセルを依頼（倉庫の承諾が必要）", "→ the warehouse is asked; it must consent")
                .to_owned(),
            "warn",
        ),
        Becomes::Same => (lang.of("変わりません（既にその状態）", "nothing: it is so already").to_owned(), "soft"),
        Becomes::TooLate => {
            (lang.of("できません（倉庫に渡った後、または終了済み）", "not possible any more").to_owned(), "bad")
        }
        Becomes::Unpaid => (
            lang.of(
                "できません（未入金）。未入金のまま出荷するときは、出荷管理の一覧でこの出荷を選び、「操作」で「未入金でも出荷待ちへ」を選んでください。",
                "not paid; to send it all the same, select it on the list of shipments and choose the action “Release although \
                 unpaid”",
            )
            .to_owned(),
            "bad",
        ),
    }
}

/// The shipments of these ids, if all of them are this merchant's.
async fn all_own(caller: &Caller, ids: &[ShipmentId]) -> Result<Vec<Shipment>, Problem> {
    let shipments = caller.tenant.shipments(ids).await?;
    if shipments.len() == ids.len() { Ok(shipments) } else { Err(Problem::not_found()) }
}

/// Shows what would be done. Changes nothing, so it has an address: the back button leads to it, and it is made anew.
pub async fn preview(Extension(caller): Extension<Caller>, RawQuery(query): RawQuery) -> Page {
    let asked = Asked::read(query.unwrap_or_default().as_bytes())?;
    let shipments = all_own(&caller, &asked.selection.ids).await?;
    let lang = caller.shell.lang;
    let rows: Vec<PreviewRow> = shipments
        .into_iter()
        .map(|shipment| {
            let becomes = carry_out(asked.wish, &mut shipment.clone(), caller.now, "preview");
            let (then, class) = sentence(lang, becomes);
            PreviewRow {
                now: words::status(lang, shipment.status),
                then,
                class,
                changes: matches!(becomes, Becomes::Status(_) | Becomes::Asked),
                shipment,
            }
        })
        .collect();
    let page = PreviewPage {
        title: asked.wish.title(lang),
        action: asked.wish.as_str(),
        reason: if let Wish::Hold(reason) = asked.wish { reason.as_str() } else { "" },
        is_cancel: asked.wish == Wish::Cancel,
        back: asked.selection.back,
        changing: rows.iter().filter(|row| row.changes).count(),
        rows,
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// Does it.
pub async fn change(Extension(caller): Extension<Caller>, form: Bytes) -> Result<Response, Problem> {
    let asked = Asked::read(&form)?;
    // All or nothing of a form that names what is not there: nothing is changed before it is answered with "not found".
    all_own(&caller, &asked.selection.ids).await?;
    let by = caller.email.as_str();
    let outcomes: Vec<Result<(ShipmentId, Becomes), Problem>> =
        futures::stream::iter(asked.selection.ids.iter().cloned())
            .map(async |id| {
                let mut became = Becomes::Same;
                let found = caller
                    .tenant
                    .change(&id, |shipment| {
                        became = carry_out(asked.wish, shipment, caller.now, by);
                        matches!(became, Becomes::Status(_) | Becomes::Asked)
                    })
                    .await?;
                found.ok_or_else(Problem::not_found)?;
                Ok::<_, Problem>((id, became))
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
    let action = format!("shipment.{}", asked.wish.as_str());
    let all = outcomes.len();
    let (mut changed, mut asked_of_warehouse, mut failed) = (0, 0, None);
    for outcome in outcomes {
        match outcome {
            Ok((id, became @ (Becomes::Status(_) | Becomes::Asked))) => {
                if became == Becomes::Asked {
                    asked_of_warehouse += 1;
                } else {
                    changed += 1;
                }
                caller.audit(&action, id.to_string(), AuditOutcome::Done, "").await?;
            }
            Ok(_) => {}
            Err(problem) => failed = failed.or(Some(problem)),
        }
    }
    // What was changed is in the audit log before the failure of another is told.
    if let Some(problem) = failed {
        return Err(problem);
    }
    let rest = all - changed - asked_of_warehouse;
    let done = match asked_of_warehouse {
        0 => format!("{}.{changed}.{rest}", asked.wish.as_str()),
        requested => format!("{}.{changed}.{requested}.{rest}", asked.wish.as_str()),
    };
    Ok(asked.selection.back(&caller, &done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_numbers_only() {
        assert_eq!(done(Lang::En, "hold.2.1").unwrap(), "Hold: 2 changed, 1 left as they were.");
        assert_eq!(done(Lang::En, "robot.0.3").unwrap(), "Robot applied: 0 changed, 3 left as they were.");
        // What the warehouse was only asked for is not called changed.
        assert_eq!(done(Lang::En, "cancel.2.1").unwrap(), "Cancel: 2 changed, 1 left as they were.");
        assert_eq!(done(Lang::Ja, "cancel.2.0.1"), done(Lang::Ja, "cancel.2.1"));
        let asked = done(Lang::Ja, "cancel.1.3.2").unwrap();
        assert!(asked.starts_with("キャンセルする: 1件を変更しました。3件は倉庫に依頼しました（まだ"), "{asked}");
        assert!(asked.ends_with("登録してください）。2件はそのままです。"), "{asked}");
        let asked = done(Lang::En, "cancel.1.3.2").unwrap();
        assert!(asked.starts_with("Cancel: 1 changed, 3 asked of the warehouse (not cancelled yet"), "{asked}");
        assert!(asked.ends_with("page), 2 left as they were."), "{asked}");
        for wrong in ["", "hold", "hold.2", "hold.x.1", "call us at 0120.1.1", "hold.1.1.1", "cancel.1.1.1.1"] {
            assert_eq!(done(Lang::En, wrong), None, "{wrong}");
        }
    }

    /// A hold that robots, or a wish to be made anew, put it on may fall away in the night; a person's stays.
    #[test]
    fn a_persons_hold_is_on_record_whatever_it_is_on_hold_for_already() {
        let mut shipment: Shipment = serde_json::from_value(serde_json::json!({
            "id": "shop.1.1", "order_number": "H-1", "address_id": 1, "parcels": 1, "ship_from": "dc", "status": "hold",
            "holds": ["needs-review"], "payment": "paid", "payment_state": "authed", "shop_sync": "acknowledged", "run": "r",
            "place": { "page": 1, "row": 0 }, "imported_at": "2026-11-24T00:00:00Z", "updated_at": "2026-11-24T00:00:00Z",
            "detail": "1"
        }))
        .unwrap();
        let at: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let wish = Wish::Hold(HoldReason::NeedsReview);
        assert_eq!(carry_out(wish, &mut shipment, at, "hanako"), Becomes::Status(Status::Hold));
        assert_eq!(shipment.events.last().map(|event| event.what.as_str()), Some("hold needs-review"));
        assert_eq!(carry_out(wish, &mut shipment, at, "jiro"), Becomes::Same, "it is held by hand already");
    }

    #[test]
    fn a_form_needs_shipments_and_a_known_action() {
        let read = |text: &'static str| Asked::read(text.as_bytes());
        let asked = read("action=hold&reason=remark&id=a.2.1&id=a.1.1&id=a.2.1&back=%2Ft%2Fa").unwrap();
        assert_eq!(
            (asked.wish, asked.selection.ids.len(), asked.selection.back.as_str()),
            (Wish::Hold(HoldReason::Remark), 2, "/t/a")
        );
        assert_eq!(read("action=release&id=a.1.1&back=https://evil.example").unwrap().selection.back, "");
        for wrong in [
            "action=hold&reason=remark",
            "action=hold&reason=x&id=a.1.1",
            "action=burn&id=a.1.1",
            "action=cancel&id=../x",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
