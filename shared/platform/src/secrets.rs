//! The shops' credentials: one secret per connection, and nowhere else.
//!
//! The secret's current version holds what the merchant gave (`renkei apply` writes it). The token that a sign-in gave is
//! another version of the same secret, under a label of its own, with the version of the credentials that it was got
//! with: a sign-in that finishes while the password is being changed can then neither overwrite the new password nor
//! outlive it.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use renkei_domain::ids::{ConnectionId, TenantId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::aws::AwsFailure;

/// The label of the version that holds the session's token.
const SESSION: &str = "RENKEI_SESSION";
/// The version of both shapes that is written.
const VERSION: u8 = 1;
/// How long a removed secret can be brought back.
const RECOVERY_DAYS: i64 = 7;

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Permanent: nobody has stored the credentials.
    #[error("connection {connection} of tenant {tenant} has no credentials: apply its document (`renkei apply`)")]
    Missing {
        /// Whose.
        tenant: TenantId,
        /// Which shop's.
        connection: ConnectionId,
    },
    /// Permanent: what is stored is not of the known shape.
    #[error("the credentials of connection {connection} cannot be read: apply its document again (`renkei apply`)")]
    Unreadable {
        /// Which shop's.
        connection: ConnectionId,
    },
    /// Passing or not as the failure is.
    #[error(transparent)]
    Aws(#[from] AwsFailure),
}

impl SecretsError {
    /// May the same succeed later, with nothing mended?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Unreadable { .. } => false,
            Self::Aws(failure) => failure.is_passing(),
        }
    }
}

/// How a connection signs in.
#[derive(Clone)]
pub enum Credentials {
    /// With e-mail and password. Without an e-mail, the service's own address signs in.
    Password {
        /// The account's address at the shop.
        email: Option<String>,
        /// Its password.
        password: SecretString,
    },
    /// With a token that the shop handed out.
    Token(SecretString),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Credentials(password)",
            Self::Token(_) => "Credentials(token)",
        })
    }
}

/// As stored.
#[derive(Serialize, Deserialize)]
struct StoredCredentials {
    v: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredSession {
    v: u8,
    token: String,
    /// The version of the credentials that it was got with.
    #[serde(rename = "for")]
    credentials: String,
}

/// All connections' secrets.
#[derive(Debug, Clone)]
pub struct ConnectionSecrets {
    client: Client,
    prefix: String,
}

impl ConnectionSecrets {
    /// Secrets whose names begin with `prefix`.
    #[must_use]
    pub fn new(config: &SdkConfig, prefix: &str) -> Self {
        Self { client: Client::new(config), prefix: prefix.trim_end_matches('/').to_owned() }
    }

    fn name(&self, tenant: &TenantId, connection: &ConnectionId) -> String {
        format!("{}/{tenant}/{connection}", self.prefix)
    }

    /// The credentials in force, and their version.
    pub async fn credentials(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
    ) -> Result<(Credentials, String), SecretsError> {
        let missing = || SecretsError::Missing { tenant: tenant.clone(), connection: connection.clone() };
        let unreadable = || SecretsError::Unreadable { connection: connection.clone() };
        let (text, version) = self.read(tenant, connection, None).await?.ok_or_else(missing)?;
        let stored: StoredCredentials = serde_json::from_str(text.expose_secret()).map_err(|_| unreadable())?;
        let credentials = match (stored.password, stored.token) {
            (_, Some(token)) => Credentials::Token(token.into()),
            (Some(password), None) => Credentials::Password { email: stored.email, password: password.into() },
            (None, None) => return Err(unreadable()),
        };
        Ok((credentials, version))
    }

    /// The token that somebody signed in for with this version of the credentials, if there is one.
    pub async fn session(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        version: &str,
    ) -> Result<Option<SecretString>, SecretsError> {
        let Some((text, _)) = self.read(tenant, connection, Some(SESSION)).await? else { return Ok(None) };
        let session: Option<StoredSession> = serde_json::from_str(text.expose_secret()).ok();
        Ok(session.filter(|session| session.credentials == version).map(|session| session.token.into()))
    }

    /// Shares a token that was got with this version of the credentials.
    pub async fn put_session(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        version: &str,
        token: &SecretString,
    ) -> Result<(), SecretsError> {
        let session =
            StoredSession { v: VERSION, token: token.expose_secret().to_owned(), credentials: version.to_owned() };
        let unreadable = |_| SecretsError::Unreadable { connection: connection.clone() };
        self.client
            .put_secret_value()
            .secret_id(self.name(tenant, connection))
            .secret_string(serde_json::to_string(&session).map_err(unreadable)?)
            .version_stages(SESSION)
            .send()
            .await
            .map_err(|error| AwsFailure::without_message("PutSecretValue", &error))?;
        Ok(())
    }

    /// Stores credentials. True if they are new; the same ones make no new version.
    pub async fn put_credentials(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        credentials: &Credentials,
    ) -> Result<bool, SecretsError> {
        let stored = match credentials {
            Credentials::Password { email, password } => StoredCredentials {
                v: VERSION,
                email: email.clone(),
                password: Some(password.expose_secret().to_owned()),
                token: None,
            },
            Credentials::Token(token) => StoredCredentials {
                v: VERSION,
                email: None,
                password: None,
                token: Some(token.expose_secret().to_owned()),
            },
        };
        let unreadable = |_| SecretsError::Unreadable { connection: connection.clone() };
        let text = serde_json::to_string(&stored).map_err(unreadable)?;
        let name = self.name(tenant, connection);
        match self.read(tenant, connection, None).await? {
            Some((current, _)) if current.expose_secret() == text => return Ok(false),
            Some(_) => {
                self.client
                    .put_secret_value()
                    .secret_id(&name)
                    .secret_string(text)
                    .send()
                    .await
                    .map_err(|error| AwsFailure::without_message("PutSecretValue", &error))?;
            }
            None => {
                self.client
                    .create_secret()
                    .name(&name)
                    .description("Credentials of one connection to a shop; written by renkei apply.")
                    .secret_string(text)
                    .send()
                    .await
                    .map_err(|error| AwsFailure::without_message("CreateSecret", &error))?;
            }
        }
        Ok(true)
    }

    /// Removes a connection's secret. It can be brought back for a week.
    pub async fn delete(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<(), SecretsError> {
        let sent = self
            .client
            .delete_secret()
            .secret_id(self.name(tenant, connection))
            .recovery_window_in_days(RECOVERY_DAYS)
            .send()
            .await;
        match sent.map_err(|error| AwsFailure::without_message("DeleteSecret", &error)) {
            Ok(_) => Ok(()),
            Err(failure) if failure.is("ResourceNotFoundException") => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn read(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        stage: Option<&str>,
    ) -> Result<Option<(SecretString, String)>, SecretsError> {
        let sent = self
            .client
            .get_secret_value()
            .secret_id(self.name(tenant, connection))
            .set_version_stage(stage.map(str::to_owned))
            .send()
            .await;
        match sent.map_err(|error| AwsFailure::without_message("GetSecretValue", &error)) {
            Ok(answer) => {
                let version = answer.version_id.unwrap_or_default();
                Ok(answer.secret_string.map(|text| (text.into(), version)))
            }
            Err(failure) if failure.is("ResourceNotFoundException") => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_print() {
        let canary = "canary-8d1f";
        let shown = format!(
            "{:?} {:?}",
            Credentials::Token(canary.into()),
            Credentials::Password { email: None, password: canary.into() }
        );
        assert!(!shown.contains(canary), "{shown}");
    }
}
