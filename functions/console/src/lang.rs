//! Japanese first, English by switch. Both texts stand together where they are shown, so that none can be missing.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
pub use renkei_words::Lang;

use crate::cookies;

/// The cookie of the switch. It holds no secret and needs no protection.
pub const COOKIE: &str = "renkei-lang";

/// What a visitor wants: what they switched to; else English only where the browser asks for it and not for Japanese.
#[must_use]
pub fn wanted(headers: &HeaderMap) -> Lang {
    if let Some(chosen) = cookies::get(headers, COOKIE).and_then(Lang::from_code) {
        return chosen;
    }
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let asks_for = |code: &str| {
        asked.split(',').any(|part| {
            let (name, weight) = part.trim().split_once(';').unwrap_or((part.trim(), ""));
            name.split('-').next() == Some(code) && weight.trim() != "q=0"
        })
    };
    if asks_for("en") && !asks_for("ja") { Lang::En } else { Lang::Ja }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use axum::http::header::COOKIE as COOKIE_HEADER;

    #[test]
    fn japanese_unless_somebody_wants_otherwise() {
        let mut headers = HeaderMap::new();
        assert_eq!(wanted(&headers), Lang::Ja);
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en-US,en;q=0.9"));
        assert_eq!(wanted(&headers), Lang::En);
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en-US,ja;q=0.5"));
        assert_eq!(wanted(&headers), Lang::Ja);
        headers.insert(COOKIE_HEADER, HeaderValue::from_static("a=b; renkei-lang=en"));
        assert_eq!(wanted(&headers), Lang::En);
    }
}
