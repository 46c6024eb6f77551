//! The shops' credentials: one secret for each connection, named `<prefix>/<tenant>/<connection>`. And the webhook at
//! which a merchant's staff are told of what needs them, `<prefix>/<tenant>/_webhook`.
//!
//! Its current version holds what the merchant gave (`AWSCURRENT`). The token that a sign-in brought is another version
//! of the same secret, under a label of its own (`RENKEI_SESSION`), and names the version of the credentials that it was
//! got with. So all functions share one sign-in; one permission covers both; and a token that is kept there does not outlive
//! a change of the password, for then the versions differ.
//!
//! Beside the credentials stands the address of the shop that they were given for, and they are read for no other. A secret and
//! the settings do not change in one step: whoever has read the one before a change and the other after it must not show a
//! password to a shop that it was not given for.
//!
//! Nothing in here prints a value: neither types nor errors, and AWS's own messages are left out of them.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use renkei_domain::ids::{ConnectionId, TenantId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::aws::{AwsFailure, Late, late};

/// The version of the shapes that is written.
const VERSION: u8 = 1;
/// Label of the version that the merchant's credentials are in.
const CURRENT: &str = "AWSCURRENT";
/// Label of the version that the sign-in's token is in.
const SESSION: &str = "RENKEI_SESSION";
/// For so many days a deleted secret can be got back.
const RECOVERY_DAYS: i64 = 7;

/// What a merchant gave to get into the shop. Prints neither secret nor address.
#[derive(Clone)]
pub enum Credentials {
    /// E-mail address and password, to sign in with.
    Password {
        /// The address; the service's own if none.
        email: Option<String>,
        /// The password.
        password: SecretString,
    },
    /// A ready-made token.
    Token(SecretString),
}

impl Credentials {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Password { email, password }, Self::Password { email: other_email, password: other_password }) => {
                email == other_email && password.expose_secret() == other_password.expose_secret()
            }
            (Self::Token(token), Self::Token(other)) => token.expose_secret() == other.expose_secret(),
            (Self::Password { .. }, Self::Token(_)) | (Self::Token(_), Self::Password { .. }) => false,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Credentials::Password",
            Self::Token(_) => "Credentials::Token",
        })
    }
}

/// Which version of a connection's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialsVersion(String);

/// Why credentials could not be had or kept. None of them says anything of a secret's value.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Permanent: there are none.
    #[error("there are no credentials for {secret}: run `renkei apply` with the document of this tenant")]
    Missing {
        /// The secret's name.
        secret: String,
    },
    /// Permanent: they are not in a shape that this release knows.
    #[error(
        "the credentials in {secret} cannot be read by this release: run `renkei apply` with the document of this \
         tenant, or deploy the release that wrote them"
    )]
    Unreadable {
        /// The secret's name.
        secret: String,
    },
    /// Permanent: they are not for the address that is to be called.
    #[error(
        "the credentials in {secret} were given for another address than the shop's: enter its password or token anew, in the \
         console or by `renkei apply`"
    )]
    OtherAddress {
        /// The secret's name.
        secret: String,
    },
    /// Passing or not as the failure is.
    #[error("the credentials in {secret} could not be reached: {failure}")]
    Aws {
        /// The secret's name.
        secret: String,
        /// What AWS made of it.
        failure: AwsFailure,
    },
}

impl SecretsError {
    /// May the same succeed later, with nothing mended?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Unreadable { .. } | Self::OtherAddress { .. } => false,
            Self::Aws { failure, .. } => failure.is_passing(),
        }
    }
}

/// Credentials, and the address of the shop that they were given for.
struct Given {
    credentials: Credentials,
    /// As the settings have it. None: an earlier release stored them, which noted none.
    api_url: Option<String>,
}

impl Given {
    fn is(&self, other: &Self) -> bool {
        self.api_url == other.api_url && self.credentials.is(&other.credentials)
    }

    fn is_for(&self, api_url: &str) -> bool {
        self.api_url.as_deref().is_none_or(|noted| noted == api_url)
    }
}

#[derive(Serialize, Deserialize)]
struct StoredCredentials {
    v: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_url: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredSession {
    v: u8,
    token: String,
    /// Version of the credentials that it was got with.
    #[serde(rename = "for")]
    got_with: String,
}

#[derive(Serialize, Deserialize)]
struct StoredWebhook {
    v: u8,
    url: String,
}

/// A version of a secret, as it is stored.
struct Stored {
    text: SecretString,
    version: String,
}

/// The secrets of a stack's connections.
#[derive(Debug, Clone)]
pub struct ConnectionSecrets {
    client: Late<Client>,
    prefix: String,
}

impl ConnectionSecrets {
    /// Secrets whose names begin with this, without a slash at its end.
    #[must_use]
    pub fn new(config: &SdkConfig, prefix: &str) -> Self {
        let config = config.clone();
        Self { client: late(move || Client::new(&config)), prefix: prefix.trim_end_matches('/').to_owned() }
    }

