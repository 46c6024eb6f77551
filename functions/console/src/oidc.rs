//! `OpenID` Connect, as far as a console needs it: the code flow with PKCE, and an identity token that is believed only
//! when its signature, issuer, audience, end and nonce are right.
//!
//! The client is a public one: the verifier of PKCE stands in for a client secret, so there is none to keep.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use renkei_domain::member::Email;
use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};
use url::Url;

use crate::config::{Provider, PublicUrl};
use crate::lang::Lang;
use crate::{secret, signature};

/// Why somebody could not be signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The provider did not answer, or not as the standard says.
    #[error("the sign-in provider could not be asked ({0})")]
    Provider(String),
    /// The provider did not take the code: used twice, or too late.
    #[error("the sign-in provider did not take the code; begin again")]
    Code,
    /// The identity token is not one that we may believe.
    #[error("the identity token cannot be trusted: {0}")]
    Token(String),
    /// The provider does not say that the address is the person's own.
    #[error("the sign-in provider has not verified the e-mail address")]
    NotVerified,
}

impl SignInError {
    /// May the same succeed when it is tried again from the beginning?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Provider(_) | Self::Code => true,
            Self::Token(_) | Self::NotVerified => false,
        }
    }
}

/// What of the discovery document is used.
#[derive(Debug, Clone, Deserialize)]
struct Endpoints {
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    email: Option<String>,
    /// Some providers write it as a text.
    #[serde(default)]
    email_verified: Option<serde_json::Value>,
    /// Cognito's: an access token must not pass for an identity token.
    #[serde(default)]
    token_use: Option<String>,
    /// Whom the token was made for, where its audience has several.
    #[serde(default)]
    azp: Option<String>,
}

/// The provider's keys, and when they were read.
struct Keys {
    set: JwkSet,
    read_at: Timestamp,
}

/// Keys are read again for a token that names an unknown one, but not more often than this.
const KEYS_REST: SignedDuration = SignedDuration::from_secs(60);

/// The way to the provider.
pub struct Oidc {
    /// Made for the first call: most visitors are signed in already.
    http: OnceLock<reqwest::Client>,
    provider: Provider,
    endpoints: OnceCell<Endpoints>,
    keys: Mutex<Option<Keys>>,
}

