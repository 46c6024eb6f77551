//! 担当者: who may see and change what of a merchant.
//!
//! Roles are steps: each may do all that the ones below it may. What each page and each change asks for is named in the
//! console's table of routes, and nowhere else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a person may do for a merchant. Ordered: the higher may all that the lower may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// 閲覧者: reads.
    Viewer,
    /// 作業者: works shipments.
    Operator,
    /// 管理者: changes settings.
    Admin,
    /// 所有者: changes settings, and says who else may.
    Owner,
}

impl Role {
    /// All, the lowest first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Admin, Self::Owner];

    /// Its name in commands, listings and stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Its Japanese label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Viewer => "閲覧者",
            Self::Operator => "作業者",
            Self::Admin => "管理者",
            Self::Owner => "所有者",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("there is no role {text:?}; take one of viewer, operator, admin, owner"))
    }
}

/// A person's e-mail address, as members are known by: lower-case, without blanks.
///
/// Personal data: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// Takes an address, in lower case; or says what is wrong with it.
    pub fn parse(text: impl AsRef<str>) -> Result<Self, String> {
        let text = text.as_ref().trim().to_lowercase();
        let fits = text.len() <= 254
            && text.chars().all(|c| !c.is_control() && !c.is_whitespace() && !matches!(c, '#' | '<' | '>' | '"' | ','))
            && text.split_once('@').is_some_and(|(who, at)| !who.is_empty() && at.contains('.') && !at.contains('@'));
        if fits { Ok(Self(text)) } else { Err("this is not an e-mail address such as hanako@shop.example".into()) }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl FromStr for Email {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Email {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_steps() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin && Role::Admin < Role::Owner);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        assert!("root".parse::<Role>().unwrap_err().contains("viewer, operator, admin, owner"));
    }

    #[test]
    fn an_address_is_known_in_one_form_only() {
        assert_eq!(Email::parse(" Hanako@Shop.Example ").unwrap().as_str(), "hanako@shop.example");
        for wrong in ["", "hanako", "@shop.example", "a@b@c.example", "a b@shop.example", "a#x@shop.example", "a@shop"]
        {
            assert!(Email::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(format!("{:?}", Email::parse("hanako@shop.example").unwrap()), "Email(…)");
    }
}
