//! Signing in and out, and what a person sees who has not chosen a merchant.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use renkei_domain::member::Email;
use renkei_store::members::Member;
use renkei_store::sessions::{Session, SignIn};
use serde::Deserialize;

use crate::guard::{Person, SESSION, Visit, WHOLE, with_cookies};
use crate::lang::{self, Lang};
use crate::oidc::SignInError;
use crate::problem::Problem;
use crate::secret;
use crate::shell::{Shell, role_label};
use crate::{App, Daily};

/// The cookie of a browser that is signing in.
const SIGNING_IN: &str = "renkei-signing-in";
/// So long a sign-in may take at the provider.
const SIGN_IN_SECONDS: i64 = 600;
/// So many sign-ins may begin, and so many end, from one address in one window.
const SIGN_INS_A_WINDOW: u64 = 60;
const WINDOW_SECONDS: i64 = 300;

/// Where to go: `to`, after signing in or switching the language.
#[derive(Deserialize)]
pub struct To {
    to: Option<String>,
    again: Option<String>,
}

/// A path of our own, never another site's: what does not look like one leads home.
fn own_path(to: Option<&str>) -> &str {
    to.filter(|to| {
        to.len() <= 1_000
            && to.starts_with('/')
            && !to.starts_with("//")
            && to.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
            && !to.starts_with("/auth/")
    })
    .unwrap_or("/")
}

fn see(address: String) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response()
}

/// Who sends too much is told by the address that the gateway saw, never by a header that anybody can write.
async fn not_too_often(
    app: &App<Daily>,
    request: &axum::http::Extensions,
    what: &str,
    now: Timestamp,
) -> Result<(), Problem> {
    let from = match request.get::<lambda_http::request::RequestContext>() {
        Some(lambda_http::request::RequestContext::ApiGatewayV2(context)) => {
            context.http.source_ip.clone().unwrap_or_default()
        }
        _ => String::new(),
    };
    let count = app.sessions.count(what, &secret::digest(&from), WINDOW_SECONDS, now).await?;
    if count > SIGN_INS_A_WINDOW { Err(Problem::too_often()) } else { Ok(()) }
}

/// Sends a browser to the provider.
pub async fn begin(
    State(app): State<Arc<App<Daily>>>,
    Extension(visit): Extension<Visit>,
    Query(to): Query<To>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    not_too_often(&app, request.extensions(), "sign-in", visit.now).await?;
    let random = || secret::random().ok_or_else(|| Problem::ours("no randomness"));
    let (state, nonce, verifier, browser) = (random()?, random()?, random()?, random()?);
    let address = app
        .part
        .oidc
        .authorize(&app.config.url.at("/auth/callback"), &state, &nonce, &verifier, to.again.is_some(), visit.lang)
        .await
        .map_err(not_signed_in)?;
    let sign_in = SignIn {
        browser: secret::digest(&browser),
        nonce,
        verifier,
        to: own_path(to.to.as_deref()).to_owned(),
        expires_at: visit.now.as_second() + SIGN_IN_SECONDS,
    };
    app.sessions.begin_sign_in(&secret::digest(&state), &sign_in).await?;
    Ok(with_cookies(see(address), &[app.jar.set(SIGNING_IN, &browser, SIGN_IN_SECONDS)]))
}

/// What the provider sends back.
#[derive(Deserialize)]
pub struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// Why the provider refused, for the log: one of its codes. What a browser sends besides is anybody's text, and is not
/// repeated anywhere.
fn error_code(error: Option<&str>) -> &'static str {
    // RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6.
    const CODES: [&str; 15] = [
        "invalid_request",
        "unauthorized_client",
        "access_denied",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "interaction_required",
        "login_required",
        "account_selection_required",
        "consent_required",
        "invalid_request_uri",
        "invalid_request_object",
        "request_not_supported",
        "registration_not_supported",
    ];
    match error {
        None => "none",
        Some(error) => CODES.into_iter().find(|code| *code == error).unwrap_or("other"),
    }
}

/// A browser comes back from the provider.
pub async fn callback(
    State(app): State<Arc<App<Daily>>>,
    Extension(visit): Extension<Visit>,
    Query(answer): Query<Answer>,
    headers: HeaderMap,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    not_too_often(&app, request.extensions(), "callback", visit.now).await?;
    let stale = || {
        Problem::bad(
            "サインインの手続きが古いか、別のブラウザで始められたものです。最初からやり直してください。",
            "This sign-in is too old, was used already, or began in another browser. Begin again.",
        )
    };
    let (Some(state), Some(browser)) = (answer.state, app.jar.get(&headers, SIGNING_IN)) else {
        return Err(stale());
    };
    let begun = app.sessions.take_sign_in(&secret::digest(&state)).await?.ok_or_else(stale)?;
    if visit.now.as_second() >= begun.expires_at || !secret::is_same(&begun.browser, &secret::digest(browser)) {
        return Err(stale());
    }
    let Some(code) = answer.code else {
        tracing::info!(error = error_code(answer.error.as_deref()), "sign-in refused");
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "サインインが完了しませんでした。もう一度お試しください。",
            "The sign-in was not completed. Try again.",
        ));
    };
    let redirect = app.config.url.at("/auth/callback");
    let email = app
        .part
        .oidc
        .identify(&code, &redirect, &begun.verifier, &begun.nonce, visit.now)
        .await
        .map_err(not_signed_in)?;
    let secret = secret::random().ok_or_else(|| Problem::ours("no randomness"))?;
    let person = secret::person(&email);
    let session = Session {
        email,
        started_at: visit.now,
        seen_at: visit.now,
        expires_at: visit.now.as_second() + WHOLE.as_secs(),
    };
    app.sessions.begin(&person, &secret::digest(&secret), &session).await?;
    let cookies =
        [app.jar.set(SESSION, &format!("{person}.{secret}"), WHOLE.as_secs()), app.jar.set(SIGNING_IN, "", 0)];
    Ok(with_cookies(see(format!("{}{}", app.config.url.base(), begun.to)), &cookies))
}

