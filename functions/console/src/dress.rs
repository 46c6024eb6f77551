//! Around every answer: the visitor's language, headers that keep pages to themselves, the page around a problem, packing
//! for the way, and one line in the log.

use std::io::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::App;
use crate::assets::takes_gzip;
use crate::guard::Visit;
use crate::lang;
use crate::parts::Part;
use crate::problem::Problem;
use crate::shell::Shell;

/// No script and no style but our own files; nothing from or to anywhere else; in nobody's frame.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                          form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page is padded by up to so many bytes before it is packed.
const PADDING: usize = 64;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    s: &'a Shell,
    status: u16,
    sentence: &'a str,
}

/// Dresses an answer.
pub async fn dress<P: Part>(State(app): State<Arc<App<P>>>, mut request: Request, next: Next) -> Response {
    let now = app.clock.now();
    let here = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
    let visit = Visit { lang: lang::wanted(request.headers()), here, now };
    let method = request.method().clone();
    // The route, not the address: what people search for, and whatever else is written into an address, is not for logs.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let is_to_pack = takes_gzip(request.headers());
    request.extensions_mut().insert(visit.clone());
    let before = app.meter.read();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem_page(&app, &visit, &response, &problem);
    }
    secure(response.headers_mut(), app.config.url.is_https());
    if is_to_pack {
        response = packed(response).await;
    }
    // One request at a time comes to a function, so what was asked meanwhile was asked for it.
    let asked = app.meter.read().since(&before);
    let (requests, bytes, reads, writes) = (asked.requests, asked.bytes, asked.read_units, asked.write_units);
    let cost =
        format!("store;desc=\"{requests} requests, {bytes} bytes, {reads:.1} read units, {writes:.1} write units\"");
    if let Ok(cost) = HeaderValue::from_str(&cost) {
        response.headers_mut().insert(HeaderName::from_static("server-timing"), cost);
    }
    let status = response.status().as_u16();
    let took = app.clock.now().duration_since(now).as_millis() as u64;
    tracing::info!(
        %method, route, status, requests, bytes, read_units = reads, write_units = writes, milliseconds = took, "page"
    );
    response
}

/// Packs a page for the way: names, addresses and rows are much alike, and become a tenth.
///
/// A page holds the session's token beside what its address said, so that somebody who sees the length of many packed
/// answers, and may choose addresses, could guess at the token; a length that differs by chance each time leaves too little
/// to go by. Only what we write ourselves is packed: files are packed already.
async fn packed(response: Response) -> Response {
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !is_page || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It is in memory already, whole.
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "a page could not be read");
            return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(6));
    // Writing into memory cannot fail.
    let packed = encoder.write_all(&body).and_then(|()| encoder.write_all(&padding())).and_then(|()| encoder.finish());
    parts.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let Ok(packed) = packed else { return Response::from_parts(parts, Body::from(body)) };
    parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(packed.len()));
    Response::from_parts(parts, Body::from(packed))
}

/// A remark of a length by chance that does not pack.
fn padding() -> Vec<u8> {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut chance = [0_u8; 1 + PADDING];
    // Without chance it is as if there were no padding.
    if getrandom::fill(&mut chance).is_err() {
        return Vec::new();
    }
    let length = usize::from(chance[0]) % PADDING + 1;
    let digits = chance[1..=length].iter().map(|byte| DIGITS[usize::from(byte % 16)]);
    b"<!-- ".iter().copied().chain(digits).chain(*b" -->\n").collect()
}

fn problem_page<P>(app: &App<P>, visit: &Visit, response: &Response, problem: &Problem) -> Response {
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

    #[tokio::test]
    async fn pages_are_packed_and_nothing_else_is() {
        use std::io::Read as _;

        let html = "<p>髙橋 花子</p>\n".repeat(1_000);
        let mut lengths = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let response = packed(Html(html.clone()).into_response()).await;
            assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
            assert_eq!(response.headers()[VARY], "accept-encoding");
            let length: usize = response.headers()[CONTENT_LENGTH].to_str().unwrap().parse().unwrap();
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert!(body.len() == length && length * 20 < html.len(), "{length}");
            let mut text = String::new();
            flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
            let rest = text.strip_prefix(&html).unwrap().trim_end();
            assert!(rest.starts_with("<!-- ") && rest.ends_with(" -->"), "{rest}");
            lengths.insert(length);
        }
        assert!(lengths.len() > 5, "a length says little: {lengths:?}");
        let file = ([(CONTENT_TYPE, "application/octet-stream")], "a,b").into_response();
        assert!(!packed(file).await.headers().contains_key(CONTENT_ENCODING));
        let asset = ([(CONTENT_TYPE, "text/html"), (CONTENT_ENCODING, "br")], "x").into_response();
        assert_eq!(packed(asset).await.headers()[CONTENT_ENCODING], "br");
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
