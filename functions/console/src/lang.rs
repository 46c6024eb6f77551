//! Japanese first, English by switch. Both texts stand together where they are shown, so that none can be missing.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

use crate::cookies;

/// The cookie of the switch. It holds no secret and needs no protection.
pub const COOKIE: &str = "renkei-lang";

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// 日本語.
    #[default]
    Ja,
    /// English.
    En,
}

impl Lang {
    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// From its code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "ja" => Some(Self::Ja),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// Of the two texts the one in this language.
    #[must_use]
    pub fn of<'a>(self, ja: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ja => ja,
            Self::En => en,
        }
    }

    /// What a visitor wants: what they switched to; else English only where the browser asks for it and not for
    /// Japanese.
    #[must_use]
    pub fn wanted(headers: &HeaderMap) -> Self {
        if let Some(chosen) = cookies::get(headers, COOKIE).and_then(Self::from_code) {
            return chosen;
        }
        let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let asks_for = |code: &str| {
            asked.split(',').any(|part| {
                let (name, weight) = part.trim().split_once(';').unwrap_or((part.trim(), ""));
                name.split('-').next() == Some(code) && weight.trim() != "q=0"
            })
        };
        if asks_for("en") && !asks_for("ja") { Self::En } else { Self::Ja }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use axum::http::header::COOKIE as COOKIE_HEADER;

    #[test]
    fn japanese_unless_somebody_wants_otherwise() {
        let mut headers = HeaderMap::new();
        assert_eq!(Lang::wanted(&headers), Lang::Ja);
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en-US,en;q=0.9"));
        assert_eq!(Lang::wanted(&headers), Lang::En);
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en-US,ja;q=0.5"));
        assert_eq!(Lang::wanted(&headers), Lang::Ja);
        headers.insert(COOKIE_HEADER, HeaderValue::from_static("a=b; renkei-lang=en"));
        assert_eq!(Lang::wanted(&headers), Lang::En);
    }
}
