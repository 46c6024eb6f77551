//! The known word that was probably meant.

/// Past this many characters it is no slip of the pen, and comparing grows with the square of the length.
const LONGEST: usize = 100;
/// Words that are compared; a merchant's thousands of products are not.
const COMPARED: usize = 1_000;

/// The nearest of the known words, if any is near enough to be a slip of the pen: a third of its letters wrong at most,
/// or one the beginning of the other (`東京` for `東京都`, `fetch` for `fetch-orders`).
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.trim().to_lowercase().replace([' ', '-'], "_");
    let word = plain(word);
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    known
        .into_iter()
        .take(COMPARED)
        .filter(|candidate| candidate.len() <= LONGEST)
        .filter_map(|candidate| {
            let other = plain(candidate);
            let distance = strsim::osa_distance(&word, &other);
            let allowed = ((length.max(other.chars().count()) + 1) / 3).max(1);
            let begins = length >= 2 && (other.starts_with(&word) || word.starts_with(&other));
            // A single letter is near everything.
            let near = (distance <= allowed && length > 1) || begins || distance == 0;
            near.then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean "x"?`, or the list of what there is.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(candidate) => format!("did you mean {candidate:?}?"),
        None if known.is_empty() => "there is none yet".into(),
        None => format!("there is {}", listed(known)),
    }
}

/// `a, b, c`, shortened when there are very many.
pub(super) fn listed(words: &[&str]) -> String {
    const SHOWN: usize = 24;
    let mut text = words.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if words.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

/// A value for a sentence: in quotes, shortened.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() > SHOWN {
        let short: String = text.chars().take(SHOWN).collect();
        format!("{:?}", format!("{short}…"))
    } else {
        format!("{text:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["daily_call_limit", "ship_from", "email"];
        assert_eq!(nearest("daly_call_limit", known), Some("daily_call_limit"));
        assert_eq!(nearest("shipFrom", known), Some("ship_from"));
        assert_eq!(nearest("ship-from", known), Some("ship_from"));
        assert_eq!(nearest("warehouse", known), None);
        assert_eq!(nearest("x", known), None);
        assert_eq!(nearest("payed", ["paid", "wait"]), Some("paid"));
        assert_eq!(nearest("東京", ["京都府", "東京都"]), Some("東京都"));
    }
}
