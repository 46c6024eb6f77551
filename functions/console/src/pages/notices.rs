//! 通知: whether the merchant's staff are told in their chat of what needs them, and where. The address is entered here and
//! shown nowhere.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_notify::{NoticesError, TellError, WebhookError};
use renkei_store::audit::AuditOutcome;
use renkei_store::notices::{NoticeLang, NoticeState};
use serde::Deserialize;

use super::confirm::{self, Question, SURE};
use super::{Form, Page};
use crate::guard::Caller;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;
use crate::{App, Settings};

/// Addresses that are tried within a window, whoever asks: each is a request to wherever they say.
const TRIES: u64 = 10;
/// The window, in seconds.
const WINDOW: i64 = 600;
/// Why a message did not arrive, as whoever tried keeps it, and the same in Japanese.
const CAUSES: [(&str, &str); 4] = [
    ("the webhook did not answer", "Webhookから応答がありません。アドレスを確認してください。"),
    ("the webhook's address is gone: enter it again", "Webhookのアドレスが残っていません。もう一度入力してください。"),
    (
        "the webhook must be an https address of a public host, on port 443",
        "このWebhookのアドレスには送れません。チャットの管理画面で発行された https:// で始まるアドレス（ポート指定なし）を入力してください。",
    ),
    (
        "RENKEI_ALLOWED_SHOP_ADDRESSES is not a list of address ranges: correct the deployment's template",
        "システムの設定（RENKEI_ALLOWED_SHOP_ADDRESSES）に誤りがあり、送れません。運用者に連絡してください。",
    ),
];

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    s: Shell,
    state: Option<NoticeState>,
    problem: Option<String>,
    /// What was just done.
    done: Option<&'static str>,
    is_english: bool,
}

/// What was done just before.
#[derive(Deserialize)]
pub struct After {
    done: Option<String>,
}

impl NoticesPage {
    fn lang(&self, state: &NoticeState) -> &'static str {
        match state.lang {
            NoticeLang::Ja => "日本語",
            NoticeLang::En => "English",
        }
    }
    fn cause(&self, kept: &str) -> String {
        cause(self.s.lang, kept)
    }
}

/// Why a message did not arrive. What has no Japanese is shown as it is.
fn cause(lang: Lang, kept: &str) -> String {
    if lang == Lang::En {
        return kept.to_owned();
    }
    let status = kept.strip_prefix("the webhook answered ").and_then(|rest| rest.strip_suffix(": is it still valid?"));
    if let Some(status) = status {
        return format!("Webhookが受け付けませんでした（{status}）。無効になっていないか確認してください。");
    }
    CAUSES.iter().find(|(known, _)| *known == kept).map_or(kept, |found| found.1).to_owned()
}

/// What was done, from what an address says of it.
fn done(lang: Lang, code: &str) -> Option<&'static str> {
    match code {
        "on" => Some(lang.of("通知を設定し、試しに1通送りました。", "Notices are on, and a first message was sent.")),
        "off" => Some(lang.of("通知を止めました。", "Notices are off.")),
        _ => None,
    }
}

/// Shows whether they are told.
pub async fn show(Extension(caller): Extension<Caller>, Query(after): Query<After>) -> Page {
    let done = after.done.and_then(|code| done(caller.shell.lang, &code));
    page(caller, None, done).await
}

async fn page(caller: Caller, problem: Option<String>, done: Option<&'static str>) -> Page {
    let state = caller.tenant.notices().await?;
    let is_english = state.as_ref().is_some_and(|state| state.lang == NoticeLang::En);
    let page = NoticesPage { state, problem, done, is_english, s: caller.shell };
    Ok(Html(page.render()?))
}

