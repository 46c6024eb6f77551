//! A document is applied by who has not its shop's password: what is stored stays, and goes to no other address.

use std::path::PathBuf;

use renkei_e2e::{Ended, PASSWORD, aws, run, stack};
use serde_json::{Value, json};

const TENANT: &str = "keeping";
/// A variable that is there and holds nothing is as one that is not there.
const NOT_SET: Option<&str> = Some("");

/// Applies the merchant's document with these keys of its connection, which may be others than usual.
fn apply(keys: &Value, secret: Option<&str>) -> Ended {
    // Nobody answers there: nothing of this may call the shop.
    let mut connection = json!({ "id": TENANT, "api": "ecforce", "api_url": "http://127.0.0.1:9", "ship_from": "dc",
                                 "daily_call_limit": 10_000 });
    connection.as_object_mut().expect("keys").extend(keys.as_object().expect("keys").clone());
    let document = json!({
        "tenant": TENANT,
        "ship_froms": [{ "id": "dc", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                         "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "dc" }],
        "connections": [connection],
    });
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("keeping.yaml");
    std::fs::write(&path, document.to_string()).expect("a file");
    run(&["apply", path.to_str().expect("a path")], secret)
}

/// What is stored of the shop.
async fn stored() -> Value {
    let secret = json!({ "SecretId": "renkei/renkei/keeping/keeping" });
    let stored = aws().call("secretsmanager", "secretsmanager.GetSecretValue", secret).await;
    serde_json::from_str(stored["SecretString"].as_str().expect("a secret")).expect("JSON")
}

fn versions() -> usize {
    run(&["history", "--json", "--tenant", TENANT], None).lines().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_without_its_password_keeps_what_is_stored() {
    stack();
    let password = json!({ "password": { "env": "SHOP_PASSWORD" } });
    let first = apply(&password, NOT_SET);
    assert!(first.code == 1 && first.err.contains("no password is stored for keeping"), "{first:?}");
    assert!(first.err.contains("SHOP_PASSWORD is not set") && first.err.contains("nothing was applied"), "{first:?}");
    assert_eq!(apply(&password, None).code, 0);
    assert_eq!((versions(), stored().await["password"].as_str()), (1, Some(PASSWORD)));

    // Whoever has not the password changes what is none.
    let other = json!({ "password": { "env": "NOBODY_SETS_THIS" }, "email": "api@keeping.example" });
    let kept = apply(&other, None);
    assert_eq!(kept.code, 0, "{kept:?}");
    let said: Vec<&str> = kept.err.lines().filter(|line| line.contains("stays as it is stored")).collect();
    assert_eq!(said, ["the password of keeping stays as it is stored: NOBODY_SETS_THIS is not set"], "{kept:?}");
    assert!(!format!("{kept:?}").contains(PASSWORD), "{kept:?}");
    let now = stored().await;
    assert_eq!((now["password"].as_str(), now["email"].as_str()), (Some(PASSWORD), Some("api@keeping.example")));
    assert_eq!(versions(), 2);
    let again = apply(&other, None);
    assert!(again.code == 0 && again.out.contains("nothing to change"), "{again:?}");

    // Not to another address, and not as what it is not.
    let mut moved = other.clone();
    moved["api_url"] = "http://127.0.0.1:10".into();
    let token = json!({ "token": { "env": "NOBODY_SETS_THIS" } });
    for (keys, why) in [(&moved, "another api_url"), (&token, "what is stored for keeping is no token")] {
        let refused = apply(keys, None);
        assert!(refused.code == 1 && refused.err.contains(why), "{refused:?}");
        assert!(refused.err.contains("nothing was applied"), "{refused:?}");
        assert_eq!((versions(), stored().await), (2, now.clone()), "{why}");
    }

    // Who has it brings it.
    moved["password"] = json!({ "env": "SHOP_PASSWORD" });
    let brought = apply(&moved, Some("another-4711"));
    assert!(brought.code == 0 && !brought.err.contains("stays as it is stored"), "{brought:?}");
    let now = stored().await;
    assert_eq!((versions(), now["password"].as_str()), (3, Some("another-4711")));
    assert_eq!(now["api_url"], "http://127.0.0.1:10");

    // Of one who saved at the same time only the password is there, for their address: it goes nowhere until it is brought anew.
    let mut theirs = now.clone();
    theirs["api_url"] = "http://127.0.0.1:11".into();
    let put = json!({ "SecretId": "renkei/renkei/keeping/keeping", "SecretString": theirs.to_string() });
    aws().call("secretsmanager", "secretsmanager.PutSecretValue", put).await;
    let mut without = moved.clone();
    without["password"] = json!({ "env": "NOBODY_SETS_THIS" });
    let refused = apply(&without, None);
    assert!(refused.code == 1 && refused.err.contains("another api_url"), "{refused:?}");
    assert_eq!(stored().await, theirs);
    let mended = apply(&moved, Some("another-4711"));
    assert_eq!((mended.code, versions(), stored().await), (0, 3, now), "{mended:?}");
}