    /// What the merchant gave for the shop at this address, and which version of it. What an earlier release stored is for
    /// whichever address the connection has.
    pub async fn credentials(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        api_url: &str,
    ) -> Result<(Credentials, CredentialsVersion), SecretsError> {
        let secret = self.name(tenant, connection);
        match self.get(&secret, CURRENT).await {
            Ok(stored) => match read_credentials(&stored.text) {
                Some(given) if given.is_for(api_url) => Ok((given.credentials, CredentialsVersion(stored.version))),
                Some(_) => Err(SecretsError::OtherAddress { secret }),
                None => Err(SecretsError::Unreadable { secret }),
            },
            // Also if it is deleted, but could be got back: only `apply` does that.
            Err(failure) if failure.is(NOT_FOUND) || failure.is(INVALID_REQUEST) => {
                Err(SecretsError::Missing { secret })
            }
            Err(failure) => Err(SecretsError::Aws { secret, failure }),
        }
    }

    /// The token of the last sign-in, if it was got with these credentials.
    pub async fn session(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        credentials: &CredentialsVersion,
    ) -> Result<Option<SecretString>, SecretsError> {
        let secret = self.name(tenant, connection);
        match self.get(&secret, SESSION).await {
            Ok(stored) => {
                // One that this release cannot read is none: signing in again brings one that it can.
                let session: Option<StoredSession> = serde_json::from_str(stored.text.expose_secret()).ok();
                let usable = session.filter(|s| s.v == VERSION && s.got_with == credentials.0);
                Ok(usable.map(|session| session.token.into()))
            }
            Err(failure) if failure.is(NOT_FOUND) => Ok(None),
            Err(failure) => Err(SecretsError::Aws { secret, failure }),
        }
    }

    /// Keeps the token that a sign-in with these credentials brought.
    pub async fn put_session(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        credentials: &CredentialsVersion,
        token: &SecretString,
    ) -> Result<(), SecretsError> {
        let secret = self.name(tenant, connection);
        let session =
            StoredSession { v: VERSION, token: token.expose_secret().to_owned(), got_with: credentials.0.clone() };
        self.put(&secret, &to_json(&secret, &session)?, SESSION).await
    }

    /// Keeps what the merchant gave for the shop at this address: makes the secret, or a new version of it, or gets it back if
    /// it was deleted. Says whether anything changed; the same once more makes no new version, which would end the shop's
    /// session. The same for another address does, for a token goes to no other shop than the one it came from.
    pub async fn put_credentials(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        api_url: &str,
        credentials: &Credentials,
    ) -> Result<bool, SecretsError> {
        let secret = self.name(tenant, connection);
        let given = Given { credentials: credentials.clone(), api_url: Some(api_url.to_owned()) };
        let wanted = to_json(&secret, &store(&given))?;
        let current = match self.get(&secret, CURRENT).await {
            Err(failure) if failure.is(INVALID_REQUEST) && self.is_deleted(&secret).await? => {
                self.restore(&secret).await?;
                self.get(&secret, CURRENT).await
            }
            other => other,
        };
        match current {
            Ok(stored) if read_credentials(&stored.text).is_some_and(|stored| stored.is(&given)) => Ok(false),
            Ok(_) => self.put(&secret, &wanted, CURRENT).await.map(|()| true),
            Err(failure) if failure.is(NOT_FOUND) => self.create(&secret, &wanted).await.map(|()| true),
            Err(failure) => Err(SecretsError::Aws { secret, failure }),
        }
    }

