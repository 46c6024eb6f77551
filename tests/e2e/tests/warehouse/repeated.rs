//! A claim whose answer was lost: made again with its key it has what the first had, and nobody else has.

use renkei_e2e::warehouse::Answer;
use serde_json::{Value, json};

use crate::{ids, ready, result};

fn reasons(answer: &Answer) -> Vec<String> {
    let refused = answer.json()["refused"].as_array().cloned().unwrap_or_default();
    refused.iter().map(|refused| refused["reason"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_made_again_with_its_key_has_what_the_first_had() {
    let world = ready("wh-again", 3).await;
    let warehouse = world.warehouse("dc");
    let all = ids(&warehouse.all("status=ready").await);
    let (first, rest) = all.split_first().expect("three");

    // The first request took one; its repetition, which somebody has put more into, takes the rest and has all.
    let one = warehouse.claim_as("wave-0001", std::slice::from_ref(first)).await;
    assert_eq!(one.ids("claimed"), std::slice::from_ref(first), "{one:?}");
    for _ in 0..2 {
        let again = warehouse.claim_as("wave-0001", &all).await;
        assert_eq!((again.ids("claimed"), reasons(&again)), (all.clone(), vec![]), "{again:?}");
    }
    let shown = warehouse.get(&format!("/v1/shipments/{first}")).await;
    assert!(shown.json()["claimed_at"].is_string(), "{shown:?}");
    assert!(!shown.text.contains("wave-0001"), "the key is nobody else's to know");

    // It is nobody else's: neither another request's, nor one's that does not say which it is.
    for other in [warehouse.claim_as("wave-0002", &all).await, warehouse.claim(&all).await] {
        assert!(other.ids("claimed").is_empty(), "{other:?}");
        assert_eq!(reasons(&other), vec!["already-claimed"; 3], "{other:?}");
    }

    // What has left is nobody's to claim.
    let reported = warehouse.json("POST", "/v1/shipments/results", &json!({ "results": [result(first, "9-1")] })).await;
    assert_eq!(reported.ids("accepted"), std::slice::from_ref(first), "{reported:?}");
    let late = warehouse.claim_as("wave-0001", &all).await;
    assert_eq!((late.ids("claimed"), reasons(&late)), (rest.to_vec(), vec!["already-shipped".to_owned()]), "{late:?}");

    // What was given back is not taken again by a request that comes late: it is on hold, for a person.
    let back = format!("/v1/shipments/{}/return", rest[0]);
    let given = warehouse.json("POST", &back, &json!({ "reason": "棚にない" })).await;
    assert_eq!(given.status, 200, "{given:?}");
    let late = warehouse.claim_as("wave-0001", rest).await;
    assert_eq!((late.ids("claimed"), reasons(&late)), (rest[1..].to_vec(), vec!["on-hold".to_owned()]), "{late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_none_is_refused_before_anything_is_claimed() {
    let world = ready("wh-no-key", 1).await;
    let warehouse = world.warehouse("dc");
    let all = ids(&warehouse.all("status=ready").await);
    let long = "k".repeat(256);
    for wrong in [long.as_str(), "with a space"] {
        let refused = warehouse.claim_as(wrong, &all).await;
        assert_eq!((refused.status, refused.problem()), (400, "bad-idempotency-key".to_owned()), "{wrong:?}");
    }
    let kept: Vec<Value> = warehouse.all("status=ready").await;
    assert_eq!(ids(&kept), all);
}
