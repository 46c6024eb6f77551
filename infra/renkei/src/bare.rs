//! AWS services that are asked a question or two: their bare protocol, signed. An SDK for each would double the time that this
//! program takes to build.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use serde_json::Value;

use crate::error::CliError;

const PATIENCE: Duration = Duration::from_secs(20);

/// A way to one service.
pub struct Bare<'a> {
    aws: &'a SdkConfig,
    http: reqwest::Client,
    /// As it is called in addresses and signatures.
    service: &'static str,
}

/// What AWS answered.
pub enum Answer {
    /// Done.
    Found(Value),
    /// There is no such thing.
    Missing,
}

impl<'a> Bare<'a> {
    /// To this service.
    pub fn new(aws: &'a SdkConfig, service: &'static str) -> Result<Self, CliError> {
        let http = renkei_http::builder().timeout(PATIENCE).build();
        let http = http
            .map_err(|_| CliError::said("the HTTP client could not be set up: are TLS root certificates installed?"))?;
        Ok(Self { aws, http, service })
    }

    /// Reads from a service that speaks REST.
    pub async fn get(&self, path: &str) -> Result<Answer, CliError> {
        self.send("GET", path, None, String::new()).await
    }

    /// One operation of a service that speaks JSON, such as `Logs_20140328.DescribeLogGroups`.
    pub async fn call(&self, target: &str, body: &Value) -> Result<Answer, CliError> {
        self.send("POST", "/", Some(target), body.to_string()).await
    }

    async fn send(&self, method: &str, path: &str, target: Option<&str>, body: String) -> Result<Answer, CliError> {
        let what = target.unwrap_or(path);
        let failed = |why: String| CliError::said(format!("AWS {} {what} failed: {why}", self.service));
        let region = self.aws.region().map_or("us-east-1", |region| region.as_ref());
        let endpoint = match self.aws.endpoint_url() {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("https://{}.{region}.amazonaws.com", self.service),
        };
        let url = format!("{endpoint}{path}");
        let provider = self.aws.credentials_provider().ok_or_else(|| failed("no AWS credentials are set".into()))?;
        let credentials =
            provider.provide_credentials().await.map_err(|_| failed("no AWS credentials are set".into()))?;
        let identity = credentials.into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let mut headers = vec![("content-type", "application/x-amz-json-1.1")];
        headers.extend(target.map(|target| ("x-amz-target", target)));
        let signable =
            SignableRequest::new(method, &url, headers.iter().copied(), SignableBody::Bytes(body.as_bytes()))
                .map_err(|error| failed(error.to_string()))?;
        let signed = sign(signable, &parameters.into()).map_err(|error| failed(error.to_string()))?;
        let method = if method == "GET" { reqwest::Method::GET } else { reqwest::Method::POST };
        let mut request = self.http.request(method, &url);
        for (name, value) in headers.into_iter().chain(signed.output().headers()) {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await.map_err(|_| failed("no answer".into()))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|_| failed("no answer".into()))?;
        if status.as_u16() == 404 || text.contains("ResourceNotFoundException") {
            return Ok(Answer::Missing);
        }
        if !status.is_success() {
            return Err(failed(format!("HTTP {status}")));
        }
        Ok(Answer::Found(serde_json::from_str(&text)?))
    }
}
