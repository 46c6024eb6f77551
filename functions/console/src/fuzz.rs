//! Ways in for fuzzing: every parser of what a browser sends, as a function of bytes. Nothing else calls them.

use axum::body::Bytes;
use futures::FutureExt;
use renkei_domain::document;
use renkei_domain::ids::ConnectionId;
use renkei_domain::settings::TenantSettings;

use crate::guard::Upload;
use crate::lang::Lang;
use crate::pages::bulk::asked;
use crate::pages::setting_fields::{Entry, Kind, blank, groups, within};
use crate::pages::{Form, search};

/// A form's body, read as every form is, and as the one that works on many shipments. Gives how many shipments it names.
#[must_use]
pub fn form(body: &[u8]) -> usize {
    let form = Form::read(body);
    let _ = (form.get("settings"), form.has("enabled"), form.version().is_ok());
    asked(body)
}

/// A form's body as one of a new ship-from, shop and shipping method, put among settings. Gives the documents that may be in
/// force by it.
#[must_use]
pub fn setting(body: &[u8], settings: &TenantSettings) -> Vec<TenantSettings> {
    let form = Form::read(body);
    let documents = [Kind::ShipFrom, Kind::Connection, Kind::ShippingMethod].into_iter().filter_map(|kind| {
        let fields = groups(kind, settings, Lang::Ja);
        let entry = Entry::read(&fields, &form);
        let _ = entry.fits_a_form(&fields);
        let mut item = blank(kind, settings);
        entry.put(&fields, &mut item);
        let whole = within(kind, settings, kind.ids(settings).len(), item)?;
        document::read(&whole.to_string(), &|url: &str| Ok(url.to_owned())).ok()
    });
    documents.map(|document| document.settings).collect()
}

/// A form that came with a file: its length; None if it is none.
#[must_use]
pub fn upload(body: &[u8]) -> Option<usize> {
    let read = Upload::read("multipart/form-data; boundary=X", Bytes::copy_from_slice(body));
    // All of it is there: nothing is waited for.
    read.now_or_never().flatten().map(|upload| upload.bytes("file").len() + upload.text("layout").len())
}

/// A place of a search, as an address has it; None if it is none. Written down again, it is the same place.
#[must_use]
pub fn place(text: &str, connections: &[ConnectionId]) -> Option<String> {
    search::place(text, connections)
}
