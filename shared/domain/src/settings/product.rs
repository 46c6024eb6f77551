//! 商品マスタ: what the merchant ships.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::Sku;

/// 商品マスタ: a SKU that the merchant ships.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// 商品コード.
    pub sku: Sku,
    /// 商品名.
    pub name: String,
    /// 安全在庫: held back from what is offered at the shop; left out, as many as the connection says. 0 holds none back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock_buffer: Option<u32>,
    /// Leaflets and samples: shipped, but never offered at the shop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_for_sale: bool,
    /// 温度帯.
    #[serde(default, skip_serializing_if = "Temperature::is_ambient")]
    pub temperature: Temperature,
    /// セット商品: what one of it is made of. It is offered as the least of its parts, and takes from them when it is sold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_of: Vec<Part>,
}

/// 温度帯: how a product must be kept and carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Temperature {
    /// 常温.
    #[default]
    Ambient,
    /// 冷蔵.
    Chilled,
    /// 冷凍.
    Frozen,
}

impl Temperature {
    /// All, the warmest first.
    pub const ALL: [Self; 3] = [Self::Ambient, Self::Chilled, Self::Frozen];

    /// Its name in documents, conditions and CSV.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ambient => "ambient",
            Self::Chilled => "chilled",
            Self::Frozen => "frozen",
        }
    }

    /// Its Japanese label, taken in CSV too.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ambient => "常温",
            Self::Chilled => "冷蔵",
            Self::Frozen => "冷凍",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_ambient(&self) -> bool {
        *self == Self::Ambient
    }
}

/// One part of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// 商品コード of the part; not a set itself.
    pub sku: Sku,
    /// How many of it are in one set; at least 1.
    pub quantity: u32,
}
