//! The one place where it is decided who may come in: every route of the table stands behind [`guard`].
//!
//! In this order: is somebody signed in, is the merchant theirs (else there is nothing here), does their role reach
//! (else refused, and written down), and for changes, was it really their own page that asked.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use renkei_domain::ids::TenantId;
use renkei_domain::member::{Email, Role};
use renkei_store::Tenant;
use renkei_store::audit::{AuditEntry, AuditOutcome};
use renkei_store::sessions::Session;

use crate::App;
use crate::lang::Lang;
use crate::parts::Part;
use crate::problem::Problem;
use crate::secret;
use crate::shell::Shell;

/// The name of the session's cookie.
pub const SESSION: &str = "renkei";
/// A browser that is not seen for so long is signed out.
pub const IDLE: SignedDuration = SignedDuration::from_hours(2);
/// Nobody stays signed in for longer, whatever they do.
pub const WHOLE: SignedDuration = SignedDuration::from_hours(12);
/// How exactly it is known when a browser was last seen: a write for each click would be one too many.
const SEEN_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// No form is larger.
const LARGEST_FORM: usize = 600 * 1024;
/// No form with a file is larger: Lambda takes no more than 6 MB, and files come to it a third longer than they are.
const LARGEST_UPLOAD: usize = 4 * 1024 * 1024;

/// The parts of a form that came with a file, by their names.
#[derive(Debug, Clone)]
pub struct Upload(Vec<(String, Bytes)>);

impl Upload {
    /// A part's bytes; empty if there is none.
    pub fn bytes(&self, name: &str) -> Bytes {
        self.0.iter().find(|(found, _)| found == name).map(|(_, bytes)| bytes.clone()).unwrap_or_default()
    }

    /// A part as text.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.bytes(name)).into_owned()
    }

    pub(crate) async fn read(kind: &str, body: Bytes) -> Option<Self> {
        let boundary = multer::parse_boundary(kind).ok()?;
        let body = futures::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
        let mut form = multer::Multipart::new(body, boundary);
        let mut parts = Vec::new();
        while let Some(part) = form.next_field().await.ok()? {
            let name = part.name().unwrap_or_default().to_owned();
            parts.push((name, part.bytes().await.ok()?));
        }
        Some(Self(parts))
    }
}

/// Whom a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Anybody.
    Nobody,
    /// Whoever is signed in.
    SignedIn,
    /// Members of the merchant in the address, from this role on.
    Least(Role),
}

/// A visit: what is known of it before anybody is.
#[derive(Debug, Clone)]
pub struct Visit {
    /// In which language.
    pub lang: Lang,
    /// The path and query below the base.
    pub here: String,
    /// When.
    pub now: Timestamp,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub email: Email,
    /// What their session is called in the table: person and digest.
    pub session: (String, String),
    /// The frame of their pages.
    pub shell: Shell,
}

/// A member at work for a merchant.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The merchant.
    pub tenant: Tenant,
    /// Who.
    pub email: Email,
    /// With which role.
    pub role: Role,
    /// The frame of their pages.
    pub shell: Shell,
    /// When they came.
    pub now: Timestamp,
}

impl Caller {
    /// Writes down what they did.
    pub async fn audit(
        &self,
        action: &str,
        target: impl Into<String>,
        outcome: AuditOutcome,
        note: impl Into<String>,
    ) -> Result<(), Problem> {
        let entry = AuditEntry {
            at: self.now,
            by: self.email.to_string(),
            action: action.into(),
            target: target.into(),
            outcome,
            note: note.into(),
        };
        Ok(self.tenant.audit(&ulid::Ulid::generate().to_string(), &entry).await?)
    }
}

/// What a guard knows.
pub struct Gatekeeper<P> {
    /// The console.
    pub app: Arc<App<P>>,
    /// Whom the route is for.
    pub needs: Needs,
    /// Does its page begin with a [`Desk`](renkei_store::desk::Desk)?
    pub has_desk: bool,
}

