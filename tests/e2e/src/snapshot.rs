//! What a release leaves behind when another is deployed over it: tables, messages in flight, schedules, secrets, and how
//! its shops stand. Recorded from a running stack, and laid into another one as if that had been its own.
//!
//! Everything in it is made up. Only what cannot be the same is changed when it is laid down: where the shops are now, and
//! the day, for time has passed since.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use renkei_simulator::Simulator;
use renkei_simulator::api::{NewOrders, OrderOptions, ShopSpec, ShopStatus};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{Aws, PASSWORD};

/// The stack's tables, by words of their names.
const TABLES: [&str; 5] = ["Gate", "Robots", "Runs", "Shipments", "Stock"];
/// The functions that take from a queue of the same name.
pub const QUEUES: [&str; 5] = ["fetch-orders", "import-orders", "push-statuses", "sync-payments", "sync-inventory"];
/// What of an order is laid down again; everything else is as the shop generates it.
const ATTRIBUTES: [&str; 25] = [
    "id",
    "number",
    "state",
    "payment_state",
    "payment_method_name",
    "remark",
    "shipping_carrier_id",
    "shipping_slip",
    "created_at",
    "updated_at",
    "completed_at",
    "shipped_at",
    "payment_paid_at",
    "payment_voided_at",
    "deliv_fee",
    "charge",
    "adjustment",
    "discount",
    "discount_with_point",
    "tax8",
    "tax10",
    "point",
    "scheduled_to_be_shipped_at",
    "scheduled_to_be_delivered_at",
    "scheduled_delivery_time",
];

/// The label of the version of a secret that holds a session.
const SESSION: &str = "RENKEI_SESSION";
/// When something was due.
const PAST: &str = "at(2026-01-01T00:00:00)";

/// A release's state.
#[derive(Debug, Clone)]
pub struct Snapshot(pub Value);

impl Snapshot {
    /// Records what the stack has now. Functions should not be at work: what they do meanwhile is not seen whole.
    ///
    /// # Panics
    /// If AWS or a shop does not answer.
    pub async fn record(aws: &Aws, shops: &[(&Simulator, &ShopStatus)]) -> Self {
        let mut tables = Map::new();
        for (full, item) in aws.everything().await {
            if let Some(short) = TABLES.into_iter().find(|short| full.contains(short)) {
                tables.entry(short).or_insert_with(|| json!([])).as_array_mut().expect("a list").push(item);
            }
        }
        let mut queues = Map::new();
        for queue in QUEUES {
            queues.insert(queue.to_owned(), Value::Array(aws.waiting(queue).await));
        }
        let mut stored_shops = Map::new();
        for (simulator, shop) in shops {
            let mut orders = Vec::new();
            for brief in simulator.orders(&shop.name, None).await.expect("orders") {
                orders.push(json!(simulator.order(&shop.name, brief.id).await.expect("an order")));
            }
            let orders: Vec<Value> = orders.iter().map(laid_down).collect();
            stored_shops.insert(
                shop.name.clone(),
                json!({ "url": shop.url, "daily_call_limit": shop.daily_call_limit, "orders": orders }),
            );
        }
        Self(json!({
            "release": env!("CARGO_PKG_VERSION"),
            "tables": tables,
            "queues": queues,
            "schedules": aws.schedules().await,
            "secrets": aws.secrets().await,
            "shops": stored_shops,
        }))
    }

    /// Takes over the stack that it was recorded from, over which another release has been deployed since: only its shops have
    /// moved, which ends their sessions, and a night has passed. Gives the shops by their names.
    ///
    /// # Panics
    /// If AWS does not take it.
    pub async fn take_over(&self, aws: &Aws) -> (Simulator, BTreeMap<String, ShopStatus>) {
        let (simulator, shops, moved) = self.open_shops().await;
        for secret in self.0["secrets"].as_array().expect("secrets") {
            aws.end_session(&secret["Name"]).await;
            let after = for_moved_shops(secret, &moved);
            if after != *secret {
                let put = json!({ "SecretId": after["Name"], "SecretString": after["SecretString"] });
                aws.call("secretsmanager", "secretsmanager.PutSecretValue", put).await;
            }
        }
        for (table, item) in aws.everything().await {
            let after = later(&item, &moved);
            if after != item {
                aws.call("dynamodb", "DynamoDB_20120810.PutItem", json!({ "TableName": table, "Item": after })).await;
            }
        }
        for mut schedule in aws.schedules().await {
            let name = schedule["Name"].as_str().expect("a name").to_owned();
            if name.starts_with("wake-") {
                schedule["ScheduleExpression"] = PAST.into();
                aws.rest("scheduler", Method::PUT, &format!("/schedules/{name}"), Some(schedule)).await;
            }
        }
        for queue in QUEUES {
            aws.set_taking(queue, true).await;
        }
        (simulator, shops)
    }

