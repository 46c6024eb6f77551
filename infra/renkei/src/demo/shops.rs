//! The demo's shops: two merchants with three shops, each set up differently, in a simulator that goes on after the
//! demo, so that they answer for as long as the stack is up.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use renkei_simulator::ControlClient;
use renkei_simulator::api::{
    Carrier, Endpoint, FaultKind, FaultRule, NewOrders, OrderOptions, Product, ShopSpec, ShopStatus, StateNames,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::CliError;
use crate::local::{Detached, LocalError, Progress, StackPaths, last_lines, read_record, running, write_record};

/// Of all the demo's shops, which hold nothing worth keeping from anybody.
pub const PASSWORD: &str = "correct-horse";
/// How far apart calls must be at the shops. The documents ask for a little more, because what leaves us at an even pace
/// does not arrive at one.
const BORNE_INTERVAL_MS: u64 = 180;
/// Orders that the gift shop has twice under one number: somebody typed them in again.
const TWICE: u64 = 3;
/// How long the simulator may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// One of the demo's shops.
#[derive(Debug)]
pub struct Shop {
    /// Whose.
    pub tenant: &'static str,
    /// The connection's id; the simulator calls the shop so too.
    pub connection: &'static str,
    /// How many orders it has at first.
    pub orders: u64,
    spec: ShopSpec,
}

/// The shops, with so many orders together.
pub fn shops(orders: u64) -> [Shop; 3] {
    let cosme = orders / 2;
    let tea = orders / 8;
    let gift = orders - cosme - tea;
    [
        Shop { tenant: "hanako", connection: "hanako-cosme", orders: cosme, spec: cosmetics() },
        Shop { tenant: "hanako", connection: "hanako-gift", orders: gift, spec: gifts() },
        Shop { tenant: "taro", connection: "taro-tea", orders: tea, spec: teas(tea) },
    ]
}

fn cosmetics() -> ShopSpec {
    ShopSpec {
        name: "hanako-cosme".to_owned(),
        email: "renkei@service.example".to_owned(),
        password: PASSWORD.into(),
        min_interval_ms: Some(BORNE_INTERVAL_MS),
        seed: 11,
        order_options: OrderOptions { unknown_sku_percent: 0.5, ..OrderOptions::default() },
        ..ShopSpec::default()
    }
}

fn gifts() -> ShopSpec {
    ShopSpec {
        name: "hanako-gift".to_owned(),
        email: "robot@hanako.example".to_owned(),
        password: PASSWORD.into(),
        daily_call_limit: 2_000,
        min_interval_ms: Some(BORNE_INTERVAL_MS),
        seed: 12,
        states: StateNames {
            fetch: "confirmed".to_owned(),
            working: "preparing".to_owned(),
            shipped: "sent".to_owned(),
            canceled: "withdrawn".to_owned(),
            others: BTreeMap::new(),
        },
        carriers: vec![Carrier::new(11, "ヤマト運輸"), Carrier::new(16, "ネコポス")],
        products: vec![
            Product::new("SOAP-80", "石けん 80g", 980, true),
            Product::new("TOWEL-2", "今治タオル 2枚組", 3_300, true),
            Product::new("CANDLE-1", "アロマキャンドル", 2_200, true),
        ],
        stock_locations: vec!["gift".to_owned()],
        order_options: OrderOptions {
            unknown_sku_percent: 2.0,
            multi_address_percent: 25.0,
            subscription_percent: 0.0,
            ..OrderOptions::default()
        },
        ..ShopSpec::default()
    }
}

fn teas(orders: u64) -> ShopSpec {
    let tea = |sku: &str, name: &str, price| Product { tax_rate: 8, ..Product::new(sku, name, price, true) };
    ShopSpec {
        name: "taro-tea".to_owned(),
        email: "robot@taro.example".to_owned(),
        password: PASSWORD.into(),
        daily_call_limit: tight_limit(orders),
        min_interval_ms: Some(BORNE_INTERVAL_MS),
        seed: 13,
        products: vec![tea("SENCHA-100", "煎茶 100g", 1_620), tea("HOJICHA-100", "ほうじ茶 100g", 1_080)],
        carriers: vec![Carrier::new(2, "佐川急便")],
        order_options: OrderOptions { unpaid_percent: Some(20.0), ..OrderOptions::default() },
        ..ShopSpec::default()
    }
}

/// Calls enough to fetch all of a shop's orders, and to tell the shop of about half of them.
fn tight_limit(orders: u64) -> u64 {
    let sign_in = 1;
    let pages = orders.div_ceil(100) + u64::from(orders.is_multiple_of(100));
    let batches = orders.div_ceil(100);
    sign_in + pages + batches / 2
}

/// The documents that set the merchants up, by tenant.
pub fn documents(shops: &[(Shop, ShopStatus)]) -> [(&'static str, String); 2] {
    [("hanako", include_str!("hanako.yaml")), ("taro", include_str!("taro.yaml"))].map(|(tenant, template)| {
        let mut text = template.replace("@PASSWORD@", PASSWORD);
        for (shop, status) in shops {
            let name = variable(shop.connection);
            text = text
                .replace(&format!("@{name}_URL@"), &status.url)
                .replace(&format!("@{name}_LIMIT@"), &status.daily_call_limit.to_string());
        }
        (tenant, text)
    })
}

/// The passwords, by the names that the documents give them.
pub fn passwords(shops: &[(Shop, ShopStatus)]) -> BTreeMap<String, SecretString> {
    shops.iter().map(|(shop, _)| (format!("{}_PASSWORD", variable(shop.connection)), PASSWORD.into())).collect()
}

fn variable(connection: &str) -> String {
    connection.replace('-', "_").to_uppercase()
}

/// Where the simulator answers; kept beside the stack's other records.
#[derive(Debug, Serialize, Deserialize)]
struct Control {
    control_url: String,
}

/// Starts the simulator beside a stack. `local down` ends it with the stack.
pub async fn start(paths: &StackPaths, program: &Path, progress: Progress) -> Result<ControlClient, CliError> {
    let step = progress.step("Opening the shops");
    let mut command = Command::new(program);
    command.args(["serve", "--control-port", "0"]);
    let log = paths.simulator_log();
    let mut started = Detached::start(command, &log, &paths.simulator_record(), "Is the checkout complete?")?;
    let failed = |what: String| LocalError::Simulator { what, log: log.clone(), last_lines: last_lines(&log) };
    let began = Instant::now();
    let control = loop {
        // It says where it answers when it is ready.
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        if let Some(control) = said.lines().find_map(|line| serde_json::from_str::<Control>(line).ok()) {
            break control;
        }
        if let Some(how) = started.ended() {
            return Err(failed(format!("ended at its start ({how})")).into());
        }
        if began.elapsed() > PATIENCE {
            return Err(failed(format!("was not ready within {} s", PATIENCE.as_secs())).into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    write_record(&paths.shops_file(), &control)?;
    step.done();
    client(&control)
}

/// The simulator of an earlier demo, if it runs.
pub fn find(paths: &StackPaths) -> Result<Option<ControlClient>, CliError> {
    if running(&paths.simulator_record())?.is_none() {
        return Ok(None);
    }
    read_record::<Control>(&paths.shops_file())?.as_ref().map(client).transpose()
}

fn client(control: &Control) -> Result<ControlClient, CliError> {
    Ok(ControlClient::new(&control.control_url)?)
}

/// Opens a shop with its orders.
pub async fn open(control: &ControlClient, shop: &Shop) -> Result<ShopStatus, CliError> {
    let twice = if shop.connection == "hanako-gift" { TWICE.min(shop.orders / 10) } else { 0 };
    let spec = ShopSpec { orders: shop.orders - twice, ..shop.spec.clone() };
    control.add_shop(&spec).await?;
    if twice > 0 {
        let there = control.orders(&spec.name, Some(&spec.states.fetch)).await?;
        let again = there.iter().take(twice as usize).map(|order| match json!({ "number": order.number }) {
            serde_json::Value::Object(attributes) => attributes,
            // An object was written above.
            _ => serde_json::Map::new(),
        });
        control.add_orders(&spec.name, &NewOrders { orders: again.collect(), ..NewOrders::default() }).await?;
        // As shops do while orders are read: rows come twice, and a call is refused for being one too many.
        let faults = [
            FaultRule::always(FaultKind::TooManyRequestsSeconds { seconds: 1 }).at(Endpoint::OrdersList).times(1),
            FaultRule { every: Some(2), ..FaultRule::always(FaultKind::DuplicateRows).at(Endpoint::OrdersList) },
        ];
        control.set_faults(&spec.name, &faults).await?;
    }
    Ok(control.shop(&spec.name).await?)
}

/// Places further orders in a shop that is open.
pub async fn more(control: &ControlClient, shop: &Shop) -> Result<ShopStatus, CliError> {
    let options = shop.spec.order_options.clone();
    control.generate_orders(shop.connection, shop.orders, options).await?;
    Ok(control.shop(shop.connection).await?)
}

impl From<renkei_simulator::ClientError> for CliError {
    fn from(error: renkei_simulator::ClientError) -> Self {
        Self::said(format!("the demo's shops: {error}; `renkei demo` opens them anew"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use renkei_domain::document;

    fn opened() -> Vec<(Shop, ShopStatus)> {
        let status = |shop: &Shop, port: u16| ShopStatus {
            name: shop.connection.into(),
            port,
            url: format!("http://127.0.0.1:{port}"),
            orders: shop.orders,
            by_state: BTreeMap::new(),
            by_payment_state: BTreeMap::new(),
            quota_day: "2026-11-24".into(),
            calls_today: 0,
            daily_call_limit: shop.spec.daily_call_limit,
            violations: BTreeMap::new(),
        };
        shops(2_000)
            .into_iter()
            .zip(9_101..)
            .map(|(shop, port)| {
                let status = status(&shop, port);
                (shop, status)
            })
            .collect()
    }

    #[test]
    fn all_orders_are_given_to_some_shop() {
        for orders in [30, 2_000, 2_001, 100_000] {
            assert_eq!(shops(orders).iter().map(|shop| shop.orders).sum::<u64>(), orders);
        }
    }

    #[test]
    fn documents_are_complete_and_agree_with_the_shops() {
        let opened = opened();
        for (tenant, text) in documents(&opened) {
            assert!(
                !text.contains('@') || text.lines().all(|l| !l.contains("_URL@") && !l.contains("_LIMIT@")),
                "{text}"
            );
            let document = document::read(&text, &|url| Ok(url.to_owned())).unwrap();
            assert_eq!(document.settings.tenant.as_str(), tenant);
            for connection in &document.settings.connections {
                let (shop, opened_as) =
                    opened.iter().find(|(shop, _)| connection.id.as_str() == shop.connection).unwrap();
                assert_eq!(shop.tenant, tenant);
                assert_eq!(connection.api_url, opened_as.url);
                assert_eq!(u64::from(connection.daily_call_limit), opened_as.daily_call_limit);
                assert!(shop.spec.min_interval_ms.unwrap() < u64::from(connection.call_interval_ms));
                let states = (&connection.states.fetch, &connection.states.working, &connection.states.shipped);
                assert_eq!(states, (&shop.spec.states.fetch, &shop.spec.states.working, &shop.spec.states.shipped));
                assert_eq!(connection.states.cancelled, [shop.spec.states.canceled.as_str()]);
                assert!(connection.email.as_deref().is_none_or(|email| email == shop.spec.email));
                let password = connection.password.as_ref().unwrap();
                assert!(passwords(&opened).contains_key(&password.env));
                for product in &shop.spec.products {
                    assert!(document.settings.products.iter().any(|ours| ours.sku.as_str() == product.sku));
                }
                for method in &document.settings.shipping_methods {
                    let id = method.carrier_ids[&connection.id];
                    assert!(shop.spec.carriers.iter().any(|carrier| carrier.id == id), "{id}");
                }
            }
        }
    }

    #[test]
    fn a_tight_limit_lets_all_be_fetched_and_not_all_be_told() {
        // Sign-in, three pages of 250 orders, one of three batches.
        assert_eq!(tight_limit(250), 5);
        // A full last page is followed by an empty one.
        assert_eq!(tight_limit(300), 1 + 4 + 1);
        assert_eq!(tight_limit(3), 2);
    }
}
