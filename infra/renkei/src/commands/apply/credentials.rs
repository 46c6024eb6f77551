//! What a document's shops are signed in to with: the values of the variables that it names, else what is stored. An
//! operator need not have the password of a shop that its merchant registered in the console.

use std::collections::BTreeMap;

use renkei_domain::document::{Document, is_of_others};
use renkei_domain::ids::{ConnectionId, TenantId};
use renkei_domain::settings::{Connection, TenantSettings};
use renkei_platform::secrets::Credentials;
use renkei_setup::{Setup, Stored};
use renkei_store::Tenant;
use secrecy::{ExposeSecret, SecretString};

use crate::error::CliError;

/// Where the values of `{ env: NAME }` come from.
pub enum Secrets {
    /// This process's environment.
    Environment,
    /// These, by name.
    Given(BTreeMap<String, SecretString>),
    /// From nowhere: what is stored stays.
    Stored,
}

impl Secrets {
    fn get(&self, name: &str) -> Option<SecretString> {
        match self {
            // A merchant writes these names, and says where the value is sent.
            Self::Environment if is_of_others(name) => None,
            Self::Environment => std::env::var(name).ok().map(SecretString::from),
            Self::Given(values) => values.get(name).cloned(),
            Self::Stored => None,
        }
        .filter(|value| !value.expose_secret().is_empty())
    }
}

/// Where what is stored of a merchant's connections is looked up.
pub(super) struct Shelf<'a> {
    /// The way to the secrets.
    pub setup: &'a Setup,
    /// Whose.
    pub tenant: &'a Tenant,
    /// The settings in force: they say for which address something was stored.
    pub in_force: Option<&'a TenantSettings>,
}

impl Shelf<'_> {
    async fn stored(&self, connection: &Connection) -> Result<Stored, CliError> {
        Ok(self.setup.stored(self.tenant, self.in_force, connection).await?)
    }
}

/// The credentials of each connection: what was given, else what is stored; or, all at once, what is missing. Says where each
/// variable's value goes, so that whoever applies a document of somebody else's sees it before anything is stored.
pub(super) async fn of_document(
    shelf: &Shelf<'_>,
    document: &Document,
    secrets: &Secrets,
    say: &dyn Fn(String) -> Result<(), CliError>,
) -> Result<Vec<(ConnectionId, Credentials)>, CliError> {
    let (mut found, mut kept, mut read) = (Vec::new(), Vec::new(), Vec::new());
    let mut complete = true;
    for (place, connection) in document.settings.connections.iter().enumerate() {
        let (key, source) = match (&connection.token, &connection.password) {
            (Some(token), _) => ("token", token),
            (None, Some(password)) => ("password", password),
            // The document's check asks for one of them.
            (None, None) => continue,
        };
        let name = &source.env;
        let credentials = if let Some(secret) = secrets.get(name) {
            read.push(goes_to(name, key, &document.settings.tenant, connection));
            renkei_setup::credential(connection, secret).map_err(|error| format!("{name}: {error}"))
        } else {
            kept.push(format!("the {key} of {} stays as it is stored: {name} is not set", connection.id));
            stored_or_asked_for(connection, key, name, shelf.stored(connection).await?)
        };
        match credentials {
            Ok(credentials) => found.push((connection.id.clone(), credentials)),
            Err(sentence) => {
                complete = false;
                let line = document.places.line(&format!("connections[{place}].{key}.env"));
                eprintln!("line {line}: {sentence}");
            }
        }
    }
    if !complete {
        return Err(CliError::said("secrets are missing; nothing was applied"));
    }
    for sentence in read {
        say(format!("  {sentence}"))?;
    }
    for sentence in kept {
        eprintln!("{sentence}");
    }
    Ok(found)
}

/// What becomes of a variable's value, and to which host it is sent. The address is in its normal form.
fn goes_to(name: &str, key: &str, tenant: &TenantId, connection: &Connection) -> String {
    format!("{name} is read: it is the {key} of {tenant}'s connection {}, for {}", connection.id, connection.api_url)
}

/// What a connection goes on with whose variable is not set; or why it has to be.
fn stored_or_asked_for(connection: &Connection, key: &str, name: &str, stored: Stored) -> Result<Credentials, String> {
    let id = &connection.id;
    let why = match stored {
        Stored::Fits(credentials) => return Ok(credentials),
        Stored::Nothing => format!("no {key} is stored for {id}"),
        Stored::OtherAddress => format!("what is stored for {id} is for another api_url, and is sent nowhere else"),
        Stored::OtherKind => format!("what is stored for {id} is no {key}"),
    };
    Err(format!("the environment variable {name} is not set, and {why}: set it to the {key} of {id} and apply again"))
}

