//! The token: taken from memory, from the secret, or by signing in, in this order.

use renkei_domain::gate::Kind;
use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_domain::settings::Connection;
use renkei_ecforce::{Error, Token};
use renkei_platform::secrets::Credentials;
use renkei_store::Tenant;
use secrecy::ExposeSecret;

use crate::error::ShopError;
use crate::session::Session;

impl Session {
    /// A token to call with. `refused` is one that the shop has just refused: it is not given again.
    pub(crate) async fn token(&mut self, refused: Option<&Token>) -> Result<Token, ShopError> {
        let key = token_key(&self.tenant, &self.connection);
        let cached = self.shops.tokens.lock().ok().and_then(|tokens| tokens.get(&key).cloned());
        if let Some(token) = cached.filter(|token| !is_same(refused, token)) {
            return Ok(token);
        }
        // For this session's address: somebody may have moved the shop since it began, and given its password for elsewhere.
        let (credentials, version) = self.shops.secrets.credentials(&key.0, &key.1, &key.2).await?;
        let (email, password) = match credentials {
            Credentials::Token(token) => {
                let token = Token::parse(&token)?;
                if is_same(refused, &token) {
                    return Err(ShopError::SignInRefused(
                        "the shop refuses the token: get a new one from the shop and apply the document again",
                    ));
                }
                return Ok(token);
            }
            Credentials::Password { email, password } => (email, password),
        };
        let shared = self.shops.secrets.session(&key.0, &key.1, &version).await?;
        let usable = shared.and_then(|token| Token::parse(&token).ok()).filter(|token| !is_same(refused, token));
        let token = if let Some(token) = usable {
            token
        } else {
            let email = email.unwrap_or_else(|| self.shops.service_email.clone());
            let client = self.client.clone();
            let signed_in = self
                .passed(self.lane, Kind::SignIn, async || client.sign_in(&email, &password).await)
                .await
                .map_err(|error| match error {
                    ShopError::Shop(Error::Unauthorized { .. } | Error::Unprocessable { .. }) => {
                        ShopError::SignInRefused(
                            "the shop refuses e-mail or password: check that the account exists at the shop and apply \
                             the document again with the right password",
                        )
                    }
                    other => other,
                })?;
            // A sign-in is one of few, and this one succeeded: the run goes on with it also where others cannot have it.
            let kept = self.shops.secrets.put_session(&key.0, &key.1, &version, signed_in.token.secret()).await;
            if let Err(error) = kept {
                tracing::warn!(%error, "a sign-in's token could not be kept for other processes, which sign in again");
            }
            signed_in.token
        };
        if let Ok(mut tokens) = self.shops.tokens.lock() {
            tokens.insert(key, token.clone());
        }
        Ok(token)
    }

    /// Forgets a token that the shop refused.
    pub(crate) fn forget_token(&self, refused: &Token) {
        let key = token_key(&self.tenant, &self.connection);
        if let Ok(mut tokens) = self.shops.tokens.lock()
            && is_same(tokens.get(&key), refused)
        {
            tokens.remove(&key);
        }
    }
}

/// Of which shop a token in memory is, and at which address. Who changes the address has to enter a secret anew: with that, and
/// not with what this process remembers, another address is called. Credentials are read for the same address.
pub(crate) type Of = (TenantId, ConnectionId, String);

pub(crate) fn token_key(tenant: &Tenant, connection: &Connection) -> Of {
    (tenant.id().clone(), connection.id.clone(), connection.api_url.clone())
}

fn is_same(one: Option<&Token>, other: &Token) -> bool {
    one.is_some_and(|one| one.secret().expose_secret() == other.secret().expose_secret())
}
