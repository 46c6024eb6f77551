use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use renkei_domain::ids::TenantId;
use renkei_platform::queue::Queue;
use renkei_platform::secrets::ConnectionSecrets;
use renkei_store::{Store, Tables};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::*;
use crate::Schedules;

/// An AWS that keeps one merchant's settings and schedules.
#[derive(Clone, Default)]
struct Aws(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// The item of the settings in force.
    settings: Value,
    /// Somebody else saves this while the schedules are looked at.
    saved_meanwhile: Option<Value>,
    schedules: BTreeMap<String, Value>,
    /// What is stored of every connection; no secret if empty.
    secret: String,
    /// Somebody else puts this right after a secret is put.
    put_meanwhile: Option<String>,
    deleted_secrets: Vec<String>,
    /// Somebody else saves this while a secret is deleted.
    saved_while_deleting: Option<Value>,
    restored_secrets: Vec<String>,
    /// Somebody else makes each schedule in the moment before it is made.
    is_forestalled: bool,
}

impl Aws {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }
}

impl Respond for Aws {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut kept = self.kept();
        let target = request.headers.get("x-amz-target").map_or("", |target| target.to_str().unwrap());
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let schedule = request.url.path().strip_prefix("/schedules/").map(str::to_owned);
        let answer = match (target.split('.').next_back().unwrap(), request.method.as_str(), schedule) {
            ("TransactWriteItems", _, _) => {
                kept.settings = body["TransactItems"][0]["Put"]["Item"].clone();
                json!({})
            }
            ("GetItem", _, _) => json!({ "Item": kept.settings }),
            // Nothing was handed out.
            ("Query", _, _) => json!({ "Items": [] }),
            ("GetSecretValue", _, _) if kept.secret.is_empty() => {
                let none = json!({ "__type": "ResourceNotFoundException" });
                return ResponseTemplate::new(400).set_body_raw(none.to_string(), "application/x-amz-json-1.1");
            }
            ("GetSecretValue", _, _) => json!({ "SecretString": kept.secret, "VersionId": "1" }),
            ("PutSecretValue", _, _) => {
                let put = body["SecretString"].as_str().unwrap().to_owned();
                kept.secret = kept.put_meanwhile.take().unwrap_or(put);
                json!({})
            }
            ("DeleteSecret", _, _) => {
                kept.deleted_secrets.push(body["SecretId"].as_str().unwrap().to_owned());
                if let Some(saved) = kept.saved_while_deleting.take() {
                    kept.settings = saved;
                }
                json!({})
            }
            ("RestoreSecret", _, _) => {
                kept.restored_secrets.push(body["SecretId"].as_str().unwrap().to_owned());
                json!({})
            }
            (_, "POST", Some(name)) if std::mem::take(&mut kept.is_forestalled) => {
                kept.schedules.insert(name, body);
                return ResponseTemplate::new(409).insert_header("x-amzn-errortype", "ConflictException");
            }
            (_, "GET", None) => {
                let names: Vec<Value> = kept.schedules.keys().map(|name| json!({ "Name": name })).collect();
                if let Some(saved) = kept.saved_meanwhile.take() {
                    kept.settings = saved;
                }
                json!({ "Schedules": names })
            }
            (_, "GET", Some(name)) => kept.schedules[&name].clone(),
            (_, "DELETE", Some(name)) => {
                kept.schedules.remove(&name);
                json!({})
            }
            (_, "POST", Some(name)) => {
                kept.schedules.insert(name, body);
                json!({ "ScheduleArn": "arn" })
            }
            other => return ResponseTemplate::new(418).set_body_string(format!("{other:?} was not expected")),
        };
        ResponseTemplate::new(200).set_body_raw(answer.to_string(), "application/x-amz-json-1.0")
    }
}