    async fn open_shops(&self) -> (Simulator, BTreeMap<String, ShopStatus>, Vec<(String, String)>) {
        let simulator = Simulator::start(0).await.expect("a simulator");
        let mut shops = BTreeMap::new();
        let mut moved = Vec::new();
        for (name, shop) in self.0["shops"].as_object().expect("shops") {
            let opened = open(&simulator, name, shop).await;
            moved.push((shop["url"].as_str().expect("a URL").to_owned(), opened.url.clone()));
            shops.insert(name.clone(), opened);
        }
        (simulator, shops, moved)
    }

    /// Lays it into a stack that is empty, with its shops open at new addresses, and gives them by their names. Functions take
    /// nothing until this is done.
    ///
    /// # Panics
    /// If AWS does not take it.
    pub async fn lay_down(&self, aws: &Aws) -> (Simulator, BTreeMap<String, ShopStatus>) {
        let (simulator, shops, moved) = self.open_shops().await;
        for queue in QUEUES {
            aws.set_taking(queue, false).await;
        }
        for secret in self.0["secrets"].as_array().expect("secrets") {
            let secret = for_moved_shops(secret, &moved);
            aws.call("secretsmanager", "secretsmanager.CreateSecret", secret).await;
        }
        for (short, items) in self.0["tables"].as_object().expect("tables") {
            let table = aws.table(short).await;
            for item in items.as_array().expect("items") {
                let item = later(item, &moved);
                aws.call("dynamodb", "DynamoDB_20120810.PutItem", json!({ "TableName": table, "Item": item })).await;
            }
        }
        for schedule in self.0["schedules"].as_array().expect("schedules") {
            let name = schedule["Name"].as_str().expect("a name");
            let mut schedule = schedule.clone();
            // What was to be woken after the night is due now.
            if name.starts_with("wake-") {
                schedule["ScheduleExpression"] = PAST.into();
            }
            aws.rest("scheduler", Method::POST, &format!("/schedules/{name}"), Some(schedule)).await;
        }
        for (queue, messages) in self.0["queues"].as_object().expect("queues") {
            for message in messages.as_array().expect("messages") {
                let text = |name: &str| message[name].as_str().expect("a text").to_owned();
                aws.send(queue, &read_lately(&text("body")), &text("group")).await;
            }
        }
        for queue in QUEUES {
            aws.set_taking(queue, true).await;
        }
        (simulator, shops)
    }
}

async fn open(simulator: &Simulator, name: &str, shop: &Value) -> ShopStatus {
    let spec = ShopSpec {
        name: name.to_owned(),
        email: "renkei@service.example".to_owned(),
        password: PASSWORD.into(),
        daily_call_limit: shop["daily_call_limit"].as_u64().expect("a limit"),
        ..ShopSpec::default()
    };
    let opened = simulator.add_shop(&spec).await.expect("a shop");
    let orders = shop["orders"].as_array().expect("orders").iter();
    let new = NewOrders {
        options: Some(OrderOptions::plain()),
        orders: orders.map(placed_again).collect(),
        ..NewOrders::default()
    };
    simulator.add_orders(name, &new).await.expect("its orders");
    opened
}

fn placed_again(order: &Value) -> Map<String, Value> {
    let mut order = order.as_object().expect("an order").clone();
    for address in order["shipping_addresses"].as_array_mut().expect("addresses") {
        // What is not said is as the shop generates it, and some of its people have a company, or notes.
        for silent in ["company_name", "shipping_address_note"] {
            address.as_object_mut().expect("an address").entry(silent).or_insert(Value::Null);
        }
    }
    order
}

/// An order as the snapshot keeps it.
fn laid_down(order: &Value) -> Value {
    let attributes = order["attributes"].as_object().expect("attributes");
    let mut again: Map<String, Value> = ATTRIBUTES
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), attributes.get(name)?.clone())))
        .filter(|(_, value)| !value.is_null())
        .collect();
    for name in ["id", "number", "state", "payment_state"] {
        again.insert(name.to_owned(), order[name].clone());
    }
    let addresses = order["shipping_addresses"].as_array().expect("addresses").iter().map(|address| {
        let mut attributes = address["attributes"].as_object().expect("attributes").clone();
        attributes.retain(|name, value| {
            let part = ["name", "kana", "zip", "addr", "tel"].iter().any(|part| name.starts_with(part));
            (part || matches!(name.as_str(), "prefecture_id" | "prefecture_name" | "company_name")) && !value.is_null()
        });
        attributes.insert("id".to_owned(), address["id"].clone());
        Value::Object(attributes)
    });
    again.insert("shipping_addresses".to_owned(), addresses.collect());
    let lines = order["order_items"].as_array().expect("lines").iter();
    let line = |line: &Value| json!({ "variant_sku": line["variant_sku"], "quantity": line["quantity"] });
    again.insert("order_items".to_owned(), lines.map(line).collect());
    Value::Object(again)
}

/// A message as if its order had been read a moment ago: what was read before the night is read anew, and not imported.
fn read_lately(body: &str) -> String {
    let mut message: Value = serde_json::from_str(body).expect("a message");
    if let Some(read) = message.get_mut("fetched_at") {
        *read = jiff::Timestamp::now().to_string().into();
    }
    message.to_string()
}

