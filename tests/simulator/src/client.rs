//! The control API from Rust, typed: for a simulator in this process as for one in another.

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::api::{
    AddedOrder, FaultRule, LedgerEntry, LedgerSummary, NewOrders, OrderBrief, OrderOptions, OrderTruth, ShopSpec,
    ShopStatus, StockTruth,
};

/// Talks to a simulator's control API.
#[derive(Debug, Clone)]
pub struct ControlClient {
    url: String,
    http: reqwest::Client,
}

/// Why the control API did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The simulator was not reached, or did not answer in its own terms.
    #[error("the simulator cannot be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// The simulator refused.
    #[error("the simulator refused ({status}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its own words.
        message: String,
    },
}

impl ControlClient {
    /// A client for the control API at this URL, such as `http://127.0.0.1:9100`.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let http = renkei_http::builder().no_proxy().build()?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), http })
    }

    /// The control API's URL.
    #[must_use]
    pub fn control_url(&self) -> &str {
        &self.url
    }

    /// Opens a shop.
    pub async fn add_shop(&self, spec: &ShopSpec) -> Result<ShopStatus, ClientError> {
        self.read(Method::POST, "/shops".to_owned(), Some(spec)).await
    }

    /// Closes a shop.
    pub async fn remove_shop(&self, shop: &str) -> Result<(), ClientError> {
        self.tell(Method::DELETE, format!("/shops/{shop}"), None::<&()>).await
    }

    /// All shops.
    pub async fn shops(&self) -> Result<Vec<ShopStatus>, ClientError> {
        self.read(Method::GET, "/shops".to_owned(), None::<&()>).await
    }

    /// A shop as it stands.
    pub async fn shop(&self, shop: &str) -> Result<ShopStatus, ClientError> {
        self.read(Method::GET, format!("/shops/{shop}"), None::<&()>).await
    }

    /// Places orders.
    pub async fn add_orders(&self, shop: &str, new: &NewOrders) -> Result<Vec<AddedOrder>, ClientError> {
        self.read(Method::POST, format!("/shops/{shop}/orders"), Some(new)).await
    }

    /// Places so many generated orders.
    pub async fn generate_orders(
        &self,
        shop: &str,
        count: u64,
        options: OrderOptions,
    ) -> Result<Vec<AddedOrder>, ClientError> {
        let new = NewOrders { generate: count, options: Some(options), ..NewOrders::default() };
        self.add_orders(shop, &new).await
    }

    /// Places one plain order with these attributes laid over it.
    ///
    /// # Panics
    /// When `attributes` is no JSON object.
    pub async fn add_order(&self, shop: &str, attributes: Value) -> Result<AddedOrder, ClientError> {
        let Value::Object(attributes) = attributes else { panic!("an order's attributes are a JSON object") };
        let new = NewOrders { options: Some(OrderOptions::plain()), orders: vec![attributes], ..NewOrders::default() };
        let mut added = self.add_orders(shop, &new).await?;
        added.pop().ok_or_else(|| ClientError::Refused { status: 201, message: "nothing was placed".to_owned() })
    }

    /// Changes an order as the shop's staff would.
    pub async fn change_order(
        &self,
        shop: &str,
        id: u64,
        attributes: &Map<String, Value>,
    ) -> Result<OrderTruth, ClientError> {
        self.read(Method::PATCH, format!("/shops/{shop}/orders/{id}"), Some(attributes)).await
    }

    /// Everything about an order.
    pub async fn order(&self, shop: &str, id: u64) -> Result<OrderTruth, ClientError> {
        self.read(Method::GET, format!("/shops/{shop}/orders/{id}"), None::<&()>).await
    }

    /// Orders in short, perhaps of one state only.
    pub async fn orders(&self, shop: &str, state: Option<&str>) -> Result<Vec<OrderBrief>, ClientError> {
        let query = state.map(|state| format!("?state={state}")).unwrap_or_default();
        self.read(Method::GET, format!("/shops/{shop}/orders{query}"), None::<&()>).await
    }

    /// Stock as it stands.
    pub async fn stock(&self, shop: &str) -> Result<Vec<StockTruth>, ClientError> {
        self.read(Method::GET, format!("/shops/{shop}/stock"), None::<&()>).await
    }

    /// Every call that the shop saw.
    pub async fn ledger(&self, shop: &str) -> Result<Vec<LedgerEntry>, ClientError> {
        self.read(Method::GET, format!("/shops/{shop}/ledger"), None::<&()>).await
    }

    /// The ledger as JSON lines.
    pub async fn ledger_lines(&self, shop: &str) -> Result<String, ClientError> {
        let response = self.send(Method::GET, format!("/shops/{shop}/ledger?format=jsonl"), None::<&()>).await?;
        Ok(response.text().await?)
    }

    /// The ledger in figures.
    pub async fn ledger_summary(&self, shop: &str) -> Result<LedgerSummary, ClientError> {
        self.read(Method::GET, format!("/shops/{shop}/ledger?summary=true"), None::<&()>).await
    }

    /// Empties the ledger.
    pub async fn clear_ledger(&self, shop: &str) -> Result<(), ClientError> {
        self.tell(Method::DELETE, format!("/shops/{shop}/ledger"), None::<&()>).await
    }

    /// Replaces the shop's fault rules.
    pub async fn set_faults(&self, shop: &str, rules: &[FaultRule]) -> Result<(), ClientError> {
        self.tell(Method::PUT, format!("/shops/{shop}/faults"), Some(rules)).await
    }

    /// Heals the shop.
    pub async fn clear_faults(&self, shop: &str) -> Result<(), ClientError> {
        self.tell(Method::DELETE, format!("/shops/{shop}/faults"), None::<&()>).await
    }

    /// Moves the shop's clock so many seconds ahead of the real one.
    pub async fn set_clock(&self, shop: &str, offset_seconds: i64) -> Result<(), ClientError> {
        let body = json!({"offset_seconds": offset_seconds});
        self.tell(Method::POST, format!("/shops/{shop}/clock"), Some(&body)).await
    }

    /// Gives the shop's allowance of the day back.
    pub async fn reset_quota(&self, shop: &str) -> Result<(), ClientError> {
        self.tell(Method::POST, format!("/shops/{shop}/reset_quota"), None::<&()>).await
    }

    /// A day has passed at the shop, for what is allowed in a day or in an hour; its clock stays.
    pub async fn begin_anew(&self, shop: &str) -> Result<(), ClientError> {
        self.tell(Method::POST, format!("/shops/{shop}/begin_anew"), None::<&()>).await
    }

    /// Spends calls of the day as another system of the merchant would.
    pub async fn spend_quota(&self, shop: &str, calls: u64) -> Result<(), ClientError> {
        let body = json!({"calls": calls});
        self.tell(Method::POST, format!("/shops/{shop}/spend_quota"), Some(&body)).await
    }

    /// Makes all tokens of the shop invalid, perhaps with a new ready-made one.
    pub async fn replace_tokens(&self, shop: &str, ready_made: Option<&str>) -> Result<(), ClientError> {
        let body = json!({"token": ready_made});
        self.tell(Method::POST, format!("/shops/{shop}/token"), Some(&body)).await
    }

    async fn send(
        &self,
        method: Method,
        path: String,
        body: Option<&(impl Serialize + ?Sized)>,
    ) -> Result<reqwest::Response, ClientError> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        Err(ClientError::Refused { status, message: response.text().await.unwrap_or_default() })
    }

    async fn read<T: DeserializeOwned>(
        &self,
        method: Method,
        path: String,
        body: Option<&(impl Serialize + ?Sized)>,
    ) -> Result<T, ClientError> {
        Ok(self.send(method, path, body).await?.json().await?)
    }

    async fn tell(
        &self,
        method: Method,
        path: String,
        body: Option<&(impl Serialize + ?Sized)>,
    ) -> Result<(), ClientError> {
        self.send(method, path, body).await.map(drop)
    }
}
