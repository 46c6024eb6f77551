//! 通知: whether the merchant's staff are told in their chat of what needs them, and where. The address is entered here and
//! shown nowhere.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use renkei_notify::{NoticesError, TellError, WebhookError};
use renkei_store::audit::AuditOutcome;
use renkei_store::notices::{NoticeLang, NoticeState};

use super::{Form, Page};
use crate::App;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::shell::Shell;

/// Addresses that are tried within a window, whoever asks: each is a request to wherever they say.
const TRIES: u64 = 10;
/// The window, in seconds.
const WINDOW: i64 = 600;

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    s: Shell,
    state: Option<NoticeState>,
    problem: Option<String>,
    is_english: bool,
}

impl NoticesPage {
    fn lang(&self, state: &NoticeState) -> &'static str {
        match state.lang {
            NoticeLang::Ja => "日本語",
            NoticeLang::En => "English",
        }
    }
}

/// Shows whether they are told.
pub async fn show(Extension(caller): Extension<Caller>) -> Page {
    page(caller, None).await
}

async fn page(caller: Caller, problem: Option<String>) -> Page {
    let state = caller.tenant.notices().await?;
    let is_english = state.as_ref().is_some_and(|state| state.lang == NoticeLang::En);
    let page = NoticesPage { state, problem, is_english, s: caller.shell };
    Ok(Html(page.render()?))
}

/// Switches them on, or to another address. A first message is posted at once.
pub async fn switch_on(
    State(app): State<Arc<App>>,
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
    let switched = app.notices.switch_on(&caller.tenant, &form.get("url"), lang, by, caller.now).await;
    let s = caller.shell.lang;
    let problem = match switched {
        Ok(()) => {
            caller.audit("notices.on", "", AuditOutcome::Done, "").await?;
            return Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to("/notices"))]).into_response());
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
            crate::lang::Lang::Ja => format!(
                "このアドレスは投稿を受け付けませんでした（{status}）。無効になっていないか確認してください。通知の設定は変わっていません。"
            ),
            crate::lang::Lang::En => {
                format!("This address does not take messages ({status}). Is it still valid? Nothing was changed.")
            }
        },
        Err(error) => {
            tracing::error!(%error, "notices could not be switched on");
            return Err(Problem::ours("notices could not be switched on"));
        }
    };
    let mut response = page(caller, Some(problem)).await?.into_response();
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Switches them off, and forgets the address.
pub async fn switch_off(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let was = app.notices.switch_off(&caller.tenant).await.map_err(|error| {
        tracing::error!(%error, "notices could not be switched off");
        Problem::ours("notices could not be switched off")
    })?;
    if was {
        caller.audit("notices.off", "", AuditOutcome::Done, "").await?;
    }
    Ok((StatusCode::SEE_OTHER, [(LOCATION, caller.shell.to("/notices"))]).into_response())
}
