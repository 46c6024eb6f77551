//! Ways in for fuzzing: every parser of what a browser sends, as a function of bytes. Nothing else calls them.

use axum::body::Bytes;
use futures::FutureExt;
use renkei_domain::ids::ConnectionId;

use crate::guard::Upload;
use crate::pages::bulk::asked;
use crate::pages::{Form, search};

/// A form's body, read as every form is, and as the one that works on many shipments. Gives how many shipments it names.
#[must_use]
pub fn form(body: &[u8]) -> usize {
    let form = Form::read(body);
    let _ = (form.get("settings"), form.has("enabled"), form.version().is_ok());
    asked(body)
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
