//! The token that stands for a signed-in user. Shops allow only a handful of sign-ins an hour, so it is shared by
//! everything that talks to the shop, and may be handed over ready-made.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// An authentication token. Never printed; checked once, so that it always fits its header.
#[derive(Clone)]
pub struct Token(SecretString);

/// The text cannot be a token. The text itself is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an ecforce token: a token is one line of letters, digits and signs, without quotes or spaces")]
pub struct BadToken;

impl Token {
    /// Takes a token as the shop or a person gives it; blanks at its ends are dropped.
    pub fn parse(token: &SecretString) -> Result<Self, BadToken> {
        let text = token.expose_secret().trim();
        let fits = (1..=1024).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b','));
        if fits { Ok(Self(text.to_owned().into())) } else { Err(BadToken) }
    }

    /// For storing it where secrets are kept.
    #[must_use]
    pub const fn secret(&self) -> &SecretString {
        &self.0
    }

    pub(crate) fn header(&self) -> Result<HeaderValue, BadToken> {
        let mut value =
            HeaderValue::try_from(format!("Token token=\"{}\"", self.0.expose_secret())).map_err(|_| BadToken)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The answer to a sign-in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// To be sent with every other call until it is refused with 401.
    pub token: Token,
    /// The shop's own number for the user, if it said one.
    pub id: Option<u64>,
}
