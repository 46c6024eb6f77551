//! Rows that are told to a shop together, and apart where it refuses all of them for one.
//!
//! A shop answers for each row by itself. One that refuses a whole call instead, because of one row in it, would be sent the
//! same rows by every run, and nothing that stands behind them would ever be told. So what was refused whole is told in
//! parts, until it is known which rows the shop does not take; all others are told on the way.
//!
//! What the shop refuses of one row alone, in its own words, is about that row. Where it is not known to take any, the call
//! may be wrong for all of them instead (a field that it wants, a place that it does not have): after the first and the last
//! row the rest is not asked for, and the run fails with the shop's words. Those two wait for a person, so that even then the
//! next run comes to others; that costs three calls more than giving up at once. To find one row among a hundred costs
//! about a dozen.
//!
//! What an answer says is asked of it only for the rows that were in its call: two parcels of an order may have one name.

use std::ops::Range;

use renkei_ecforce::{Client, Error, ShopErrors, Token};

use crate::{Session, ShopError};

/// How often one call of many rows is told in parts. What is still open then is before the next run again.
const MOST_CALLS: usize = 30;
/// So many rows refused by themselves, and none taken: it may be all of them.
const ENOUGH: usize = 2;

/// What is known of rows before they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// The shop has taken such rows: what it refuses is not wrong for all.
    Taken,
    /// The shop has refused all of these in one call, and done nothing of it.
    Refused,
}

/// What became of rows that were told together.
#[derive(Debug)]
pub struct Together<A> {
    /// What the shop answered, and to which rows, by their places.
    answers: Vec<(Range<usize>, A)>,
    /// Places of the rows that the shop refuses, with its words.
    refused: Vec<(usize, ShopErrors)>,
    /// Why the other rows were not told, if there are others: the rows of the last call, and what came of it.
    pub stopped: Option<(Range<usize>, ShopError)>,
}

/// What the shop said of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a, A> {
    /// This answered the call in which it was.
    Answer(&'a A),
    /// It refuses the row, with these words.
    Refused(&'a ShopErrors),
    /// Nothing that came here: it was in no call that was answered.
    Nothing,
}

impl<A> Together<A> {
    /// What became of rows that were told in one call, and not in parts. A refusal is a single row's own; of several rows it says
    /// nothing of any.
    #[must_use]
    pub fn of(rows: Range<usize>, answer: Result<A, ShopError>) -> Self {
        let mut told = Self { answers: Vec::new(), refused: Vec::new(), stopped: None };
        match answer {
            Ok(answer) => told.answers.push((rows, answer)),
            Err(error) => match of_rows(&error).filter(|_| rows.len() == 1) {
                Some(words) => told.refused.push((rows.start, words.clone())),
                None => told.stopped = Some((rows, error)),
            },
        }
        told
    }

    /// What the shop said of the row at this place.
    #[must_use]
    pub fn said(&self, place: usize) -> Said<'_, A> {
        let refused = self.refused.iter().find(|(refused, _)| *refused == place).map(|(_, words)| Said::Refused(words));
        let answer = || self.answers.iter().find(|(rows, _)| rows.contains(&place));
        refused.or_else(|| answer().map(|(_, answer)| Said::Answer(answer))).unwrap_or(Said::Nothing)
    }

    /// Puts the answers together to one, by `join`, and adds to it what was refused, by `refuse`; beside why not all was told.
    /// For rows that have names of their own.
    pub fn joined(
        self,
        join: impl Fn(&mut A, A),
        mut refuse: impl FnMut(&mut A, usize, ShopErrors),
    ) -> (A, Option<ShopError>)
    where
        A: Default,
    {
        let mut whole = A::default();
        for (_, answer) in self.answers {
            join(&mut whole, answer);
        }
        for (place, errors) in self.refused {
            refuse(&mut whole, place, errors);
        }
        (whole, self.stopped.map(|(_, error)| error))
    }
}

impl Session {
    /// Tells these rows in one call, or in parts. `request` must be safe to repeat, as with [`Session::call`].
    pub async fn call_together<R, A>(
        &mut self,
        rows: &[R],
        known: Known,
        request: impl AsyncFn(&Client, &Token, &[R]) -> Result<A, Error>,
    ) -> Together<A> {
        apart(rows.len(), known, async |part| {
            self.call(async |client, token| request(client, token, &rows[part.clone()]).await).await
        })
        .await
    }

    /// Likewise, where no row must be carried out twice, as with [`Session::call_once`]. Where it stopped for an error after
    /// which the shop [may have](Error::maybe_applied) carried the call out, its rows are those that it names.
    pub async fn call_together_once<R, A>(
        &mut self,
        rows: &[R],
        known: Known,
        request: impl AsyncFn(&Client, &Token, &[R]) -> Result<A, Error>,
    ) -> Together<A> {
        apart(rows.len(), known, async |part| {
            self.call_once(async |client, token| request(client, token, &rows[part.clone()]).await).await
        })
        .await
    }
}

