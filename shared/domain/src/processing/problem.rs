//! What is wrong with a merchant's robots, said so that the merchant can put it right.

use std::fmt;

use crate::ids::RuleId;

/// One thing that is wrong, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// Place in the document: `processing_robots.custom[2].when.all[0].field`.
    pub path: String,
    /// The robot that it concerns.
    pub robot: Option<RuleId>,
    /// A sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.robot {
            Some(robot) => write!(f, "{} (robot {robot}): {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// `; did you mean …?` for the known name nearest to this one, or nothing if none is near.
pub(super) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// The known name that is at most a third of the letters away.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    // Past this it is no misspelling, and the comparison grows with the square of the length.
    if length > 100 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance > 0 && *distance <= (length / 3).max(1))
        .map(|(_, candidate)| candidate)
}

/// A text of the merchant's, short enough for a sentence.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
