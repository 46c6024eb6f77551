//! A warehouse of a merchant under test: its key, and its calls over HTTP to the deployed API.

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{PORT, World, renkei, root, run, stack};

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: String,
    /// The header `Allow`.
    pub allow: Option<String>,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The ids in one of its lists.
    #[must_use]
    pub fn ids(&self, list: &str) -> Vec<String> {
        let entries = self.json()[list].as_array().cloned().unwrap_or_default();
        entries.iter().map(|e| e.as_str().or(e["id"].as_str()).unwrap_or_default().to_owned()).collect()
    }

    /// The name of the problem that it tells, having checked that it is told as problems are.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn problem(&self) -> String {
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!(body["status"], json!(self.status), "{self:?}");
        assert!(body["title"].is_string() && body["detail"].is_string(), "{self:?}");
        let name = body["type"].as_str().and_then(|kind| kind.strip_prefix("urn:renkei:problem:"));
        name.unwrap_or_else(|| panic!("no type: {self:?}")).to_owned()
    }
}

/// The API with a key, or without one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Where it is.
    pub url: String,
    /// The key.
    pub key: Option<String>,
    http: reqwest::Client,
}

impl Caller {
    /// A caller with this key.
    ///
    /// # Panics
    /// If the stack has no warehouse API.
    #[must_use]
    pub fn new(key: Option<String>) -> Self {
        stack();
        let up = renkei(&["local", "status", "--json"], None);
        let lines = String::from_utf8_lossy(&up.stdout).into_owned();
        let url = lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["port"].as_u64().is_some_and(|port| PORT.parse() == Ok(port)))
            .and_then(|line| line["warehouse_url"].as_str().map(str::to_owned))
            .expect("a warehouse_url");
        let http = renkei_http::builder().no_proxy().build().expect("a client");
        Self { url, key, http }
    }

    /// The same with another key.
    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self.clone() }
    }

    /// Sends a body of any form.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn send(&self, method: &str, path: &str, body: Option<Vec<u8>>) -> Answer {
        self.send_as(None, method, path, body).await
    }

    async fn send_as(&self, idempotency: Option<&str>, method: &str, path: &str, body: Option<Vec<u8>>) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        let mut request = self.http.request(method, url);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(idempotency) = idempotency {
            request = request.header("idempotency-key", idempotency);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.expect("an answer");
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let (content_type, allow) = (header("content-type").unwrap_or_default(), header("allow"));
        let status = response.status().as_u16();
        Answer { status, content_type, allow, text: response.text().await.expect("a body") }
    }

    /// Gets.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Sends JSON.
    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, Some(body.to_string().into_bytes())).await
    }

    /// Claims.
    pub async fn claim(&self, ids: &[String]) -> Answer {
        self.json("POST", "/v1/shipments/claim", &json!({ "ids": ids })).await
    }

    /// Claims by a request that can be made again: it names itself.
    pub async fn claim_as(&self, idempotency: &str, ids: &[String]) -> Answer {
        let body = json!({ "ids": ids }).to_string().into_bytes();
        self.send_as(Some(idempotency), "POST", "/v1/shipments/claim", Some(body)).await
    }

    /// All shipments of a list, page by page.
    ///
    /// # Panics
    /// If a page is not answered.
    pub async fn all(&self, query: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/v1/shipments?{query}{cursor}")).await;
            assert_eq!(page.status, 200, "{page:?}");
            let page = page.json();
            all.extend(page["shipments"].as_array().expect("shipments").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}

impl World {
    /// The merchant's name, which is its shop's too.
    #[must_use]
    pub fn tenant_name(&self) -> &'static str {
        self.name
    }

    /// Gives the merchant a second ship-from, with a warehouse of its own.
    ///
    /// # Panics
    /// If the document is not taken.
    pub fn add_ship_from(&self, ship_from: &str, warehouse: &str) {
        let path = root().join("target").join(format!("{}.yaml", self.name));
        let text = std::fs::read_to_string(&path).expect("the document");
        let mut document: Value = serde_json::from_str(&text).expect("JSON");
        let mut other = document["ship_froms"][0].clone();
        other["id"] = json!(ship_from);
        other["warehouse"] = json!(warehouse);
        document["ship_froms"].as_array_mut().expect("a list").push(other);
        std::fs::write(&path, document.to_string()).expect("a file");
        let applied = run(&["apply", path.to_str().expect("a path")], None);
        assert_eq!(applied.code, 0, "{applied:?}");
    }

    /// A caller with a new key of one of the merchant's warehouses.
    ///
    /// # Panics
    /// If none is made.
    #[must_use]
    pub fn warehouse(&self, warehouse: &str) -> Caller {
        let made = run(&["warehouse-key", "create", warehouse, "--tenant", self.name, "--json"], None);
        assert_eq!(made.code, 0, "{made:?}");
        let line = &made.lines()[0];
        assert_eq!(line["warehouse"], json!(warehouse));
        Caller::new(line["key"].as_str().map(str::to_owned))
    }

    /// Changes a shipment's record as the other robots do, by an expression: for what they would do in between.
    ///
    /// # Panics
    /// If it is not changed.
    pub async fn change_record(&self, shipment: &str, expression: &str, values: Value) {
        let parts: Vec<&str> = shipment.split('.').collect();
        let (order, parcel): (&str, u16) = (parts[1], parts[2].parse().expect("a parcel"));
        let key =
            json!({ "pk": { "S": format!("S#{0}#{0}#{order}", self.name) }, "sk": { "S": format!("P#{parcel:05}") } });
        let mut values = values;
        values[":one"] = json!({ "N": "1" });
        let body = json!({
            "TableName": table("ShipmentsTable").await, "Key": key,
            "UpdateExpression": format!("{expression}, rev = rev + :one"),
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": { "#status": "status" },
            "ExpressionAttributeValues": values,
        });
        dynamodb("UpdateItem", &body).await;
    }

    /// What is kept of counts in a ship-from: SKU and quantity.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn counts(&self, ship_from: &str) -> Vec<(String, u32)> {
        let body = json!({
            "TableName": table("StockTable").await, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": format!("C#{}#{ship_from}", self.name) } },
        });
        let items = dynamodb("Query", &body).await["Items"].as_array().cloned().unwrap_or_default();
        let count = |item: &Value| {
            let quantity = item["quantity"]["N"].as_str().and_then(|n| n.parse().ok());
            (item["sku"]["S"].as_str().unwrap_or_default().to_owned(), quantity.expect("a quantity"))
        };
        items.iter().map(count).collect()
    }
}