/// As the derived one, which would ask that what a function has can be cloned.
impl<P> Clone for Gatekeeper<P> {
    fn clone(&self) -> Self {
        Self { app: Arc::clone(&self.app), ..*self }
    }
}

/// Lets a request through to its route, or does not.
pub async fn guard<P: Part>(
    State(keeper): State<Gatekeeper<P>>,
    parameters: RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    match admit(&keeper, &parameters, request).await {
        Ok(request) => {
            // The page around a problem has the same frame as all others.
            let frame = request.extensions().get::<Person>().cloned();
            let mut response = next.run(request).await;
            if let Some(frame) = frame {
                response.extensions_mut().insert(frame.shell);
            }
            response
        }
        Err(answer) => *answer,
    }
}

async fn admit<P>(
    keeper: &Gatekeeper<P>,
    parameters: &RawPathParams,
    mut request: Request,
) -> Result<Request, Box<Response>> {
    let app = &keeper.app;
    let visit = request.extensions().get::<Visit>().cloned();
    let visit = visit.ok_or_else(|| answer(Problem::ours("a request without a visit")))?;
    if keeper.needs == Needs::Nobody {
        return Ok(request);
    }
    let headers = request.headers().clone();
    let Some((secret, person, session)) = session(app, request.method(), &headers, visit.now).await.map_err(answer)?
    else {
        return Err(Box::new(sign_in_first(app, &visit, request.method(), &headers)));
    };
    let shell = Shell {
        lang: visit.lang,
        base: app.config.url.base().to_owned(),
        here: visit.here.clone(),
        tenant: None,
        email: Some(session.email.clone()),
        role: None,
        csrf: secret::csrf(&secret),
    };
    let digest = secret::digest(&secret);
    let mut caller = None;
    if let Needs::Least(least) = keeper.needs {
        let named = parameters.iter().find(|(name, _)| *name == "tenant").map(|(_, value)| value);
        let tenant = named.and_then(|name| TenantId::parse(name).ok()).ok_or_else(|| answer(Problem::not_found()))?;
        let tenant = app.store.tenant(tenant);
        let member = if keeper.has_desk {
            let found = tenant.member_at_desk(&session.email).await.map_err(answer)?;
            found.map(|(member, desk)| {
                request.extensions_mut().insert(desk);
                member
            })
        } else {
            tenant.member(&session.email).await.map_err(answer)?
        };
        let member = member.ok_or_else(|| answer(Problem::not_found()))?;
        let shell = Shell { tenant: Some(tenant.id().to_string()), role: Some(member.role), ..shell.clone() };
        let arrived = Caller { tenant, email: session.email.clone(), role: member.role, shell, now: visit.now };
        if member.role < least {
            let path = visit.here.split('?').next().unwrap_or_default();
            let note = format!("{} needs {least}, is {}", request.method(), member.role);
            arrived.audit("page", path, AuditOutcome::Refused, note).await.map_err(answer)?;
            let mut response = answer(refused(least, member.role));
            response.extensions_mut().insert(arrived.shell);
            return Err(response);
        }
        caller = Some(arrived);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        request = own_form(request, app.config.url.origin(), &shell.csrf).await.map_err(answer)?;
    }
    let shell = caller.as_ref().map_or(shell, |caller| caller.shell.clone());
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    let who = Person { email: session.email, session: (person, digest), shell };
    request.extensions_mut().insert(who);
    Ok(request)
}

#[expect(clippy::unnecessary_box_returns, reason = "an error that is small where it is carried")]
fn answer(problem: impl Into<Problem>) -> Box<Response> {
    Box::new(problem.into().into_response())
}

fn refused(least: Role, is: Role) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        format!(
            "この操作には「{}」以上の役割が必要です（あなたは「{}」です）。所有者に依頼してください。この試みは操作履歴に残ります。",
            least.label(),
            is.label()
        ),
        format!("This needs the role {least} or above; you are {is}. Ask an owner. The attempt is in the audit log."),
    )
}

