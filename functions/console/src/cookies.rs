//! Cookies: what a browser holds, and how it is told to.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::config::PublicUrl;

/// The value of a cookie. The first counts, should a browser send a name twice.
#[must_use]
pub fn get<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// How the cookies of a console are named and kept.
///
/// By https they are `__Host-…`: the browser itself then refuses them from any other host and over plain http. A local
/// stack has no https, and browsers take no `__Host-…` there; its cookies have another name, kept to the console's path.
#[derive(Debug, Clone)]
pub struct Jar {
    prefix: &'static str,
    attributes: String,
}

impl Jar {
    /// For a console at this address.
    #[must_use]
    pub fn new(url: &PublicUrl) -> Self {
        if url.is_https() {
            Self { prefix: "__Host-", attributes: "Path=/; HttpOnly; SameSite=Lax; Secure".into() }
        } else {
            let path = if url.base().is_empty() { "/" } else { url.base() };
            Self { prefix: "local-", attributes: format!("Path={path}; HttpOnly; SameSite=Lax") }
        }
    }

    /// The name that a cookie goes by.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Its value, as a browser sent it.
    #[must_use]
    pub fn get<'h>(&self, headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
        get(headers, &self.name(name))
    }

    /// A header that sets it for so many seconds; 0 takes it away.
    #[must_use]
    pub fn set(&self, name: &str, value: &str, seconds: i64) -> String {
        format!("{}={value}; Max-Age={seconds}; {}", self.name(name), self.attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cloud_gets_host_cookies_and_a_local_stack_others() {
        let cloud = Jar::new(&PublicUrl::parse("https://console.shop.example").unwrap());
        assert_eq!(cloud.set("renkei", "x", 60), "__Host-renkei=x; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure");
        let local = Jar::new(&PublicUrl::parse("http://127.0.0.1:4566/_aws/execute-api/abc").unwrap());
        assert_eq!(
            local.set("renkei", "", 0),
            "local-renkei=; Max-Age=0; Path=/_aws/execute-api/abc; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "xrenkei=no; renkei=yes; renkei=later".parse().unwrap());
        assert_eq!(get(&headers, "renkei"), Some("yes"));
        assert_eq!(get(&headers, "enkei"), None);
    }
}
