//! A gift: who ordered it is somebody else than who gets it, and is told to the warehouse, to staff and in files.

use renkei_e2e::browser::Browser;
use renkei_e2e::{root, run};
use serde_json::json;

use crate::ready;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_says_who_ordered_it() {
    let world = ready("wh-gift", 1).await;
    let gift = json!({
        "payment_state": "authed", "scheduled_to_be_shipped_at": null,
        "billing_address": { "name01": "贈主", "name02": "一郎", "addr01": "港区架空町", "tel01": "03", "tel02": "0000", "tel03": "0001" },
    });
    let gift = world.simulator.add_order("wh-gift", gift).await.expect("an order").id;
    assert_eq!(world.run("fetch-orders").code, 0);
    let gift = format!("wh-gift.{gift}.1");
    let own = world.warehouse("dc");
    let listed = own.all("status=ready").await;
    assert_eq!(listed.len(), 2);
    for shipment in listed {
        let is_gift = shipment["id"] == json!(gift);
        assert_eq!(shipment["orderer"] == shipment["ship_to"], !is_gift, "{shipment}");
        if is_gift {
            let orderer = &shipment["orderer"];
            assert_eq!(
                (&orderer["name"], &orderer["address1"]),
                (&json!("贈主 一郎"), &json!("港区架空町")),
                "{orderer}"
            );
        }
    }

    // Staff see it, and find the order by it.
    let added = run(&["member", "add", "viewer@renkei.example", "--tenant", "wh-gift", "--role", "viewer"], None);
    assert_eq!(added.code, 0, "{added:?}");
    let mut browser = Browser::signed_in("viewer").await;
    let page = browser.get(&format!("/t/wh-gift/shipment/{gift}")).await;
    assert!(page.text.contains("注文者") && page.text.contains("贈主 一郎"), "{}", page.text);
    for q in ["03-0000-0001", "%E8%B4%88%E4%B8%BB"] {
        // The only one that is found is shown at once.
        let found = browser.get(&format!("/t/wh-gift/shipments?q={q}")).await;
        assert!(found.location().ends_with(&format!("/shipment/{gift}")), "{q}: {found:?}");
    }

    // A label in the orderer's name, by a layout of one's own.
    let columns = ["shipment-id", "orderer-name", "orderer-postal-code", "orderer-address", "orderer-phone"];
    let layout = json!({
        "id": "gift", "name": "gift",
        "shipments": {
            "encoding": "utf8", "line_end": "lf", "header": false, "rows": "parcel", "guard_formulas": false,
            "columns": columns.map(|from| json!({ "name": from, "from": from })),
        },
        "results": {
            "encoding": "utf8", "header": true, "shipment": { "names": ["a"], "place": 1 }, "tracking_number": { "names": ["b"], "place": 2 },
        },
    });
    let file = |name: &str| root().join("target").join(name).to_str().expect("a path").to_owned();
    let (form, out) = (file("gift.layout.json"), file("gift.out.csv"));
    std::fs::write(&form, layout.to_string()).expect("a file");
    let _from_before = std::fs::remove_file(&out);
    let exported =
        ["files", "export", "--connection", "wh-gift", "--layout", &form, "--ship-until", "all", "--out", &out];
    let exported = run(&exported, None);
    assert_eq!(exported.code, 0, "{exported:?}");
    let written = std::fs::read_to_string(&out).expect("a file");
    let line = written.lines().find(|line| line.starts_with(&gift)).expect("a line");
    assert!(line.contains(",贈主 一郎,") && line.contains("港区架空町") && line.ends_with(",03-0000-0001"), "{line}");
}