    /// Deletes a connection's secret, so that it can be got back for a week. Says whether there was one.
    pub async fn delete(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<bool, SecretsError> {
        self.delete_named(self.name(tenant, connection)).await
    }

    async fn delete_named(&self, secret: String) -> Result<bool, SecretsError> {
        let deleted =
            self.client.delete_secret().secret_id(&secret).recovery_window_in_days(RECOVERY_DAYS).send().await;
        match deleted.map_err(|error| AwsFailure::without_message("DeleteSecret", &error)) {
            Ok(_) => Ok(true),
            Err(failure) if failure.is(NOT_FOUND) => Ok(false),
            Err(failure) if failure.is(INVALID_REQUEST) && self.is_deleted(&secret).await? => Ok(false),
            Err(failure) => Err(SecretsError::Aws { secret, failure }),
        }
    }

    /// The webhook at which a merchant's staff are told; None if there is none.
    pub async fn webhook(&self, tenant: &TenantId) -> Result<Option<SecretString>, SecretsError> {
        let secret = self.webhook_name(tenant);
        match self.get(&secret, CURRENT).await {
            Ok(stored) => match serde_json::from_str::<StoredWebhook>(stored.text.expose_secret()) {
                Ok(StoredWebhook { v: VERSION, url }) => Ok(Some(url.into())),
                Ok(_) | Err(_) => Err(SecretsError::Unreadable { secret }),
            },
            Err(failure) if failure.is(NOT_FOUND) || failure.is(INVALID_REQUEST) => Ok(None),
            Err(failure) => Err(SecretsError::Aws { secret, failure }),
        }
    }

    /// Keeps the webhook at which a merchant's staff are told, in place of the one there was.
    pub async fn put_webhook(&self, tenant: &TenantId, url: &SecretString) -> Result<(), SecretsError> {
        let secret = self.webhook_name(tenant);
        let text = to_json(&secret, &StoredWebhook { v: VERSION, url: url.expose_secret().to_owned() })?;
        match self.get(&secret, CURRENT).await {
            Err(failure) if failure.is(INVALID_REQUEST) && self.is_deleted(&secret).await? => {
                self.restore(&secret).await?;
                self.put(&secret, &text, CURRENT).await
            }
            Err(failure) if failure.is(NOT_FOUND) => self.create(&secret, &text).await,
            Ok(_) => self.put(&secret, &text, CURRENT).await,
            Err(failure) => Err(SecretsError::Aws { secret, failure }),
        }
    }

    /// Deletes the webhook of a merchant's staff, so that it can be got back for a week. Says whether there was one.
    pub async fn delete_webhook(&self, tenant: &TenantId) -> Result<bool, SecretsError> {
        self.delete_named(self.webhook_name(tenant)).await
    }

    /// No connection can be called so: ids begin with a letter or a digit.
    fn webhook_name(&self, tenant: &TenantId) -> String {
        format!("{}/{tenant}/_webhook", self.prefix)
    }

    fn name(&self, tenant: &TenantId, connection: &ConnectionId) -> String {
        format!("{}/{tenant}/{connection}", self.prefix)
    }

    async fn get(&self, secret: &str, label: &str) -> Result<Stored, AwsFailure> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(secret)
            .version_stage(label)
            .send()
            .await
            .map_err(|error| AwsFailure::without_message("GetSecretValue", &error))?;
        Ok(Stored {
            text: answer.secret_string.unwrap_or_default().into(),
            version: answer.version_id.unwrap_or_default(),
        })
    }

    /// A new version under this label. Other labels stay where they are.
    async fn put(&self, secret: &str, text: &SecretString, label: &str) -> Result<(), SecretsError> {
        self.client
            .put_secret_value()
            .secret_id(secret)
            .secret_string(text.expose_secret())
            .version_stages(label)
            .send()
            .await
            .map_err(|error| aws(secret, AwsFailure::without_message("PutSecretValue", &error)))?;
        Ok(())
    }

    async fn create(&self, secret: &str, text: &SecretString) -> Result<(), SecretsError> {
        let created = self.client.create_secret().name(secret).secret_string(text.expose_secret()).send().await;
        match created.map_err(|error| AwsFailure::without_message("CreateSecret", &error)) {
            Ok(_) => Ok(()),
            // Somebody else has just made it, or an answer was lost: the value is what counts.
            Err(failure) if failure.is("ResourceExistsException") => self.put(secret, text, CURRENT).await,
            Err(failure) => Err(aws(secret, failure)),
        }
    }

    async fn is_deleted(&self, secret: &str) -> Result<bool, SecretsError> {
        let described = self.client.describe_secret().secret_id(secret).send().await;
        let described =
            described.map_err(|error| aws(secret, AwsFailure::without_message("DescribeSecret", &error)))?;
        Ok(described.deleted_date.is_some())
    }

