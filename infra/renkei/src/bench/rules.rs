//! What rules cost by themselves, without AWS: a thousand processing robots on one shipment, and one conversion.

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use renkei_domain::convert::{ConversionRobots, convert, samples};
use renkei_domain::ids::RuleId;
use renkei_domain::import::{Context, Verdict, decide};
use renkei_domain::processing::{Facts, Goods, Phase, RobotSet};
use renkei_domain::settings::{ProcessingRobots, TenantSettings};
use renkei_domain::work::Place;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::CliError;

/// Processing robots on the shipment.
const ROBOTS: usize = 1_000;
/// Times that each is done; the middle one counts, so that what else the machine does in between does not.
const TIMES: usize = 301;

/// The figures, in microseconds. What they are to stay under is 1,000 and 100.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct RuleFigures {
    /// 1,000 processing robots, each looked at on one shipment, a tenth of them matching.
    pub thousand_robots_us: f64,
    /// One order through a conversion robot of six templates.
    pub conversion_us: f64,
}

/// Takes both figures.
///
/// # Errors
/// If the rules that are measured cannot be made ready, which would be a mistake of this module.
pub fn measure() -> Result<RuleFigures, CliError> {
    let failed = |what: String| CliError::said(format!("the rules to be measured cannot be made ready: {what}"));
    let settings: TenantSettings = serde_json::from_value(document()).map_err(|error| failed(error.to_string()))?;
    let robots = RobotSet::compile(&settings)
        .map_err(|problems| failed(problems.first().map(ToString::to_string).unwrap_or_default()))?;
    let conversions = ConversionRobots::compile(&settings)
        .map_err(|problems| failed(problems.first().map(|problem| problem.message.clone()).unwrap_or_default()))?;
    let (Some(connection), Some(sample)) = (settings.connections.first(), samples::all().first()) else {
        return Err(failed("there is no sample order".to_owned()));
    };
    let own = RuleId::parse("own").map_err(|error| failed(error.to_string()))?;
    let conversion = conversions.get(Some(&own));

    // A shipment as import makes it, before any robot.
    let none =
        RobotSet::compile(&TenantSettings { processing_robots: ProcessingRobots::default(), ..settings.clone() })
            .map_err(|problems| failed(problems.first().map(ToString::to_string).unwrap_or_default()))?;
    let now = Timestamp::now();
    let context = Context {
        settings: &settings,
        connection,
        robots: &none,
        conversions: &conversions,
        goods: &Goods::new(),
        conversion_robot: None,
        run: "bench",
        place: Place { page: 1, row: 0 },
        now,
    };
    let Verdict::Store { parcels, .. } = decide(&context, &sample.order, &[], false) else {
        return Err(failed("the sample order is not imported".to_owned()));
    };
    let Some((shipment, detail)) = parcels.into_iter().next() else {
        return Err(failed("the sample order has no parcel".to_owned()));
    };
    let facts = Facts { connection, conversion_robot: Some(&own), unknown_skus: &[], duplicate_number: false, now };

    let thousand_robots = middle(|| {
        let (mut shipment, mut detail) = (shipment.clone(), detail.clone());
        let began = Instant::now();
        let applied = black_box(&robots).apply(Phase::OnImport, &facts, &mut shipment, &mut detail);
        let took = began.elapsed();
        black_box((applied, shipment, detail));
        took
    });
    let conversion = middle(|| {
        let began = Instant::now();
        let made = convert(&connection.id, black_box(&sample.order), conversion.as_ref());
        let took = began.elapsed();
        drop(black_box(made));
        took
    });
    let microseconds = |took: Duration| took.as_secs_f64() * 1e6;
    Ok(RuleFigures { thousand_robots_us: microseconds(thousand_robots), conversion_us: microseconds(conversion) })
}

fn middle(mut take: impl FnMut() -> Duration) -> Duration {
    let mut took: Vec<Duration> = (0..TIMES).map(|_| take()).collect();
    took.sort_unstable();
    took.get(TIMES / 2).copied().unwrap_or_default()
}

/// Prefectures that few parcels go to.
const FAR: [&str; 4] = ["鳥取県", "島根県", "佐賀県", "宮崎県"];

/// A merchant with robots of each kind of condition that people write.
fn document() -> Value {
    let robots: Vec<Value> = (0..ROBOTS)
        .map(|number| {
            let when = match number % 10 {
                0 => json!({ "field": "order.total", "greater": 0 }),
                1 => json!({ "field": "items.sku", "matches": format!("^TEA-{number}") }),
                2 => json!({ "field": "ship_to.prefecture", "in": ["沖縄県", FAR[number / 10 % FAR.len()]] }),
                3 => json!({ "field": "order.remark", "contains": format!("至急{number}") }),
                4 => json!({ "all": [{ "field": "payment", "equals": "paid" }, { "field": "order.times", "equals": number }] }),
                5 => json!({ "not": { "field": "ship_to.phone", "exists": true } }),
                6 => json!({ "field": "ship_to.address1", "longer_than": 1_000 + number }),
                7 => json!({ "any": [{ "field": "order.kind", "equals": format!("種別{number}") }, { "field": "items.name", "contains": format!("限定{number}") }] }),
                8 => json!({ "field": "totals.total", "less": 0 }),
                _ => json!({ "field": "order.memo01", "equals": format!("{number}") }),
            };
            json!({ "id": format!("robot-{number}"), "name": format!("ロボット{number}"), "when": when,
                    "do": [{ "tag": format!("印{}", number % 50) }] })
        })
        .collect();
    json!({
        "tenant": "bench",
        "connections": [{ "id": "bench", "api": "ecforce", "api_url": "https://api.bench.example", "ship_from": "dc",
                          "daily_call_limit": 10_000 }],
        "conversion_robots": [{ "id": "own", "name": "独自", "copy_of": 14448, "fields": {
            "delivery_note": "{{ order.remark | truncate(60) }}",
            "ship_to.name": "{{ address.name01 }} {{ address.name02 }} 様",
            "ship_to.phone": "{{ shipment.ship_to.phone | phone }}",
            "ship_to.address2": "{{ address.addr03 | full_width }}",
            "payment_method": "{{ order.payment_method_name | half_kana }}",
            "tags": "{% if order.kind %}{{ order.kind }}{% endif %}"
        } }],
        "processing_robots": { "custom": robots },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_figures_are_taken_and_printed() {
        let figures = measure().expect("figures");
        println!(
            "{} robots on a shipment: {:.0} µs; a conversion: {:.0} µs",
            ROBOTS, figures.thousand_robots_us, figures.conversion_us
        );
        assert!(figures.thousand_robots_us > 0.0 && figures.conversion_us > 0.0);
    }
}
