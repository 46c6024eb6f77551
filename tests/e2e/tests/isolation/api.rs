//! Every operation of the warehouse's API, by its own document.

use std::collections::{BTreeMap, BTreeSet};

use renkei_e2e::run;
use renkei_e2e::warehouse::Caller;
use serde_json::{Value, json};

use crate::two::{Both, MARK, OURS};

/// Where, with which body, and the answers that it may get.
type Request = (String, Option<Value>, &'static [u16]);

/// For each operation what is sent with our key and their ids.
fn requests(id: &str) -> BTreeMap<&'static str, Vec<Request>> {
    let now = jiff::Timestamp::now();
    let lists = ["ready", "picking", "shipped", "cancelled"].map(|status| {
        let answers: &[u16] = &[200];
        (format!("/v1/shipments?status={status}"), None, answers)
    });
    let results = json!({ "results": [{ "id": id, "tracking_number": "400000000001", "shipped_at": now }] });
    let counts = json!({ "ship_from": "dc", "counts": [{ "sku": "SERUM-30", "quantity": 1, "counted_at": now }] });
    BTreeMap::from([
        ("GET /v1/openapi.json", vec![("/v1/openapi.json".into(), None, &[200][..])]),
        ("GET /v1/shipments", lists.to_vec()),
        ("GET /v1/shipments/{id}", vec![(format!("/v1/shipments/{id}"), None, &[404])]),
        ("POST /v1/shipments/claim", vec![("/v1/shipments/claim".into(), Some(json!({ "ids": [id] })), &[200])]),
        ("POST /v1/shipments/results", vec![("/v1/shipments/results".into(), Some(results), &[200])]),
        (
            "POST /v1/shipments/{id}/cancellation",
            [true, false]
                .map(|accept| {
                    let answers: &[u16] = &[404];
                    (format!("/v1/shipments/{id}/cancellation"), Some(json!({ "accept": accept })), answers)
                })
                .to_vec(),
        ),
        (
            "POST /v1/shipments/{id}/return",
            vec![(format!("/v1/shipments/{id}/return"), Some(json!({ "reason": "x" })), &[404])],
        ),
        ("PUT /v1/stock", vec![("/v1/stock".into(), Some(counts), &[200])]),
        (
            "POST /hooks/ecforce/{secret}",
            vec![(format!("/hooks/ecforce/rkh_{}", "0".repeat(72)), Some(json!({ "order": { "id": 1 } })), &[404])],
        ),
    ])
}

/// Sends them.
pub async fn walk(both: &Both, kept: &BTreeSet<String>) {
    let made = run(&["warehouse-key", "create", "dc", "--tenant", OURS, "--json"], None).lines().remove(0);
    let caller = Caller::new(made["key"].as_str().map(str::to_owned));
    let document = caller.get("/v1/openapi.json").await.json();
    let id = both.shipment.as_str();
    let requests = requests(id);
    let mut walked = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys().map(|method| method.to_uppercase()) {
            let name = format!("{method} {path}");
            let asked = requests.get(name.as_str());
            let asked = asked.unwrap_or_else(|| panic!("{name}: say here what it answers to another merchant's ids"));
            for (address, body, answers) in asked {
                let bytes = body.as_ref().map(|body| body.to_string().into_bytes());
                let answer = caller.send(&method, address, bytes.clone()).await;
                assert!(answers.contains(&answer.status), "{name}: {answer:?}");
                assert!(!answer.text.contains(MARK), "{name}: {answer:?}");
                if answer.status == 200 && answer.text.contains(id) {
                    // Each record is answered by itself: theirs is not found.
                    assert!(answer.text.contains("not-found"), "{name}: {answer:?}");
                }
                // Without a key nobody is anybody.
                if path.starts_with("/v1/shipments") || path == "/v1/stock" {
                    let nobody = caller.with_key(None).send(&method, address, bytes).await;
                    assert_eq!(nobody.status, 401, "{name}: {nobody:?}");
                }
            }
            walked.insert(name);
        }
    }
    let unknown: Vec<_> = requests.keys().filter(|name| !walked.contains(**name)).collect();
    assert!(unknown.is_empty(), "the document has these no more: {unknown:?}");
    // Where their list goes on is no place in ours.
    let theirs = caller.with_key(Some(&both.secret)).get("/v1/shipments?status=ready&limit=1").await.json();
    let cursor = theirs["next_cursor"].as_str().expect("a second page");
    let strayed = caller.get(&format!("/v1/shipments?status=ready&limit=1&cursor={cursor}")).await;
    assert_eq!((strayed.status, strayed.problem().as_str()), (400, "bad-cursor"), "{strayed:?}");
    assert_eq!(both.kept().await, *kept, "the warehouse's API");
}
