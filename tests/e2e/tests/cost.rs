//! What `renkei bench cost` counts, on a run so small that each number can be reckoned by hand. Nothing here is timed.

use renkei_e2e::cost;
use serde_json::Value;

const ORDERS: f64 = 40.0;

#[test]
fn what_orders_use_is_counted_stage_by_stage() {
    let ended = cost(&["--orders", "40", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let figures = &ended.lines()[0];
    let used = |stage: &str, function: &str, measure: &str| -> f64 {
        figures["uses"][stage][function][measure].as_f64().unwrap_or_default()
    };

    // By hand: of each shipment, an item of up to one KB is written, and moves within the list by status: one entry goes,
    // one comes.
    assert_near(used("handed over", "warehouse-api", "write-units"), 3.0);
    // The same, and an entry in the list of work.
    assert_near(used("results taken", "warehouse-api", "write-units"), 4.0);
    // The shipment, its place in two lists, its large part, and the claim of its number; the run's notes besides.
    let imported = used("fetched, imported", "import-orders", "write-units");
    assert!((5.0..7.0).contains(&imported), "{imported}");
    // The record, and its entry in the list of work; a run's own notes, gate and cursor besides.
    let told = used("told as taken", "push-statuses", "write-units");
    assert!((2.0..3.0).contains(&told), "{told}");
    // One page of orders is one message a batch of ten: sent, taken and removed.
    let messages = used("fetched, imported", "import-orders", "sqs-requests");
    assert!((0.2..0.6).contains(&messages), "{messages}");
    // Two pages of 20 orders each: a list that has some, a claim, and a list that has none.
    assert_near(used("handed over", "warehouse-api", "http-requests") * ORDERS, 6.0);
    assert_near(used("handed over", "warehouse-api", "lambda-requests") * ORDERS, 6.0);
    for measure in ["gb-seconds", "log-bytes", "read-units", "lambda-requests"] {
        assert!(used("told as shipped", "push-statuses", measure) > 0.0, "{measure}");
    }

    // Money is what was counted, whichever way it is added up.
    let total = figures["total"].as_f64().expect("a total");
    for way in ["by_stage", "by_function", "by_measure"] {
        let sum: f64 = figures[way].as_object().expect("a bill").values().filter_map(Value::as_f64).sum();
        assert!((sum - total).abs() < 1e-6, "{way}: {sum} of {total}");
    }
    let writes = figures["by_measure"]["write-units"].as_f64().expect("writes");
    let units: f64 = figures["uses"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(_, functions)| functions.as_object().into_iter().flatten())
        .filter_map(|(_, uses)| uses["write-units"].as_f64())
        .sum();
    assert!((writes - units * 0.715).abs() < 1e-6, "{writes} USD for {units} units");
    assert!(figures["idle"]["fetch-orders"].as_f64().is_some_and(|usd| usd > 1.25), "{}", figures["idle"]);
}

fn assert_near(measured: f64, wanted: f64) {
    assert!((measured - wanted).abs() < 1e-9, "{measured} instead of {wanted}");
}
