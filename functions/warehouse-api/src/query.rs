//! The query of a list, taken apart strictly: a parameter that is misspelt would otherwise answer with another list than
//! was asked for.

use jiff::Timestamp;
use renkei_domain::ids::WarehouseId;
use renkei_domain::shipment::Status;

use crate::limits;
use crate::problem::Problem;

/// The statuses that a warehouse may list. What is on hold is not its business yet: it may never be shipped.
pub const LISTED: [Status; 4] = [Status::Ready, Status::Picking, Status::Shipped, Status::Cancelled];

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// In one of these statuses.
    pub statuses: Vec<Status>,
    /// With a cancellation request that waits for an answer; without one.
    pub cancel_requested: Option<bool>,
    /// Changed since.
    pub updated_since: Option<Timestamp>,
    /// Most shipments on the page.
    pub limit: usize,
    /// Where the list goes on.
    pub cursor: Option<String>,
}

impl Query {
    /// From a URL's parameters.
    pub fn of(parameters: Vec<(String, String)>) -> Result<Self, Problem> {
        let (mut status, mut cancel_requested, mut updated_since) = (None, None, None);
        let (mut limit, mut cursor) = (None, None);
        for (name, value) in parameters {
            let before = match name.as_str() {
                "status" => status.replace(one_status(&value)?).is_some(),
                "cancel_requested" => cancel_requested.replace(flag(&value)?).is_some(),
                "updated_since" => updated_since.replace(time(&value)?).is_some(),
                "limit" => limit.replace(number(&value)?).is_some(),
                "cursor" => cursor.replace(value).is_some(),
                _ => return Err(Problem::BadQuery("it has a parameter that this call does not know")),
            };
            if before {
                return Err(Problem::BadQuery("a parameter stands in it twice"));
            }
        }
        let statuses = match (status, cancel_requested) {
            (Some(status), _) => vec![status],
            // Only what has been claimed can have a request.
            (None, Some(true)) => vec![Status::Picking],
            (None, Some(false) | None) => LISTED.to_vec(),
        };
        Ok(Self { statuses, cancel_requested, updated_since, limit: limit.unwrap_or(limits::USUAL_PAGE), cursor })
    }

    /// Names the list that is asked for, whatever page of it: what a cursor is bound to.
    #[must_use]
    pub fn list(&self, warehouse: &WarehouseId) -> String {
        let statuses: Vec<&str> = self.statuses.iter().map(|status| status.as_str()).collect();
        format!("{warehouse}|{}|{:?}|{:?}", statuses.join(","), self.cancel_requested, self.updated_since)
    }
}

fn one_status(value: &str) -> Result<Status, Problem> {
    LISTED
        .into_iter()
        .find(|status| status.as_str() == value)
        .ok_or(Problem::BadQuery("status is one of ready, picking, shipped, cancelled"))
}

fn flag(value: &str) -> Result<bool, Problem> {
    value.parse().map_err(|_| Problem::BadQuery("cancel_requested is true or false"))
}

fn time(value: &str) -> Result<Timestamp, Problem> {
    // A plus sign that was not escaped has become a space.
    value
        .replace(' ', "+")
        .parse()
        .map_err(|_| Problem::BadQuery("updated_since is a time with a zone, such as 2026-11-24T10:00:00+09:00"))
}

fn number(value: &str) -> Result<usize, Problem> {
    let number = value.bytes().all(|b| b.is_ascii_digit()).then(|| value.parse().ok()).flatten();
    number
        .filter(|number| (1..=limits::PAGE).contains(number))
        .ok_or(Problem::BadQuery("limit is a number from 1 to 1000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parameters: &[(&str, &str)]) -> Result<Query, Problem> {
        Query::of(parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn nothing_said_is_all_that_a_warehouse_may_see() {
        let query = of(&[]).unwrap();
        assert_eq!((query.statuses.len(), query.limit), (4, 100));
        assert!(!query.statuses.contains(&Status::Hold));
        assert_eq!(of(&[("cancel_requested", "true")]).unwrap().statuses, [Status::Picking]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for bad in [
            ("status", "hold"),
            ("status", ""),
            ("limit", "0"),
            ("limit", "1001"),
            ("limit", "+5"),
            ("limit", "99999999999999999999"),
            ("cancel_requested", "1"),
            ("updated_since", "yesterday"),
            ("updated_since", "2026-11-24T10:00:00"),
            ("staus", "ready"),
        ] {
            assert!(matches!(of(&[bad]), Err(Problem::BadQuery(_))), "{bad:?}");
        }
        assert!(of(&[("limit", "1"), ("limit", "1")]).is_err());
    }

    #[test]
    fn a_time_is_read_with_its_zone_escaped_or_not() {
        let utc = of(&[("updated_since", "2026-11-24T01:00:00Z")]).unwrap().updated_since;
        assert_eq!(of(&[("updated_since", "2026-11-24T10:00:00+09:00")]).unwrap().updated_since, utc);
        assert_eq!(of(&[("updated_since", "2026-11-24T10:00:00 09:00")]).unwrap().updated_since, utc);
    }

    #[test]
    fn pages_of_one_list_have_its_name_and_other_lists_another() {
        let warehouse = WarehouseId::parse("tokyo-dc").unwrap();
        let ready = of(&[("status", "ready")]).unwrap().list(&warehouse);
        assert_eq!(of(&[("status", "ready"), ("limit", "7")]).unwrap().list(&warehouse), ready);
        assert_ne!(of(&[("status", "picking")]).unwrap().list(&warehouse), ready);
        assert_ne!(of(&[("status", "ready")]).unwrap().list(&WarehouseId::parse("osaka").unwrap()), ready);
    }
}
