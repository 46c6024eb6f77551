//! A browser of a made-up person: it signs in through the provider, keeps cookies and shows one page after the other.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use url::Url;

use crate::{PORT, aws, run, stack};

/// The password of the local stack's made-up people.
pub const PEOPLES_PASSWORD: &str = "Renkei-Local-2026";
/// What the provider's page carries from its address to its form.
const CARRIED: [&str; 8] = [
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "response_type",
    "code_challenge",
    "code_challenge_method",
    "nonce",
];

/// An answer, as a browser gets it.
#[derive(Debug)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Headers, by their small names.
    pub headers: BTreeMap<String, String>,
    /// The body, if it is text as it came.
    pub text: String,
    /// Bytes of the body, as it came.
    pub bytes: usize,
}

impl Page {
    /// Where it leads; empty if nowhere.
    #[must_use]
    pub fn location(&self) -> &str {
        self.headers.get("location").map_or("", String::as_str)
    }

    /// The values of a form's hidden fields.
    #[must_use]
    pub fn hidden(&self, name: &str) -> Vec<String> {
        let wanted = format!("name=\"{name}\" value=\"");
        let values = self.text.split(&wanted).skip(1).filter_map(|rest| rest.split('"').next());
        values.map(|value| value.replace("&amp;", "&").replace("&#38;", "&")).collect()
    }

    /// The token of its forms.
    #[must_use]
    pub fn csrf(&self) -> String {
        self.hidden("csrf").first().cloned().unwrap_or_default()
    }
}

/// A browser: it keeps cookies and shows one page after the other.
#[derive(Debug)]
pub struct Browser {
    http: reqwest::Client,
    base: String,
    /// Its cookies, by name.
    pub cookies: BTreeMap<String, String>,
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// One that was nowhere yet, at the console of the tests' stack.
    ///
    /// # Panics
    /// If the stack has no console.
    #[must_use]
    pub fn new() -> Self {
        stack();
        let status = run(&["local", "status", "--json"], None).lines();
        let stack = status
            .iter()
            .find(|stack| stack["port"].as_u64().is_some_and(|port| PORT.parse() == Ok(port)))
            .expect("the tests' stack");
        let http = renkei_http::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let base = stack["console_url"].as_str().expect("a console").to_owned();
        Self { http, base, cookies: BTreeMap::new() }
    }

    /// Sends a request, with these headers besides.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn send(&mut self, method: &str, address: &str, body: Option<String>, headers: &[(&str, &str)]) -> Page {
        let address = if address.starts_with("http") {
            address.to_owned()
        } else if address.starts_with("/_aws") || address.starts_with("/login") {
            Url::parse(&self.base).expect("an address").join(address).expect("an address").to_string()
        } else {
            format!("{}{address}", self.base)
        };
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request =
            self.http.request(method.parse().expect("a method"), address).header("cookie", cookies.join("; "));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            if !headers.iter().any(|(name, _)| *name == "content-type") {
                request = request.header("content-type", "application/x-www-form-urlencoded");
            }
            request = request.body(body);
        }
        let answer = request.send().await.expect("an answer");
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let headers = answer.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
        let (status, headers) = (answer.status().as_u16(), headers.collect());
        let body = answer.bytes().await.expect("a body");
        Page { status, headers, text: String::from_utf8_lossy(&body).into_owned(), bytes: body.len() }
    }

    /// Gets a page.
    pub async fn get(&mut self, address: &str) -> Page {
        self.send("GET", address, None, &[]).await
    }

    /// Follows redirects to the page at their end.
    pub async fn open(&mut self, address: &str) -> Page {
        let mut page = self.get(address).await;
        for _ in 0..5 {
            if page.status != 303 {
                break;
            }
            let next = page.location().to_owned();
            page = self.get(&next).await;
        }
        page
    }

    /// Sends a form.
    pub async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", address, Some(body), &[]).await
    }

    /// Sends a form with a file.
    pub async fn upload(&mut self, address: &str, fields: &[(&str, &str)], file: &str) -> Page {
        const BOUNDARY: &str = "a-boundary-that-no-file-has";
        let part = |name: &str, extra: &str, value: &str| {
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"{extra}\r\n\r\n{value}\r\n")
        };
        let mut body: String = fields.iter().map(|(name, value)| part(name, "", value)).collect();
        body += &part("file", "; filename=\"file.csv\"\r\ncontent-type: text/csv", file);
        body.extend(["--", BOUNDARY, "--\r\n"]);
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.send("POST", address, Some(body), &[("content-type", &kind)]).await
    }

    /// Goes through the provider's own page, as people do. Gives the address that the provider leads back to.
    ///
    /// # Panics
    /// If the provider does not lead back.
    pub async fn through_provider(&mut self, who: &str, to: &str) -> String {
        let begun = self.get(&format!("/auth/sign-in?to={to}")).await;
        assert_eq!(begun.status, 303, "{begun:?}");
        let form = self.get(begun.location()).await;
        assert_eq!(form.status, 200, "{form:?}");
        let email = format!("{who}@renkei.example");
        let mut fields = vec![("username", email.as_str()), ("password", PEOPLES_PASSWORD)];
        let carried: Vec<(&str, String)> =
            CARRIED.iter().map(|name| (*name, form.hidden(name).first().cloned().unwrap_or_default())).collect();
        assert!(carried.iter().all(|(_, value)| !value.is_empty()), "PKCE, state and nonce: {carried:?}");
        fields.extend(carried.iter().map(|(name, value)| (*name, value.as_str())));
        let answer = self.post("/login", &fields).await;
        assert_eq!(answer.status, 302, "{answer:?}");
        answer.location().to_owned()
    }

    /// Signed in as the made-up person of this role.
    ///
    /// # Panics
    /// If they are not let in.
    pub async fn signed_in(who: &str) -> Self {
        let mut browser = Self::new();
        let back = browser.through_provider(who, "/").await;
        let signed_in = browser.get(&back).await;
        assert_eq!(signed_in.status, 303, "{signed_in:?}");
        browser
    }
}

/// Makes it so that no browser was seen for two minutes: the next click of each is written down, which is one request more.
pub async fn nobody_was_seen_lately() {
    let two_minutes_ago = Timestamp::now() - SignedDuration::from_mins(2);
    let table = aws().table("Sessions").await;
    for (_, item) in aws().everything().await.into_iter().filter(|(name, _)| *name == table) {
        if item["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("S#")) {
            let update = json!({ "TableName": table, "Key": { "pk": item["pk"], "sk": item["sk"] },
                "UpdateExpression": "SET seen_at = :at",
                "ExpressionAttributeValues": { ":at": { "S": two_minutes_ago.to_string() } } });
            aws().call("dynamodb", "DynamoDB_20120810.UpdateItem", update).await;
        }
    }
}