impl Oidc {
    /// To this provider. Nothing is asked before somebody signs in.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        signature::install();
        Self { http: OnceLock::new(), provider, endpoints: OnceCell::new(), keys: Mutex::new(None) }
    }

    fn http(&self) -> Result<&reqwest::Client, SignInError> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let http = renkei_http::builder()
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(8))
            .redirect(reqwest::redirect::Policy::none())
            // Between two sign-ins the function is frozen, and a connection that it kept is dead without its knowing.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|_| SignInError::Provider("no HTTP client".into()))?;
        Ok(self.http.get_or_init(|| http))
    }

    /// Where the provider's own session is ended.
    #[must_use]
    pub fn sign_out_url(&self) -> Option<&str> {
        self.provider.sign_out.as_deref()
    }

    async fn endpoints(&self) -> Result<&Endpoints, SignInError> {
        self.endpoints
            .get_or_try_init(|| async {
                let found: Endpoints = self.read(&self.provider.discovery).await?;
                for address in [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri] {
                    // https, or this very machine: the same rule as for the document itself.
                    let plain = address.split(['?', '#']).next().unwrap_or_default();
                    if PublicUrl::parse(plain).is_none() {
                        return Err(SignInError::Provider("its discovery document names a plain http address".into()));
                    }
                }
                Ok(found)
            })
            .await
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, address: &str) -> Result<T, SignInError> {
        let answer = self.http()?.get(address).send().await.map_err(unanswered)?;
        if !answer.status().is_success() {
            return Err(SignInError::Provider(format!("HTTP {}", answer.status().as_u16())));
        }
        answer.json().await.map_err(unanswered)
    }

    /// Where to send a browser that wants to sign in, for pages in this language where the provider has them.
    pub async fn authorize(
        &self,
        redirect: &str,
        state: &str,
        nonce: &str,
        verifier: &str,
        again: bool,
        lang: Lang,
    ) -> Result<String, SignInError> {
        let endpoints = self.endpoints().await?;
        let mut url = Url::parse(&endpoints.authorization_endpoint)
            .map_err(|_| SignInError::Provider("its authorization endpoint is no address".into()))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.provider.client)
            .append_pair("redirect_uri", redirect)
            .append_pair("scope", "openid email")
            .append_pair("state", state)
            .append_pair("nonce", nonce)
            .append_pair("code_challenge", &secret::digest(verifier))
            .append_pair("code_challenge_method", "S256")
            // OpenID Connect's name for it, and Cognito's.
            .append_pair("ui_locales", lang.code())
            .append_pair("lang", lang.code());
        if again {
            url.query_pairs_mut().append_pair("prompt", "login");
        }
        Ok(url.into())
    }

    /// Gives the code for an identity token, and says whose it is.
    pub async fn identify(
        &self,
        code: &str,
        redirect: &str,
        verifier: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Email, SignInError> {
        let endpoints = self.endpoints().await?;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect)
            .append_pair("client_id", &self.provider.client)
            .append_pair("code_verifier", verifier)
            .finish();
        let answer = self
            .http()?
            .post(&endpoints.token_endpoint)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .map_err(unanswered)?;
        match answer.status().as_u16() {
            200..=299 => {}
            400 => return Err(SignInError::Code),
            status => return Err(SignInError::Provider(format!("HTTP {status}"))),
        }
        let tokens: Tokens = answer.json().await.map_err(unanswered)?;
        let key = self.key(&tokens.id_token, now).await?;
        verified(&tokens.id_token, &key, &self.provider, nonce)
    }

    /// The key that a token says it was signed with.
    async fn key(&self, token: &str, now: Timestamp) -> Result<Jwk, SignInError> {
        let header = decode_header(token).map_err(|error| SignInError::Token(error.to_string()))?;
        let find = |set: &JwkSet| match &header.kid {
            Some(kid) => set.find(kid).cloned(),
            None if set.keys.len() == 1 => set.keys.first().cloned(),
            None => None,
        };
        let mut keys = self.keys.lock().await;
        if let Some(found) = keys.as_ref().and_then(|keys| find(&keys.set)) {
            return Ok(found);
        }
        let unknown = || SignInError::Token("it names a key that the provider does not have".into());
        if keys.as_ref().is_some_and(|keys| now.duration_since(keys.read_at) < KEYS_REST) {
            return Err(unknown());
        }
        let set: JwkSet = self.read(&self.endpoints().await?.jwks_uri).await?;
        let found = find(&set);
        *keys = Some(Keys { set, read_at: now });
        found.ok_or_else(unknown)
    }
}

/// Whose token it is, if everything about it is right.
fn verified(token: &str, key: &Jwk, provider: &Provider, nonce: &str) -> Result<Email, SignInError> {
    let wrong = |reason: &str| SignInError::Token(reason.into());
    let header = decode_header(token).map_err(|error| wrong(&error.to_string()))?;
    // Signatures that only the provider can make: none that are made with what the client knows.
    if !matches!(header.alg, Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256) {
        return Err(wrong("it is signed in a way that is not accepted"));
    }
    let mut rules = Validation::new(header.alg);
    rules.set_audience(&[&provider.client]);
    rules.set_issuer(&[&provider.issuer]);
    rules.set_required_spec_claims(&["exp", "iss", "aud"]);
    rules.leeway = 60;
    let decoding = DecodingKey::from_jwk(key).map_err(|error| wrong(&error.to_string()))?;
    let claims = decode::<Claims>(token, &decoding, &rules).map_err(|error| wrong(&error.to_string()))?.claims;
    if !claims.nonce.is_some_and(|found| secret::is_same(&found, nonce)) {
        return Err(wrong("its nonce is not ours"));
    }
    if claims.token_use.is_some_and(|kind| kind != "id") {
        return Err(wrong("it is no identity token"));
    }
    if claims.azp.is_some_and(|client| client != provider.client) {
        return Err(wrong("it was made for another client"));
    }
    let is_verified = match claims.email_verified {
        Some(serde_json::Value::Bool(flag)) => flag,
        Some(serde_json::Value::String(text)) => text == "true",
        _ => false,
    };
    if !is_verified {
        return Err(SignInError::NotVerified);
    }
    claims.email.and_then(|email| Email::parse(email).ok()).ok_or_else(|| wrong("it names no e-mail address"))
}