/// The live session of a browser: its secret, what the person is called in the table, and what is known of it.
async fn session<P>(
    app: &App<P>,
    method: &Method,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Option<(String, String, Session)>, Problem> {
    let Some((person, secret)) = app.jar.get(headers, SESSION).and_then(|value| value.split_once('.')) else {
        return Ok(None);
    };
    let is_ours =
        |text: &str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !is_ours(person) || !is_ours(secret) {
        return Ok(None);
    }
    let digest = secret::digest(secret);
    let Some(session) = app.sessions.find(person, &digest).await? else { return Ok(None) };
    if !is_live(&session, now) {
        app.sessions.end(person, &digest).await?;
        return Ok(None);
    }
    // A page that renews itself is not somebody who is there: it must not keep a session alive over night. What sends a form
    // is, also where only a part of the page is renewed by it.
    let is_there = *method != Method::GET || !headers.contains_key("hx-request");
    if is_there && now.duration_since(session.seen_at) >= SEEN_EVERY {
        app.sessions.seen(person, &digest, now).await?;
    }
    Ok(Some((secret.to_owned(), person.to_owned(), session)))
}

/// Has it not ended: neither by its whole time, nor by idling?
#[must_use]
pub fn is_live(session: &Session, now: Timestamp) -> bool {
    now.duration_since(session.started_at) < WHOLE && now.duration_since(session.seen_at) < IDLE
}

fn sign_in_first<P>(app: &App<P>, visit: &Visit, method: &Method, headers: &HeaderMap) -> Response {
    let to: String = url::form_urlencoded::byte_serialize(visit.here.as_bytes()).collect();
    let sign_in = format!("{}/auth/sign-in?to={to}", app.config.url.base());
    if *method == Method::GET && headers.contains_key("hx-request") {
        let mut response = StatusCode::UNAUTHORIZED.into_response();
        if let Ok(value) = HeaderValue::from_str(&sign_in) {
            response.headers_mut().insert("hx-redirect", value);
        }
        return response;
    }
    if *method == Method::GET {
        return (StatusCode::SEE_OTHER, [(LOCATION, sign_in)]).into_response();
    }
    // What was typed would be lost on the way to the provider and back; the browser's back button still has it.
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "サインインの有効期限が切れました。操作は実行されていません。戻るボタンで画面に戻り、入力した内容を控えてから、サインインし直してもう一度入力してください。",
        "Your session has ended; nothing was changed. Go back, copy what you typed, sign in again and enter it once more.",
    )
    .into_response()
}

