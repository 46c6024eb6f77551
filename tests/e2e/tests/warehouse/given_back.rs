//! What does not leave after all: the shop cancels it while the warehouse has it, or the warehouse gives it back.

use jiff::Timestamp;
use renkei_e2e::browser::Browser;
use renkei_e2e::{World, run};
use serde_json::{Value, json};

use crate::{ids, ready, result};

/// The shop cancels an order while the warehouse has it.
async fn request_cancellation(world: &World, id: &str) {
    let asked =
        json!({ "M": { "state": { "S": "requested" }, "requested_at": { "S": Timestamp::now().to_string() } } });
    world
        .change_record(
            id,
            "SET #status = :picking, cancellation = :asked",
            json!({ ":asked": asked, ":picking": { "S": "picking" } }),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_request_has_an_answer_whichever_it_is() {
    let world = ready("wh-cancel", 4).await;
    let own = world.warehouse("dc");
    let ids = ids(&own.all("status=ready").await);
    // Before it is claimed there is nothing to ask: it is cancelled, and cannot be claimed.
    world.change_record(&ids[3], "SET #status = :cancelled", json!({ ":cancelled": { "S": "cancelled" } })).await;
    let claimed = own.claim(&ids).await;
    assert_eq!(claimed.ids("claimed"), ids[..3]);
    assert_eq!(claimed.json()["refused"][0]["reason"], json!("cancelled"));
    let answer = async |id: &str, accept: bool| {
        own.json("POST", &format!("/v1/shipments/{id}/cancellation"), &json!({ "accept": accept })).await
    };
    let unasked = answer(&ids[0], true).await;
    assert_eq!((unasked.status, unasked.problem().as_str()), (409, "answer-refused"));
    assert_eq!(unasked.json()["reason"], json!("not-requested"));
    for id in &ids[..3] {
        request_cancellation(&world, id).await;
    }
    assert_eq!(own.all("cancel_requested=true").await.len(), 3);

    for _ in 0..2 {
        let accepted = answer(&ids[0], true).await;
        assert_eq!(accepted.json(), json!({ "id": ids[0], "status": "cancelled", "cancellation": "accepted" }));
        let refused = answer(&ids[1], false).await;
        assert_eq!(refused.json(), json!({ "id": ids[1], "status": "picking", "cancellation": "refused" }));
    }
    let taken_back = answer(&ids[0], false).await;
    assert_eq!((taken_back.status, taken_back.problem().as_str()), (409, "answer-refused"));
    assert_eq!(taken_back.json()["reason"], json!("already-cancelled"));
    let left: Vec<Value> = own.all("cancel_requested=true").await;
    assert_eq!(left.len(), 1);

    // A result that overtakes the answer: it is out, and a person is asked.
    let body = json!({ "results": ids[..3].iter().map(|id| result(id, "1")).collect::<Vec<_>>() });
    let reported = own.json("POST", "/v1/shipments/results", &body).await;
    assert_eq!(reported.ids("accepted"), ids[1..3]);
    assert_eq!(reported.json()["refused"][0]["reason"], json!("cancelled"));
    // That one left although it is cancelled is on record, once, for a person to see to.
    own.json("POST", "/v1/shipments/results", &body).await;
    let gone = own.get(&format!("/v1/shipments/{}", ids[0])).await.json();
    assert_eq!((&gone["status"], &gone["cancellation"]), (&json!("cancelled"), &json!("too-late")));
    let history = run(&["shipment", &ids[0], "--json"], None).out;
    assert_eq!(history.matches("left although cancelled").count(), 1, "{history}");
    let late = own.get(&format!("/v1/shipments/{}", ids[2])).await.json();
    assert_eq!((&late["status"], &late["cancellation"]), (&json!("shipped"), &json!("too-late")));
    let overtaken = answer(&ids[2], true).await;
    assert_eq!((overtaken.status, overtaken.problem().as_str()), (409, "answer-refused"));
    assert_eq!(overtaken.json()["reason"], json!("already-shipped"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_back_waits_for_a_person_and_is_claimed_anew() {
    let world = ready("wh-return", 3).await;
    let own = world.warehouse("dc");
    let ids = ids(&own.all("status=ready").await);
    let give_back = async |id: &str, reason: &str| {
        own.json("POST", &format!("/v1/shipments/{id}/return"), &json!({ "reason": reason })).await
    };
    let report =
        async |id: &str| own.json("POST", "/v1/shipments/results", &json!({ "results": [result(id, "1")] })).await;
    let unclaimed = give_back(&ids[0], "在庫切れ").await;
    assert_eq!((unclaimed.status, unclaimed.problem().as_str()), (409, "return-refused"));
    assert_eq!(unclaimed.json()["reason"], json!("not-claimed"));
    assert_eq!(own.claim(&ids).await.ids("claimed"), ids);
    for wrong in ["", " \n", &"あ".repeat(101)] {
        let wrong = give_back(&ids[0], wrong).await;
        assert_eq!((wrong.status, wrong.problem().as_str()), (422, "bad-body"));
    }
    // As if the answer was lost.
    for _ in 0..2 {
        let given = give_back(&ids[0], "在庫切れ").await;
        assert_eq!((given.status, given.json()), (200, json!({ "id": ids[0], "status": "hold" })));
    }
    let history = run(&["shipment", &ids[0], "--json"], None).out;
    assert_eq!(history.matches("given back: 在庫切れ").count(), 1, "{history}");
    assert_eq!(own.all("status=picking").await.len(), 2);
    assert_eq!(own.claim(&ids[..1]).await.json()["refused"][0]["reason"], json!("on-hold"));
    assert_eq!(report(&ids[0]).await.json()["refused"][0]["reason"], json!("not-claimed"));

    // Staff let it go, and it is taken and sent as any other.
    let added = run(&["member", "add", "operator@renkei.example", "--tenant", "wh-return", "--role", "operator"], None);
    assert_eq!(added.code, 0, "{added:?}");
    let mut browser = Browser::signed_in("operator").await;
    let page = browser.get(&format!("/t/wh-return/shipment/{}", ids[0])).await;
    assert!(page.text.contains("在庫切れ"), "{}", page.text);
    let csrf = page.csrf();
    let fields = [("csrf", csrf.as_str()), ("action", "release"), ("id", ids[0].as_str())];
    assert_eq!(browser.post("/t/wh-return/shipments/change", &fields).await.status, 303);
    assert_eq!(own.claim(&ids[..1]).await.ids("claimed"), ids[..1]);
    assert_eq!(report(&ids[0]).await.ids("accepted"), ids[..1]);
    let left = give_back(&ids[0], "在庫切れ").await;
    assert_eq!((left.status, left.problem().as_str()), (409, "return-refused"));
    assert_eq!(left.json()["reason"], json!("already-shipped"));

    // The shop had asked for it back.
    request_cancellation(&world, &ids[1]).await;
    for _ in 0..2 {
        assert_eq!(give_back(&ids[1], "破損").await.json(), json!({ "id": ids[1], "status": "cancelled" }));
    }
    let cancelled = own.get(&format!("/v1/shipments/{}", ids[1])).await.json();
    assert_eq!(cancelled["cancellation"], json!("accepted"));

    // The warehouse calls by telephone.
    let address = format!("/t/wh-return/shipment/{}", ids[2]);
    assert!(browser.get(&address).await.text.contains("倉庫から戻った（保留にする）"));
    for (reason, status) in [(" ", 400), ("破損", 303), ("破損", 303)] {
        let fields = [("csrf", csrf.as_str()), ("answer", "give-back"), ("reason", reason)];
        let answered = browser.post(&format!("{address}/cancellation"), &fields).await;
        assert_eq!(answered.status, status, "{answered:?}");
    }
    assert!(!browser.get(&address).await.text.contains("倉庫から戻った（"));
    let held = own.get(&format!("/v1/shipments/{}", ids[2])).await.json();
    assert_eq!((&held["status"], &held["claimed_at"]), (&json!("hold"), &Value::Null));
}
