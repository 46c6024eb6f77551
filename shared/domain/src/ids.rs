//! Identifiers as types, so that a tenant cannot be passed where a connection is meant.
//!
//! The only way in is `parse`; what has been parsed cannot be wrong. Keys in the store are built from these, which is
//! why none of them may hold the separators that keys use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier. The sentence names the text's kind and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {value:?} is not valid: {rule}")]
pub struct InvalidId {
    kind: &'static str,
    value: String,
    rule: &'static str,
}

impl InvalidId {
    /// What is allowed, without the text that is not: for cells of files, which may hold anything.
    #[must_use]
    pub fn rule(&self) -> String {
        format!("this is no {}: {}", self.kind, self.rule)
    }
}

const SLUG_RULE: &str = "use 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit";

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0] != b'-'
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

fn clipped(text: &str) -> String {
    text.chars().take(80).collect()
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $valid:expr, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it is allowed, else says what is.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let value = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&value) {
                    Ok(Self(value))
                } else {
                    Err(InvalidId { kind: $kind, value: clipped(&value), rule: $rule })
                }
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $rule })
            }
        }
    };
}

text_id!(
    /// 契約企業: a merchant company. Nothing of one tenant is ever visible to another.
    TenantId, "tenant", is_slug, SLUG_RULE
);
text_id!(
    /// API認証設定: one shop reached with one set of credentials.
    ConnectionId, "connection", is_slug, SLUG_RULE
);
text_id!(
    /// 発送元: where parcels leave.
    ShipFromId, "ship-from", is_slug, SLUG_RULE
);
text_id!(
    /// The warehouse that may read a ship-from's shipments.
    WarehouseId, "warehouse", is_slug, SLUG_RULE
);
text_id!(
    /// 配送方法: a shipping method of the merchant's own.
    ShippingMethodId, "shipping method", is_slug, SLUG_RULE
);
text_id!(
    /// 変換ロボット / 処理ロボット: a conversion or processing robot.
    RuleId, "robot", is_slug, SLUG_RULE
);
text_id!(
    /// 連携ロボット: an integration robot, either `<connection>/<action>` (made by the easy set-up) or a name of its own.
    RobotId,
    "integration robot",
    |text| match text.split_once('/') {
        Some((connection, action)) => is_slug(connection) && is_slug(action),
        None => is_slug(text),
    },
    "use a name such as my-robot, or <connection>/<action> such as hanako-ecforce/fetch-orders"
);
text_id!(
    /// 商品コード: what the shop and the warehouse call one article.
    Sku,
    "SKU",
    |text| {
        (1..=128).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
    },
    "use 1 to 128 bytes without control characters or surrounding spaces"
);
text_id!(
    /// 受注番号: the order's number as customers see it. Unique within a connection only.
    OrderNumber,
    "order number",
    |text| {
        (1..=128).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
    },
    "use 1 to 128 bytes without control characters or surrounding spaces"
);

/// The shop's number for an order. Not always issued in order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub u64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The shop's number for a shipping address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressId(pub u64);

impl fmt::Display for AddressId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 出荷指示: one parcel of one order: `<connection>.<order id>.<n>`, n counting the order's parcels from 1.
///
/// Parcel 1 always exists, and its record stands for the whole order: that is what makes "an order is imported once"
/// one conditional write, whatever becomes of its addresses at the shop later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShipmentId {
    /// The connection that the order came through.
    pub connection: ConnectionId,
    /// The order at the shop.
    pub order: OrderId,
    /// Which of the order's parcels, from 1.
    pub parcel: u16,
}

impl ShipmentId {
    /// The shipment whose record stands for the whole order.
    #[must_use]
    pub fn lead(connection: ConnectionId, order: OrderId) -> Self {
        Self { connection, order, parcel: 1 }
    }

    /// Does this shipment's record stand for the whole order?
    #[must_use]
    pub fn is_lead(&self) -> bool {
        self.parcel == 1
    }
}

impl fmt::Display for ShipmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.connection, self.order, self.parcel)
    }
}

impl FromStr for ShipmentId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong = || InvalidId {
            kind: "shipment",
            value: clipped(text),
            rule: "it looks like <connection>.<order id>.<parcel>, for example hanako-ecforce.88111.1",
        };
        let mut parts = text.split('.');
        let (Some(connection), Some(order), Some(parcel), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let id = Self {
            connection: ConnectionId::parse(connection).map_err(|_| wrong())?,
            order: OrderId(order.parse().map_err(|_| wrong())?),
            parcel: parcel.parse().map_err(|_| wrong())?,
        };
        // One spelling only: `01` and `+1` would name the same record twice.
        if id.to_string() == text && id.parcel > 0 { Ok(id) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for ShipmentId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<ShipmentId> for String {
    fn from(id: ShipmentId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_hold_no_separator() {
        for bad in ["", "-a", "A", "a.b", "a/b", "a#b", "あ", &"a".repeat(64)] {
            assert!(TenantId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(TenantId::parse("hanako-2").is_ok());
    }

    #[test]
    fn a_shipment_has_one_spelling() {
        let id: ShipmentId = "hanako-ecforce.88111.1".parse().unwrap();
        assert!(id.is_lead());
        assert_eq!(id.to_string(), "hanako-ecforce.88111.1");
        for bad in ["hanako.88111", "hanako.088111.1", "hanako.88111.0", "hanako.+1.1", "hanako.1.1.1", "h#.1.1"] {
            assert!(bad.parse::<ShipmentId>().is_err(), "{bad}");
        }
    }
}