/// A text that names shops, with their addresses of now.
fn after_moving(text: &str, moved: &[(String, String)]) -> String {
    // An address is stored in its normal form, which may end otherwise.
    let replaced = |text: String, (from, to): &(String, String)| {
        text.replace(from.trim_end_matches('/'), to.trim_end_matches('/'))
    };
    moved.iter().fold(text.to_owned(), replaced)
}

/// A merchant's credentials, which name the address that they are for; an early release's name none.
fn for_moved_shops(secret: &Value, moved: &[(String, String)]) -> Value {
    let text = secret["SecretString"].as_str().expect("a secret");
    json!({ "Name": secret["Name"], "SecretString": after_moving(text, moved) })
}

/// An item after a night: the shops have moved, the day's calls are given back, and nothing has become too old to be kept.
fn later(item: &Value, moved: &[(String, String)]) -> Value {
    let mut item = item.clone();
    for value in item.as_object_mut().expect("an item").values_mut() {
        if let Some(packed) = value["B"].as_str() {
            let mut text = String::new();
            let packed = STANDARD.decode(packed).expect("base64");
            DeflateDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("a packed text");
            let mut packer = DeflateEncoder::new(Vec::new(), Compression::new(6));
            packer.write_all(after_moving(&text, moved).as_bytes()).expect("packed");
            value["B"] = STANDARD.encode(packer.finish().expect("packed")).into();
        }
    }
    if item["sk"]["S"] == "gate" {
        item["day"] = json!({ "S": "2026-01-01" });
        item.as_object_mut().expect("an item").remove("closed");
    }
    if item.get("expires_at").is_some() {
        let kept = jiff::Timestamp::now().as_second() + 90 * 24 * 3600;
        item["expires_at"] = json!({ "N": kept.to_string() });
    }
    item
}

impl Aws {
    /// The messages that wait on a queue; they go on waiting.
    async fn waiting(&self, queue: &str) -> Vec<Value> {
        let mut taken = Vec::new();
        loop {
            let asked = json!({ "QueueUrl": self.queue(queue), "MaxNumberOfMessages": 10, "VisibilityTimeout": 30,
                                "MessageSystemAttributeNames": ["MessageGroupId"] });
            let answer = self.call("sqs", "AmazonSQS.ReceiveMessage", asked).await;
            match answer["Messages"].as_array() {
                Some(messages) if !messages.is_empty() => taken.extend(messages.clone()),
                _ => break,
            }
        }
        let mut found = Vec::new();
        for message in &taken {
            found.push(json!({ "body": message["Body"], "group": message["Attributes"]["MessageGroupId"] }));
            let back = json!({ "QueueUrl": self.queue(queue), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0 });
            self.call("sqs", "AmazonSQS.ChangeMessageVisibility", back).await;
        }
        found
    }

    /// The schedules of the stack, whole.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn schedules(&self) -> Vec<Value> {
        let mut found = Vec::new();
        let mut from = String::new();
        loop {
            let page = format!("/schedules?ScheduleGroup=renkei{from}");
            let listed = self.rest("scheduler", Method::GET, &page, None).await;
            for schedule in listed["Schedules"].as_array().expect("schedules") {
                let name = schedule["Name"].as_str().expect("a name");
                if name.starts_with("robot-") || name.starts_with("wake-") {
                    let path = format!("/schedules/{name}?groupName=renkei");
                    let mut whole = self.rest("scheduler", Method::GET, &path, None).await;
                    for dated in ["Arn", "CreationDate", "LastModificationDate"] {
                        whole.as_object_mut().expect("a schedule").remove(dated);
                    }
                    found.push(whole);
                }
            }
            match listed["NextToken"].as_str() {
                Some(next) => from = format!("&NextToken={next}"),
                None => return found,
            }
        }
    }

    /// Ends the session that is kept beside a merchant's credentials, if there is one.
    async fn end_session(&self, secret: &Value) {
        let asked = json!({ "SecretId": secret });
        let described = self.call("secretsmanager", "secretsmanager.DescribeSecret", asked).await;
        for (version, labels) in described["VersionIdsToStages"].as_object().into_iter().flatten() {
            if labels.as_array().is_some_and(|labels| labels.contains(&json!(SESSION))) {
                let ended = json!({ "SecretId": secret, "VersionStage": SESSION, "RemoveFromVersionId": version });
                self.call("secretsmanager", "secretsmanager.UpdateSecretVersionStage", ended).await;
            }
        }
    }

    /// The merchants' credentials, which are made up, without sessions: those end with the shop that gave them.
    async fn secrets(&self) -> Vec<Value> {
        let listed = self.call("secretsmanager", "secretsmanager.ListSecrets", json!({})).await;
        let mut found = Vec::new();
        for secret in listed["SecretList"].as_array().expect("secrets") {
            let asked = json!({ "SecretId": secret["Name"], "VersionStage": "AWSCURRENT" });
            let value = self.call("secretsmanager", "secretsmanager.GetSecretValue", asked).await;
            if value["SecretString"].as_str().is_some_and(|text| text.contains(PASSWORD)) {
                found.push(json!({ "Name": secret["Name"], "SecretString": value["SecretString"] }));
            }
        }
        found
    }
}
