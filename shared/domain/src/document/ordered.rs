//! Settings as plain values in the order of their types: what [`super::write`] writes and [`super::difference`] compares.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::settings::{OneOrMany, TenantSettings};

/// A value whose keys keep their order, unlike those of `serde_json::Value`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ordered {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Ordered>),
    Map(Vec<(String, Ordered)>),
}

impl Ordered {
    /// Settings in the order of their types. A single easy set-up is the same as a list of one, and is told as a list.
    pub fn of(settings: &TenantSettings) -> Self {
        let mut settings = settings.clone();
        if let OneOrMany::One(one) = settings.integration_robots.easy_setup {
            settings.integration_robots.easy_setup = OneOrMany::Many(vec![*one]);
        }
        // Settings are texts, numbers and lists with text keys: there is nothing in them that JSON could not hold.
        serde_json::to_string(&settings).and_then(|text| serde_json::from_str(&text)).unwrap_or(Self::Null)
    }

    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// Says nothing: a mapping without keys, in which every setting has its default. An empty list says something.
    pub fn is_silent(&self) -> bool {
        match self {
            Self::Map(entries) => entries.iter().all(|(_, value)| value.is_silent()),
            Self::Null => true,
            Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => false,
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_unit<E>(self) -> Result<Ordered, E> {
                Ok(Ordered::Null)
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Ordered, E> {
                Ok(Ordered::Bool(flag))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Ordered, E> {
                Ok(Ordered::Number(number.into()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Ordered, E> {
                Ok(Ordered::Number(number.into()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Ordered, E> {
                Ok(Number::from_f64(number).map_or(Ordered::Null, Ordered::Number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Ordered, E> {
                Ok(Ordered::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ordered, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Ordered::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Ordered, A::Error> {
                let mut map = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    map.push(entry);
                }
                Ok(Ordered::Map(map))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
