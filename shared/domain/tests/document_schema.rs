//! The schema and the reference that are published with the project are those of the types.

use std::path::Path;

use renkei_domain::document;
use serde_json::Value;

fn docs(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// `UPDATE=1 cargo test -p renkei-domain --test document_schema` writes the schema anew.
#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = docs("document.schema.json");
    let text = format!("{:#}\n", document::schema());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == text,
        "docs/document.schema.json is stale: run `UPDATE=1 cargo test -p renkei-domain --test document_schema`"
    );
}

fn keys(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                found.extend(properties.keys().cloned());
            }
            map.values().for_each(|inner| keys(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| keys(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_reference_names_every_key_in_both_languages() {
    let mut all = Vec::new();
    keys(&document::schema(), &mut all);
    all.sort();
    all.dedup();
    assert!(all.len() > 60);
    for name in ["document.md", "document.ja.md"] {
        let text = std::fs::read_to_string(docs(name)).unwrap();
        let missing: Vec<&String> = all.iter().filter(|key| !text.contains(&format!("`{key}`"))).collect();
        assert!(missing.is_empty(), "docs/{name} does not name {missing:?}");
    }
}