/// A part that is yet to be told.
struct Part {
    rows: Range<usize>,
    /// It was refused, or the rows that were refused together with it were taken by themselves: so it is in this one.
    is_refused: bool,
    /// The next to be told was refused together with it.
    is_first: bool,
}

/// Asks for all of so many rows, then for parts of what is refused.
async fn apart<A>(
    rows: usize,
    known: Known,
    mut ask: impl AsyncFnMut(Range<usize>) -> Result<A, ShopError>,
) -> Together<A> {
    let mut told = Together { answers: Vec::new(), refused: Vec::new(), stopped: None };
    let mut open = vec![Part { rows: 0..rows, is_refused: known == Known::Refused, is_first: false }];
    let (mut calls, mut refusal) = (0, None);
    while let Some(Part { rows: part, is_refused, is_first }) = open.pop() {
        let takes = known == Known::Taken || !told.answers.is_empty();
        if !(is_refused && part.len() > 1) {
            let is_of_all = !takes && told.refused.len() == ENOUGH;
            if let Some(error) = refusal.take_if(|_| is_of_all || calls == MOST_CALLS) {
                told.stopped = Some((part, error));
                break;
            }
            calls += 1;
            match ask(part.clone()).await {
                Ok(answer) => {
                    told.answers.push((part, answer));
                    if let Some(next) = open.last_mut().filter(|_| is_first) {
                        next.is_refused = true;
                    }
                    continue;
                }
                Err(error) => {
                    let Some(words) = of_rows(&error) else {
                        told.stopped = Some((part, error));
                        break;
                    };
                    if part.len() == 1 {
                        told.refused.push((part.start, words.clone()));
                    }
                    refusal = Some(error);
                }
            }
        }
        if part.len() > 1 {
            // Whether the shop takes any row is worth more than where the refused one is: the first is asked for by itself, then
            // the last, for rows that are alike mostly stand together.
            let (middle, last_first) = match told.refused.len() {
                _ if takes => (part.len() / 2, false),
                0 => (1, false),
                _ => (part.len() - 1, true),
            };
            let (left, right) = (part.start..part.start + middle, part.start + middle..part.end);
            let (first, then) = if last_first { (right, left) } else { (left, right) };
            open.push(Part { rows: then, is_refused: false, is_first: false });
            open.push(Part { rows: first, is_refused: false, is_first: true });
        }
    }
    told
}

