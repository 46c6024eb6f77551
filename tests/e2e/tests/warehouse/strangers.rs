//! Who may see what: every address of the API, called with every kind of key that is not its own.

use jiff::Timestamp;
use renkei_e2e::run;
use renkei_e2e::warehouse::Answer;
use serde_json::json;

use crate::{ready, result};

/// What a stranger's well-formed call comes to: nothing seen, nothing changed.
fn sees_nothing(method: &str, path: &str, answer: &Answer) {
    match (method, path) {
        ("GET", "/v1/shipments") => {
            assert_eq!(answer.status, 200, "{answer:?}");
            // Its own it may have.
            assert!(answer.ids("shipments").iter().all(|id| id.starts_with("wh-other.")), "{answer:?}");
        }
        ("GET", "/v1/shipments/{id}") | ("POST", "/v1/shipments/{id}/cancellation" | "/v1/shipments/{id}/return") => {
            assert_eq!((answer.status, answer.problem().as_str()), (404, "no-such-shipment"));
        }
        ("POST", "/v1/shipments/claim") => {
            assert_eq!(answer.json()["claimed"], json!([]));
            assert_eq!(answer.json()["refused"][0]["reason"], json!("not-found"));
        }
        ("POST", "/v1/shipments/results") => {
            assert_eq!(answer.json()["accepted"], json!([]));
            assert_eq!(answer.json()["refused"][0]["reason"], json!("not-found"));
        }
        ("PUT", "/v1/stock") => assert_eq!((answer.status, answer.problem().as_str()), (404, "no-such-ship-from")),
        other => panic!("{other:?} has no test of what strangers see: add one here"),
    }
}

/// CRC-32, as keys carry it: a key of the right form that was never handed out.
fn made_up_key() -> String {
    let bits = "0123456789abcdef".repeat(4);
    let crc = bits.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    format!("rkw_{bits}{:08x}", !crc)
}

/// Every address of the document, with every kind of key. One that is missing here fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_address_shows_anything_to_a_stranger() {
    let world = ready("wh-own", 2).await;
    world.add_ship_from("annex", "annex");
    let other = ready("wh-other", 1).await;
    let own = world.warehouse("dc");
    let revoked = world.warehouse("dc");
    let revoked_id = run(&["warehouse-key", "list", "--tenant", "wh-own", "--json"], None).lines()[1]["id"].clone();
    let revoke = run(
        &["warehouse-key", "revoke", "dc", "--tenant", "wh-own", "--id", revoked_id.as_str().expect("an id")],
        None,
    );
    assert_eq!(revoke.code, 0, "{revoke:?}");
    // The other tenant's ship-from for its own stock is called `dc` too; this one's is `annex`.
    let strangers = [("another tenant's", other.warehouse("dc")), ("another warehouse's", world.warehouse("annex"))];
    let shipments = own.all("status=ready").await;
    assert_eq!(shipments.len(), 2, "its own it sees");
    let id = shipments[0]["id"].as_str().expect("an id");
    let document = own.with_key(None).get("/v1/openapi.json").await;
    assert_eq!(document.status, 200);
    let mut addresses = 0;
    for (path, item) in document.json()["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys().map(|method| method.to_uppercase()) {
            addresses += 1;
            let body = match (method.as_str(), path.as_str()) {
                ("GET", "/v1/shipments" | "/v1/shipments/{id}") => None,
                ("POST", "/v1/shipments/claim") => Some(json!({ "ids": [id] })),
                ("POST", "/v1/shipments/results") => Some(json!({ "results": [result(id, "4711")] })),
                ("POST", "/v1/shipments/{id}/cancellation") => Some(json!({ "accept": true })),
                ("POST", "/v1/shipments/{id}/return") => Some(json!({ "reason": "在庫切れ" })),
                ("PUT", "/v1/stock") => Some(
                    json!({ "ship_from": "dc", "counts": [{ "sku": "SERUM-30", "quantity": 1, "counted_at": Timestamp::now() }] }),
                ),
                // These two ask for no key.
                ("GET", "/v1/openapi.json") => continue,
                ("POST", "/hooks/ecforce/{secret}") => {
                    for secret in ["x", &own.key.clone().expect("a key"), &made_up_key().replace("rkw_", "rkh_")] {
                        let answer = own.json("POST", &format!("/hooks/ecforce/{secret}"), &json!({})).await;
                        assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{secret}");
                    }
                    continue;
                }
                other => panic!("{other:?} has no test of who may call it: add one here"),
            };
            let body = body.map(|body| body.to_string().into_bytes());
            let at = path.replace("{id}", id);
            let mut hook_like = own.key.clone().expect("a key");
            hook_like.replace_range(..4, "rkh_");
            let unknown =
                [None, Some("x"), Some(made_up_key().leak() as &str), revoked.key.as_deref(), Some(hook_like.leak())];
            for key in unknown {
                let answer = own.with_key(key).send(&method, &at, body.clone()).await;
                assert_eq!(
                    (answer.status, answer.problem().as_str()),
                    (401, "unauthorized"),
                    "{method} {path} {key:?}"
                );
            }
            for (whose, stranger) in &strangers {
                let answer = stranger.send(&method, &at, body.clone()).await;
                // The other tenant has a ship-from of this name of its own: that it may count, and ours stays without.
                if path == "/v1/stock" && *whose == "another tenant's" {
                    assert_eq!(answer.ids("accepted"), ["SERUM-30"]);
                } else {
                    sees_nothing(&method, path, &answer);
                }
            }
        }
    }
    assert!(addresses >= 9, "the document names its addresses");
    // Nobody changed anything.
    let after = own.all("status=ready").await;
    assert_eq!(after, shipments);
    let counts = world.counts("dc").await;
    assert!(counts.is_empty(), "{counts:?}");
}