/// The error's own text would name addresses with codes in them.
#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn unanswered(error: reqwest::Error) -> SignInError {
    SignInError::Provider(
        if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "its answer could not be read"
        }
        .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use ring::hmac;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use serde_json::{Value, json};

    /// Made for these tests; it signs nothing else.
    const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEbo7PXqJ3OBdLRYLE1JOr/iM4r6U5muamPI0KIVoO9ShRANCAASx799emcRtn1mDr2JP3RrlFtZY+u6hj4hXkT2xDH9J4b3ujemMerzHL5whxNH7+AGTC8hJlBK1OtjZK0H/qNvh";

    /// What of a token is signed.
    fn unsigned(algorithm: &str, claims: &Value) -> String {
        [json!({ "typ": "JWT", "alg": algorithm }), claims.clone()]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".")
    }

    /// A token as the provider makes it.
    fn signed(claims: &Value) -> String {
        let unsigned = unsigned("ES256", claims);
        let (key, random) = (STANDARD.decode(KEY).unwrap(), SystemRandom::new());
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random).unwrap();
        let signature = URL_SAFE_NO_PAD.encode(key.sign(&random, unsigned.as_bytes()).unwrap());
        format!("{unsigned}.{signature}")
    }

    fn key() -> Jwk {
        let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "k", "use": "sig", "alg": "ES256",
            "x": "se_fXpnEbZ9Zg69iT90a5RbWWPruoY-IV5E9sQx_SeE", "y": "ve6N6Yx6vMcvnCHE0fv4AZMLyEmUErU62NkrQf-o2-E" });
        serde_json::from_value(jwk).unwrap()
    }

    fn provider() -> Provider {
        Provider {
            discovery: "https://id.example/.well-known/openid-configuration".into(),
            issuer: "https://id.example".into(),
            client: "console".into(),
            sign_out: None,
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "called with literals")]
    fn claims(changes: Value) -> Value {
        let mut claims = json!({ "iss": "https://id.example", "aud": "console", "nonce": "n", "token_use": "id",
            "exp": Timestamp::now().as_second() + 300, "email": "Hanako@Shop.example", "email_verified": true });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    fn identify(changes: Value) -> Result<Email, SignInError> {
        signature::install();
        verified(&signed(&claims(changes)), &key(), &provider(), "n")
    }

    #[test]
    fn a_token_that_is_right_says_who_it_is() {
        assert_eq!(identify(json!({})).unwrap().as_str(), "hanako@shop.example");
        assert!(identify(json!({ "email_verified": "true", "aud": ["console"] })).is_ok());
    }

    #[test]
    fn a_token_with_anything_wrong_says_nothing() {
        for wrong in [
            json!({ "iss": "https://evil.example" }),
            json!({ "aud": "another" }),
            json!({ "nonce": "m" }),
            json!({ "nonce": null }),
            json!({ "exp": 1_700_000_000 }),
            json!({ "exp": null }),
            json!({ "token_use": "access" }),
            json!({ "azp": "another" }),
            json!({ "email": null }),
        ] {
            assert!(matches!(identify(wrong.clone()), Err(SignInError::Token(_))), "{wrong}");
        }
        for wrong in [json!({ "email_verified": false }), json!({ "email_verified": null })] {
            assert!(matches!(identify(wrong.clone()), Err(SignInError::NotVerified)), "{wrong}");
        }
    }

    #[test]
    fn nobody_else_signs_for_the_provider() {
        // Signed with what everybody knows: the public key as a secret, or nothing.
        signature::install();
        let secret = hmac::Key::new(hmac::HMAC_SHA256, b"console");
        let token = unsigned("HS256", &claims(json!({})));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&secret, token.as_bytes()));
        assert!(verified(&format!("{token}.{signature}"), &key(), &provider(), "n").is_err());
        let good = signed(&claims(json!({})));
        assert!(verified(&good, &key(), &provider(), "n").is_ok());
        let unsigned = good.rsplit_once('.').unwrap().0;
        assert!(verified(&format!("{unsigned}."), &key(), &provider(), "n").is_err());
        assert!(verified(&good[..good.len() - 4], &key(), &provider(), "n").is_err());
        assert!(verified("not.a.token", &key(), &provider(), "n").is_err());
    }
}