/// Takes a form only from a page of our own: the browser says so, and the form carries the session's token.
async fn own_form(request: Request, origin: &str, csrf: &str) -> Result<Request, Problem> {
    let not_ours = || {
        Problem::new(
            StatusCode::FORBIDDEN,
            "この操作はコンソールの画面から送られたものと確認できないため、実行していません。画面を開き直してもう一度お試しください。",
            "This did not come from a page of the console, or from one of an earlier session. Open the page again and retry.",
        )
    };
    // Taken apart first: a whole request cannot be shared while its body is waited for.
    let (mut parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let kind = header(CONTENT_TYPE.as_str()).unwrap_or_default().to_owned();
    let is = |wanted| kind.split(';').next().map(str::trim) == Some(wanted);
    let has_file = is("multipart/form-data");
    let is_form = has_file || is("application/x-www-form-urlencoded");
    let is_same_site = header("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let is_same_origin = header(ORIGIN.as_str()).is_none_or(|found| found == origin);
    if !is_form || !is_same_site || !is_same_origin {
        return Err(not_ours());
    }
    let largest = if has_file { LARGEST_UPLOAD } else { LARGEST_FORM };
    let body: Bytes = to_bytes(body, largest).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "送信された内容が大きすぎます。", "What was sent is too large.")
    })?;
    if has_file {
        let upload = Upload::read(&kind, body).await.ok_or_else(not_ours)?;
        if !secret::is_same(&upload.text("csrf"), csrf) {
            return Err(not_ours());
        }
        parts.extensions.insert(upload);
        return Ok(Request::from_parts(parts, Body::empty()));
    }
    let mut tokens = url::form_urlencoded::parse(&body).filter(|(name, _)| name == "csrf");
    if !tokens.next().is_some_and(|(_, token)| secret::is_same(&token, csrf)) {
        return Err(not_ours());
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// A cookie on an answer.
#[must_use]
pub fn with_cookies(mut response: Response, cookies: &[String]) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://console.shop.example";

    fn form(headers: &[(&str, &str)], body: &'static str) -> Request {
        let mut request = Request::builder().method("POST").uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body)).unwrap()
    }

    async fn is_taken(headers: &[(&str, &str)], body: &'static str) -> bool {
        own_form(form(headers, body), OURS, "right").await.is_ok()
    }

    #[tokio::test]
    async fn only_our_own_forms_are_taken() {
        const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
        assert!(is_taken(&[FORM], "csrf=right&a=b").await);
        assert!(is_taken(&[FORM, ("origin", OURS), ("sec-fetch-site", "same-origin")], "a=b&csrf=right").await);
        for (headers, body) in [
            (vec![FORM], ""),
            (vec![FORM], "csrf=wrong"),
            (vec![FORM], "csrf="),
            // The first counts: a second one cannot make up for it.
            (vec![FORM], "csrf=wrong&csrf=right"),
            (vec![FORM, ("origin", "https://evil.example")], "csrf=right"),
            (vec![FORM, ("origin", "null")], "csrf=right"),
            (vec![FORM, ("sec-fetch-site", "cross-site")], "csrf=right"),
            (vec![("content-type", "text/plain")], "csrf=right"),
            (vec![], "csrf=right"),
        ] {
            assert!(!is_taken(&headers, body).await, "{headers:?} {body}");
        }
    }

    #[tokio::test]
    async fn a_form_with_a_file_carries_the_token_too() {
        const KIND: (&str, &str) = ("content-type", "multipart/form-data; boundary=XX");
        const RIGHT: &str = "--XX\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\nright\r\n--XX\r\ncontent-disposition: \
                             form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nsku,name\r\n\r\n--XX--\r\n";
        let taken = own_form(form(&[KIND], RIGHT), OURS, "right").await.unwrap();
        assert_eq!(taken.extensions().get::<Upload>().unwrap().text("file"), "sku,name\r\n");
        assert!(own_form(form(&[KIND], RIGHT), OURS, "other").await.is_err());
        for wrong in ["", "--XX--\r\n", "--YY\r\n", "csrf=right"] {
            assert!(!is_taken(&[KIND], wrong).await, "{wrong}");
        }
        assert!(!is_taken(&[("content-type", "multipart/form-data")], RIGHT).await, "no boundary");
    }

    #[tokio::test]
    async fn the_route_still_reads_the_form() {
        let taken =
            own_form(form(&[("content-type", "application/x-www-form-urlencoded")], "csrf=right&a=b"), OURS, "right");
        let body = to_bytes(taken.await.unwrap().into_body(), 100).await.unwrap();
        assert_eq!(&body[..], b"csrf=right&a=b");
    }

    #[test]
    fn a_session_ends_by_idling_and_in_any_case() {
        let at = |minutes: i64| Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap();
        let session = |seen: i64| Session {
            email: Email::parse("hanako@shop.example").unwrap(),
            started_at: at(0),
            seen_at: at(seen),
            expires_at: 0,
        };
        assert!(is_live(&session(0), at(119)) && !is_live(&session(0), at(120)), "idle");
        assert!(is_live(&session(700), at(719)) && !is_live(&session(719), at(720)), "in any case");
    }
}
