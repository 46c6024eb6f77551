//! The document's life: exported as it was applied, kept in versions, brought back, and reckoned with before it is saved.

use std::path::PathBuf;

use renkei_e2e::{Ended, aws, run, stack};
use serde_json::{Value, json};

const TENANT: &str = "versions";

fn document(every: &str, limit: u32) -> Value {
    json!({
        "tenant": TENANT,
        "ship_froms": [{ "id": "dc", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                         "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "dc" }],
        // Nobody answers there: nothing of this may call the shop.
        "connections": [{ "id": TENANT, "api": "ecforce", "api_url": "http://127.0.0.1:9", "ship_from": "dc",
                          "password": { "env": "SHOP_PASSWORD" }, "daily_call_limit": limit }],
        "shipping_methods": [{ "id": "yamato", "name": "ヤマト", "warehouse_code": "Y", "default": true }],
        "products": [{ "sku": "SERUM-30", "name": "美容液 30ml", "stock_buffer": 5 }],
        "processing_robots": { "enable": ["payment-check", "hold-unpaid"] },
        "integration_robots": { "easy_setup": { "connection": TENANT, "every": every } },
    })
}

fn apply(text: &str) -> Ended {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("versions.yaml");
    std::fs::write(&path, text).expect("a file");
    run(&["apply", path.to_str().expect("a path")], None)
}

fn ask(arguments: &[&str]) -> Ended {
    run(&[arguments, &["--tenant", TENANT]].concat(), None)
}

/// As whom the shop of the merchant `former` is signed in to.
async fn signs_in_as() -> Value {
    let secret = json!({ "SecretId": "renkei/renkei/former/former" });
    let stored = aws().call("secretsmanager", "secretsmanager.GetSecretValue", secret).await;
    let stored: Value = serde_json::from_str(stored["SecretString"].as_str().expect("a secret")).expect("JSON");
    stored["email"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_version_signs_in_as_it_did_or_is_refused() {
    stack();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("former.yaml");
    let applied = |signs_in: Value| {
        let mut former = document("15 minutes", 10_000);
        former["tenant"] = "former".into();
        former["connections"][0]["id"] = "former".into();
        former["integration_robots"]["easy_setup"]["connection"] = "former".into();
        let connection = former["connections"][0].as_object_mut().expect("a connection");
        connection.remove("password");
        connection.extend(signs_in.as_object().expect("keys").clone());
        std::fs::write(&path, former.to_string()).expect("a file");
        let ended = run(&["apply", path.to_str().expect("a path")], None);
        assert_eq!(ended.code, 0, "{ended:?}");
    };
    let with_email = |email: &str| json!({ "email": email, "password": { "env": "SHOP_PASSWORD" } });
    applied(with_email("a@former.example"));
    applied(with_email("b@former.example"));
    assert_eq!(signs_in_as().await, "b@former.example");
    let back = run(&["rollback", "--to", "1", "--tenant", "former"], None);
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(signs_in_as().await, "a@former.example", "as the version says that is in force again");

    applied(json!({ "token": { "env": "SHOP_PASSWORD" } }));
    let refused = run(&["rollback", "--to", "1", "--tenant", "former"], None);
    assert!(refused.code == 1 && refused.err.contains("export --version"), "{refused:?}");
    let history = run(&["history", "--json", "--tenant", "former"], None).lines();
    assert_eq!(history.len(), 4, "nothing was applied: {history:?}");
}

#[test]
fn versions_are_kept_exported_and_brought_back() {
    stack();
    let applied = apply(&document("15 minutes", 10_000).to_string());
    assert_eq!(applied.code, 0, "{applied:?}");
    let first = ask(&["export"]);
    assert!(first.code == 0 && first.out.contains("美容液 30ml"), "{first:?}");
    assert!(!first.out.contains("only-for-tests"), "no secret is ever exported");
    let again = apply(&first.out);
    assert!(
        again.code == 0 && again.out.contains("nothing to change"),
        "what is exported is what is in force: {again:?}"
    );

    assert_eq!(apply(&document("1 hour", 5_000).to_string()).code, 0);
    let history = ask(&["history", "--json"]).lines();
    assert_eq!(history.iter().map(|line| line["version"].as_u64()).collect::<Vec<_>>(), [Some(2), Some(1)]);
    let changed = history[0]["changes"].to_string();
    assert!(changed.contains("from 15 minutes to 1 hour") && changed.contains("5000"), "{changed}");

    let shown = ask(&["rollback", "--to", "1", "--dry-run"]);
    assert!(shown.code == 0 && shown.out.contains("from 1 hour to 15 minutes"), "{shown:?}");
    assert_ne!(ask(&["export"]).out, first.out, "a dry run changes nothing");
    assert_eq!(ask(&["rollback", "--to", "1"]).code, 0);
    assert_eq!(ask(&["export"]).out, first.out, "the first version is in force again");
    assert_eq!(ask(&["history", "--json"]).lines().len(), 3, "as a version of its own");
    assert!(ask(&["export", "--version", "2"]).out.contains("every: 1 hour"));

    let unknown = ask(&["rollback", "--to", "99"]);
    assert!(unknown.code == 1 && unknown.err.contains("there are 1 to 3"), "{unknown:?}");

    // The same merchant's plan, before anything was fetched.
    let fits = ask(&["plan", "--orders-per-day", "1000", "--json"]);
    assert_eq!(fits.code, 0, "{fits:?}");
    let line = &fits.lines()[0];
    assert!(line["fits"] == json!(true) && line["calls"].as_u64().is_some_and(|calls| calls > 96 * 2), "{line}");
    assert_eq!(apply(&document("5 minutes", 600).to_string()).code, 0);
    let tight = ask(&["plan", "--orders-per-day", "1000", "--json"]);
    assert_eq!(tight.code, 4, "a person should look: {tight:?}");
    let line = &tight.lines()[0];
    assert_eq!(line["fits"], json!(false));
    assert!(line["advice"].as_str().is_some_and(|advice| advice.contains("every:")), "{line}");
    let warned = apply(&document("5 minutes", 601).to_string());
    assert!(
        warned.code == 0 && warned.err.contains("calls a day"),
        "five minutes are allowed, with numbers: {warned:?}"
    );
}
