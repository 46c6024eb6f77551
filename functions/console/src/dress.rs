//! Around every answer: the visitor's language, headers that keep pages to themselves, the page around a problem, and
//! one line in the log.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use crate::App;
use crate::guard::Visit;
use crate::lang::Lang;
use crate::problem::Problem;
use crate::shell::Shell;

/// No script and no style but our own files; nothing from or to anywhere else; in nobody's frame.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                          form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    s: &'a Shell,
    status: u16,
    sentence: &'a str,
}

/// Dresses an answer.
pub async fn dress(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let now = app.clock.now();
    let here = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
    let visit = Visit { lang: Lang::wanted(request.headers()), here, now };
    let method = request.method().clone();
    // Without its query: people's searches do not belong in logs.
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(visit.clone());
    let before = app.meter.read();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem_page(&app, &visit, &response, &problem);
    }
    secure(response.headers_mut(), app.config.url.is_https());
    // One request at a time comes to a function, so what was asked meanwhile was asked for it.
    let after = app.meter.read();
    let (requests, bytes) = (after.0 - before.0, after.1 - before.1);
    if let Ok(cost) = HeaderValue::from_str(&format!("store;desc=\"{requests} requests, {bytes} bytes\"")) {
        response.headers_mut().insert(HeaderName::from_static("server-timing"), cost);
    }
    let took = app.clock.now().duration_since(now).as_millis();
    tracing::info!(%method, path, status = response.status().as_u16(), requests, bytes, milliseconds = took as u64, "page");
    response
}

fn problem_page(app: &App, visit: &Visit, response: &Response, problem: &Problem) -> Response {
    let shell = response.extensions().get::<Shell>().cloned().unwrap_or_else(|| Shell {
        lang: visit.lang,
        base: app.config.url.base().to_owned(),
        here: visit.here.clone(),
        ..Shell::default()
    });
    let sentence = visit.lang.of(&problem.ja, &problem.en);
    let page = ProblemPage { s: &shell, status: problem.status.as_u16(), sentence };
    match page.render() {
        Ok(html) => (problem.status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the page of a problem could not be made");
            (problem.status, sentence.to_owned()).into_response()
        }
    }
}

fn secure(headers: &mut HeaderMap, is_https: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    set(REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()");
    if is_https {
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    // Pages hold customers' data: no cache keeps them. Files of our own say otherwise themselves.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_the_headers() {
        let mut headers = HeaderMap::new();
        secure(&mut headers, true);
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http:") && !policy.contains('*'), "{policy}");
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers[X_FRAME_OPTIONS], "DENY");
        assert!(headers.contains_key(STRICT_TRANSPORT_SECURITY));
        let mut local = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("max-age=1"))]);
        secure(&mut local, false);
        assert_eq!(local[CACHE_CONTROL], "max-age=1");
        assert!(!local.contains_key(STRICT_TRANSPORT_SECURITY));
    }

    /// The policy forbids them, so a template that has one would be broken in every browser.
    #[test]
    fn no_template_has_script_or_style_in_it() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
            for wrong in
                [" style=", "<style", "<script>", " onclick", " onchange", " onload", "javascript:", "|safe", "hx-on"]
            {
                assert!(!text.contains(wrong), "{} has {wrong}", path.display());
            }
            seen += 1;
        }
        assert!(seen > 5, "the templates are there");
    }
}