fn setup_on(server: &MockServer) -> (Setup, Tenant) {
    let config = renkei_platform::aws::of_variables(|name| match name {
        "AWS_REGION" => Some("ap-northeast-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        "AWS_ENDPOINT_URL" => Some(server.uri()),
        _ => None,
    })
    .unwrap();
    let queue = |name: &str| (name.to_owned(), format!("arn:{name}"));
    let queues = ["FetchOrders", "PushStatuses", "SyncPayments"].map(queue);
    let setup = Setup {
        secrets: ConnectionSecrets::new(&config, "renkei/stack"),
        import_orders: Queue::new(&config, server.uri()),
        schedules: Schedules::new(&config, "stack", "arn:role", BTreeMap::from(queues)),
    };
    let tables = Tables { robots: "robots".to_owned(), ..Tables::default() };
    (setup, Store::new(&config, tables).tenant(TenantId::parse("hanako").unwrap()))
}

/// Settings with these shops, each with its easy set-up.
fn with_shops(shops: &[&str]) -> TenantSettings {
    let connection = |id: &&str| {
        json!({
            "id": id, "api": "ecforce", "api_url": "https://shop.example", "ship_from": "dc",
            "token": { "env": "TOKEN" }, "daily_call_limit": 1_000
        })
    };
    let easy = |id: &&str| json!({ "connection": id, "every": "15 minutes" });
    let connections: Vec<Value> = shops.iter().map(connection).collect();
    let easy_setup: Vec<Value> = shops.iter().map(easy).collect();
    serde_json::from_value(json!({
        "tenant": "hanako", "connections": connections, "integration_robots": { "easy_setup": easy_setup }
    }))
    .unwrap()
}

#[tokio::test]
async fn whoever_saved_first_takes_nothing_away_from_who_saved_since() {
    let (server, aws) = (MockServer::start().await, Aws::default());
    Mock::given(any()).respond_with(aws.clone()).mount(&server).await;
    let (setup, tenant) = setup_on(&server);
    let now = Timestamp::UNIX_EPOCH;
    // Ours lets the second shop go; somebody else takes it in again while ours still comes into force.
    tenant.apply_settings(&with_shops(&["main"]), 1, now, "ours").await.unwrap();
    let ours = aws.kept().settings.clone();
    tenant.apply_settings(&with_shops(&["main", "second"]), 2, now, "theirs").await.unwrap();
    let theirs = aws.kept().settings.clone();
    let second = ConnectionId::parse("second").unwrap();
    let dropped = vec![second];
    let (settings, products, secrets) = (Vec::new(), Vec::new(), Vec::new());
    let arriving = Vec::new();
    let plan = Plan { current: None, settings, products, secrets, arriving, dropped, trial: Trial::default() };

    assert!(setup.drop_secrets(&tenant, &plan).await.unwrap().is_empty());
    assert!(aws.kept().deleted_secrets.is_empty(), "the secret is theirs by now");
    aws.kept().settings = ours.clone();
    let theirs_again = theirs.clone();
    aws.kept().saved_meanwhile = Some(theirs);
    aws.kept().is_forestalled = true;
    setup.reconcile(&tenant).await.unwrap();
    let has = |robot: &str| aws.kept().schedules.values().any(|schedule| schedule.to_string().contains(robot));
    assert!(has("main/fetch-orders") && has("second/fetch-orders"), "by what is in force in the end");

    // They come between the last look and the deletion.
    aws.kept().settings = ours.clone();
    aws.kept().saved_while_deleting = Some(theirs_again);
    assert!(setup.drop_secrets(&tenant, &plan).await.unwrap().is_empty());
    assert_eq!(aws.kept().restored_secrets, ["renkei/stack/hanako/second"]);
    aws.kept().deleted_secrets.clear();

    // Nobody took it in again: it goes, with all that was its own.
    aws.kept().settings = ours;
    assert_eq!(setup.drop_secrets(&tenant, &plan).await.unwrap().len(), 1);
    assert_eq!(aws.kept().deleted_secrets, ["renkei/stack/hanako/second"]);
    setup.reconcile(&tenant).await.unwrap();
    assert!(has("main/fetch-orders") && !has("second/fetch-orders"));
}

#[tokio::test]
async fn what_is_stored_goes_to_its_own_address_and_is_of_one_kind() {
    let (server, aws) = (MockServer::start().await, Aws::default());
    Mock::given(any()).respond_with(aws.clone()).mount(&server).await;
    let (setup, tenant) = setup_on(&server);
    let in_force = with_shops(&["main"]);
    let main = &in_force.connections[0];
    let stored = async |connection: &Connection| setup.stored(&tenant, Some(&in_force), connection).await.unwrap();
    assert!(matches!(stored(main).await, Stored::Nothing));

    aws.kept().secret = r#"{"v":1,"token":"t"}"#.to_owned();
    let Stored::Fits(Credentials::Token(token)) = stored(main).await else { panic!("a token is a token") };
    assert_eq!(token.expose_secret(), "t");
    let mut moved = main.clone();
    moved.api_url = "https://shop.example.test".to_owned();
    assert!(matches!(stored(&moved).await, Stored::OtherAddress));
    let unknown = with_shops(&["second"]).connections.remove(0);
    assert!(matches!(stored(&unknown).await, Stored::Nothing), "for which address, nobody knows");
    assert!(matches!(setup.stored(&tenant, None, main).await.unwrap(), Stored::Nothing));

    aws.kept().secret = r#"{"v":1,"email":"a@shop.example","password":"p"}"#.to_owned();
    assert!(matches!(stored(main).await, Stored::OtherKind));
    // The settings in force say this address, and the secret says another.
    aws.kept().secret = r#"{"v":1,"token":"t","api_url":"https://shop.example.test"}"#.to_owned();
    assert!(matches!(stored(main).await, Stored::OtherAddress));
    assert!(matches!(stored(&moved).await, Stored::OtherAddress));
    aws.kept().secret = r#"{"v":1,"token":"t","api_url":"https://shop.example"}"#.to_owned();
    assert!(matches!(stored(main).await, Stored::Fits(_)));
}

/// Settings whose shop signs in with a password, at this address and with this e-mail address.
fn signing_in(api_url: &str, email: &str) -> TenantSettings {
    let mut settings = with_shops(&["main"]);
    let main = &mut settings.connections[0];
    main.password = main.token.take();
    main.api_url = api_url.to_owned();
    main.email = Some(email.to_owned());
    settings
}

#[tokio::test]
async fn of_two_who_save_at_once_neither_brings_a_password_to_the_address_of_the_other() {
    let (server, aws) = (MockServer::start().await, Aws::default());
    Mock::given(any()).respond_with(aws.clone()).mount(&server).await;
    let (setup, tenant) = setup_on(&server);
    let (home, elsewhere, now) = ("https://shop.example", "https://elsewhere.example", Timestamp::UNIX_EPOCH);
    let main = ConnectionId::parse("main").unwrap();
    let in_force = signing_in(home, "a@shop.example");
    tenant.apply_settings(&in_force, 0, now, "before").await.unwrap();
    // As an earlier release stored it.
    aws.kept().secret = r#"{"v":1,"email":"a@shop.example","password":"real"}"#.to_owned();

    // One changes the e-mail address alone. The other moves the shop, with a password of their own.
    let renamed = signing_in(home, "b@shop.example");
    let stored = setup.stored(&tenant, Some(&in_force), &renamed.connections[0]).await.unwrap();
    let Stored::Fits(real) = stored else { panic!("it is of this address") };
    let rename = setup.plan(&tenant, &renamed, vec![(main.clone(), real.clone())]).await.unwrap();
    let moved = signing_in(elsewhere, "a@shop.example");
    let own = credential(&moved.connections[0], "own".into()).unwrap();
    let moving = setup.plan(&tenant, &moved, vec![(main.clone(), own.clone())]).await.unwrap();

    // What the one stores comes between the secret and the settings of the other.
    setup.secrets.put_credentials(tenant.id(), &main, home, &real).await.unwrap();
    let of_the_one = aws.kept().secret.clone();
    assert!(of_the_one.contains("real") && of_the_one.contains(home), "{of_the_one}");
    aws.kept().put_meanwhile = Some(of_the_one.clone());
    assert_eq!(setup.put_in_force(&tenant, &moved, &moving, now, "other").await.unwrap(), 2);
    let (sent, _) = setup.secrets.credentials(tenant.id(), &main, elsewhere).await.unwrap();
    assert!(same(&sent, &own), "what was given for that address, and nothing else");
    let refused = setup.put_in_force(&tenant, &renamed, &rename, now, "one").await.unwrap_err();
    assert!(matches!(refused, SetupError::Conflict { .. }), "{refused}");

    // Or it comes last of all.
    aws.kept().secret = of_the_one;
    let refused = setup.secrets.credentials(tenant.id(), &main, elsewhere).await.unwrap_err();
    assert!(matches!(refused, SecretsError::OtherAddress { .. }), "{refused}");
    let stored = setup.stored(&tenant, Some(&moved), &moved.connections[0]).await.unwrap();
    assert!(matches!(stored, Stored::OtherAddress), "whoever saves has to enter it");
    // Whoever does mends it.
    let plan = setup.plan(&tenant, &moved, vec![(main.clone(), own)]).await.unwrap();
    assert_eq!(setup.put_in_force(&tenant, &moved, &plan, now, "other").await.unwrap(), 2);
    let stored = setup.stored(&tenant, Some(&moved), &moved.connections[0]).await.unwrap();
    assert!(plan.count() == 1 && matches!(stored, Stored::Fits(_)), "{stored:?}");
}

/// Whoever gives a shop the password that it has already, with another address, has given it for that one.
#[tokio::test]
async fn a_shop_that_moves_takes_a_password_along_only_if_it_is_given_again() {
    let (server, aws) = (MockServer::start().await, Aws::default());
    Mock::given(any()).respond_with(aws.clone()).mount(&server).await;
    let (setup, tenant) = setup_on(&server);
    let (mut version, now) = (0, Timestamp::UNIX_EPOCH);
    let main = ConnectionId::parse("main").unwrap();
    let mut in_force = signing_in("https://shop.example", "a@shop.example");
    tenant.apply_settings(&in_force, version, now, "before").await.unwrap();
    aws.kept().secret = r#"{"v":1,"email":"a@shop.example","password":"real"}"#.to_owned();
    let real = credential(&in_force.connections[0], "real".into()).unwrap();
    let nothing = setup.plan(&tenant, &in_force, vec![(main.clone(), real.clone())]).await.unwrap();
    assert_eq!(nothing.count(), 0, "what an earlier release stored is as good where nothing changes");
    // There and back, and there again.
    for api_url in ["https://new.example", "https://shop.example", "https://new.example"] {
        let moved = signing_in(api_url, "a@shop.example");
        let stored = setup.stored(&tenant, Some(&in_force), &moved.connections[0]).await.unwrap();
        assert!(matches!(stored, Stored::OtherAddress), "{api_url}");
        let plan = setup.plan(&tenant, &moved, vec![(main.clone(), real.clone())]).await.unwrap();
        assert_eq!(plan.secrets().count(), 1, "{api_url}");
        version = setup.put_in_force(&tenant, &moved, &plan, now, "who moves it").await.unwrap();
        let (stored, _) = setup.secrets.credentials(tenant.id(), &main, api_url).await.unwrap();
        assert!(same(&stored, &real), "{api_url}");
        in_force = moved;
    }
    assert_eq!(version, 4);
}

#[test]
fn what_is_kept_goes_on_with_the_address_that_the_connection_has_now() {
    let mut main = with_shops(&["main"]).connections.remove(0);
    main.password = main.token.take();
    main.email = Some("a@shop.example".to_owned());
    let stored = Credentials::Password { email: Some("b@shop.example".to_owned()), password: "p".into() };
    let Some(Credentials::Password { email, password }) = kept(&main, &stored) else { panic!("a password is one") };
    assert_eq!((email.as_deref(), password.expose_secret()), (Some("a@shop.example"), "p"));
    assert!(kept(&main, &Credentials::Token("t".into())).is_none());
}

#[test]
fn another_email_is_another_credential() {
    let password = |email: Option<&str>, password: &str| Credentials::Password {
        email: email.map(str::to_owned),
        password: password.into(),
    };
    assert!(same(&password(None, "p"), &password(None, "p")));
    assert!(!same(&password(None, "p"), &password(Some("a@shop.example"), "p")));
    assert!(!same(&password(None, "p"), &password(None, "q")));
    assert!(!same(&password(None, "p"), &Credentials::Token("p".into())));
}
