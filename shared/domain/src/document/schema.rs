//! The document's JSON Schema, generated from the types that read it.

use serde_json::Value;

use crate::settings::TenantSettings;

/// JSON Schema (2020-12) of the document; kept at `docs/document.schema.json` for editors that complete and check while
/// one writes.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(TenantSettings).to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "Renkei: one merchant's settings".into());
    }
    schema
}