/// Switches them on, or to another address. A first message is posted at once.
pub async fn switch_on(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    // A merchant without settings has nothing to be told of.
    caller.settings().await?;
    if app.sessions.count("notices", caller.tenant.id().as_str(), WINDOW, caller.now).await? > TRIES {
        return Err(Problem::too_often());
    }
    let form = Form::read(&form);
    let lang = if form.get("lang") == "en" { NoticeLang::En } else { NoticeLang::Ja };
    let by = caller.email.as_str();
    let switched = app.part.notices.switch_on(&caller.tenant, &form.get("url"), lang, by, caller.now).await;
    let s = caller.shell.lang;
    let problem = match switched {
        Ok(()) => {
            caller.audit("notices.on", "", AuditOutcome::Done, "").await?;
            return Ok(back(&caller.shell, "on"));
        }
        Err(NoticesError::Webhook(WebhookError::Address)) => s.of(
            "Webhookのアドレスが正しくありません。チャットの管理画面で発行された https:// で始まるアドレスを入力してください。",
            "This is no webhook address. Enter the one that your chat gave you; it begins with https://.",
        )
        .to_owned(),
        Err(NoticesError::NotTaken(TellError::NoAnswer)) => s.of(
            "このアドレスから応答がありません。アドレスを確認してください。通知の設定は変わっていません。",
            "There is no answer at this address. Check it. Nothing was changed.",
        )
        .to_owned(),
        Err(NoticesError::NotTaken(TellError::Status(status))) => match s {
            Lang::Ja => format!(
                "このアドレスは投稿を受け付けませんでした（{status}）。無効になっていないか確認してください。通知の設定は変わっていません。"
            ),
            Lang::En => {
                format!("This address does not take messages ({status}). Is it still valid? Nothing was changed.")
            }
        },
        Err(error) => {
            tracing::error!(%error, "notices could not be switched on");
            return Err(Problem::ours("notices could not be switched on"));
        }
    };
    let mut response = page(caller, Some(problem), None).await?.into_response();
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Switches them off, and forgets the address.
pub async fn switch_off(
    State(app): State<Arc<App<Settings>>>,
    Extension(caller): Extension<Caller>,
    form: Bytes,
) -> Result<Response, Problem> {
    let form = Form::read(&form);
    if !form.has(SURE) {
        return Ok(ask_to_stop(&caller.shell, form)?.into_response());
    }
    let was = app.part.notices.switch_off(&caller.tenant).await.map_err(|error| {
        tracing::error!(%error, "notices could not be switched off");
        Problem::ours("notices could not be switched off")
    })?;
    if was {
        caller.audit("notices.off", "", AuditOutcome::Done, "").await?;
    }
    Ok(back(&caller.shell, "off"))
}

fn ask_to_stop(shell: &Shell, form: Form) -> Page {
    let said = shell.l(
        "通知を止めると、Webhookのアドレスは消えます。再開するにはもう一度入力が必要です。",
        "The webhook's address is forgotten. To be told again, it has to be entered again.",
    );
    let question = Question {
        title: shell.l("通知を止める", "Switch notices off"),
        of: "",
        said: vec![said.to_owned()],
        address: "/notices/off",
        back: "/notices",
    };
    confirm::ask(shell, form, question)
}

/// To the page, which says what was done.
fn back(shell: &Shell, done: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, shell.to(&format!("/notices?done={done}")))]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::sentences::sources::texts_of;

    /// As they stand where they are made: one that is new there, or worded otherwise, is found missing here.
    #[test]
    fn every_cause_has_its_japanese() {
        let webhook = texts_of(include_str!("../../../../shared/notify/src/webhook.rs"));
        let notices = texts_of(include_str!("../../../../shared/notify/src/notices.rs"));
        let errors = webhook.iter().filter(|text| text.is_given_to("#[error("));
        let causes: Vec<&str> = errors
            .chain(notices.iter().filter(|text| text.is_given_to("Ok(Err(")))
            .map(|text| text.said.as_str())
            .collect();
        assert_eq!(causes.len(), CAUSES.len() + 1, "the known ones, and the one with a status: {causes:?}");
        for kept in causes {
            assert_ne!(cause(Lang::Ja, kept), kept);
            assert_eq!(cause(Lang::En, kept), kept);
        }
        let said = cause(Lang::Ja, &TellError::Status(404).to_string());
        assert_eq!(said, "Webhookが受け付けませんでした（404）。無効になっていないか確認してください。");
        for kept in [TellError::NoAnswer.to_string(), WebhookError::Address.to_string()] {
            assert_ne!(cause(Lang::Ja, &kept), kept);
        }
        assert_eq!(cause(Lang::Ja, "nobody knows"), "nobody knows");
    }

    #[test]
    fn what_was_done_is_looked_up() {
        assert_eq!(done(Lang::Ja, "off"), Some("通知を止めました。"));
        assert_eq!(done(Lang::Ja, "<b>anything</b>"), None);
    }
}
