//! A person at the console: signed in through the provider, as a browser does it.

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT_ENCODING, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, redirect};
use serde::Serialize;
use url::Url;

use crate::error::CliError;

/// What a page cost, and weighed on its way.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Wire {
    /// Requests to DynamoDB, as the page's `Server-Timing` says.
    pub requests: u64,
    /// Read units, as DynamoDB said.
    pub read_units: f64,
    /// Bytes of the page's body, packed.
    pub bytes: usize,
}

/// A signed-in person.
pub struct Visitor {
    http: Client,
    base: String,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// Signs in with the password.
    pub async fn sign_in(base: &str, email: &str, password: &str) -> Result<Self, CliError> {
        let http = renkei_http::builder().no_proxy().redirect(redirect::Policy::none()).build().map_err(said)?;
        let mut visitor = Self { http, base: base.to_owned(), cookies: BTreeMap::new() };
        let begun = visitor.get("/auth/sign-in?to=/", false).await?;
        let form = visitor.get(&location(&begun)?, false).await?.text().await.map_err(said)?;
        let mut fields: Vec<(String, String)> =
            vec![("username".into(), email.to_owned()), ("password".into(), password.to_owned())];
        // All that the provider's page carries from the address to its form.
        for input in form.split("<input").skip(1).filter_map(|rest| rest.split('>').next()) {
            let attribute = |name: &str| {
                let value = input.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
                Some(value.replace("&amp;", "&"))
            };
            if attribute("type").as_deref() == Some("hidden")
                && let (Some(name), Some(value)) = (attribute("name"), attribute("value"))
            {
                fields.push((name, value));
            }
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        let address = visitor.address("/login")?;
        let sent = visitor.http.post(address).header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = visitor.send(sent).await?;
        let back = location(&answer)?;
        let signed_in = visitor.get(&back, false).await?;
        if signed_in.status() != reqwest::StatusCode::SEE_OTHER {
            return Err(CliError::said(format!("signing in at the console was answered with {}", signed_in.status())));
        }
        Ok(visitor)
    }

    /// A page's text.
    pub async fn page(&mut self, path: &str) -> Result<String, CliError> {
        self.found(path, false).await?.text().await.map_err(said)
    }

    /// What a page costs the second time: what is reckoned once a day, or once a minute, is not in it.
    pub async fn cost(&mut self, path: &str) -> Result<Wire, CliError> {
        let _first = self.found(path, true).await?;
        let page = self.found(path, true).await?;
        let cost = page.headers().get("server-timing").and_then(|cost| cost.to_str().ok()).unwrap_or_default();
        let unread = || CliError::said(format!("{path} does not say what it cost: {cost}"));
        let requests = before(cost, " requests").and_then(|it| it.parse().ok()).ok_or_else(unread)?;
        let read_units = before(cost, " read units").and_then(|it| it.parse().ok()).ok_or_else(unread)?;
        Ok(Wire { requests, read_units, bytes: page.bytes().await.map_err(said)?.len() })
    }

    /// Bytes of all script of a page, as they are sent.
    pub async fn script_bytes(&mut self, path: &str) -> Result<usize, CliError> {
        let page = self.page(path).await?;
        let scripts: Vec<String> = page
            .split("<script defer src=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .map(str::to_owned)
            .collect();
        if scripts.is_empty() {
            return Err(CliError::said(format!("{path} names no script")));
        }
        let mut bytes = 0;
        for script in scripts {
            let script = self.address(&script)?;
            bytes += self.found(script.as_str(), true).await?.bytes().await.map_err(said)?.len();
        }
        Ok(bytes)
    }

    async fn found(&mut self, path: &str, packed: bool) -> Result<Response, CliError> {
        let response = self.get(path, packed).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(CliError::said(format!("the console answered {path} with {}", response.status())))
    }

    async fn get(&mut self, path: &str, packed: bool) -> Result<Response, CliError> {
        let request = self.http.get(self.address(path)?);
        let request = if packed { request.header(ACCEPT_ENCODING, "gzip") } else { request };
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Result<Response, CliError> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header(COOKIE, cookies.join("; ")).send().await.map_err(said)?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().ok().and_then(|it| it.split(';').next()).and_then(|it| it.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(response)
    }

    /// The console's addresses are below its base; what a page links to, and the provider's, is of the whole site.
    fn address(&self, path: &str) -> Result<Url, CliError> {
        let is_of_site = path.starts_with("/_aws") || path.starts_with("/login");
        if path.starts_with("http") {
            return Url::parse(path).map_err(said);
        }
        if is_of_site {
            return Url::parse(&self.base).and_then(|base| base.join(path)).map_err(said);
        }
        Url::parse(&format!("{}{path}", self.base)).map_err(said)
    }
}

/// The last word before this one.
fn before<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.split(word).next().filter(|before| before.len() < text.len())?.rsplit([' ', '"']).next()
}

fn location(response: &Response) -> Result<String, CliError> {
    let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
    to.ok_or_else(|| CliError::said(format!("{} leads nowhere: {}", response.url().path(), response.status())))
}

fn said(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CliError {
    CliError::said(error.into().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_cost_is_read_as_it_is_said() {
        let cost = "store;desc=\"11 requests, 34567 bytes, 118.5 read units, 0.0 write units\"";
        assert_eq!((before(cost, " requests"), before(cost, " read units")), (Some("11"), Some("118.5")));
        assert_eq!(before(cost, " calls"), None);
    }
}
