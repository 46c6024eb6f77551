//! A world: the merchants, shops and orders of one seed.

use std::collections::BTreeMap;

use renkei_simulator::Simulator;
use renkei_simulator::api::{FaultRule, NewOrders, OrderOptions, ShopSpec};
use secrecy::SecretString;
use serde_json::json;

use crate::commands::{Secrets, apply};
use crate::error::CliError;
use crate::stack::{Found, Stack};

/// Stands in every secret and every field of a customer that is planted; it must be seen nowhere else.
pub const CANARY: &str = "kanariya";
/// How far apart Renkei is told to keep its calls, in milliseconds.
const INTERVAL_MS: u64 = 200;
/// How far apart they must arrive; what leaves at an even pace does not arrive at one.
const BORNE_INTERVAL_MS: u64 = 100;
/// Orders with a canary in every field, in each shop.
const PLANTED: usize = 3;

/// The merchants, shops and orders of one seed.
pub struct World {
    /// The seed.
    pub seed: u64,
    /// The shops; they end with the world.
    pub simulator: Simulator,
    /// Their connections. A shop is called as its connection.
    pub places: Vec<Found>,
    per_shop: u64,
}

impl World {
    /// Opens the shops, and sets their merchants up. A third of the orders is there; the others come during the storm.
    pub async fn open(stack: &Stack, seed: u64, orders: u64) -> Result<Self, CliError> {
        let mut random = fastrand::Rng::with_seed(seed);
        let simulator = Simulator::start(0).await.map_err(|error| CliError::said(error.to_string()))?;
        let mut places = Vec::new();
        // Two merchants; the first has two shops.
        let shops = [("a", 1), ("a", 2), ("b", 1)];
        let per_shop = orders / shops.len() as u64;
        for tenant in ["a", "b"] {
            let mut connections = Vec::new();
            let mut setups = Vec::new();
            for (_, n) in shops.iter().filter(|(of, _)| *of == tenant) {
                let name = format!("s{seed}{tenant}{n}");
                // Some shops have just enough calls for a day without faults.
                let tight = random.u8(..100) < 20;
                let limit = if tight { 8 + per_shop / 50 } else { 5_000 };
                let status = simulator
                    .add_shop(&ShopSpec {
                        name: name.clone(),
                        email: format!("{CANARY}@{name}.example"),
                        password: password(seed).as_str().into(),
                        daily_call_limit: limit,
                        min_interval_ms: Some(BORNE_INTERVAL_MS),
                        seed: random.u64(..),
                        orders: per_shop / 3,
                        order_options: options(),
                        ..ShopSpec::default()
                    })
                    .await?;
                plant(&simulator, &name).await?;
                connections.push(json!({
                    "id": name, "api": "ecforce", "api_url": status.url, "ship_from": "dc",
                    "email": format!("{CANARY}@{name}.example"), "password": { "env": "PROVE_PASSWORD" },
                    "daily_call_limit": limit, "call_interval_ms": INTERVAL_MS,
                }));
                setups.push(json!({ "connection": name, "every": "24 hours" }));
            }
            let name = format!("s{seed}{tenant}");
            let document = document(&name, &connections, &setups);
            let secrets = BTreeMap::from([("PROVE_PASSWORD".to_owned(), SecretString::from(password(seed)))]);
            apply(stack, &document, Secrets::Given(secrets), false, &|_| Ok(())).await?;
            for (place, _) in stack.tenants(Some(&name)).await? {
                let scope = crate::cli::Scope { tenant: Some(place.id().to_string()), connection: None };
                places.extend(stack.connections(&scope).await?);
            }
        }
        Ok(Self { seed, simulator, places, per_shop })
    }

    /// More orders, while it storms.
    pub async fn place_more(&self) -> Result<(), CliError> {
        for place in &self.places {
            self.simulator.generate_orders(place.id().as_str(), self.per_shop / 3, options()).await?;
        }
        Ok(())
    }

