//! The clients of this crate against a server that speaks AWS's JSON protocol: what goes over the wire is what counts.

mod connections;
mod panics;
mod queue;
mod secrets;
mod wakeup;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// A server that answers operations as it is told, and remembers what it was asked.
struct Aws {
    server: MockServer,
}

/// What is answered to one request: the operation that is expected, and the status and body.
type Answer = (&'static str, u16, Value);

struct Script(Mutex<VecDeque<Answer>>);

impl Respond for Script {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let asked = operation(request);
        match self.0.lock().unwrap().pop_front() {
            Some((expected, status, body)) if asked == expected => {
                ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/x-amz-json-1.1")
            }
            // Not retried, and fails the test that asked.
            other => ResponseTemplate::new(418).set_body_string(format!("{asked} instead of {other:?}")),
        }
    }
}

/// `SendMessageBatch`; for services that go by the path, the method and the path.
fn operation(request: &Request) -> String {
    match request.headers.get("x-amz-target") {
        Some(target) => target.to_str().unwrap().split('.').next_back().unwrap().to_owned(),
        None => format!("{} {}", request.method, request.url.path()),
    }
}

impl Aws {
    async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let server = MockServer::start().await;
        let script = Script(Mutex::new(answers.into_iter().collect()));
        Mock::given(any()).respond_with(script).mount(&server).await;
        Self { server }
    }

    /// The configuration that functions use, with this server for AWS, and without the client's own attempts: each
    /// answer is then one call of ours.
    fn config(&self) -> SdkConfig {
        self.config_of_functions().into_builder().retry_config(RetryConfig::disabled()).build()
    }

    fn config_of_functions(&self) -> SdkConfig {
        renkei_platform::aws::of_variables(|name| match name {
            "AWS_REGION" => Some("ap-northeast-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            "AWS_SESSION_TOKEN" => Some("canary-session".to_owned()),
            "AWS_ENDPOINT_URL" => Some(self.server.uri()),
            _ => None,
        })
        .unwrap()
    }

    /// What was asked, in order.
    async fn asked(&self) -> Vec<(String, Value)> {
        let requests = self.server.received_requests().await.unwrap();
        requests.iter().map(|request| (operation(request), request.body_json().unwrap())).collect()
    }

    /// Only the operations' names.
    async fn operations(&self) -> Vec<String> {
        self.asked().await.into_iter().map(|(operation, _)| operation).collect()
    }
}

fn error(code: &str) -> Value {
    json!({ "__type": code, "message": "said the service of canary-4f7a" })
}

#[tokio::test]
async fn a_passing_error_is_tried_again_by_the_client() {
    let gone = ("ChangeMessageVisibility", 500, error("InternalFailure"));
    let aws = Aws::answering([gone.clone(), gone, ("ChangeMessageVisibility", 200, json!({}))]).await;
    let queue = renkei_platform::queue::Queue::new(&aws.config_of_functions(), "http://queue.example/1/q");
    queue.extend_visibility("receipt", Duration::from_mins(1)).await.unwrap();
    assert_eq!(aws.operations().await.len(), 3);
}

#[tokio::test]
async fn a_function_signs_with_what_lambda_gave_it() {
    let aws = Aws::answering([("ChangeMessageVisibility", 200, json!({}))]).await;
    let queue = renkei_platform::queue::Queue::new(&aws.config_of_functions(), "http://queue.example/1/q");
    queue.extend_visibility("receipt", Duration::from_mins(1)).await.unwrap();
    let requests = aws.server.received_requests().await.unwrap();
    let header = |name: &str| requests[0].headers[name].to_str().unwrap().to_owned();
    assert!(header("authorization").contains("Credential=test/"), "{}", header("authorization"));
    assert!(header("authorization").contains("/ap-northeast-1/sqs/aws4_request"), "{}", header("authorization"));
    assert_eq!(header("x-amz-security-token"), "canary-session");
}

#[test]
fn what_lambda_does_not_give_stops_the_start_and_is_named() {
    for missing in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let error = renkei_platform::aws::of_variables(|name| {
            Some(if name == missing { String::new() } else { "canary-4f7a".to_owned() })
        });
        let text = format!("{:?}", error.unwrap_err());
        assert!(text.contains(missing) && !text.contains("canary"), "{text}");
    }
}
