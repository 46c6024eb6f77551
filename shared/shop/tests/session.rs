//! Sessions against a shop and an AWS on this machine: what they ask of the shop, and when they stop asking.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use renkei_domain::gate::{Lane, Reason};
use renkei_domain::ids::TenantId;
use renkei_domain::jst;
use renkei_domain::settings::Connection;
use renkei_ecforce::OrderQuery;
use renkei_platform::secrets::{ConnectionSecrets, SecretsError};
use renkei_shop::{Session, SessionRequest, ShopError, Shops};
use renkei_store::{Store, Tables, Tenant};
use serde_json::{Value, json};
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// A table with one item, the gate, and a secret: what the merchant gave, and beside it what a sign-in brought.
struct Aws {
    given: Value,
    /// What is given instead, after that was read once.
    given_since: Option<Value>,
    /// How often it was read: each time it is another version.
    read: AtomicUsize,
    gate: Mutex<Option<Value>>,
    session: Mutex<Option<String>>,
    /// Does it keep what a sign-in brought?
    keeps: bool,
}

impl Aws {
    fn holding(given: Value) -> Self {
        Self {
            given,
            given_since: None,
            read: AtomicUsize::new(0),
            gate: Mutex::new(None),
            session: Mutex::new(None),
            keeps: true,
        }
    }
}

impl Respond for Aws {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let target = request.headers.get("x-amz-target").map_or("", |target| target.to_str().unwrap());
        let body: Value = request.body_json().unwrap();
        let mut gate = self.gate.lock().unwrap();
        let (status, answer) = match target.split('.').next_back().unwrap() {
            "GetSecretValue" if body["VersionStage"] == "AWSCURRENT" => {
                let read = self.read.fetch_add(1, Ordering::Relaxed);
                let given = self.given_since.as_ref().filter(|_| read > 0).unwrap_or(&self.given);
                (200, json!({ "SecretString": given.to_string(), "VersionId": format!("v{read}") }))
            }
            "GetSecretValue" => match self.session.lock().unwrap().as_ref() {
                Some(session) => (200, json!({ "SecretString": session, "VersionId": "s" })),
                None => (400, json!({ "__type": "ResourceNotFoundException", "message": "no such label" })),
            },
            "PutSecretValue" if !self.keeps => {
                (400, json!({ "__type": "LimitExceededException", "message": "too many versions" }))
            }
            "PutSecretValue" => {
                *self.session.lock().unwrap() = body["SecretString"].as_str().map(str::to_owned);
                (200, json!({}))
            }
            "GetItem" => (200, gate.as_ref().map_or_else(|| json!({}), |item| json!({ "Item": item }))),
            "PutItem" => {
                let wanted = &body["ExpressionAttributeValues"][":old"];
                let there = gate.as_ref().map_or(&Value::Null, |item| &item["seq"]);
                if there == wanted {
                    *gate = Some(body["Item"].clone());
                    (200, json!({}))
                } else {
                    let failed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                    (400, json!({ "__type": failed, "message": "it is another", "Item": gate.clone() }))
                }
            }
            other => (418, json!({ "message": format!("{other} was not expected") })),
        };
        ResponseTemplate::new(status).set_body_raw(answer.to_string(), "application/x-amz-json-1.0")
    }
}

/// A shop, and the way to it.
struct Place {
    shop: MockServer,
    _aws: MockServer,
    shops: Shops,
    tenant: Tenant,
    connection: Connection,
}

impl Place {
    async fn answering(answer: ResponseTemplate) -> Self {
        Self::signed_in_by(json!({ "v": 1, "token": "tok-123" }), answer).await
    }

    async fn signed_in_by(given: Value, answer: ResponseTemplate) -> Self {
        Self::beside(Aws::holding(given), answer).await
    }

