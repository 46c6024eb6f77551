//! Money is whole yen; there is no other kind here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whole yen. Negative for discounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Yen(pub i64);

impl fmt::Display for Yen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        f.write_str("円")
    }
}

#[cfg(test)]
mod tests {
    use super::Yen;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(Yen(0).to_string(), "0円");
        assert_eq!(Yen(980).to_string(), "980円");
        assert_eq!(Yen(-1_234_567).to_string(), "-1,234,567円");
    }
}