/// The credentials that are stored, for a former version of the settings.
pub(super) async fn of_former(
    shelf: &Shelf<'_>,
    former: &TenantSettings,
) -> Result<Vec<(ConnectionId, Credentials)>, CliError> {
    let mut found = Vec::new();
    for connection in &former.connections {
        found.push((connection.id.clone(), brought_back(connection, shelf.stored(connection).await?)?));
    }
    Ok(found)
}

/// What a connection of a former version signs in with: what is stored now, with its own e-mail address of then. One of
/// which nothing of its kind is stored for its address cannot come back without its document.
fn brought_back(connection: &Connection, stored: Stored) -> Result<Credentials, CliError> {
    const BY_HAND: &str = "write the former version to a file with `renkei export --version N`, and apply it with";
    let id = &connection.id;
    let (was, is) = if connection.token.is_some() { ("token", "password") } else { ("password", "token") };
    Err(CliError::said(match stored {
        Stored::Fits(credentials) => return Ok(credentials),
        Stored::Nothing => format!(
            "the connection {id} has no stored password or token any more: apply its document, which says where to \
             take it from; nothing was changed"
        ),
        Stored::OtherAddress => format!(
            "what is stored of the connection {id} is for another api_url than it had then: {BY_HAND} the \
             {was} in the environment; nothing was changed"
        ),
        Stored::OtherKind => format!(
            "the connection {id} signed in with a {was} then, and a {is} is stored now: {BY_HAND} the {was} in \
             the environment; nothing was changed"
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(signs_in_with: &str) -> Connection {
        let mut connection = serde_json::json!({ "id": "shop", "api": "ecforce", "api_url": "https://api.shop.example",
                                                 "ship_from": "dc", "daily_call_limit": 1_000 });
        connection[signs_in_with] = serde_json::json!({ "env": "SECRET" });
        serde_json::from_value(connection).unwrap()
    }

    #[test]
    fn where_a_variable_goes_is_said_with_shop_and_host() {
        let hanako = TenantId::parse("hanako").unwrap();
        assert_eq!(
            goes_to("SECRET", "password", &hanako, &connection("password")),
            "SECRET is read: it is the password of hanako's connection shop, for https://api.shop.example"
        );
    }

    #[test]
    fn a_variable_is_asked_for_where_what_is_stored_does_not_do() {
        let password = connection("password");
        let of = |stored| stored_or_asked_for(&password, "password", "SECRET", stored);
        assert!(of(Stored::Fits(Credentials::Token("t".into()))).is_ok());
        for (stored, why) in [
            (Stored::Nothing, "no password is stored for shop"),
            (Stored::OtherAddress, "is for another api_url"),
            (Stored::OtherKind, "is no password"),
        ] {
            let refused = of(stored).unwrap_err();
            assert!(
                refused.starts_with("the environment variable SECRET is not set") && refused.contains(why),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_former_connection_comes_back_with_what_is_stored_or_not_at_all() {
        let refused = |signs_in_with, stored| brought_back(&connection(signs_in_with), stored).unwrap_err().to_string();
        assert!(brought_back(&connection("token"), Stored::Fits(Credentials::Token("t".into()))).is_ok());
        let said = refused("token", Stored::OtherKind);
        assert!(said.contains("signed in with a token then, and a password is stored now"), "{said}");
        let said = refused("password", Stored::OtherKind);
        assert!(said.contains("apply it with the password in the environment"), "{said}");
        let said = refused("password", Stored::OtherAddress);
        assert!(said.contains("another api_url") && said.contains("export --version"), "{said}");
        assert!(refused("token", Stored::Nothing).contains("no stored password or token"));
    }

    #[test]
    fn what_is_the_machines_own_is_not_read() {
        assert!(std::env::var("PATH").is_ok() && Secrets::Environment.get("PATH").is_none());
    }

    #[test]
    fn an_empty_secret_is_none() {
        let secrets = Secrets::Given(BTreeMap::from([("A".to_owned(), "x".into()), ("B".to_owned(), "".into())]));
        assert!(secrets.get("A").is_some() && secrets.get("B").is_none() && secrets.get("C").is_none());
    }
}
