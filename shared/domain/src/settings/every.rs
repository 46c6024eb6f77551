//! 定期: how often.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a robot starts: `N minutes` or `N hours`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Every {
    minutes: u32,
}

impl Every {
    /// Once a day.
    pub const DAY: Self = Self { minutes: 1_440 };

    /// From a number of minutes, 1 to 1,440.
    pub fn minutes(minutes: u32) -> Result<Self, String> {
        if (1..=1_440).contains(&minutes) {
            Ok(Self { minutes })
        } else {
            Err("a robot can start every 1 minute to every 24 hours".into())
        }
    }

    /// The number of minutes between two starts.
    #[must_use]
    pub fn as_minutes(self) -> u32 {
        self.minutes
    }
}

impl TryFrom<String> for Every {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a time: write for example `15 minutes` or `2 hours`");
        let (number, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let minutes = match unit.trim() {
            "minute" | "minutes" | "分" => number,
            "hour" | "hours" | "時間" => number.saturating_mul(60),
            _ => return Err(wrong()),
        };
        Self::minutes(minutes)
    }
}

impl From<Every> for String {
    fn from(every: Every) -> String {
        match every.minutes {
            1 => "1 minute".into(),
            60 => "1 hour".into(),
            m if m.is_multiple_of(60) => format!("{} hours", m / 60),
            m => format!("{m} minutes"),
        }
    }
}

impl JsonSchema for Every {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Every".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+ (minutes?|hours?)$",
            "description": "How often: `15 minutes`, `2 hours`; at most 24 hours."
        })
    }
}
