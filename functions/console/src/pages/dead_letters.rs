//! 処理できなかったメッセージ: the merchant's dead letters, why, and back onto their queues.
//!
//! Queues are all merchants' together. What belongs to another merchant, or to nobody because it cannot be read, is looked
//! at and given back unseen: the latter is for an operator on the command line.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_setup::dead_letters::{DeadLetter, Reason, Wanted};
use renkei_store::audit::AuditOutcome;
use renkei_store::lists::Count;
use serde::Deserialize;

use super::shipments::not_too_often;
use super::{Form, Page, counted, words};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Daily};

/// What the address says.
#[derive(Deserialize)]
pub struct After {
    done: Option<u32>,
    /// Only those of this shop,
    connection: Option<String>,
    /// and of the order with this id,
    order: Option<u64>,
    /// or with this number, where a message says no more.
    number: Option<String>,
}

impl After {
    /// An order that the page is asked about, as a sentence names it.
    fn order(&self) -> Option<String> {
        self.number.clone().or(self.order.map(|id| id.to_string()))
    }

    fn is_about(&self, letter: &DeadLetter) -> bool {
        let connection = letter.connection.as_ref().map(renkei_domain::ids::ConnectionId::as_str);
        let is_order = self.order.is_none() && self.number.is_none()
            || self.order.is_some() && self.order == letter.order_id.map(|id| id.0)
            || self.number.is_some() && self.number == letter.order_number;
        is_order && self.connection.as_deref().is_none_or(|wanted| connection == Some(wanted))
    }
}

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct DeadLettersPage {
    s: Shell,
    letters: Vec<DeadLetter>,
    /// The order that it is about, if it is about one.
    order: Option<String>,
    more: bool,
    done: Option<String>,
}

impl DeadLettersPage {
    fn queue(&self, letter: &DeadLetter) -> &'static str {
        words::queue(self.s.lang, letter.queue)
    }
    fn what(&self, letter: &DeadLetter) -> String {
        let order = letter.order_number.clone().or(letter.order_id.map(|id| id.to_string()));
        match (&letter.robot, order) {
            (Some(robot), _) => robot.to_string(),
            (None, Some(order)) => format!("{} {order}", self.s.l("注文", "order")),
            (None, None) => "—".to_owned(),
        }
    }
    fn reason(&self, letter: &DeadLetter) -> String {
        match self.s.lang {
            Lang::En => letter.reason.to_string(),
            Lang::Ja => reason(&letter.reason),
        }
    }
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Unreadable(_) => "メッセージを読み取れません。".to_owned(),
        Reason::NoSettings(_) => {
            "この契約企業の設定がありません。設定を適用してから、もう一度処理してください。".to_owned()
        }
        Reason::NoConnection(connection) => {
            format!("設定にショップ「{connection}」がありません。登録し直してから、もう一度処理してください。")
        }
        Reason::Robots => {
            "処理ロボットの設定に誤りがあります。正しい設定を適用してから、もう一度処理してください。".to_owned()
        }
        Reason::InLog(queue) => {
            format!(
                "理由は{queue}のログに、このメッセージIDで残っています。運用者に確認してから、もう一度処理してください。"
            )
        }
    }
}

/// Shows them. Looking takes messages in hand for a moment, so it is limited together with searches.
pub async fn list(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    Query(after): Query<After>,
) -> Page {
    not_too_often(&app, &caller).await?;
    let found = app.part.dead_letters.list(of(&caller)).await?;
    let page = DeadLettersPage {
        letters: found.letters.into_iter().filter(|letter| after.is_about(letter)).collect(),
        order: after.order(),
        more: found.more,
        done: after.done.map(|count| match (caller.shell.lang, count) {
            (Lang::Ja, 0) => {
                "もう一度処理するメッセージはありませんでした。すでに処理に回されたか、ほかの人が確認中です。"
                    .to_owned()
            }
            (Lang::Ja, count) => format!("{count}件をもう一度処理に回しました。少し待つと処理されます。"),
            (Lang::En, 0) => {
                "There was nothing to put back: it is back already, or somebody else looks at it.".to_owned()
            }
            (Lang::En, count) => format!("{count} messages are back on their queues, and are worked on in a moment."),
        }),
        s: caller.shell,
    };
    Ok(Html(page.render()?))
}

/// How many are the merchant's own: a piece of today's page, which asks for it once. Looking is limited as above.
pub async fn count(State(app): State<Arc<App<Daily>>>, Extension(caller): Extension<Caller>) -> Page {
    not_too_often(&app, &caller).await?;
    let found = app.part.dead_letters.list(of(&caller)).await?;
    Ok(Html(own(caller.shell.lang, found.letters.len(), found.more)))
}

fn own(lang: Lang, count: usize, more: bool) -> String {
    let number = counted(&Count { counted: u32::try_from(count).unwrap_or(u32::MAX), more });
    match (lang, count, more) {
        (Lang::Ja, 0, false) => "自社のものはありません".to_owned(),
        (Lang::En, 0, false) => "none is yours".to_owned(),
        (Lang::Ja, 0, true) => "確認した範囲に自社のものはありません".to_owned(),
        (Lang::En, 0, true) => "none is yours of those looked at".to_owned(),
        (Lang::Ja, ..) => format!("自社のもの: {number}件"),
        (Lang::En, ..) => format!("yours: {number}"),
    }
}

/// Puts one back by its id, or all of the merchant's. Sent a second time it finds nothing more to put back.
pub async fn replay(
    State(app): State<Arc<App<Daily>>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    not_too_often(&app, &caller).await?;
    let id = Form::read(&form).get("message");
    let wanted = Wanted { id: Some(id.as_str()).filter(|id| !id.is_empty()), ..of(&caller) };
    let replayed = app.part.dead_letters.replay(wanted).await;
    for letter in &replayed.letters {
        let target = format!("{}/{}", letter.queue, letter.message_id);
        caller.audit("dead-letter.replay", target, AuditOutcome::Done, note(letter)).await?;
    }
    if let Some(error) = replayed.failure {
        return Err(error.into());
    }
    let to = caller.shell.to(&format!("/dead-letters?done={}", replayed.letters.len()));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
}

fn of(caller: &Caller) -> Wanted<'_> {
    Wanted { tenant: Some(caller.tenant.id()), ..Wanted::default() }
}

/// What it was, for the audit log: ids, nothing of an order.
fn note(letter: &DeadLetter) -> String {
    let connection = letter.connection.as_ref().map(ToString::to_string).unwrap_or_default();
    match (&letter.robot, letter.order_id) {
        (Some(robot), _) => robot.to_string(),
        (None, Some(order)) => format!("{connection}.{order}"),
        (None, None) => connection,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_said_only_where_all_were_looked_at() {
        let said = |count, more| [Lang::Ja, Lang::En].map(|lang| own(lang, count, more));
        assert_eq!(said(0, false), ["自社のものはありません", "none is yours"]);
        assert_eq!(said(0, true), ["確認した範囲に自社のものはありません", "none is yours of those looked at"]);
        assert_eq!(said(1, false), ["自社のもの: 1件", "yours: 1"]);
        assert_eq!(said(1_200, true), ["自社のもの: 1,200+件", "yours: 1,200+"]);
    }
}