    /// Gets a connection's secret back that was deleted within the last week.
    pub async fn get_back(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<(), SecretsError> {
        self.restore(&self.name(tenant, connection)).await
    }

    async fn restore(&self, secret: &str) -> Result<(), SecretsError> {
        let restored = self.client.restore_secret().secret_id(secret).send().await;
        restored.map_err(|error| aws(secret, AwsFailure::without_message("RestoreSecret", &error)))?;
        Ok(())
    }
}

/// No such secret, or no version under this label.
const NOT_FOUND: &str = "ResourceNotFoundException";
/// Among others: the secret is deleted, and could be got back.
const INVALID_REQUEST: &str = "InvalidRequestException";

fn aws(secret: &str, failure: AwsFailure) -> SecretsError {
    SecretsError::Aws { secret: secret.to_owned(), failure }
}

fn to_json(secret: &str, value: &impl Serialize) -> Result<SecretString, SecretsError> {
    // Of strings and a number; the error cannot happen, and would quote nothing.
    let text = serde_json::to_string(value).map_err(|_| SecretsError::Unreadable { secret: secret.to_owned() })?;
    Ok(text.into())
}

fn store(given: &Given) -> StoredCredentials {
    let api_url = given.api_url.clone();
    match &given.credentials {
        Credentials::Password { email, password } => StoredCredentials {
            v: VERSION,
            email: email.clone(),
            password: Some(password.expose_secret().to_owned()),
            token: None,
            api_url,
        },
        Credentials::Token(token) => StoredCredentials {
            v: VERSION,
            email: None,
            password: None,
            token: Some(token.expose_secret().to_owned()),
            api_url,
        },
    }
}

/// None if it is not what this release knows. Why is not said, for that would quote it.
fn read_credentials(text: &SecretString) -> Option<Given> {
    let stored: StoredCredentials = serde_json::from_str(text.expose_secret()).ok()?;
    let (credentials, api_url) = match stored {
        StoredCredentials { v: VERSION, email, password: Some(password), token: None, api_url } => {
            (Credentials::Password { email, password: password.into() }, api_url)
        }
        StoredCredentials { v: VERSION, token: Some(token), password: None, api_url, .. } => {
            (Credentials::Token(token.into()), api_url)
        }
        _ => return None,
    };
    Some(Given { credentials, api_url })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What must never be seen.
    const CANARY: &str = "canary-4f7a";

    #[test]
    fn stored_shapes_stay_readable() {
        // Golden: what earlier releases wrote, without an address and with one.
        let password = r#"{"v":1,"email":"api@shop.example","password":"canary-4f7a"}"#;
        let token = r#"{"v":1,"token":"canary-4f7a"}"#;
        let of_a_shop = r#"{"v":1,"email":"a@shop.example","password":"canary-4f7a","api_url":"api.shop.example"}"#;
        let token_of_a_shop = r#"{"v":1,"token":"canary-4f7a","api_url":"api.shop.example"}"#;
        for golden in [password, token, r#"{"v":1,"password":"canary-4f7a"}"#, of_a_shop, token_of_a_shop] {
            let given = read_credentials(&golden.into()).unwrap();
            assert_eq!(serde_json::to_string(&store(&given)).unwrap(), golden);
        }
        let webhook = r#"{"v":1,"url":"https://hooks.chat.example/canary-4f7a"}"#;
        let stored: StoredWebhook = serde_json::from_str(webhook).unwrap();
        assert_eq!(serde_json::to_string(&stored).unwrap(), webhook);
        for bad in ["", "canary-4f7a", r#"{"v":2,"token":"t"}"#, r#"{"v":1}"#, r#"{"v":1,"token":"t","password":"p"}"#]
        {
            assert!(read_credentials(&bad.into()).is_none(), "{bad}");
        }
    }

    #[test]
    fn credentials_are_for_the_address_that_stands_beside_them() {
        let noted = |address: &str| read_credentials(&format!(r#"{{"v":1,"token":"t"{address}}}"#).into()).unwrap();
        let of_a_shop = noted(r#","api_url":"api.shop.example""#);
        assert!(of_a_shop.is_for("api.shop.example"));
        for other in ["api.evil.example", "api.shop.example.evil.example", "http://api.shop.example", ""] {
            assert!(!of_a_shop.is_for(other), "{other}");
        }
        let of_an_earlier_release = noted("");
        assert!(of_an_earlier_release.is_for("api.shop.example") && of_an_earlier_release.is_for("api.evil.example"));
        assert!(!of_an_earlier_release.is(&of_a_shop), "its address is noted with the next that is given");
        // What a later release adds is nothing to this one.
        let of_a_later_release = noted(r#","api_url":"api.shop.example","since":"2026-11-24""#);
        assert!(of_a_later_release.is(&of_a_shop));
        let unreadable = r#"{"v":1,"token":"t","api_url":["api.shop.example"]}"#;
        assert!(read_credentials(&unreadable.into()).is_none(), "an address that cannot be read is not none");
    }

    #[test]
    fn nothing_prints_a_secret() {
        let password = Credentials::Password { email: Some(CANARY.into()), password: CANARY.into() };
        let printed = format!("{password:?} {:?}", Credentials::Token(CANARY.into()));
        assert!(!printed.contains(CANARY), "{printed}");
    }
}
