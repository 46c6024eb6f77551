//! A person is invited to the console, and again as long as they have not signed in.

use std::path::PathBuf;

use renkei_e2e::{aws, run};
use serde_json::Value;

use crate::ONE_AT_A_TIME;

const EMAIL: &str = "late@inviting.example";

/// The mails to the person that was invited. The local AWS sends none: it keeps them.
async fn mails() -> Vec<Value> {
    let kept = aws().rest("ses", reqwest::Method::GET, "/_ministack/ses/messages", None).await;
    let accounts = kept["messages"].as_object().expect("mails by account").values();
    let all = accounts.filter_map(Value::as_array).flatten();
    all.filter(|mail| mail["To"].to_string().contains(EMAIL)).cloned().collect()
}

/// Makes the person a member, and gives what is said of their account.
fn add(role: &str, password: Option<&str>) -> String {
    let mut arguments = vec!["member", "add", EMAIL, "--tenant", "inviting", "--role", role];
    if password.is_some() {
        arguments.extend(["--password-env", "SHOP_PASSWORD"]);
    }
    let added = run(&arguments, password);
    assert!(added.code == 0 && added.out.contains(&format!("{EMAIL} is {role} of inviting")), "{added:?}");
    added.out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_missed_the_invitation_is_invited_again() {
    let _alone = ONE_AT_A_TIME.lock().await;
    renkei_e2e::stack();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("inviting.yaml");
    std::fs::write(&path, "tenant: inviting\n").expect("a file");
    let applied = run(&["apply", path.to_str().expect("a path")], None);
    assert_eq!(applied.code, 0, "{applied:?}");

    let first = add("viewer", None);
    assert!(first.contains("no mail leaves a stack of this machine"), "{first}");
    assert!(first.contains("--password-env NAME") && !first.contains("on its way"), "{first}");
    let mail = mails().await.pop().expect("an invitation").to_string();
    for words in ["招待", "invited", "/_aws/execute-api/", "初回パスワード", "First password"] {
        assert!(mail.contains(words), "{words}: {mail}");
    }
    assert!(!mail.contains("{####}") && !mail.contains("${Console}"), "{mail}");

    let again = add("operator", None);
    assert!(again.contains("no mail leaves a stack of this machine"), "{again}");
    assert_eq!(mails().await.len(), 2);

    // With a password of their own they wait for no invitation.
    let given = add("operator", Some("Renkei-Local-2026"));
    assert!(given.contains("the one that you gave"), "{given}");
    let signed_up = add("admin", None);
    assert!(signed_up.contains("they sign in with the account that they have"), "{signed_up}");
    assert_eq!(mails().await.len(), 2);

    let erased = run(&["tenant", "erase", "inviting", "--confirm", "inviting"], None);
    assert_eq!(erased.code, 0, "{erased:?}");
}
