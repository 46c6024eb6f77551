//! What a warehouse counts: which count of an article stays, and what is refused of a request and why.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::ready;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_count_wins_and_each_record_has_its_answer() {
    let world = ready("wh-stock", 1).await;
    let own = world.warehouse("dc");
    let now = Timestamp::now();
    let at = |minutes: i64| now.checked_add(SignedDuration::from_mins(minutes)).expect("a time");
    let count = |sku: &str, quantity: Value, minutes: i64| json!({ "sku": sku, "quantity": quantity, "counted_at": at(minutes) });
    let put = async |counts: Value| own.json("PUT", "/v1/stock", &json!({ "ship_from": "dc", "counts": counts })).await;

    let first = put(json!([
        count("SERUM-30", json!(120), -10),
        count("NOT-OURS", json!(1), -10),
        count("MASK-5", json!(-1), -10),
        count("SOAP-80", json!(5), 10),
        "what is this",
        count("MASK-5", json!(7), -10),
    ]))
    .await;
    assert_eq!(first.ids("accepted"), ["SERUM-30", "MASK-5"]);
    let reasons: Vec<Value> =
        first.json()["refused"].as_array().expect("refused").iter().map(|r| json!([r["index"], r["reason"]])).collect();
    assert_eq!(
        json!(reasons),
        json!([[1, "unknown-sku"], [2, "bad-quantity"], [3, "bad-counted-at"], [4, "malformed"]])
    );
    let older = put(json!([count("SERUM-30", json!(1), -20)])).await.json();
    assert_eq!(older, json!({ "accepted": [], "stale": ["SERUM-30"], "refused": [] }));
    let same = put(json!([count("SERUM-30", json!(120), -10)])).await;
    assert_eq!(same.ids("accepted"), ["SERUM-30"]);
    // Of several in one request the newest, wherever it stands.
    let several = put(json!([count("SERUM-30", json!(99), -1), count("SERUM-30", json!(3), -5)])).await;
    assert_eq!(several.ids("accepted"), ["SERUM-30"]);
    let mut kept = world.counts("dc").await;
    kept.sort();
    assert_eq!(kept, [("MASK-5".to_owned(), 7), ("SERUM-30".to_owned(), 99)]);
    let nowhere = own.json("PUT", "/v1/stock", &json!({ "ship_from": "moon", "counts": [] })).await;
    assert_eq!((nowhere.status, nowhere.problem().as_str()), (404, "no-such-ship-from"));
}
