//! Values that may have one of several forms: a choice of words, one or a list, a condition, an action.
//!
//! The branch that was meant is found first, by the kind of node and the keys it has, and only that branch speaks. "Data
//! did not match any variant" would leave the merchant with nothing to correct.

use std::cmp::Reverse;

use serde_json::Value;

use super::super::nearest::{listed, nearest, quoted};
use super::super::problem::Place;
use super::super::tree::{Core, Key, Kind, Node};
use super::{Form, Walk, Wanted, scalar};

impl<'s> Walk<'s> {
    /// The branches of a union, unions within it opened up; none if the schema is no union.
    pub(super) fn branches(&self, form: Form<'s>) -> Vec<Form<'s>> {
        let schema = form.schema;
        if schema.get("properties").is_some() {
            return Vec::new();
        }
        let Some(branches) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) else {
            return Vec::new();
        };
        branches
            .iter()
            .map(|branch| self.form(branch))
            .flat_map(|branch| {
                let inner = self.branches(branch);
                if inner.is_empty() { vec![branch] } else { inner }
            })
            .collect()
    }

    pub(super) fn union(&mut self, node: &Node, place: Place, branches: &[Form<'s>]) -> Option<Value> {
        let null = |form: &Form<'_>| form.schema.get("type").is_some_and(|kind| kind == "null");
        if node.core() == Some(Core::Null) && branches.iter().any(null) {
            return Some(Value::Null);
        }
        let branches: Vec<Form<'s>> = branches.iter().copied().filter(|form| !null(form)).collect();
        if let [only] = branches.as_slice() {
            return self.single(node, place, *only, &[]);
        }
        let fitting: Vec<Form<'s>> = branches
            .iter()
            .copied()
            .filter(|form| match (&node.kind, Wanted::of(*form)) {
                (_, Wanted::Anything)
                | (Kind::Scalar { .. }, Wanted::Scalar)
                | (Kind::List(_), Wanted::List)
                | (Kind::Map(_), Wanted::Map) => true,
                (_, Wanted::Scalar | Wanted::List | Wanted::Map) => false,
            })
            .collect();
        match (&node.kind, fitting.as_slice()) {
            (_, []) => {
                let expected = self.expected_of(&branches);
                let sentence = if node.core() == Some(Core::Null) {
                    format!("there is nothing here: write {expected}, or leave the key out")
                } else {
                    format!("this must be {expected}, not {}", scalar::found(node))
                };
                self.problem(place, sentence);
                None
            }
            (Kind::Scalar { text, quoted }, _) => self.scalar_branch(text, *quoted, place, &fitting, &branches),
            (Kind::Map(entries), _) => self.map_branch(entries, node, place, &fitting),
            (Kind::List(_), [first, ..]) => self.single(node, place, *first, &[]),
        }
    }

    fn scalar_branch(
        &mut self,
        text: &str,
        quotes: bool,
        place: Place,
        fitting: &[Form<'s>],
        all: &[Form<'s>],
    ) -> Option<Value> {
        let words: Vec<&str> = fitting.iter().flat_map(|form| scalar::choices(form.schema)).collect();
        if words.contains(&text) {
            return Some(Value::String(text.to_owned()));
        }
        let open: Vec<Form<'s>> =
            fitting.iter().copied().filter(|form| scalar::choices(form.schema).is_empty()).collect();
        let core = if quotes { Core::Text } else { Core::of(text) };
        let fits = |form: &&Form<'s>| {
            matches!(
                (&core, scalar::kind(form.schema)),
                (Core::Whole(_), "integer" | "number")
                    | (Core::Float(_), "number")
                    | (Core::Bool(_), "boolean")
                    | (Core::Text, "string")
            )
        };
        let text_form = || open.iter().find(|form| scalar::kind(form.schema) == "string");
        match open.iter().find(fits).or_else(text_form).or(open.first()) {
            Some(form) => self.scalar(text, quotes, place, *form),
            None => match key_alone(text, all) {
                Some(key) => {
                    self.problem(place, format!("{key:?} needs a value: write {{ {key}: … }}"));
                    None
                }
                None => self.choice(text, &words, place),
            },
        }
    }

    fn map_branch(
        &mut self,
        entries: &[(Key, Node)],
        node: &Node,
        place: Place,
        fitting: &[Form<'s>],
    ) -> Option<Value> {
        let mut all: Vec<&'s str> = Vec::new();
        for key in fitting.iter().flat_map(|form| keys(*form)) {
            if !all.contains(&key) {
                all.push(key);
            }
        }
        let meant = |key: &str| if all.contains(&key) { None } else { nearest(key, all.iter().copied()) };
        let has = |own: &[&str], key: &str| own.contains(&key) || meant(key).is_some_and(|meant| own.contains(&meant));
        // Most of the written keys known, then least missing.
        let score = |form: &Form<'s>| {
            let own = keys(*form);
            let known = entries.iter().filter(|(key, _)| has(&own, &key.text)).count();
            let written =
                |name: &str| entries.iter().any(|(key, _)| key.text == name || meant(&key.text) == Some(name));
            let missing = required(*form).filter(|name| !written(name)).count();
            (known, Reverse(missing))
        };
        let scores: Vec<_> = fitting.iter().map(score).collect();
        let best = scores.iter().max()?;
        let mut meant_branches = fitting.iter().zip(&scores).filter(|(_, score)| *score == best).map(|(form, _)| *form);
        let first = meant_branches.next()?;
        if best.0 == 0 && !keys(first).is_empty() {
            if entries.is_empty() {
                let expected = self.expected_of(fitting);
                self.problem(place, format!("there is nothing here: write {expected}"));
            }
            for (key, _) in entries {
                let sentence = format!("the key {} is not known here; known are: {}", quoted(&key.text), listed(&all));
                self.below(&key.text, |walk| walk.problem(key.place, sentence));
            }
            return None;
        }
        let written = |name: &str| entries.iter().any(|(key, _)| key.text == name);
        let others: Vec<Form<'s>> = meant_branches.collect();
        if best.1.0 > 0 && !others.is_empty() {
            // Each of these branches would do with one key more.
            let missing: Vec<&str> =
                std::iter::once(first).chain(others).flat_map(required).filter(|name| !written(name)).collect();
            self.problem(place, format!("one of {} is missing here", listed(&missing)));
            return None;
        }
        let own = keys(first);
        let beside: Vec<&str> = all.iter().copied().filter(|key| !own.contains(key)).collect();
        self.single(node, place, first, &beside)
    }

    /// What a union wants, for a sentence.
    pub(super) fn expected_of(&self, branches: &[Form<'s>]) -> String {
        let mut words = Vec::new();
        let mut single = Vec::new();
        let mut others: Vec<String> = Vec::new();
        for form in branches {
            let own = keys(*form);
            let choices = scalar::choices(form.schema);
            if !choices.is_empty() {
                words.extend(choices);
            } else if Wanted::of(*form) == Wanted::Map && !own.is_empty() {
                single.push(required(*form).next().unwrap_or(own[0]));
            } else if form.schema.get("type").is_none_or(|kind| kind != "null") {
                others.push(self.expected(*form));
            }
        }
        if !words.is_empty() {
            others.push(format!("one of {}", listed(&words)));
        }
        if !single.is_empty() {
            single.dedup();
            others.push(match single.as_slice() {
                [only] => format!("a mapping with {only}"),
                several => format!("a mapping with one of {}", listed(several)),
            });
        }
        others.dedup();
        others.join(", or ")
    }
}

/// An action's name that was written without its value.
fn key_alone<'s>(text: &str, branches: &[Form<'s>]) -> Option<&'s str> {
    branches.iter().flat_map(|form| keys(*form)).find(|key| *key == text)
}

fn required(form: Form<'_>) -> impl Iterator<Item = &str> {
    form.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn keys(form: Form<'_>) -> Vec<&str> {
    let properties = form.schema.get("properties").and_then(Value::as_object);
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}