#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn not_signed_in(error: SignInError) -> Problem {
    tracing::warn!(%error, passing = error.is_passing(), "nobody was signed in");
    match error {
        SignInError::Provider(_) => Problem::new(
            StatusCode::BAD_GATEWAY,
            "サインインのサービスに接続できません。少し待ってからもう一度お試しください。",
            "The sign-in service cannot be reached. Wait a moment and try again.",
        ),
        SignInError::Code => Problem::bad(
            "サインインの手続きが古くなりました。最初からやり直してください。",
            "This sign-in has gone stale. Begin again.",
        ),
        SignInError::Token(_) => Problem::new(
            StatusCode::FORBIDDEN,
            "サインインのサービスの応答を確認できませんでした。運用者にご連絡ください。",
            "The sign-in service's answer cannot be trusted. Tell your operator.",
        ),
        SignInError::NotVerified => Problem::new(
            StatusCode::FORBIDDEN,
            "メールアドレスの確認が済んでいません。サインインのサービスで確認を済ませてからお試しください。",
            "Your e-mail address has not been verified with the sign-in service. Verify it there first.",
        ),
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    s: Shell,
    email: Email,
    members: Vec<Member>,
}

impl HomePage {
    fn role(&self, member: &Member) -> &'static str {
        role_label(self.s.lang, member.role)
    }
}

/// The merchants of whoever is signed in; straight on to the only one.
pub async fn home(
    State(app): State<Arc<App<Daily>>>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let members = app.store.memberships(&person.email).await?;
    if let ([only], None) = (members.as_slice(), query) {
        return Ok(see(person.shell.at(&format!("/t/{}", only.tenant))));
    }
    let page = HomePage { s: person.shell, email: person.email, members };
    Ok(Html(page.render()?).into_response())
}

/// Ends this session.
pub async fn sign_out(
    State(app): State<Arc<App<Daily>>>,
    Extension(who): Extension<Person>,
) -> Result<Response, Problem> {
    app.sessions.end(&who.session.0, &who.session.1).await?;
    Ok(with_cookies(see(who.shell.at("/auth/signed-out")), &[app.jar.set(SESSION, "", 0)]))
}

/// Ends all sessions of this person, on every machine.
pub async fn sign_out_everywhere(
    State(app): State<Arc<App<Daily>>>,
    Extension(who): Extension<Person>,
) -> Result<Response, Problem> {
    app.sessions.end_all(&who.session.0).await?;
    Ok(with_cookies(see(who.shell.at("/auth/signed-out")), &[app.jar.set(SESSION, "", 0)]))
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage<'a> {
    s: &'a Shell,
    provider: Option<&'a str>,
}

/// Says that it is done.
pub async fn signed_out(
    State(app): State<Arc<App<Daily>>>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Problem> {
    let shell =
        Shell { lang: visit.lang, base: app.config.url.base().to_owned(), here: visit.here, ..Shell::default() };
    let page = SignedOutPage { s: &shell, provider: app.part.oidc.sign_out_url() };
    Ok(Html(page.render()?).into_response())
}

/// Switches the language.
pub async fn language(
    State(app): State<Arc<App<Daily>>>,
    Path(code): Path<String>,
    Query(to): Query<To>,
) -> Result<Response, Problem> {
    let lang = Lang::from_code(&code).ok_or_else(Problem::not_found)?;
    let base = app.config.url.base();
    let path = if base.is_empty() { "/" } else { base };
    let cookie = format!("{}={}; Max-Age=31536000; Path={path}; SameSite=Lax", lang::COOKIE, lang.code());
    let to = to
        .to
        .as_deref()
        .map(|to| if to.starts_with("/auth/signed-out") { "/auth/signed-out" } else { own_path(Some(to)) });
    Ok(with_cookies(see(format!("{base}{}", to.unwrap_or("/"))), &[cookie]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_puts_no_words_into_the_log() {
        assert_eq!(error_code(Some("access_denied")), "access_denied");
        assert_eq!(error_code(None), "none");
        for text in ["", "ACCESS_DENIED", "access_denied ", "山田花子 090-1111-2222", "{\"level\":\"ERROR\"}\n"] {
            assert_eq!(error_code(Some(text)), "other", "{text:?}");
        }
    }

    #[test]
    fn one_is_led_nowhere_else() {
        assert_eq!(own_path(Some("/t/hanako/shipments?status=hold")), "/t/hanako/shipments?status=hold");
        for wrong in
            ["", "t", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "/日本", "/auth/callback"]
        {
            assert_eq!(own_path(Some(wrong)), "/", "{wrong:?}");
        }
        assert_eq!(own_path(None), "/");
    }
}