/// A table's name, by the stack's outputs.
async fn table(output: &str) -> String {
    let form = "Action=DescribeStacks&Version=2010-05-15&StackName=renkei".to_owned();
    let answer = aws("cloudformation", "application/x-www-form-urlencoded", None, form).await;
    let (_, behind) = answer.split_once(&format!("<OutputKey>{output}</OutputKey>")).expect("an output");
    let (_, value) = behind.split_once("<OutputValue>").expect("its value");
    value.split_once('<').expect("its end").0.to_owned()
}

async fn dynamodb(operation: &str, body: &Value) -> Value {
    let target = format!("DynamoDB_20120810.{operation}");
    let answer = aws("dynamodb", "application/x-amz-json-1.0", Some(target), body.to_string()).await;
    serde_json::from_str(&answer).expect("JSON")
}

/// AWS on this machine takes requests without a signature.
async fn aws(service: &str, content_type: &str, target: Option<String>, body: String) -> String {
    let credential = format!("Credential=000000000000/20261124/ap-northeast-1/{service}/aws4_request");
    let mut request = renkei_http::builder()
        .no_proxy()
        .build()
        .expect("a client")
        .post(format!("http://127.0.0.1:{}/", *PORT))
        .header("content-type", content_type)
        .header("authorization", format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=none"))
        .body(body);
    if let Some(target) = target {
        request = request.header("x-amz-target", target);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("a body");
    assert!(status.is_success(), "{status} {text}");
    text
}

/// Runs one of the pinned tools' scripts with Python.
///
/// # Panics
/// If Python does not start.
#[must_use]
pub fn python(arguments: &[&str]) -> bool {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    Command::new(python).current_dir(root()).args(arguments).status().expect("Python").success()
}
