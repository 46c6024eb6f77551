//! The demo's shops: the simulator as a process of its own, so that they answer as long as the stack is up.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::local::{Detached, Progress, Project, StackPaths};

const PASSWORD: &str = "demo-password";

/// A merchant of the demo, with its shops.
pub struct Merchant {
    pub tenant: &'static str,
    shops: Vec<Shop>,
}

struct Shop {
    connection: &'static str,
    daily_call_limit: u32,
    working: &'static str,
    every: &'static str,
    pending_is_paid: bool,
    orders: u64,
    options: Value,
}

/// Two merchants, three shops, each set up differently.
pub fn merchants(orders: u64) -> Vec<Merchant> {
    let half = orders / 2;
    let quarter = orders / 4;
    vec![
        Merchant {
            tenant: "hanako",
            shops: vec![
                Shop {
                    connection: "hanako-cosme",
                    daily_call_limit: 10_000,
                    working: "working",
                    every: "15 minutes",
                    pending_is_paid: false,
                    orders: half,
                    options: json!({ "subscription_percent": 40, "unknown_sku_percent": 1 }),
                },
                Shop {
                    connection: "hanako-gift",
                    daily_call_limit: 2_000,
                    working: "packing",
                    every: "1 hour",
                    pending_is_paid: true,
                    orders: quarter,
                    options: json!({ "multi_address_percent": 20, "unknown_sku_percent": 3 }),
                },
            ],
        },
        Merchant {
            tenant: "taro",
            shops: vec![Shop {
                connection: "taro-soap",
                daily_call_limit: 300,
                working: "working",
                every: "30 minutes",
                pending_is_paid: false,
                orders: orders - half - quarter,
                options: json!({ "unpaid_percent": 30, "unknown_sku_percent": 0 }),
            }],
        },
    ]
}

/// What a shop's own books say.
#[derive(Debug, Deserialize)]
pub struct Ledger {
    pub calls: u64,
    pub overlapping: u64,
    pub min_interval_ms: Option<f64>,
}

/// The simulator, and what signs in to its shops.
pub struct Shops {
    http: reqwest::Client,
    control: String,
    /// By the names that the documents give them.
    pub passwords: BTreeMap<String, SecretString>,
}

