//! What today's page counts of a day, as lists: exactly the shipments that its numbers are.

use renkei_domain::ids::ConnectionId;
use renkei_domain::shipment::Status;
use renkei_store::StoreError;
use renkei_store::lists::{Listed, Mark};

use super::shipments::ROWS;
use super::today::midnight;
use crate::guard::Caller;
use crate::problem::Problem;

/// The word for the day.
const TODAY: &str = "today";

/// A list of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfToday {
    /// 本日取込（未出荷）: imported since midnight, and not out yet.
    Taken,
    /// 本日出荷: known to have left since midnight.
    Shipped,
}

impl OfToday {
    /// The list that an address names by `taken` or `shipped`, if it names one.
    pub fn named(taken: Option<&str>, shipped: Option<&str>) -> Result<Option<Self>, Problem> {
        let is_said = |word: &&str| !word.is_empty();
        match (taken.filter(is_said), shipped.filter(is_said)) {
            (None, None) => Ok(None),
            (Some(TODAY), None) => Ok(Some(Self::Taken)),
            (None, Some(TODAY)) => Ok(Some(Self::Shipped)),
            _ => Err(Problem::not_found()),
        }
    }

    /// What it is called in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Shipped => "shipped",
        }
    }

    fn statuses(self) -> &'static [Status] {
        match self {
            Self::Taken => &[Status::Hold, Status::Ready, Status::Picking, Status::Cancelled],
            Self::Shipped => &[Status::Shipped],
        }
    }

    /// A page of it.
    pub async fn list(
        self,
        caller: &Caller,
        connection: &ConnectionId,
        after: Option<Mark>,
    ) -> Result<Listed, StoreError> {
        caller.tenant.newest_of(connection, self.statuses(), midnight(caller.now), ROWS as usize, after).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_one_list_of_today_and_no_other_day() {
        assert_eq!(OfToday::named(None, Some("")).unwrap(), None);
        assert_eq!(OfToday::named(Some("today"), None).unwrap(), Some(OfToday::Taken));
        assert_eq!(OfToday::named(Some(""), Some("today")).unwrap(), Some(OfToday::Shipped));
        for (taken, shipped) in [("yesterday", ""), ("", "x"), ("today", "today")] {
            assert!(OfToday::named(Some(taken), Some(shipped)).is_err(), "{taken} {shipped}");
        }
    }

    #[test]
    fn together_they_are_all_statuses() {
        let mut all = [OfToday::Taken, OfToday::Shipped].map(OfToday::statuses).concat();
        all.sort_by_key(|status| Status::ALL.iter().position(|it| it == status));
        assert_eq!(all, Status::ALL);
    }
}