    async fn beside(secrets_and_gate: Aws, answer: ResponseTemplate) -> Self {
        let (shop, aws) = (MockServer::start().await, MockServer::start().await);
        Mock::given(any()).respond_with(answer).mount(&shop).await;
        Mock::given(any()).respond_with(secrets_and_gate).mount(&aws).await;
        let config = renkei_platform::aws::of_variables(|name| match name {
            "AWS_REGION" => Some("ap-northeast-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            "AWS_ENDPOINT_URL" => Some(aws.uri()),
            _ => None,
        })
        .unwrap();
        let table = || "table".to_owned();
        let tables = Tables { shipments: table(), robots: table(), gate: table(), runs: table(), stock: table() };
        let secrets = ConnectionSecrets::new(&config, "renkei/stack/");
        let connection = json!({
            "id": "main", "api": "ecforce", "api_url": shop.uri(), "ship_from": "dc", "token": { "env": "TOKEN" },
            "daily_call_limit": 1_000, "call_interval_ms": 50
        });
        Self {
            shops: Shops::new(secrets, "127.0.0.0/8", "renkei@service.example".to_owned()).unwrap(),
            tenant: Store::new(&config, tables).tenant(TenantId::parse("hanako").unwrap()),
            connection: serde_json::from_value(connection).unwrap(),
            shop,
            _aws: aws,
        }
    }

    async fn open(&self, holder: &str, patience: Duration) -> Session {
        self.try_open(holder, Lane::Fetch, patience).await.unwrap()
    }

    async fn try_open(&self, holder: &str, lane: Lane, patience: Duration) -> Result<Session, ShopError> {
        self.shops.open(&self.tenant, self.request(holder, lane, patience)).await
    }

    fn request(&self, holder: &str, lane: Lane, patience: Duration) -> SessionRequest<'_> {
        SessionRequest {
            connection: &self.connection,
            holder: holder.to_owned(),
            robot: "main/fetch-orders",
            lane,
            deadline: Instant::now() + patience,
            after_failure: false,
        }
    }

    async fn asked(&self) -> usize {
        self.shop.received_requests().await.unwrap().len()
    }
}

async fn call(session: &mut Session) -> Result<(), ShopError> {
    let query = OrderQuery::new();
    session.call(async |client, token| client.orders(token, &query).await).await.map(drop)
}

/// The tokens that were shown to a shop.
async fn shown(shop: &MockServer) -> Vec<String> {
    let asked = shop.received_requests().await.unwrap();
    let mut shown: Vec<String> = asked
        .iter()
        .filter_map(|request| request.headers.get("authorization"))
        .map(|token| token.to_str().unwrap().to_owned())
        .collect();
    shown.dedup();
    shown
}