    /// What goes wrong at a shop during the storm.
    pub fn faults(random: &mut fastrand::Rng) -> Result<Vec<FaultRule>, CliError> {
        let all = [
            json!({ "kind": "too_many_requests_seconds", "seconds": 1, "probability": 0.05 }),
            json!({ "kind": "too_many_requests_date", "seconds": 1, "probability": 0.05 }),
            json!({ "kind": "server_error", "probability": 0.05 }),
            json!({ "kind": "server_error", "applied": true, "probability": 0.05 }),
            json!({ "kind": "html503", "probability": 0.05 }),
            json!({ "kind": "reset_before", "probability": 0.05 }),
            json!({ "kind": "reset_after", "probability": 0.05 }),
            json!({ "kind": "slow", "ms": 1_500, "probability": 0.1 }),
            json!({ "kind": "truncated_json", "probability": 0.05 }),
            json!({ "kind": "silent_no_op", "endpoint": "bulk_update", "probability": 0.2 }),
            json!({ "kind": "partial_failure", "endpoint": "bulk_update", "percent": 20, "code": "AOR9999", "probability": 0.2 }),
            json!({ "kind": "wrong_totals", "endpoint": "orders_list", "probability": 0.3 }),
            json!({ "kind": "duplicate_rows", "endpoint": "orders_list", "probability": 0.3 }),
            json!({ "kind": "shuffled_included", "endpoint": "orders_list", "probability": 0.3 }),
            // A shop bears five sign-ins an hour.
            json!({ "kind": "revoked_token", "endpoint": "orders_list", "times": 1, "skip": 3 }),
        ];
        let mut chosen = Vec::new();
        for mut rule in all {
            rule["seed"] = random.u32(..).into();
            if random.u8(..100) < 60 {
                chosen.push(serde_json::from_value(rule)?);
            }
        }
        Ok(chosen)
    }

    /// Heals all shops.
    pub async fn heal(&self) -> Result<(), CliError> {
        for place in &self.places {
            self.simulator.clear_faults(place.id().as_str()).await?;
        }
        Ok(())
    }

    /// It is so many days later: a shop's allowances begin anew, here and there.
    pub async fn let_days_pass(&self, place: &Found, days: u32) -> Result<(), CliError> {
        const DAY: i64 = 24 * 60 * 60;
        place.tenant.remove_gate(place.id()).await?;
        self.simulator.set_clock(place.id().as_str(), DAY * i64::from(days)).await?;
        Ok(())
    }

    /// Whether nothing waits at any shop but what is not to be taken.
    pub async fn is_through(&self) -> Result<bool, CliError> {
        for place in &self.places {
            let waiting = self.simulator.orders(place.id().as_str(), Some("complete")).await?;
            let kept = place.tenant.not_imported(place.id()).await?;
            let is_kept = |id: u64| kept.iter().any(|order| order.summary.order_id == Some(id));
            if waiting.iter().any(|order| !is_kept(order.id)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn password(seed: u64) -> String {
    format!("{CANARY}-password-{seed}")
}

fn options() -> OrderOptions {
    OrderOptions { unknown_sku_percent: 1.0, multi_address_percent: 10.0, ..OrderOptions::default() }
}

/// Orders whose every field about a person says that it is one.
async fn plant(simulator: &Simulator, shop: &str) -> Result<(), CliError> {
    let mut orders = Vec::new();
    for n in 0..PLANTED {
        // The last one cannot be imported: what is said about that must not say more.
        let sku = if n + 1 == PLANTED { "NOT-OURS" } else { "SOAP-80" };
        let address = json!({
            "name01": format!("{CANARY}name"), "name02": format!("{CANARY}given"), "kana01": format!("{CANARY}kana"),
            "company": format!("{CANARY}company"), "addr01": format!("{CANARY}city"), "addr02": format!("{CANARY}street"),
            "addr03": format!("{CANARY}house"),
        });
        let order = json!({
            "payment_state": "authed", "email": format!("{CANARY}{n}@person.example"), "remark": format!("{CANARY} remark"),
            "memo01": format!("{CANARY} memo"), "shipping_addresses": [address], "billing_address": address,
            "order_items": [{ "variant_sku": sku, "quantity": 1 }],
        });
        if let serde_json::Value::Object(order) = order {
            orders.push(order);
        }
    }
    let new = NewOrders { options: Some(OrderOptions::plain()), orders, ..NewOrders::default() };
    simulator.add_orders(shop, &new).await?;
    Ok(())
}

fn document(tenant: &str, connections: &[serde_json::Value], setups: &[serde_json::Value]) -> String {
    let products = ["SERUM-30", "MASK-5", "SOAP-80", "LEAFLET-1"].map(|sku| json!({ "sku": sku, "name": sku }));
    // JSON is YAML.
    json!({
        "tenant": tenant,
        "ship_froms": [{ "id": "dc", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                         "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": "dc" }],
        "connections": connections,
        "shipping_methods": [{ "id": "yamato", "name": "ヤマト", "warehouse_code": "Y", "keywords": ["ヤマト"], "default": true }],
        "products": products,
        "processing_robots": { "enable": ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"] },
        "integration_robots": { "easy_setup": setups },
    })
    .to_string()
}
