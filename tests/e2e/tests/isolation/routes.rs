//! Every route of the console, by the router's own table.

use std::collections::{BTreeMap, BTreeSet};

use renkei_e2e::browser::Browser;
use renkei_e2e::ways::yesterday;

use crate::two::{Both, MARK, OURS, THEIRS};

/// A request to a route, and the answers that it may get.
type Request = (String, Vec<(&'static str, String)>, &'static [u16]);

/// For each route that is a merchant's what is asked of it at our own place, with their ids.
#[expect(clippy::too_many_lines, reason = "an entry for each route")]
fn requests(both: &Both) -> BTreeMap<&'static str, Vec<Request>> {
    let Both { shipment, number, run, order, key, .. } = both;
    let get = |path: &str, answers: &'static [u16]| (path.to_owned(), Vec::new(), answers);
    let post = |path: &str, fields: &[(&'static str, &str)], answers: &'static [u16]| {
        (path.to_owned(), fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(), answers)
    };
    let document = format!("tenant: {THEIRS}\n");
    let connection = ("connection", THEIRS);
    let plain = |path: &str| vec![get(path, &[200])];
    BTreeMap::from([
        ("GET /t/{tenant}", plain("")),
        (
            "GET /t/{tenant}/shipments",
            vec![
                get(&format!("/shipments?connection={THEIRS}"), &[404]),
                get(&format!("/shipments?connection={THEIRS}&needs=writeback"), &[404]),
                get(&format!("/shipments?connection={THEIRS}&taken=today"), &[404]),
                get("/shipments?taken=today&after=99999999999999.1.1", &[200]),
                get(&format!("/shipments?connection={THEIRS}&shipped=today"), &[404]),
                get(&format!("/shipments?needs=writeback&after={THEIRS}~99999999999999.1.1"), &[200]),
                get(&format!("/shipments?q={number}"), &[200, 303]),
                get(&format!("/shipments?q={shipment}"), &[200]),
                get(&format!("/shipments?q={MARK}"), &[200]),
            ],
        ),
        (
            "GET /t/{tenant}/shipments.csv",
            vec![get(&format!("/shipments.csv?connection={THEIRS}&status=ready"), &[404])],
        ),
        ("GET /t/{tenant}/shipment/{id}", vec![get(&format!("/shipment/{shipment}"), &[404])]),
        (
            "POST /t/{tenant}/shipment/{id}/cancellation",
            vec![
                post(&format!("/shipment/{shipment}/cancellation"), &[("answer", "accept")], &[404]),
                post(&format!("/shipment/{shipment}/cancellation"), &[("answer", "accept"), ("sure", "1")], &[404]),
                post(&format!("/shipment/{shipment}/cancellation"), &[("answer", "refuse")], &[404]),
                post(
                    &format!("/shipment/{shipment}/cancellation"),
                    &[("answer", "give-back"), ("reason", "x")],
                    &[404],
                ),
            ],
        ),
        (
            "POST /t/{tenant}/shipment/{id}/differences",
            ["anew", "seen", "else"]
                .map(|answer| post(&format!("/shipment/{shipment}/differences"), &[("answer", answer)], &[404]))
                .to_vec(),
        ),
        (
            "GET /t/{tenant}/shipments/preview",
            vec![get(&format!("/shipments/preview?action=cancel&id={shipment}"), &[404])],
        ),
        (
            "POST /t/{tenant}/shipments/change",
            ["cancel", "release", "release-unpaid", "hold"]
                .map(|action| {
                    post("/shipments/change", &[("action", action), ("reason", "remark"), ("id", shipment)], &[404])
                })
                .to_vec(),
        ),
        ("GET /t/{tenant}/files", plain("/files")),
        (
            "POST /t/{tenant}/files/export",
            ["claim", "ready", "picking"]
                .map(|what| {
                    post("/files/export", &[connection, ("layout", "standard"), ("what", what), ("sure", "1")], &[404])
                })
                .to_vec(),
        ),
        // A file of results with their shipment is sent below: it is no form of this kind.
        ("POST /t/{tenant}/files/results", vec![post("/files/results", &[("layout", "standard")], &[400])]),
        // So is a file of counts.
        ("POST /t/{tenant}/files/counts", vec![post("/files/counts", &[("ship_from", "dc")], &[400])]),
        ("GET /t/{tenant}/orders", vec![get(&format!("/orders?connection={THEIRS}"), &[404]), get("/orders", &[200])]),
        (
            "POST /t/{tenant}/orders/retry",
            vec![
                post("/orders/retry", &[connection], &[404]),
                post("/orders/retry", &[connection, ("order", order)], &[404]),
                post("/orders/retry", &[("connection", OURS), ("order", "4000000000")], &[303, 404]),
            ],
        ),
        (
            "POST /t/{tenant}/orders/dismiss",
            vec![
                post("/orders/dismiss", &[connection], &[404]),
                post("/orders/dismiss", &[connection, ("order", order)], &[404]),
                post("/orders/dismiss", &[("connection", OURS), ("order", "4000000000")], &[303]),
            ],
        ),
        ("GET /t/{tenant}/robots", plain("/robots")),
        (
            "POST /t/{tenant}/robots/run",
            vec![post("/robots/run", &[("robot", &format!("{THEIRS}/fetch-orders"))], &[404])],
        ),
        ("GET /t/{tenant}/document", vec![get("/document", &[200]), get("/document?version=2", &[404])]),
        (
            "POST /t/{tenant}/document/check",
            vec![post("/document/check", &[("text", &document), ("version", "1")], &[200])],
        ),
        (
            "POST /t/{tenant}/document/apply",
            vec![post("/document/apply", &[("text", &document), ("version", "1")], &[200])],
        ),
        ("GET /t/{tenant}/history", plain("/history")),
        (
            "GET /t/{tenant}/robot/{kind}/{id}",
            vec![
                get("/robot/conversion/their-conversion", &[404]),
                get("/robot/conversion/their-conversion?copy", &[404]),
            ],
        ),
        (
            "POST /t/{tenant}/robot/{kind}/{id}/try",
            vec![
                post(
                    "/robot/conversion/their-conversion/try",
                    &[("text", "id: x"), ("version", "1"), ("shipment", shipment)],
                    &[404],
                ),
                post(
                    "/robot/processing/hold-unpaid/try",
                    &[("text", ""), ("version", "1"), ("shipment", shipment)],
                    &[200, 404],
                ),
            ],
        ),
        (
            "POST /t/{tenant}/robot/{kind}/{id}/save",
            vec![post("/robot/conversion/their-conversion/save", &[("text", "id: x"), ("version", "1")], &[404])],
        ),
        ("GET /t/{tenant}/easy", vec![get(&format!("/easy?connection={THEIRS}"), &[404])]),
        ("POST /t/{tenant}/easy", vec![post("/easy", &[connection, ("every", "60"), ("version", "1")], &[404])]),
        (
            "POST /t/{tenant}/robots/step",
            vec![post(
                "/robots/step",
                &[("list", "conversion"), ("robot", "their-conversion"), ("step", "remove"), ("version", "1")],
                &[404],
            )],
        ),
        (
            "GET /t/{tenant}/shipments/robot",
            vec![get(&format!("/shipments/robot?robot=hold-unpaid&id={shipment}"), &[404])],
        ),
        (
            "POST /t/{tenant}/shipments/robot",
            vec![post("/shipments/robot", &[("robot", "hold-unpaid"), ("id", shipment)], &[404])],
        ),
        ("GET /t/{tenant}/robot/{kind}/{id}/form", vec![get("/robot/conversion/their-conversion/form", &[404])]),
        (
            "POST /t/{tenant}/robot/{kind}/{id}/form",
            vec![
                post(
                    "/robot/conversion/their-conversion/form",
                    &[("do", "save"), ("version", "1"), ("shipment", shipment)],
                    &[404],
                ),
                post(
                    "/robot/conversion/their-conversion/form",
                    &[("do", "try"), ("version", "1"), ("shipment", shipment)],
                    &[404],
                ),
            ],
        ),
        // Addresses of a merchant's chat: none of theirs, and none inside.
        ("GET /t/{tenant}/notices", plain("/notices")),
        (
            "POST /t/{tenant}/notices",
            vec![post("/notices", &[("url", "https://169.254.169.254/hook"), ("lang", "ja")], &[200, 400, 422])],
        ),
        (
            "POST /t/{tenant}/notices/off",
            vec![post("/notices/off", &[], &[200]), post("/notices/off", &[("sure", "1")], &[303])],
        ),
        ("POST /t/{tenant}/shipment/{id}/retry", vec![post(&format!("/shipment/{shipment}/retry"), &[], &[404])]),
        ("GET /t/{tenant}/order/{connection}/{id}", vec![get(&format!("/order/{THEIRS}/{order}"), &[404])]),
        (
            "POST /t/{tenant}/order/{connection}/{id}/retry",
            vec![post(&format!("/order/{THEIRS}/{order}/retry"), &[], &[404])],
        ),
        (
            "POST /t/{tenant}/order/{connection}/{id}/product",
            vec![post(&format!("/order/{THEIRS}/{order}/product"), &[("sku", "NEW-1"), ("name", "x")], &[404])],
        ),
        (
            "GET /t/{tenant}/run",
            vec![
                get(&format!("/run?id={run}"), &[404]),
                get(&format!("/run?id={run}&robot={THEIRS}/fetch-orders"), &[404]),
                // One of our own robots is awaited, and nothing is said of their run.
                get(&format!("/run?id={run}&robot={OURS}/fetch-orders"), &[200]),
            ],
        ),
        ("GET /t/{tenant}/dead-letters", plain("/dead-letters")),
        ("GET /t/{tenant}/dead-letters/count", plain("/dead-letters/count")),
        ("POST /t/{tenant}/dead-letters/replay", vec![post("/dead-letters/replay", &[("message", run)], &[303])]),
        ("GET /t/{tenant}/dry-run", vec![get(&format!("/dry-run?robot={THEIRS}/fetch-orders"), &[404])]),
        ("POST /t/{tenant}/dry-run", vec![post("/dry-run", &[("robot", &format!("{THEIRS}/fetch-orders"))], &[404])]),
        ("GET /t/{tenant}/settings", plain("/settings")),
        (
            "GET /t/{tenant}/setting/{kind}/{id}",
            vec![
                get(&format!("/setting/connection/{THEIRS}"), &[404]),
                get(&format!("/setting/shipping-method/{THEIRS}"), &[404]),
            ],
        ),
        (
            "POST /t/{tenant}/setting/{kind}/{id}",
            ["save", "remove", "remove-now", ""]
                .map(|what| post(&format!("/setting/connection/{THEIRS}"), &[("do", what), ("version", "1")], &[404]))
                .to_vec(),
        ),
        (
            "POST /t/{tenant}/members",
            vec![post("/members", &[("email", "viewer@renkei.example"), ("role", "viewer")], &[303])],
        ),
        (
            "POST /t/{tenant}/members/remove",
            vec![
                post("/members/remove", &[("email", "viewer@renkei.example")], &[200]),
                post("/members/remove", &[("email", "viewer@renkei.example"), ("sure", "1")], &[303]),
                post("/members/remove", &[("email", "viewer@renkei.example"), ("sure", "1")], &[404]),
                post("/members/remove", &[("email", "viewer@renkei.example")], &[404]),
            ],
        ),
        ("GET /t/{tenant}/products", plain("/products")),
        ("POST /t/{tenant}/products/import", vec![post("/products/import", &[("step", "import")], &[400])]),
        ("GET /t/{tenant}/access", plain("/access")),
        ("POST /t/{tenant}/access/create", vec![post("/access/create", &[("kind", "hook"), ("name", THEIRS)], &[404])]),
        (
            "POST /t/{tenant}/access/revoke",
            vec![
                post("/access/revoke", &[("kind", "warehouse"), ("name", "dc"), ("id", key)], &[404]),
                post("/access/revoke", &[("kind", "hook"), ("name", THEIRS), ("id", key)], &[404]),
                post("/access/revoke", &[("kind", "warehouse"), ("name", "dc"), ("id", key), ("sure", "1")], &[404]),
            ],
        ),
        ("GET /t/{tenant}/connection/{id}", vec![get(&format!("/connection/{THEIRS}"), &[404])]),
        ("POST /t/{tenant}/connection/{id}/test", vec![post(&format!("/connection/{THEIRS}/test"), &[], &[404])]),
        ("GET /t/{tenant}/runs", vec![get("/runs", &[200]), get(&format!("/runs?state=done&from={run}"), &[200])]),
        (
            "GET /t/{tenant}/stock",
            vec![
                get(&format!("/stock?connection={THEIRS}"), &[404]),
                get("/stock?after=SERUM-30", &[200]),
                get(&format!("/stock?q={MARK}"), &[200]),
            ],
        ),
        ("GET /t/{tenant}/charts", vec![get(&format!("/charts?connection={THEIRS}"), &[404])]),
        (
            "GET /t/{tenant}/audit",
            vec![get("/audit", &[200]), get("/audit?before=2999-01-01T00:00:00.000Z%23x", &[200])],
        ),
    ])
}

/// Asks every route, at their place and at ours.
pub async fn walk(both: &Both, kept: &BTreeSet<String>) {
    let mut browser = Browser::signed_in("owner").await;
    let csrf = browser.get(&format!("/t/{OURS}/settings")).await.csrf();
    assert!(!csrf.is_empty());
    let requests = requests(both);
    let mut walked = BTreeSet::new();
    let of_daily = console::routes::daily().into_iter().map(|route| (route.method, route.path));
    let of_settings = console::routes::settings().into_iter().map(|route| (route.method, route.path));
    for (method, path) in of_daily.chain(of_settings) {
        let name = format!("{method} {path}");
        if !path.starts_with("/t/{tenant}") {
            let open = ["/", "/health", "/assets/{file}", "/lang/{code}", "/auth/"];
            assert!(
                open.iter().any(|known| path == *known || (*known == "/auth/" && path.starts_with(known))),
                "{name} has no merchant in its path: say why that is so"
            );
            continue;
        }
        // At their place nothing is found, whatever is asked.
        let theirs = path.replace("{tenant}", THEIRS).replace("{kind}", "conversion").replace("{connection}", THEIRS);
        let id = if theirs.contains("/shipment/") { &both.shipment } else { THEIRS };
        let theirs = theirs.replace("{id}", id);
        let answer = match method.as_str() {
            "GET" => browser.get(&theirs).await,
            _ => browser.post(&theirs, &[("csrf", csrf.as_str())]).await,
        };
        assert_eq!(answer.status, 404, "{name} at {theirs}");
        assert!(!answer.text.contains(MARK), "{name} at {theirs}");
        // At ours their ids lead nowhere.
        let asked = requests.get(name.as_str());
        for (path, fields, answers) in
            asked.unwrap_or_else(|| panic!("{name}: say here what it answers to another merchant's ids"))
        {
            let path = format!("/t/{OURS}{path}");
            let mut form = vec![("csrf", csrf.as_str())];
            form.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
            let answer = match method.as_str() {
                "GET" => browser.get(&path).await,
                _ => browser.post(&path, &form).await,
            };
            assert!(answers.contains(&answer.status), "{name}: {path} {fields:?}: {}", answer.status);
            // What was searched for stands in the field that it was typed into.
            let echoed = usize::from(path.contains(MARK)) * 4;
            assert!(answer.text.matches(MARK).count() <= echoed, "{path}: {}", answer.text);
            if answer.status == 303 {
                assert!(!answer.location().contains(THEIRS), "{path} leads to {}", answer.location());
            }
        }
        walked.insert(name);
    }
    let unknown: Vec<_> = requests.keys().filter(|name| !walked.contains(**name)).collect();
    assert!(unknown.is_empty(), "these routes are no more: {unknown:?}");
    // Files name what they are about inside.
    let file = format!("出荷指示ID,お問い合わせ番号,出荷日\r\n{},4000-0000-0001,{}\r\n", both.shipment, yesterday());
    let products = format!("sku,name\r\nSERUM-30,{OURS}\r\n");
    // Both have a ship-from of this name.
    let counts = "sku,quantity\r\nSERUM-30,5\r\n".to_owned();
    for (path, text, fields) in [
        ("/files/results", file, [("csrf", csrf.as_str()), ("layout", "standard")]),
        ("/products/import", products, [("csrf", csrf.as_str()), ("step", "import")]),
        ("/files/counts", counts, [("csrf", csrf.as_str()), ("ship_from", "dc")]),
    ] {
        let answer = browser.upload(&format!("/t/{OURS}{path}"), &fields, &text).await;
        assert!(answer.status == 200 && !answer.text.contains(MARK), "{path}: {answer:?}");
    }
    assert_eq!(both.kept().await, *kept, "the console");
}