/// The shop's words, if it understood the call and refuses it for what is in it, as far as its words say.
#[must_use]
pub fn of_rows(error: &ShopError) -> Option<&ShopErrors> {
    let ShopError::Shop(error) = error else { return None };
    // Of all rows: none is told another state than the others.
    error.refusal().filter(|words| !words.is_of_state())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use renkei_ecforce::BadBody;

    use super::*;

    /// A shop's answer to 422, in its own words.
    fn refusal(code: &str) -> ShopError {
        let said = renkei_ecforce::ShopError { code: code.to_owned(), message: "更新できません。".to_owned() };
        Error::Unprocessable { errors: [said].into_iter().collect() }.into()
    }

    /// Tells so many rows to a shop that refuses a call that names one of these. Gives how many calls it took, and which rows
    /// were carried out in which order.
    async fn told(rows: usize, bad: &[usize]) -> (Together<Vec<usize>>, usize, Vec<usize>) {
        told_after(Known::Nothing, rows, bad).await
    }

    async fn told_after(known: Known, rows: usize, bad: &[usize]) -> (Together<Vec<usize>>, usize, Vec<usize>) {
        let (mut calls, mut done) = (0, Vec::new());
        let told = apart(rows, known, async |part| {
            calls += 1;
            if part.clone().any(|row| bad.contains(&row)) {
                return Err(refusal("AOR2001"));
            }
            done.extend(part.clone());
            Ok(part.collect())
        })
        .await;
        (told, calls, done)
    }

    fn refused(told: &Together<Vec<usize>>) -> Vec<usize> {
        told.refused.iter().map(|(place, _)| *place).collect()
    }

    #[tokio::test]
    async fn all_is_told_in_one_call_where_nothing_is_refused() {
        let (told, calls, done) = told(100, &[]).await;
        assert_eq!((calls, done.len(), told.refused.len()), (1, 100, 0));
        assert!(told.stopped.is_none());
    }

    #[tokio::test]
    async fn one_row_is_found_and_all_others_are_told_once() {
        for rows in [2, 3, 50, 100] {
            for bad in 0..rows {
                let (told, calls, done) = told(rows, &[bad]).await;
                assert_eq!(refused(&told), [bad], "{rows}");
                let others: Vec<usize> = (0..rows).filter(|row| *row != bad).collect();
                assert_eq!(done, others, "{rows}: {bad}");
                assert!(told.stopped.is_none() && calls <= 15, "{rows}: {bad} took {calls}");
            }
        }
    }

    #[tokio::test]
    async fn of_several_all_are_found_as_far_as_calls_go() {
        let (mut dice, mut most) = (fastrand::Rng::with_seed(7), 0);
        for _ in 0..2_000 {
            let rows = dice.usize(2..=100);
            let bad: BTreeSet<usize> = (0..dice.usize(0..6)).map(|_| dice.usize(0..rows)).collect();
            let bad: Vec<usize> = bad.into_iter().collect();
            let known = [Known::Nothing, Known::Taken, Known::Refused][dice.usize(0..3)];
            if known == Known::Refused && bad.is_empty() {
                continue;
            }
            let (told, calls, done) = told_after(known, rows, &bad).await;
            most = most.max(calls);
            let once: BTreeSet<usize> = done.iter().copied().collect();
            assert_eq!(once.len(), done.len(), "a row was told twice: {rows} {bad:?}");
            assert!(refused(&told).iter().all(|row| bad.contains(row)), "{rows} {bad:?}: {:?}", told.refused);
            for row in 0..rows {
                let is_as_it_was = match told.said(row) {
                    Said::Answer(rows) => rows.contains(&row) && once.contains(&row),
                    Said::Refused(_) => refused(&told).contains(&row) && !once.contains(&row),
                    Said::Nothing => !once.contains(&row) && told.stopped.is_some(),
                };
                assert!(is_as_it_was, "{rows} {bad:?}: {row}");
            }
            if told.stopped.is_none() {
                assert_eq!((refused(&told).len(), done.len()), (bad.len(), rows - bad.len()), "{rows} {bad:?}");
            } else {
                let is_of_all = told.answers.is_empty() && known != Known::Taken;
                assert!(calls == MOST_CALLS || is_of_all, "{rows} {bad:?} after {calls}");
            }
        }
        assert!(most <= MOST_CALLS, "{most}");
    }

    #[tokio::test]
    async fn where_nothing_is_taken_the_rest_is_not_asked_for() {
        for rows in [1, 2, 3, 100] {
            let bad: Vec<usize> = (0..rows).collect();
            let (told, calls, _) = told(rows, &bad).await;
            let ends: &[usize] = if rows == 1 { &[0] } else { &[0, rows - 1] };
            assert_eq!(refused(&told), ends, "the next run comes to others");
            assert_eq!((told.stopped.is_some(), calls <= 4), (rows > ENOUGH, true), "{rows}: {told:?}");
        }
        // Rows that are alike stand together: one end of them shows that the others are not.
        let (told, ..) = told(100, &(0..5).collect::<Vec<_>>()).await;
        assert!(!told.answers.is_empty() && !told.refused.is_empty(), "{told:?}");
        let (told, _, done) = told_after(Known::Taken, 100, &[0, 99]).await;
        assert_eq!((refused(&told), done.len(), told.stopped.is_none()), (vec![0, 99], 98, true));
        let (told, calls, done) = told_after(Known::Refused, 100, &[40]).await;
        assert_eq!((refused(&told), done.len(), calls <= 14), (vec![40], 99, true), "it is not told whole again");
        // A state that the shop does not have is of all, whatever a single one would be answered.
        let mut calls = 0;
        let unknown = apart(100, Known::Nothing, async |_| {
            calls += 1;
            Err::<(), _>(refusal("AOR3002"))
        });
        assert!(unknown.await.stopped.is_some());
        assert_eq!(calls, 1);
    }

    #[tokio::test]
    async fn what_is_no_refusal_ends_it_and_names_its_rows() {
        let mut calls = 0;
        let told = apart(8, Known::Nothing, async |part| {
            calls += 1;
            match calls {
                1 => Err(refusal("AOR2001")),
                2 => Ok(part),
                _ => Err(Error::from(BadBody::Truncated).into()),
            }
        })
        .await;
        let (rows, error) = told.stopped.as_ref().expect("it stopped");
        assert_eq!(rows.clone(), 1..4, "{error}");
        assert!(matches!((told.said(0), told.said(1)), (Said::Answer(_), Said::Nothing)));
    }

    #[tokio::test]
    async fn answers_and_refusals_are_put_together() {
        let (told, ..) = told(10, &[3]).await;
        let (mut whole, stopped) = told.joined(Extend::extend, |whole: &mut Vec<usize>, place, words| {
            whole.push(place + 100 * words.as_slice().len());
        });
        whole.sort_unstable();
        assert_eq!(whole, [0, 1, 2, 4, 5, 6, 7, 8, 9, 103]);
        assert!(stopped.is_none());
    }
}
