//! What applying a document would change, so that a person can say yes to it.
//!
//! Elements are the same when their ids are the same: a connection that moved in the list has not changed, and nothing
//! shows as removed and added again. No secret can show, since none is in a document.

use std::fmt;

use super::ordered::Ordered;
use super::write::scalar_text;
use crate::settings::TenantSettings;

/// Characters of a value that are shown.
const SHOWN: usize = 80;

/// What happens to a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another value.
    Changed,
    /// The same elements in another order.
    Reordered,
}

/// One change that applying would make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happens.
    pub kind: ChangeKind,
    /// The setting, elements by their ids: `connections[hanako-ecforce].daily_call_limit`.
    pub path: String,
    /// The value before, in short.
    pub old: Option<String>,
    /// The value after, in short.
    pub new: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let old = self.old.as_deref().unwrap_or("nothing");
        let new = self.new.as_deref().unwrap_or("nothing");
        let path = &self.path;
        match self.kind {
            ChangeKind::Added => write!(f, "{path} is added: {new}"),
            ChangeKind::Removed => write!(f, "{path} is removed: {old}"),
            ChangeKind::Changed => write!(f, "{path} changes from {old} to {new}"),
            ChangeKind::Reordered => write!(f, "{path}: the order changes from {old} to {new}"),
        }
    }
}

/// What applying `new` over `old` would change, in the order of the document; empty if nothing. Without `old`,
/// everything is added.
///
/// The order of products, ship-froms and connections means nothing and is no change.
#[must_use]
pub fn difference(old: Option<&TenantSettings>, new: &TenantSettings) -> Vec<Change> {
    let old = old.map_or(Ordered::Map(Vec::new()), Ordered::of);
    let mut changes = Vec::new();
    compare(&mut changes, "", Some(&old), Some(&Ordered::of(new)));
    changes
}

fn compare(changes: &mut Vec<Change>, path: &str, old: Option<&Ordered>, new: Option<&Ordered>) {
    let old = old.filter(|value| !value.is_silent());
    let new = new.filter(|value| !value.is_silent());
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Ordered::Map(before)), Some(Ordered::Map(after))) => maps(changes, path, before, after),
        (before, after) if is_list_of_elements(before, after) => elements(changes, path, before, after),
        // The root and its chapters are told by what is in them.
        (None, Some(Ordered::Map(after))) if is_chapter(path) => maps(changes, path, &[], after),
        (Some(Ordered::Map(before)), None) if is_chapter(path) => maps(changes, path, before, &[]),
        (before, after) => {
            let kind = match (before, after) {
                (None, _) => ChangeKind::Added,
                (_, None) => ChangeKind::Removed,
                (Some(_), Some(_)) => ChangeKind::Changed,
            };
            let path = path.to_owned();
            changes.push(Change { kind, path, old: before.map(short), new: after.map(short) });
        }
    }
}

fn is_chapter(path: &str) -> bool {
    !path.contains(['.', '['])
}

fn maps(changes: &mut Vec<Change>, path: &str, old: &[(String, Ordered)], new: &[(String, Ordered)]) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let find = |entries: &'_ [(String, Ordered)], key: &str| entries.iter().position(|(name, _)| name == key);
    for (key, value) in new {
        let before = find(old, key).map(|at| &old[at].1);
        compare(changes, &below(key), before, Some(value));
    }
    for (key, value) in old.iter().filter(|(key, _)| find(new, key).is_none()) {
        compare(changes, &below(key), Some(value), None);
    }
}

/// What tells an element of a list from the others.
fn identity(element: &Ordered) -> Option<&str> {
    ["id", "sku", "connection"].into_iter().find_map(|key| match element.get(key) {
        Some(Ordered::Text(id)) => Some(id.as_str()),
        _ => None,
    })
}

fn items(list: Option<&Ordered>) -> &[Ordered] {
    match list {
        Some(Ordered::List(items)) => items,
        _ => &[],
    }
}

/// Is each a list (or nothing) of elements that can be told apart?
fn is_list_of_elements(old: Option<&Ordered>, new: Option<&Ordered>) -> bool {
    let each = |list: Option<&Ordered>| match list {
        None => true,
        Some(Ordered::List(items)) => items.iter().all(|item| identity(item).is_some()),
        Some(_) => false,
    };
    each(old) && each(new)
}

fn elements(changes: &mut Vec<Change>, path: &str, old: Option<&Ordered>, new: Option<&Ordered>) {
    use std::collections::HashMap;
    let by_id = |list: Option<&'_ Ordered>| -> HashMap<String, usize> {
        items(list).iter().enumerate().filter_map(|(at, item)| Some((identity(item)?.to_owned(), at))).collect()
    };
    let (before, after) = (by_id(old), by_id(new));
    let ids = |list, others: &HashMap<String, usize>| -> Vec<String> {
        let ids = items(list).iter().filter_map(identity);
        ids.filter(|id| others.contains_key(*id)).map(str::to_owned).collect()
    };
    for element in items(new) {
        let Some(id) = identity(element) else { continue };
        let previous = before.get(id).map(|at| &items(old)[*at]);
        compare(changes, &format!("{path}[{id}]"), previous, Some(element));
    }
    for element in items(old) {
        let Some(id) = identity(element) else { continue };
        if !after.contains_key(id) {
            compare(changes, &format!("{path}[{id}]"), Some(element), None);
        }
    }
    let (kept_before, kept_after) = (ids(old, &after), ids(new, &before));
    if kept_before != kept_after && !matches!(path, "products" | "ship_froms" | "connections") {
        let listed = |ids: Vec<String>| Some(clipped(&ids.join(", ")));
        changes.push(Change {
            kind: ChangeKind::Reordered,
            path: path.to_owned(),
            old: listed(kept_before),
            new: listed(kept_after),
        });
    }
}

fn clipped(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

/// A value on one short line.
fn short(value: &Ordered) -> String {
    fn line(value: &Ordered) -> String {
        match value {
            Ordered::Null => "nothing".into(),
            Ordered::Bool(flag) => flag.to_string(),
            Ordered::Number(number) => number.to_string(),
            Ordered::Text(text) => scalar_text(text),
            Ordered::List(items) => format!("[{}]", items.iter().map(line).collect::<Vec<_>>().join(", ")),
            Ordered::Map(entries) => {
                let parts: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {}", line(value))).collect();
                format!("{{ {} }}", parts.join(", "))
            }
        }
    }
    // An element with a name is recognised by it.
    match value.get("name") {
        Some(Ordered::Text(name)) if !name.contains(char::is_control) => clipped(name),
        _ => clipped(&line(value)),
    }
}
