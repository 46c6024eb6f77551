//! The stack's AWS from beside the functions: what a test does to queues, mappings, schedules and items that an operator
//! would do at AWS's own console. It speaks the services' protocols bare: the stack of the tests checks no signature.

use serde_json::{Value, json};

/// A way to the stack's AWS.
pub struct Aws {
    endpoint: String,
    http: reqwest::Client,
}

/// Its account, as `renkei local up` makes it.
const ACCOUNT: &str = "000000000000";

impl Aws {
    /// To the AWS at this port of this machine.
    ///
    /// # Panics
    /// If there can be no client.
    #[must_use]
    pub fn new(port: &str) -> Self {
        let http = renkei_http::builder().no_proxy().build().expect("an HTTP client");
        Self { endpoint: format!("http://127.0.0.1:{port}"), http }
    }

    /// One operation of a service that speaks JSON, such as `AmazonSQS.SendMessage`.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn call(&self, service: &str, target: &str, body: Value) -> Value {
        let request = self
            .http
            .post(&self.endpoint)
            .header("authorization", authorization(service))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .body(body.to_string());
        answer(target, request).await
    }

    /// One request to a service that speaks REST.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn rest(&self, service: &str, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let request = self
            .http
            .request(method, format!("{}{path}", self.endpoint))
            .header("authorization", authorization(service))
            .header("content-type", "application/json");
        let request = match body {
            Some(body) => request.body(body.to_string()),
            None => request,
        };
        answer(path, request).await
    }

    /// One operation of a service that speaks forms, such as SNS. Gives its answer as text.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn form(&self, service: &str, fields: &[(&str, &str)]) -> String {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .http
            .post(&self.endpoint)
            .header("authorization", authorization(service))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let answer = request.send().await.expect("the stack's AWS answers");
        let status = answer.status();
        let text = answer.text().await.expect("an answer");
        assert!(status.is_success(), "{fields:?}: {status} {text}");
        text
    }

    /// All items of all tables, each with its table's name.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn everything(&self) -> Vec<(String, Value)> {
        let tables = self.call("dynamodb", "DynamoDB_20120810.ListTables", json!({})).await;
        let mut found = Vec::new();
        for table in tables["TableNames"].as_array().expect("tables").iter().filter_map(Value::as_str) {
            let mut from = Value::Null;
            loop {
                let mut asked = json!({ "TableName": table, "ConsistentRead": true });
                if !from.is_null() {
                    asked["ExclusiveStartKey"] = from;
                }
                let mut page = self.call("dynamodb", "DynamoDB_20120810.Scan", asked).await;
                let items = page["Items"].as_array_mut().map(std::mem::take).unwrap_or_default();
                found.extend(items.into_iter().map(|item| (table.to_owned(), item)));
                from = page["LastEvaluatedKey"].take();
                if from.is_null() {
                    break;
                }
            }
        }
        found
    }

    /// Every line that functions have logged.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn log_lines(&self) -> Vec<String> {
        let groups = self.call("logs", "Logs_20140328.DescribeLogGroups", json!({})).await;
        let mut lines = Vec::new();
        for group in groups["logGroups"].as_array().into_iter().flatten() {
            let mut from = Value::Null;
            loop {
                let mut asked = json!({ "logGroupName": group["logGroupName"] });
                if !from.is_null() {
                    asked["nextToken"] = from;
                }
                let mut page = self.call("logs", "Logs_20140328.FilterLogEvents", asked).await;
                let events = page["events"].as_array().into_iter().flatten();
                lines.extend(events.filter_map(|event| event["message"].as_str()).map(str::to_owned));
                from = page["nextToken"].take();
                if from.is_null() {
                    break;
                }
            }
        }
        lines
    }

    /// Forgets what a function has logged: errors that a test had it make are nobody else's.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn forget_logs(&self, group: &str) {
        let asked = json!({ "logGroupName": group });
        let streams = self.call("logs", "Logs_20140328.DescribeLogStreams", asked).await;
        for stream in streams["logStreams"].as_array().into_iter().flatten() {
            let which = json!({ "logGroupName": group, "logStreamName": stream["logStreamName"] });
            self.call("logs", "Logs_20140328.DeleteLogStream", which).await;
        }
    }

    /// A queue's URL.
    #[must_use]
    pub fn queue(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/renkei-{name}", self.endpoint)
    }

    /// The full name of one of the stack's tables, such as `Gate`.
    ///
    /// # Panics
    /// If there is none.
    pub async fn table(&self, part: &str) -> String {
        let answer = self.call("dynamodb", "DynamoDB_20120810.ListTables", json!({})).await;
        let names = answer["TableNames"].as_array().expect("tables").iter().filter_map(Value::as_str);
        names.into_iter().find(|name| name.contains(part)).expect("a table of this name").to_owned()
    }

    /// Puts a message onto a queue.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn send(&self, queue: &str, body: &str, group: &str) {
        let message = json!({ "QueueUrl": self.queue(queue), "MessageBody": body, "MessageGroupId": group });
        self.call("sqs", "AmazonSQS.SendMessage", message).await;
    }

    /// How many messages a queue has: waiting, in hand, and to come.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn messages(&self, queue: &str) -> u64 {
        let asked = json!({ "QueueUrl": self.queue(queue), "AttributeNames": ["All"] });
        let answer = self.call("sqs", "AmazonSQS.GetQueueAttributes", asked).await;
        let count = |name: &str| answer["Attributes"][name].as_str().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        count("ApproximateNumberOfMessages")
            + count("ApproximateNumberOfMessagesNotVisible")
            + count("ApproximateNumberOfMessagesDelayed")
    }

    /// Sets how long a message that was taken is nobody else's.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn set_visibility(&self, queue: &str, seconds: u32) {
        let wanted =
            json!({ "QueueUrl": self.queue(queue), "Attributes": { "VisibilityTimeout": seconds.to_string() } });
        self.call("sqs", "AmazonSQS.SetQueueAttributes", wanted).await;
    }

    /// Lets a function take from its queue, or keeps it from that.
    ///
    /// # Panics
    /// If AWS refuses, or the function takes from no queue.
    pub async fn set_taking(&self, function: &str, takes: bool) {
        let path = format!("/2015-03-31/event-source-mappings/?FunctionName=renkei-{function}");
        let mappings = self.rest("lambda", reqwest::Method::GET, &path, None).await;
        let id = mappings["EventSourceMappings"][0]["UUID"].as_str().expect("a mapping");
        let path = format!("/2015-03-31/event-source-mappings/{id}");
        self.rest("lambda", reqwest::Method::PUT, &path, Some(json!({ "Enabled": takes }))).await;
    }

    /// Sends every message that waits in a queue a second time, the last one first. Gives their number.
    ///
    /// # Panics
    /// If AWS refuses.
    pub async fn double(&self, queue: &str) -> usize {
        let mut taken = Vec::new();
        loop {
            let asked = json!({ "QueueUrl": self.queue(queue), "MaxNumberOfMessages": 10, "VisibilityTimeout": 300,
                                "MessageSystemAttributeNames": ["MessageGroupId"] });
            let answer = self.call("sqs", "AmazonSQS.ReceiveMessage", asked).await;
            match answer["Messages"].as_array() {
                Some(messages) if !messages.is_empty() => taken.extend(messages.clone()),
                _ => break,
            }
        }
        for message in taken.iter().rev() {
            let group = message["Attributes"]["MessageGroupId"].as_str().unwrap_or("group");
            self.send(queue, message["Body"].as_str().unwrap_or_default(), group).await;
            let back = json!({ "QueueUrl": self.queue(queue), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0 });
            self.call("sqs", "AmazonSQS.ChangeMessageVisibility", back).await;
        }
        taken.len()
    }
}

async fn answer(what: &str, request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.expect("the stack's AWS answers");
    let status = answer.status();
    let text = answer.text().await.expect("an answer");
    assert!(status.is_success(), "{what}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/ap-northeast-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}
