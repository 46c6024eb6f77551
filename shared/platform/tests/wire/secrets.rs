use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_platform::secrets::{ConnectionSecrets, Credentials, CredentialsVersion, SecretsError};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Answer, Aws, error};

const CANARY: &str = "canary-4f7a";
const SHOP: &str = "api.shop.example";
const NOT_FOUND: &str = "ResourceNotFoundException";

fn secrets(aws: &Aws) -> (ConnectionSecrets, TenantId, ConnectionId) {
    let secrets = ConnectionSecrets::new(&aws.config(), "renkei/stack/");
    (secrets, TenantId::parse("hanako").unwrap(), ConnectionId::parse("main").unwrap())
}

fn stored(version: &str, text: &Value) -> Answer {
    ("GetSecretValue", 200, json!({ "SecretString": text.to_string(), "VersionId": version }))
}

fn password() -> Value {
    json!({ "v": 1, "email": "api@shop.example", "password": CANARY, "api_url": SHOP })
}

fn given() -> Credentials {
    Credentials::Password { email: Some("api@shop.example".into()), password: CANARY.into() }
}

/// The credentials and their version, as the server gives them.
async fn version(secrets: &ConnectionSecrets, tenant: &TenantId, connection: &ConnectionId) -> CredentialsVersion {
    secrets.credentials(tenant, connection, SHOP).await.unwrap().1
}

#[tokio::test]
async fn a_token_is_kept_beside_the_credentials_that_it_was_got_with() {
    let session = |got_with: &str| json!({ "v": 1, "token": "t-1", "for": got_with });
    let aws = Aws::answering([
        stored("version-1", &password()),
        ("PutSecretValue", 200, json!({})),
        stored("s-1", &session("version-1")),
        stored("s-1", &session("version-0")),
        stored("s-1", &json!({ "v": 2, "key": "from a later release" })),
        ("GetSecretValue", 400, error(NOT_FOUND)),
    ])
    .await;
    let (secrets, tenant, connection) = secrets(&aws);
    let version = version(&secrets, &tenant, &connection).await;
    secrets.put_session(&tenant, &connection, &version, &"t-1".into()).await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let session = secrets.session(&tenant, &connection, &version).await.unwrap();
        sessions.push(session.map(|token| token.expose_secret().to_owned()));
    }
    // The right one; one from before the password changed; one that cannot be read; none at all.
    assert_eq!(sessions, [Some("t-1".to_owned()), None, None, None]);

    let asked = aws.asked().await;
    assert_eq!(asked[0].1, json!({ "SecretId": "renkei/stack/hanako/main", "VersionStage": "AWSCURRENT" }));
    assert_eq!(asked[1].1["VersionStages"], json!(["RENKEI_SESSION"]));
    let kept: Value = serde_json::from_str(asked[1].1["SecretString"].as_str().unwrap()).unwrap();
    assert_eq!(kept, session("version-1"));
    assert_eq!(asked[2].1["VersionStage"], "RENKEI_SESSION");
}

#[tokio::test]
async fn the_same_credentials_make_no_new_version() {
    let aws = Aws::answering([stored("v", &password())]).await;
    let (secrets, tenant, connection) = secrets(&aws);
    assert!(!secrets.put_credentials(&tenant, &connection, SHOP, &given()).await.unwrap());
    assert_eq!(aws.operations().await, ["GetSecretValue"]);
}

#[tokio::test]
async fn the_same_credentials_for_another_address_are_a_new_version() {
    let of_an_earlier_release = json!({ "v": 1, "email": "api@shop.example", "password": CANARY });
    let put = || ("PutSecretValue", 200, json!({}));
    let aws = Aws::answering([stored("v", &of_an_earlier_release), put(), stored("w", &password()), put()]).await;
    let (secrets, tenant, connection) = secrets(&aws);
    for api_url in [SHOP, "api.moved.example"] {
        assert!(secrets.put_credentials(&tenant, &connection, api_url, &given()).await.unwrap(), "{api_url}");
        let asked = aws.asked().await;
        let kept: Value = serde_json::from_str(asked.last().unwrap().1["SecretString"].as_str().unwrap()).unwrap();
        assert_eq!((kept["api_url"].as_str(), kept["password"].as_str()), (Some(api_url), Some(CANARY)));
    }
}