impl Shops {
    /// Starts the simulator beside a stack; it ends with the stack.
    pub async fn start(project: &Project, paths: &StackPaths, port: u16, progress: Progress) -> Result<Self, CliError> {
        let step = progress.step("Opening shops");
        let control_port = port + 5_000;
        let mut command = Command::new(project.root.join("target/debug/renkei-simulator"));
        command.args(["serve", "--control-port", &control_port.to_string()]);
        Detached::start(command, &paths.simulator_log(), &paths.simulator_record(), "Is the checkout built?")?;
        let shops = Self {
            http: reqwest::Client::new(),
            control: format!("http://127.0.0.1:{control_port}"),
            passwords: BTreeMap::new(),
        };
        let began = Instant::now();
        while shops.get("/shops").await.is_err() {
            if began.elapsed() > Duration::from_secs(20) {
                return Err(CliError::said(format!(
                    "the simulated shops do not answer on port {control_port}; see {}",
                    project.short(&paths.simulator_log())
                )));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        step.done();
        Ok(shops)
    }

    /// Opens a merchant's shops, and gives the document that sets the merchant up.
    pub async fn open(&mut self, merchant: &Merchant) -> Result<String, CliError> {
        let mut connections = Vec::new();
        let mut setups = Vec::new();
        for (place, shop) in merchant.shops.iter().enumerate() {
            let body = json!({
                "name": shop.connection,
                "port": 0,
                "email": "renkei@service.example",
                "password": PASSWORD,
                "daily_call_limit": shop.daily_call_limit,
                "seed": 2026 + place,
                "orders": shop.orders,
                "order_options": shop.options,
                "states": { "working": shop.working },
            });
            let made = self.http.post(format!("{}/shops", self.control)).json(&body).send().await.map_err(said)?;
            let made: Value = made.error_for_status().map_err(said)?.json().await.map_err(said)?;
            let variable = format!("{}_PASSWORD", shop.connection.replace('-', "_").to_uppercase());
            self.passwords.insert(variable.clone(), PASSWORD.into());
            connections.push(json!({
                "id": shop.connection,
                "api": "ecforce",
                "api_url": made["url"],
                "ship_from": "main-warehouse",
                "password": { "env": variable },
                "stock_location_code": "default",
                "daily_call_limit": shop.daily_call_limit,
                // Real shops want a second between calls; these bear more.
                "call_interval_ms": 200,
                "states": { "working": shop.working },
                "payment_states": if shop.pending_is_paid { json!({ "paid": ["pending"] }) } else { json!({}) },
            }));
            setups.push(json!({ "connection": shop.connection, "every": shop.every }));
        }
        let ids: Vec<&str> = merchant.shops.iter().map(|shop| shop.connection).collect();
        let carrier = |id: u64| ids.iter().map(|shop| ((*shop).to_owned(), id)).collect::<BTreeMap<_, _>>();
        let document = json!({
            "tenant": merchant.tenant,
            "ship_froms": [{
                "id": "main-warehouse", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                "address": "江東区見本町1-1", "phone": "03-0000-0000", "warehouse": format!("{}-warehouse", merchant.tenant),
            }],
            "connections": connections,
            "shipping_methods": [
                { "id": "nekopos", "name": "ネコポス", "warehouse_code": "NEKOPOS", "keywords": ["ネコポス"], "carrier_ids": carrier(6) },
                { "id": "yamato", "name": "ヤマト宅急便", "warehouse_code": "YAMATO", "keywords": ["ヤマト運輸", "宅急便"],
                  "carrier_ids": carrier(1), "default": true },
            ],
            "products": [
                { "sku": "SERUM-30", "name": "美容液 30ml" },
                { "sku": "MASK-5", "name": "シートマスク 5枚" },
                { "sku": "SOAP-80", "name": "石けん 80g" },
                { "sku": "LEAFLET-1", "name": "はじめての方へ（冊子）", "not_for_sale": true },
            ],
            "processing_robots": {
                "enable": ["payment-check", "hold-unpaid", "require-product", "reject-duplicate", "ecforce-release"],
                "custom": [
                    { "id": "first-subscription-leaflet", "name": "定期初回に冊子を同梱",
                      "when": { "all": [ { "field": "order.kind", "equals": "定期受注" }, { "field": "order.times", "equals": 1 } ] },
                      "do": [ { "add_item": { "sku": "LEAFLET-1", "quantity": 1 } } ] },
                    { "id": "remark-to-hold", "name": "備考に「至急」があれば保留",
                      "when": { "field": "order.remark", "contains": "至急" }, "do": [ { "hold": "remark" } ] },
                ],
            },
            "integration_robots": { "easy_setup": setups },
        });
        let settings = serde_json::from_value(document)?;
        Ok(renkei_domain::document::write(&settings))
    }

    /// What a shop's books say of the calls made to it.
    pub async fn ledger(&self, shop: &str) -> Result<Ledger, CliError> {
        Ok(serde_json::from_value(self.get(&format!("/shops/{shop}/ledger?summary=true")).await?)?)
    }

    /// How many orders a shop has in each state.
    pub async fn states(&self, shop: &str) -> Result<BTreeMap<String, u64>, CliError> {
        let shop = self.get(&format!("/shops/{shop}")).await?;
        Ok(serde_json::from_value(shop["by_state"].clone())?)
    }

    async fn get(&self, path: &str) -> Result<Value, CliError> {
        let answer = self.http.get(format!("{}{path}", self.control)).send().await.map_err(said)?;
        answer.error_for_status().map_err(said)?.json().await.map_err(said)
    }
}

fn said(error: reqwest::Error) -> CliError {
    CliError::said(format!("the simulated shops: {error}"))
}
