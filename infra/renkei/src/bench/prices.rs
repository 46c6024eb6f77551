//! What AWS charges, by the dated list of this repository (`infra/prices/tokyo.json`), and what it is charged for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::CliError;

const TOKYO: &str = include_str!("../../../prices/tokyo.json");

/// Amounts by function and measure, such as 4,000 of `write-units` of `import-orders`.
pub type Usage = BTreeMap<(String, String), f64>;

/// A list of prices.
#[derive(Debug, Deserialize)]
pub struct Prices {
    /// AWS's name of the region.
    pub region: String,
    /// Year and month.
    pub as_of: String,
    #[serde(rename = "prices")]
    of: BTreeMap<String, Price>,
}

#[derive(Debug, Deserialize)]
struct Price {
    usd: f64,
    per: f64,
}

impl Prices {
    /// Those of Tokyo.
    pub fn tokyo() -> Result<Self, CliError> {
        Ok(serde_json::from_str(TOKYO)?)
    }

    /// USD for an amount. What has no price is an error: it would look free.
    pub fn usd(&self, measure: &str, amount: f64) -> Result<f64, CliError> {
        let price = self.of.get(measure);
        let price = price.ok_or_else(|| CliError::said(format!("there is no price for {measure}: {amount}")))?;
        Ok(amount * price.usd / price.per)
    }

    /// USD for all of it.
    pub fn bill(&self, usage: &Usage) -> Result<f64, CliError> {
        usage.iter().map(|((_, measure), amount)| self.usd(measure, *amount)).sum()
    }

    /// USD by what `key` takes from (function, measure).
    pub fn bill_by<'a>(
        &self,
        usage: &'a Usage,
        key: impl Fn(&'a (String, String)) -> &'a str,
    ) -> Result<BTreeMap<String, f64>, CliError> {
        let mut bill = BTreeMap::new();
        for (of, amount) in usage {
            *bill.entry(key(of).to_owned()).or_default() += self.usd(&of.1, *amount)?;
        }
        Ok(bill)
    }
}

/// What was used between two looks at a meter.
pub fn between(before: &Usage, after: &Usage) -> Usage {
    let used = after.iter().map(|(of, amount)| (of.clone(), amount - before.get(of).copied().unwrap_or(0.0)));
    used.filter(|(_, amount)| *amount > 0.0).collect()
}

/// Adds to a usage.
pub fn add(to: &mut Usage, usage: &Usage) {
    for (of, amount) in usage {
        *to.entry(of.clone()).or_default() += amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(of: &[(&str, &str, f64)]) -> Usage {
        of.iter().map(|(function, measure, amount)| (((*function).into(), (*measure).into()), *amount)).collect()
    }

    #[test]
    fn a_bill_is_amounts_times_prices_and_what_has_no_price_is_an_error() {
        let prices = Prices::tokyo().unwrap();
        let used = usage(&[("a", "write-units", 1e6), ("a", "read-units", 2e6), ("b", "log-bytes", 1e9)]);
        assert!((prices.bill(&used).unwrap() - (0.715 + 0.286 + 0.76)).abs() < 1e-9);
        let by_function = prices.bill_by(&used, |of| &of.0).unwrap();
        assert!((by_function["a"] - 1.001).abs() < 1e-9 && (by_function["b"] - 0.76).abs() < 1e-9);
        assert!(prices.bill(&usage(&[("a", "unmetered", 1.0)])).is_err());
    }

    #[test]
    fn what_was_used_is_the_difference() {
        let before = usage(&[("a", "write-units", 3.0), ("b", "read-units", 1.0)]);
        let after = usage(&[("a", "write-units", 5.0), ("b", "read-units", 1.0), ("c", "gb-seconds", 0.5)]);
        let mut used = between(&before, &after);
        assert_eq!(used, usage(&[("a", "write-units", 2.0), ("c", "gb-seconds", 0.5)]));
        add(&mut used, &usage(&[("a", "write-units", 1.0)]));
        assert_eq!(used, usage(&[("a", "write-units", 3.0), ("c", "gb-seconds", 0.5)]));
    }
}
