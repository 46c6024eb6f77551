//! What forms share: choices, and what a document's checks say of a part of a form, at that part.

use renkei_domain::document::Problem;

use super::sentences;
use crate::lang::Lang;

/// A choice: what is sent, what is shown, and whether it is chosen.
pub type Choice = (String, String, bool);

/// A sentence on a part of a form.
pub struct Said {
    /// The row, to go there.
    pub at: Option<String>,
    /// What people call the row.
    pub label: String,
    pub text: String,
}

impl Said {
    /// A sentence on the whole form.
    pub fn of_all(text: String) -> Self {
        Self { at: None, label: String::new(), text }
    }
}

/// Choices that stand in a program.
pub fn owned(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(key, words)| ((*key).to_owned(), (*words).to_owned())).collect()
}

/// Choices of which this one is chosen. What is none of them is offered as well: a form loses nothing.
pub fn chosen(all: Vec<(String, String)>, now: &str) -> Vec<Choice> {
    let is_known = all.iter().any(|(key, _)| key == now);
    let unknown = (!is_known).then(|| (now.to_owned(), now.to_owned(), true));
    let known = all.into_iter().map(|(key, words)| {
        let is = key == now;
        (key, words, is)
    });
    unknown.into_iter().chain(known).collect()
}

/// Choices of which several are chosen: those first, in their order.
pub fn several(all: impl Iterator<Item = (String, String)>, now: &[String]) -> Vec<Choice> {
    let all: Vec<(String, String)> = all.collect();
    let name = |id: &String| all.iter().find(|(key, _)| key == id).map_or_else(|| id.clone(), |(_, name)| name.clone());
    let first: Vec<Choice> = now.iter().map(|id| (id.clone(), name(id), true)).collect();
    let rest = all.iter().filter(|(key, _)| !now.contains(key)).map(|(key, name)| (key.clone(), name.clone(), false));
    first.into_iter().chain(rest).collect()
}

/// What a document says, on the part of a form that it is about. Parts are named by their place in the document below that
/// of the form's whole, their row, and what people call it.
pub fn said(lang: Lang, places: &[(String, String, String)], below: &str, problem: &Problem) -> Said {
    let text = sentences::said(lang, &problem.sentence);
    let path = &problem.path;
    let own = path.strip_prefix(below).map(|rest| rest.trim_start_matches('.'));
    let found = own.and_then(|own| {
        let covers =
            |path: &str| own.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        places.iter().filter(|(path, _, _)| covers(path)).max_by_key(|(path, _, _)| path.len())
    });
    match found {
        Some((_, at, label)) => Said { at: Some(at.clone()), label: label.clone(), text },
        None => Said::of_all(format!("{path}: {text}").trim_start_matches(": ").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_choice_is_offered_where_it_is_chosen() {
        let all = || owned(&[("a", "A"), ("b", "B")]);
        let is = |now: &str| chosen(all(), now).into_iter().map(|(key, _, is)| (key, is)).collect::<Vec<_>>();
        assert_eq!(is("b"), [("a".to_owned(), false), ("b".to_owned(), true)]);
        assert_eq!(is("c"), [("c".to_owned(), true), ("a".to_owned(), false), ("b".to_owned(), false)]);
    }

    #[test]
    fn what_is_about_another_part_names_it() {
        let places = [("name".to_owned(), "name".to_owned(), "Name".to_owned())];
        let problem = |path: &str| Problem { line: 1, column: 1, path: path.to_owned(), sentence: "x".to_owned() };
        let own = said(Lang::En, &places, "ship_froms[0]", &problem("ship_froms[0].name"));
        assert_eq!((own.at.as_deref(), own.text.as_str()), (Some("name"), "x"));
        let other = said(Lang::En, &places, "ship_froms[0]", &problem("connections[0].id"));
        assert_eq!((other.at, other.text.as_str()), (None, "connections[0].id: x"));
    }

    #[test]
    fn what_is_chosen_of_several_comes_first() {
        let all = || owned(&[("a", "A"), ("b", "B")]);
        let keys: Vec<String> =
            several(all().into_iter(), &["x".to_owned(), "b".to_owned()]).into_iter().map(|it| it.0).collect();
        assert_eq!(keys, ["x", "b", "a"]);
    }
}