#[tokio::test]
async fn a_process_that_lives_on_shows_its_token_to_no_other_address() {
    let answer = |token: &str| {
        ResponseTemplate::new(200).set_body_json(json!({ "authentication_token": token, "id": 1, "data": [] }))
    };
    let given = json!({ "v": 1, "email": "api@shop.example", "password": "only-for-tests" });
    let mut place = Place::signed_in_by(given, answer("of-the-shop")).await;
    let patience = Duration::from_secs(20);
    let mut session = place.open("run-1", patience).await;
    call(&mut session).await.unwrap();
    session.leave().await.unwrap();
    assert_eq!(shown(&place.shop).await, [r#"Token token="of-the-shop""#]);

    // The settings change, and with the address what is signed in with, to whatever somebody typed.
    let elsewhere = MockServer::start().await;
    Mock::given(any()).respond_with(answer("of-another")).mount(&elsewhere).await;
    place.connection.api_url = elsewhere.uri();
    let mut session = place.open("run-2", patience).await;
    call(&mut session).await.unwrap();
    session.leave().await.unwrap();
    assert_eq!(shown(&elsewhere).await, [r#"Token token="of-another""#]);
    assert_eq!(shown(&place.shop).await.len(), 1);
}

/// Somebody had moved the shop to an address of their own, and with it what is signed in with. Its owner has moved it back
/// since, while a session from before goes on.
#[tokio::test]
async fn a_session_shows_its_address_no_password_that_was_given_for_another() {
    let elsewhere = "https://api.shop.example";
    let typed = json!({ "v": 1, "email": "api@shop.example", "password": "of-the-intruder" });
    let real = json!({ "v": 1, "email": "api@shop.example", "password": "the-real-one", "api_url": elsewhere });
    let aws = Aws { given_since: Some(real), ..Aws::holding(typed) };
    let place = Place::beside(aws, ResponseTemplate::new(401)).await;
    let token = ResponseTemplate::new(200).set_body_json(json!({ "authentication_token": "t-1", "id": 1 }));
    Mock::given(method("POST")).respond_with(token).with_priority(1).mount(&place.shop).await;

    let mut session = place.open("run-1", Duration::from_secs(20)).await;
    let error = call(&mut session).await.unwrap_err();
    assert!(matches!(error, ShopError::Secrets(SecretsError::OtherAddress { .. })), "{error}");
    assert!(!error.is_passing(), "it stays so until somebody enters the password anew");
    assert_eq!(session.calls(), 2, "the first sign-in, and the call that is refused");
    session.leave().await.unwrap();
    for request in place.shop.received_requests().await.unwrap() {
        assert!(!String::from_utf8_lossy(&request.body).contains("the-real-one"));
    }

    // A token is as a password: no call is made with one that is for another shop.
    let token = json!({ "v": 1, "token": "the-real-one", "api_url": elsewhere });
    let place = Place::signed_in_by(token, ResponseTemplate::new(200)).await;
    let mut session = place.open("run-1", Duration::from_secs(20)).await;
    let error = call(&mut session).await.unwrap_err();
    assert!(matches!(error, ShopError::Secrets(SecretsError::OtherAddress { .. })), "{error}");
    session.leave().await.unwrap();
    assert_eq!(place.asked().await, 0);
}

#[tokio::test]
async fn a_token_that_cannot_be_kept_is_called_with_all_the_same() {
    let answer = json!({ "authentication_token": "of-the-shop", "id": 1, "data": [] });
    let given = json!({ "v": 1, "email": "api@shop.example", "password": "only-for-tests" });
    let aws = Aws { keeps: false, ..Aws::holding(given) };
    let place = Place::beside(aws, ResponseTemplate::new(200).set_body_json(answer)).await;
    for holder in ["run-1", "run-2"] {
        let mut session = place.open(holder, Duration::from_secs(20)).await;
        call(&mut session).await.unwrap();
        session.leave().await.unwrap();
    }
    assert_eq!(shown(&place.shop).await, [r#"Token token="of-the-shop""#]);
    assert_eq!(place.asked().await, 3, "one sign-in, and two calls");
}

#[tokio::test]
async fn nothing_is_begun_after_the_deadline_however_slow_the_shop_is() {
    let page = ResponseTemplate::new(200).set_body_json(json!({ "data": [] }));
    // Slower than the pace: nothing is ever waited for.
    let place = Place::answering(page.set_delay(Duration::from_millis(300))).await;
    let patience = Duration::from_secs(2);
    let began = Instant::now();
    let mut session = place.open("run-1", patience).await;
    let mut latest = Duration::ZERO;
    let error = loop {
        let asked = began.elapsed();
        match call(&mut session).await {
            Ok(()) => latest = asked,
            Err(error) => break error,
        }
        assert!(began.elapsed() < patience * 5, "it goes on and on");
    };
    assert!(matches!(error, ShopError::OutOfTime), "{error}");
    assert!(latest < patience + Duration::from_millis(500), "the last was begun after {latest:?}");
    assert!(session.calls() > 0, "a short time is time for something");
    assert_eq!(place.asked().await, session.calls() as usize);
    session.leave().await.unwrap();
}

#[tokio::test]
async fn a_shop_that_wants_to_be_left_alone_is_asked_once_by_whoever_comes_and_goes() {
    let later = ResponseTemplate::new(429).insert_header("retry-after", "1800").set_body_string("Retry later");
    let place = Place::answering(later).await;
    let patience = Duration::from_mins(9);
    let mut first = place.open("run-1", patience).await;
    let told = Timestamp::now();
    let refused = call(&mut first).await.unwrap_err();
    assert_eq!(refused.not_before(told), Some(Duration::from_mins(30)), "{refused}");
    first.leave().await.unwrap();

    let mut named = Vec::new();
    for visitor in ["run-2", "run-3", "run-4"] {
        let mut session = place.open(visitor, patience).await;
        let error = call(&mut session).await.unwrap_err();
        let ShopError::NotBefore { until } = error else { panic!("{visitor}: {error}") };
        named.push(until);
        assert_eq!(session.calls(), 0);
        session.leave().await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let wait = named[0].duration_since(told).as_secs();
    assert!((1_800..1_810).contains(&wait), "{wait} s, and no longer than was asked for");
    let moved = named[2].duration_since(named[0]).as_millis();
    assert!(moved.abs() < 500, "coming and going moved it by {moved} ms");
    assert_eq!(place.asked().await, 1);
}

/// The shop says that the day's limit is spent, which by our count it is not.
async fn a_refusal_that_speaks_of_the_limit_ends_the_day(status: u16) {
    let errors = json!({ "errors": [{ "code": "AOR4290", "message": "1日の上限に達しました" }] });
    let place = Place::answering(ResponseTemplate::new(status).set_body_json(errors)).await;
    let patience = Duration::from_mins(9);
    let told = Timestamp::now();
    let mut first = place.open("run-1", patience).await;
    let ShopError::Closed(closure) = call(&mut first).await.unwrap_err() else { panic!("{status}: it is not closed") };
    assert_eq!(closure.reason, Reason::RefusedByShop, "{status}");
    // The shop's day begins at 00:00 UTC, and the gate opens some minutes after that for clocks that are apart.
    let wait = closure.until.duration_since(told).as_secs();
    assert!((1..=86_400 + 600).contains(&wait), "{status}: {wait} s");
    assert!(closure.until.as_second() % 86_400 <= 600, "{status}: until {}", closure.until);
    assert_eq!(first.spent_of_limit(), (1, 1_000), "{status}: a refused call counts, and no more than that");
    assert!(matches!(call(&mut first).await, Err(ShopError::Closed(again)) if again == closure), "{status}");
    first.leave().await.unwrap();

    for lane in Lane::ALL {
        match place.try_open("run-2", lane, patience).await {
            Err(ShopError::Closed(again)) => assert_eq!(again, closure, "{status}, {lane:?}"),
            Err(other) => panic!("{status}, {lane:?}: {other}"),
            Ok(_) => panic!("{status}, {lane:?}: the next run comes in"),
        }
    }
    assert_eq!(place.asked().await, 1, "{status}: nobody calls before the reset");
}

#[tokio::test]
async fn a_429_that_speaks_of_the_limit_closes_the_shop_until_its_next_day() {
    a_refusal_that_speaks_of_the_limit_ends_the_day(429).await;
}

#[tokio::test]
async fn a_403_that_speaks_of_the_limit_closes_the_shop_until_its_next_day() {
    a_refusal_that_speaks_of_the_limit_ends_the_day(403).await;
}

#[tokio::test]
async fn a_refusal_that_speaks_of_the_limit_and_names_a_time_counts_until_then_and_not_for_the_day() {
    let errors = json!({ "errors": [{ "code": "AOR4290", "message": "1時間の上限に達しました" }] });
    for (status, seconds) in [(429_u16, 7_200_u64), (403, 1_800)] {
        let answer = ResponseTemplate::new(status).insert_header("retry-after", seconds.to_string());
        let place = Place::answering(answer.set_body_json(&errors)).await;
        let patience = Duration::from_mins(9);
        let told = Timestamp::now();
        let mut first = place.open("run-1", patience).await;
        let refused = call(&mut first).await.unwrap_err();
        if told + Duration::from_secs(seconds) >= jst::next_reset(told) {
            // Before that time comes the day is over anyway.
            assert!(matches!(refused, ShopError::Closed(_)), "{status}: {refused}");
            continue;
        }
        assert_eq!(refused.not_before(told), Some(Duration::from_secs(seconds)), "{status}: {refused}");
        first.leave().await.unwrap();

        let mut second = place.open("run-2", patience).await;
        let error = call(&mut second).await.unwrap_err();
        let ShopError::NotBefore { until } = error else { panic!("{status}: {error}") };
        let wait = until.duration_since(told).as_secs().unsigned_abs();
        assert!((seconds..seconds + 10).contains(&wait), "{status}: {wait} s");
        second.leave().await.unwrap();
        assert_eq!(place.asked().await, 1, "{status}");
    }
}

#[tokio::test]
async fn a_wish_to_be_left_alone_counts_for_others_after_the_last_repetition_too() {
    let later = ResponseTemplate::new(429).insert_header("retry-after", "2").set_body_string("Retry later");
    let place = Place::answering(later).await;
    let mut session = place.open("run-1", Duration::from_mins(9)).await;
    let refused = call(&mut session).await.unwrap_err();
    assert_eq!(place.asked().await, 4, "once, and repeated three times: {refused}");
    session.leave().await.unwrap();
    let now = Timestamp::now();
    let gate = place.tenant.gate(&place.connection.id, now).await.unwrap();
    let wait = gate.next_call_at().duration_since(now).as_millis();
    assert!((500..=2_000).contains(&wait), "the next robot may call in {wait} ms");
}

#[tokio::test]
async fn a_run_that_comes_again_asks_once_whether_the_shop_is_still_down_and_is_patient_once_it_is_not() {
    let place = Place::answering(ResponseTemplate::new(502)).await;
    let request = |holder| {
        let first = place.request(holder, Lane::Fetch, Duration::from_mins(9));
        SessionRequest { after_failure: true, ..first }
    };
    let mut down = place.shops.open(&place.tenant, request("run-1")).await.unwrap();
    let error = call(&mut down).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
    assert_eq!(place.asked().await, 1, "not repeated");
    down.leave().await.unwrap();

    // It is back: one answer, and what fails after it is a moment's trouble.
    let page = ResponseTemplate::new(200).set_body_json(json!({ "data": [] }));
    Mock::given(any()).respond_with(page).up_to_n_times(1).with_priority(1).mount(&place.shop).await;
    let mut back = place.shops.open(&place.tenant, request("run-2")).await.unwrap();
    call(&mut back).await.unwrap();
    call(&mut back).await.unwrap_err();
    assert_eq!(back.calls(), 1 + 4, "one that was answered, and one that was repeated three times");
    back.leave().await.unwrap();
}

#[tokio::test]
async fn a_call_that_may_have_been_carried_out_keeps_others_off_too_where_the_shop_wants_it() {
    let later = ResponseTemplate::new(503).insert_header("retry-after", "1800").set_body_string("Retry later");
    let place = Place::answering(later).await;
    let patience = Duration::from_mins(9);
    let mut first = place.open("run-1", patience).await;
    let query = OrderQuery::new();
    let once = first.call_once(async |client, token| client.orders(token, &query).await).await;
    let error = once.map(drop).unwrap_err();
    assert!(matches!(&error, ShopError::Shop(error) if error.maybe_applied()), "{error}");
    first.leave().await.unwrap();

    let mut second = place.open("run-2", patience).await;
    let kept_off = call(&mut second).await.unwrap_err();
    assert!(matches!(kept_off, ShopError::NotBefore { .. }), "{kept_off}");
    second.leave().await.unwrap();
    assert_eq!(place.asked().await, 1);
}