#[tokio::test]
async fn credentials_are_given_out_for_their_own_address_only() {
    let aws = Aws::answering([stored("v", &password()), stored("v", &password())]).await;
    let (secrets, tenant, connection) = secrets(&aws);
    assert!(secrets.credentials(&tenant, &connection, SHOP).await.is_ok());
    let error = secrets.credentials(&tenant, &connection, "api.evil.example").await.unwrap_err();
    assert!(matches!(error, SecretsError::OtherAddress { .. }) && !error.is_passing(), "{error}");
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
}

#[tokio::test]
async fn changed_credentials_are_a_new_current_version() {
    let aws =
        Aws::answering([stored("v", &json!({ "v": 1, "token": "old" })), ("PutSecretValue", 200, json!({}))]).await;
    let (secrets, tenant, connection) = secrets(&aws);
    assert!(secrets.put_credentials(&tenant, &connection, SHOP, &given()).await.unwrap());
    let asked = aws.asked().await;
    assert_eq!(asked[1].1["VersionStages"], json!(["AWSCURRENT"]));
    let kept: Value = serde_json::from_str(asked[1].1["SecretString"].as_str().unwrap()).unwrap();
    assert_eq!(kept, password());
}

#[tokio::test]
async fn the_first_credentials_make_the_secret_even_in_a_race() {
    let aws = Aws::answering([
        ("GetSecretValue", 400, error(NOT_FOUND)),
        ("CreateSecret", 400, error("ResourceExistsException")),
        ("PutSecretValue", 200, json!({})),
    ])
    .await;
    let (secrets, tenant, connection) = secrets(&aws);
    assert!(secrets.put_credentials(&tenant, &connection, SHOP, &given()).await.unwrap());
    assert_eq!(aws.asked().await[1].1["Name"], "renkei/stack/hanako/main");
}

#[tokio::test]
async fn a_deleted_secret_is_got_back() {
    let aws = Aws::answering([
        ("GetSecretValue", 400, error("InvalidRequestException")),
        ("DescribeSecret", 200, json!({ "DeletedDate": 1_790_000_000.0 })),
        ("RestoreSecret", 200, json!({})),
        stored("v", &json!({ "v": 1, "token": "old" })),
        ("PutSecretValue", 200, json!({})),
    ])
    .await;
    let (secrets, tenant, connection) = secrets(&aws);
    assert!(secrets.put_credentials(&tenant, &connection, SHOP, &given()).await.unwrap());
    assert_eq!(aws.operations().await.len(), 5);
}

#[tokio::test]
async fn deleting_leaves_time_to_regret_and_can_be_repeated() {
    let aws = Aws::answering([
        ("DeleteSecret", 200, json!({})),
        ("DeleteSecret", 400, error("InvalidRequestException")),
        ("DescribeSecret", 200, json!({ "DeletedDate": 1_790_000_000.0 })),
        ("DeleteSecret", 400, error(NOT_FOUND)),
    ])
    .await;
    let (secrets, tenant, connection) = secrets(&aws);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(secrets.delete(&tenant, &connection).await.unwrap());
    }
    assert_eq!(answers, [true, false, false]);
    let asked = aws.asked().await;
    assert_eq!(asked[0].1, json!({ "SecretId": "renkei/stack/hanako/main", "RecoveryWindowInDays": 7 }));
}

#[tokio::test]
async fn errors_say_what_to_do_and_nothing_of_the_secret() {
    let aws = Aws::answering([
        ("GetSecretValue", 400, error(NOT_FOUND)),
        stored("v", &json!({ "v": 1, "token": [CANARY] })),
        ("GetSecretValue", 400, error("AccessDeniedException")),
        ("GetSecretValue", 400, error("ThrottlingException")),
    ])
    .await;
    let (secrets, tenant, connection) = secrets(&aws);
    let mut passing = Vec::new();
    for wanted in ["run `renkei apply`", "cannot be read by this release", "AccessDenied", "Throttling"] {
        let error: SecretsError = secrets.credentials(&tenant, &connection, SHOP).await.unwrap_err();
        let printed = format!("{error} {error:?}");
        assert!(printed.contains(wanted) && printed.contains("renkei/stack/hanako/main"), "{printed}");
        assert!(!printed.contains(CANARY), "{printed}");
        passing.push(error.is_passing());
    }
    assert_eq!(passing, [false, false, false, true]);
}
