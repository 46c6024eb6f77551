//! A caller of the simulated shop that knows nothing but HTTP.
#![allow(dead_code, missing_docs, reason = "each test program uses a part of it")]

use renkei_simulator::Simulator;
use renkei_simulator::api::{Hidden, OrderOptions, ShopSpec};
use reqwest::{Method, Response};
use serde_json::{Value, json};

pub const SHOP: &str = "hanako";
pub const ALL: &str = "include=customer,billing_address,shipping_address,shipping_addresses,order_items";

/// A shop of plain orders with a ready-made token.
pub fn spec(orders: u64) -> ShopSpec {
    ShopSpec {
        name: SHOP.to_owned(),
        token: Some(Hidden::from("ready-made")),
        daily_call_limit: 100_000,
        orders,
        order_options: OrderOptions::plain(),
        ..ShopSpec::default()
    }
}

pub struct Shop {
    pub simulator: Simulator,
    pub url: String,
    pub http: reqwest::Client,
    pub token: String,
}

impl Shop {
    pub async fn open(spec: ShopSpec) -> Self {
        let (simulator, shop) = Simulator::with_shop(&spec).await.unwrap();
        let http = renkei_http::builder().no_proxy().build().unwrap();
        Self { simulator, url: shop.url, http, token: "ready-made".to_owned() }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/api/v2/{path}", self.url))
            .header("Accept", "application/json")
            .header("Authorization", format!("Token token=\"{}\"", self.token))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// A page of orders, which must be answered with 200.
    pub async fn page(&self, query: &str) -> Value {
        let (status, document) = self.get(&format!("admin/orders.json?{query}")).await;
        assert_eq!(status, 200, "{document}");
        document
    }

    pub async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        read(self.request(Method::PUT, path).json(body).send().await.unwrap()).await
    }

    pub async fn move_to(&self, ids: &[u64], state: &str) -> (u16, Value) {
        let orders: Vec<Value> = ids.iter().map(|id| json!({"id": id, "state": state})).collect();
        self.put("admin/orders/bulk_update.json", &json!({"orders": orders})).await
    }

    pub async fn sign_in(&self, password: &str) -> (u16, Value) {
        let body = json!({"admin": {"email": "robot@renkei.example", "password": password}});
        read(self.request(Method::POST, "admins/sign_in.json").json(&body).send().await.unwrap()).await
    }

    pub async fn state_of(&self, id: u64) -> String {
        self.simulator.order(SHOP, id).await.unwrap().brief.state
    }
}

/// Status and body; a body that is no JSON comes as text.
pub async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The ids of a document's rows.
pub fn ids(document: &Value) -> Vec<u64> {
    document["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect()
}
