//! Nobody takes away what has to stay, and a form or a command that names what is not there does nothing and says so.

use renkei_e2e::browser::Browser;
use renkei_e2e::{World, run};
use renkei_simulator::api::{OrderOptions, ShopSpec};
use serde_json::{Value, json};

fn plain(orders: u64) -> ShopSpec {
    ShopSpec { orders, order_options: OrderOptions::plain(), daily_call_limit: 100_000, ..ShopSpec::default() }
}

fn member(tenant: &str, who: &str, role: &str) -> renkei_e2e::Ended {
    run(&["member", "add", &format!("{who}@renkei.example"), "--tenant", tenant, "--role", role], None)
}

fn remove(tenant: &str, who: &str) -> renkei_e2e::Ended {
    run(&["member", "remove", &format!("{who}@renkei.example"), "--tenant", tenant], None)
}

fn owners(tenant: &str) -> usize {
    let members = run(&["member", "list", "--tenant", tenant, "--json"], None).lines();
    members.iter().filter(|member| member["role"] == "owner").count()
}

fn shipment(tenant: &str, id: &str) -> Value {
    run(&["shipment", id, "--tenant", tenant, "--json"], None).lines().remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_keeps_an_owner() {
    let _world = World::new("owners", plain(0), 1_000).await;
    assert_eq!(member("owners", "owner", "owner").code, 0);
    assert_eq!(member("owners", "viewer", "viewer").code, 0);

    // By the command line: neither removed nor demoted, and it is said why.
    for refused in [remove("owners", "owner"), member("owners", "owner", "admin")] {
        assert!(refused.code != 0 && refused.err.contains("last owner"), "{refused:?}");
    }
    let unknown = remove("owners", "operator");
    assert!(unknown.code != 0 && unknown.err.contains("no member"), "{unknown:?}");

    // On the page, in both languages.
    let mut browser = Browser::signed_in("owner").await;
    let csrf = browser.get("/t/owners/settings").await.csrf();
    let own = [("csrf", csrf.as_str()), ("email", "owner@renkei.example"), ("role", "viewer"), ("sure", "1")];
    for path in ["/t/owners/members/remove", "/t/owners/members"] {
        let refused = browser.post(path, &own).await;
        assert!(refused.status == 409 && refused.text.contains("最後の所有者は外せません"), "{path}: {refused:?}");
    }
    browser.get("/lang/en?to=/").await;
    let refused = browser.post("/t/owners/members/remove", &own).await;
    assert!(refused.status == 409 && refused.text.contains("The last owner cannot be taken away"), "{refused:?}");
    let unknown = [("csrf", csrf.as_str()), ("email", "nobody@renkei.example")];
    assert_eq!(browser.post("/t/owners/members/remove", &unknown).await.status, 404);
    let log = browser.get("/t/owners/audit").await;
    assert!(!log.text.contains("member.remove"), "nothing was removed, and nothing is said to be: {}", log.text);
    assert_eq!(owners("owners"), 1);
    // Of two, one may go.
    assert_eq!(member("owners", "admin", "owner").code, 0);
    let other = [("csrf", csrf.as_str()), ("email", "admin@renkei.example")];
    let asked = browser.post("/t/owners/members/remove", &other).await;
    assert!(asked.status == 200 && asked.text.contains("Nothing was changed yet."), "{asked:?}");
    assert_eq!((asked.hidden("email"), owners("owners")), (vec!["admin@renkei.example".to_owned()], 2), "asked first");
    let removed = browser.post("/t/owners/members/remove", &[other[0], other[1], ("sure", "1")]).await;
    assert_eq!((removed.status, owners("owners")), (303, 1));
    let page = browser.get(removed.location()).await;
    assert!(page.text.contains("The member is removed."), "{}", page.text);
    let again = browser.post("/t/owners/members", &[other[0], other[1], ("role", "admin")]).await;
    assert!(again.status == 303 && again.location().ends_with("/settings?done=member#members"), "{again:?}");
    let page = browser.get(again.location()).await;
    assert!(page.text.contains("The member is registered."), "{}", page.text);

    // Two owners who remove each other at the same moment: one stays, whoever was quicker.
    for _ in 0..5 {
        for who in ["owner", "admin"] {
            let again = member("owners", who, "owner");
            assert_eq!(again.code, 0, "{again:?}");
        }
        std::thread::scope(|both| {
            for who in ["owner", "admin"] {
                both.spawn(move || remove("owners", who));
            }
        });
        assert_eq!(owners("owners"), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_names_what_is_not_ours_does_nothing_at_all() {
    let theirs = World::new("bulk-theirs", plain(1), 1_000).await;
    let ours = World::new("bulk-ours", plain(3), 1_000).await;
    assert_eq!((theirs.run("fetch-orders").code, ours.run("fetch-orders").code), (0, 0));
    assert_eq!(member("bulk-ours", "owner", "owner").code, 0);
    let ids = |world: &World| -> Vec<String> {
        world.list("shipments").iter().filter_map(|it| it["id"].as_str()).map(str::to_owned).collect()
    };
    let (their_ids, our_ids) = (ids(&theirs), ids(&ours));
    assert_eq!((their_ids.len(), our_ids.len()), (1, 3));
    let mut browser = Browser::signed_in("owner").await;
    let csrf = browser.get("/t/bulk-ours/shipments").await.csrf();
    let mut fields = vec![("csrf", csrf.as_str()), ("action", "hold"), ("reason", "remark")];
    fields.extend(our_ids.iter().chain(&their_ids).map(|id| ("id", id.as_str())));
    assert_eq!(browser.post("/t/bulk-ours/shipments/change", &fields).await.status, 404);
    for id in &our_ids {
        assert_eq!(shipment("bulk-ours", id)["status"], "ready", "{id}");
    }
    assert_eq!(shipment("bulk-theirs", &their_ids[0])["status"], "ready");
    fields.pop();
    assert_eq!(browser.post("/t/bulk-ours/shipments/change", &fields).await.status, 303);
    assert_eq!(shipment("bulk-ours", &our_ids[0])["hold_reasons"], json!(["remark"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_there_is_not_is_not_revoked() {
    let _world = World::new("no-such-key", plain(0), 1_000).await;
    assert_eq!(member("no-such-key", "admin", "admin").code, 0);
    let made = run(&["warehouse-key", "create", "dc", "--tenant", "no-such-key", "--json"], None);
    assert_eq!(made.code, 0, "{made:?}");
    let listed = run(&["warehouse-key", "list", "--tenant", "no-such-key", "--json"], None).lines();
    let id = listed[0]["id"].as_str().expect("an id");
    let mut browser = Browser::signed_in("admin").await;
    let csrf = browser.get("/t/no-such-key/access").await.csrf();
    for (id, is_sure, status) in
        [("01JUNKNOWN", false, 404), ("01JUNKNOWN", true, 404), (id, false, 200), (id, true, 303), (id, true, 303)]
    {
        let mut fields = vec![("csrf", csrf.as_str()), ("kind", "warehouse"), ("name", "dc"), ("id", id)];
        fields.extend(is_sure.then_some(("sure", "1")));
        let answer = browser.post("/t/no-such-key/access/revoke", &fields).await;
        assert_eq!(answer.status, status, "{id}");
        if !is_sure && status == 200 {
            assert!(answer.text.contains("元に戻せません") && answer.hidden("id") == [id], "{}", answer.text);
            let listed = run(&["warehouse-key", "list", "--tenant", "no-such-key", "--json"], None).lines();
            assert_eq!(listed[0]["state"], "valid", "asked first");
        }
    }
    let done = browser.get("/t/no-such-key/access?done=revoked").await;
    assert!(done.text.contains("失効させました。"), "{}", done.text);
    let log = browser.get("/t/no-such-key/audit").await;
    let times = log.text.matches("<td>倉庫のキーを失効</td>").count();
    assert_eq!(times, 1, "once, however often it is clicked: {}", log.text);
    let listed = run(&["warehouse-key", "list", "--tenant", "no-such-key", "--json"], None).lines();
    assert_eq!(listed[0]["state"], "revoked");
    let unknown = run(&["warehouse-key", "revoke", "dc", "--tenant", "no-such-key", "--id", "01JUNKNOWN"], None);
    assert!(unknown.code != 0 && unknown.err.contains("01JUNKNOWN"), "{unknown:?}");
}
