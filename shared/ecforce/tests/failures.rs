//! What goes wrong on the wire, and what the caller is told: one request each, passing or permanent, applied or not.

mod common;

use std::time::{Duration, Instant};

use common::{Answer, RawShop, client, client_within, token};
use renkei_ecforce::{
    AddressPolicy, ApiAddress, BadBody, Client, Error, OrderQuery, Outcome, RecordKey, Retry, StateChange, Timeouts,
    WriteAnswer, http_client,
};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const PASSING: Retry = Retry::Passing { after: None };

const fn after(seconds: u64) -> Retry {
    Retry::Passing { after: Some(Duration::from_secs(seconds)) }
}

fn change() -> [StateChange; 1] {
    [StateChange { id: 1, state: "working".to_owned() }]
}

/// Makes a write that gets this answer. Fails unless exactly one request arrived.
async fn write_answered(template: ResponseTemplate) -> Error {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(template).expect(1).mount(&server).await;
    let client = client(&server.uri()).with_clock(|| "2026-11-23T23:00:00Z".parse().unwrap());
    let error = client.bulk_update(&token(), &change()).await.unwrap_err();
    server.verify().await;
    error
}

/// Status, `Retry-After`, body; then the error's name, whether it passes, and whether a write may have been applied.
type Case = (u16, Option<&'static str>, &'static str, &'static str, Retry, bool);

const BODY: &str = r#"{"errors":[{"code":"AOR2001","message":"orderが見つかりません。"}]}"#;
const HTML: &str = "<!DOCTYPE html><html><body>Request limit</body></html>";
const LIMIT: &str = r#"{"errors":[{"code":"AOR4290","message":"1日の上限に達しました"}]}"#;

#[rustfmt::skip]
const ANSWERS: &[Case] = &[
    (400, None, BODY, "Refused", Retry::Permanent, false),
    (401, None, BODY, "Unauthorized", Retry::Permanent, false),
    (403, None, BODY, "Forbidden", Retry::Permanent, false),
    (403, None, HTML, "Forbidden", Retry::Permanent, false),
    (404, None, BODY, "NotFound", Retry::Permanent, false),
    (404, None, HTML, "NotFound", Retry::Permanent, false),
    (405, None, "", "Refused", Retry::Permanent, false),
    (408, None, "", "Server", PASSING, true),
    (409, None, BODY, "Refused", Retry::Permanent, false),
    (422, None, BODY, "Unprocessable", Retry::Permanent, false),
    (422, None, r#"{"errors":[{"code":"AOR9999"}]}"#, "Server", PASSING, true),
    (429, None, "Retry later\n", "TooManyRequests", PASSING, false),
    (429, Some("7"), "Retry later\n", "TooManyRequests", after(7), false),
    (429, Some("Mon, 23 Nov 2026 23:00:30 GMT"), "", "TooManyRequests", after(30), false),
    (429, Some("Mon, 23 Nov 2026 22:00:30 GMT"), "", "TooManyRequests", after(0), false),
    (429, Some("999999999"), "", "TooManyRequests", after(86_400), false),
    (429, Some("soon"), "", "TooManyRequests", PASSING, false),
    // Until the day ends, which the session knows; the shop's own word on when wins.
    (429, None, LIMIT, "DailyLimit", PASSING, false),
    (403, None, LIMIT, "DailyLimit", PASSING, false),
    (429, None, r#"{"message":"Limit Exceeded"}"#, "DailyLimit", PASSING, false),
    (403, None, r#"{"message":"API Rate Limit Exceeded"}"#, "DailyLimit", PASSING, false),
    (429, Some("7200"), LIMIT, "DailyLimit", after(7200), false),
    (403, Some("7200"), LIMIT, "DailyLimit", after(7200), false),
    (403, Some("5"), "daily limit", "DailyLimit", after(5), false),
    // Another limit than one of calls.
    (403, None, r#"{"message":"Access is limited to 192.0.2.1"}"#, "Forbidden", Retry::Permanent, false),
    (403, None, "<html>rate limit</html>", "Forbidden", Retry::Permanent, false),
    // "Slower", said by the shop and by a CDN.
    (429, Some("5"), "rate limit", "TooManyRequests", after(5), false),
    (429, None, HTML, "TooManyRequests", PASSING, false),
    (500, None, r#"{"errors":[{"code":"AOR9999","message":"x"}]}"#, "Server", PASSING, true),
    (502, None, HTML, "Server", PASSING, true),
    (503, Some("120"), HTML, "Server", after(120), true),
    (504, None, "", "Server", PASSING, true),
    (301, None, "", "Redirect", Retry::Permanent, false),
    (304, None, "", "Redirect", Retry::Permanent, false),
];

#[tokio::test]
async fn each_status_means_one_thing() {
    for &(status, wait, body, name, retry, applied) in ANSWERS {
        let mut template = ResponseTemplate::new(status).set_body_raw(body, "application/json");
        if let Some(wait) = wait {
            template = template.insert_header("retry-after", wait);
        }
        let error = write_answered(template).await;
        let shown = format!("{error:?}");
        assert!(shown.starts_with(name), "{status} {body}: {shown}");
        assert_eq!((error.retry(), error.maybe_applied()), (retry, applied), "{status} {body}: {shown}");
        assert!(error.to_string().contains(&status.to_string()) || status == 403, "{error}");
    }
}

#[tokio::test]
async fn the_shops_words_are_passed_on_but_not_its_bodies() {
    let body = r#"{"errors":[{"code":"AOR2001","message":"orderが見つかりません。"}],"order":{"name01":"森"}}"#;
    let error = write_answered(ResponseTemplate::new(404).set_body_string(body)).await;
    assert_eq!(error.to_string(), "the shop does not have what was asked for (404: AOR2001 orderが見つかりません。)");
    // A log gets the code, for even a short message may name somebody.
    assert_eq!(error.for_log(), "the shop does not have what was asked for (404: AOR2001)");
    let named = r#"{"errors":[{"message":"森 みどり様の受注は更新できません。"},{"code":"AOR3002","message":"森"}]}"#;
    let named = write_answered(ResponseTemplate::new(503).set_body_string(named)).await;
    assert_eq!(named.for_log(), "the shop has trouble of its own at the moment (503: AOR3002)");
    let wordless = write_answered(ResponseTemplate::new(503)).await;
    assert_eq!(wordless.for_log(), wordless.to_string());
    let page = write_answered(ResponseTemplate::new(403).set_body_string("<html>森 みどり</html>")).await;
    assert!(page.to_string().contains("firewall"), "{page}");
    for error in [error, page] {
        assert!(!format!("{error:?} {error}").contains('森'));
    }
}

#[tokio::test]
async fn what_a_whole_call_is_refused_for_can_be_said_of_one_record() {
    let said = async |status, body: Value| {
        let error = write_answered(ResponseTemplate::new(status).set_body_json(body)).await;
        let words = error.refusal().cloned()?;
        let mut answer = WriteAnswer::default();
        answer.refuse(RecordKey { order: 1, address: None }, words);
        match answer.outcome_for(1, None) {
            Outcome::Failure(Some(error)) => Some((error.to_string(), error.causes.as_slice()[0].code.clone())),
            other => panic!("{other:?}"),
        }
    };
    let gone = json!({"code": "AOR2001", "message": "orderが見つかりません。"});
    let told = |text: &str| Some((text.to_owned(), "AOR2001".to_owned()));
    assert_eq!(said(404, json!({"errors": [gone]})).await, told(": AOR2001 orderが見つかりません。"));
    // What wraps others says nothing by itself.
    let wrapped = json!({"errors": [{"code": "AOR0000", "message": "更新できません。", "errors": [gone]}]});
    assert_eq!(said(422, wrapped).await, told("AOR0000 更新できません。: AOR2001 orderが見つかりません。"));
    // No refusal of what is in the call: no code, as where no API is, or an error that passes, or one of rights.
    for (status, body) in [
        (404, json!({"error": "Not Found"})),
        (422, json!({"errors": [{"code": "AOR9999", "message": "x"}]})),
        (500, json!({"errors": [gone]})),
        (403, json!({"errors": [gone]})),
        (401, json!({"errors": [gone]})),
    ] {
        assert_eq!(said(status, body.clone()).await, None, "{status} {body}");
    }
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let elsewhere = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(0).mount(&elsewhere).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/login?token=secret", elsewhere.uri());
        let error = write_answered(ResponseTemplate::new(status).insert_header("location", location.as_str())).await;
        let told = error.to_string();
        assert!(told.contains("http://127.0.0.1/login") && told.contains(&status.to_string()), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
    elsewhere.verify().await;
}

#[tokio::test]
async fn a_success_that_is_not_the_apis_passes() {
    let cases = [
        ("<html>maintenance</html>", BadBody::Html),
        ("\u{feff}  <!DOCTYPE html>", BadBody::Html),
        ("Retry later\n", BadBody::Text),
        ("\"ok\"", BadBody::Missing("lists of successes and failures")),
        ("[]", BadBody::Missing("lists of successes and failures")),
        (r#"{"success":[1],"fail"#, BadBody::Truncated),
        (r#"{"success":[1,],"failure":[]}"#, BadBody::Malformed),
    ];
    for (body, expected) in cases {
        let error = write_answered(ResponseTemplate::new(200).set_body_string(body)).await;
        assert!(matches!(&error, Error::BadBody(bad) if *bad == expected), "{body}: {error:?}");
        assert_eq!((error.retry(), error.maybe_applied()), (PASSING, true));
    }
}

#[tokio::test]
async fn a_list_that_is_none_passes() {
    let cases = [
        ("", BadBody::Empty),
        ("Retry later", BadBody::Text),
        ("<html>", BadBody::Html),
        (r#"{"data":[{"id":"1","type":"order","attributes":{"id":1,"num"#, BadBody::Truncated),
        (r#"{"errors":[]}"#, BadBody::Missing("data")),
        (r#"{"data":null}"#, BadBody::Missing("data")),
        (r#"{"data":{}}"#, BadBody::Missing("list of rows")),
    ];
    for (body, expected) in cases {
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(200).set_body_string(body))
            .expect(1)
            .mount(&server)
            .await;
        let error = client(&server.uri()).orders(&token(), &OrderQuery::new()).await.unwrap_err();
        assert!(matches!(&error, Error::BadBody(bad) if *bad == expected), "{body}: {error:?}");
        assert_eq!(error.retry(), PASSING);
    }
}

#[tokio::test]
async fn a_sign_in_without_a_usable_token_is_no_sign_in() {
    for body in [r#"{"id":1}"#, r#"{"authentication_token":""}"#, "{\"authentication_token\":\"a\\nb\"}"] {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(body)).mount(&server).await;
        let error = client(&server.uri()).sign_in("a@b.example", &"x".to_owned().into()).await.unwrap_err();
        assert!(matches!(error, Error::BadBody(BadBody::Missing(_))), "{error:?}");
    }
}

#[tokio::test]
async fn a_body_is_read_no_further_than_the_limit() {
    // Announced: refused at once.
    let server = MockServer::start().await;
    let body = "x".repeat(2000);
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(body)).expect(1).mount(&server).await;
    let client = client(&server.uri()).with_body_limit(1999);
    let error = client.orders(&token(), &OrderQuery::new()).await.unwrap_err();
    assert!(matches!(error, Error::BodyTooLarge { limit: 1999 }), "{error:?}");
    assert_eq!((error.retry(), error.maybe_applied()), (Retry::Permanent, true));

    // Not announced and endless: stopped at the limit, as success and as error.
    for status in ["200 OK", "500 Internal Server Error"] {
        let shop = RawShop::start(if status.starts_with("200") { endless_success } else { endless_failure }).await;
        let client = common::client(&shop.uri).with_body_limit(100_000);
        let error = client.orders(&token(), &OrderQuery::new()).await.unwrap_err();
        assert!(matches!(error, Error::BodyTooLarge { .. } | Error::Server { status: 500, .. }), "{status}: {error:?}");
        assert_eq!(shop.requests(), 1);
    }
}

fn endless_success(_: usize) -> Answer {
    Answer::Endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(), chunk())
}

fn endless_failure(_: usize) -> Answer {
    Answer::Endless("HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(), chunk())
}

fn chunk() -> String {
    format!("{:x}\r\n{}\r\n", 4096, " ".repeat(4096))
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_does_not_end_is_a_timeout() {
    let silent = RawShop::start(|_| Answer::Hang(String::new())).await;
    let slow =
        RawShop::start(|_| Answer::Hang("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"succ".to_owned())).await;
    for shop in [silent, slow] {
        let began = Instant::now();
        let client = client_within(&shop.uri, Duration::from_millis(300));
        let error = client.bulk_update(&token(), &change()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        assert_eq!((error.retry(), error.maybe_applied(), shop.requests()), (PASSING, true, 1));
        assert!(began.elapsed() >= Duration::from_millis(300));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_reset_and_the_write_is_not_repeated() {
    let nothing = RawShop::start(|_| Answer::Close(String::new())).await;
    let half =
        RawShop::start(|_| Answer::Close("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"succ".to_owned())).await;
    for shop in [nothing, half] {
        let error = client(&shop.uri).bulk_update(&token(), &change()).await.unwrap_err();
        assert!(matches!(error, Error::Reset { .. }), "{error:?}");
        assert_eq!((error.retry(), error.maybe_applied(), shop.requests()), (PASSING, true, 1));
    }
}

#[tokio::test]
async fn a_write_on_a_pooled_connection_that_breaks_is_not_repeated() {
    let shop = RawShop::start(|n| match n {
        0 => Answer::KeepOpen("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned()),
        _ => Answer::Close(String::new()),
    })
    .await;
    let client = client(&shop.uri);
    client.bulk_update(&token(), &change()).await.unwrap();
    let error = client.bulk_update(&token(), &change()).await.unwrap_err();
    assert!(matches!(error, Error::Reset { .. }), "{error:?}");
    assert_eq!(shop.requests(), 2);
}

#[tokio::test]
async fn nobody_there_is_no_connection_and_nothing_was_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&uri).bulk_update(&token(), &change()).await.unwrap_err();
    assert!(matches!(&error, Error::Connect { host, .. } if host == "127.0.0.1"), "{error:?}");
    assert_eq!((error.retry(), error.maybe_applied()), (PASSING, false));
}

#[tokio::test]
async fn a_failed_tls_handshake_is_no_connection_and_nothing_was_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("https://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Plain\r\n\r\n").await.unwrap();
    });
    let error = client(&uri).bulk_update(&token(), &change()).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!((error.retry(), error.maybe_applied()), (PASSING, false));
    server.await.unwrap();
}

#[tokio::test]
async fn an_unknown_name_passes_and_names_the_host() {
    let policy = AddressPolicy::public_only();
    let http = http_client(&policy, &Timeouts::default()).unwrap();
    let client = Client::new(http, ApiAddress::parse("no-such-shop.invalid", &policy).unwrap());
    let error = client.orders(&token(), &OrderQuery::new()).await.unwrap_err();
    assert!(matches!(&error, Error::UnknownHost { host } if host == "no-such-shop.invalid"), "{error:?}");
    assert_eq!(error.retry(), PASSING);
}

/// The last line of defence: however the address came about, the connection is not made.
#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let shop = RawShop::start(|_| Answer::Close(String::new())).await;
    let port = shop.uri.rsplit(':').next().unwrap();
    let address = ApiAddress::parse(&format!("https://localhost:{port}"), &AddressPolicy::with_loopback()).unwrap();
    let http = http_client(&AddressPolicy::public_only(), &Timeouts::default()).unwrap();
    let error = Client::new(http.clone(), address).orders(&token(), &OrderQuery::new()).await.unwrap_err();
    assert!(matches!(&error, Error::AddressRefused { source, .. } if source.ip.is_loopback()), "{error:?}");
    assert_eq!((error.retry(), error.maybe_applied(), shop.requests()), (Retry::Permanent, false, 0));

    // And plain http is not spoken by a client for the public internet.
    let address = ApiAddress::parse(&shop.uri, &AddressPolicy::with_loopback()).unwrap();
    let error = Client::new(http, address).orders(&token(), &OrderQuery::new()).await.unwrap_err();
    assert!(matches!(error, Error::Request { .. }), "{error:?}");
    assert_eq!(shop.requests(), 0);
}
