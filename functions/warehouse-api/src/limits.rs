//! What one request may ask for. Stated in `docs/warehouse-api.md` and in the `OpenAPI` document.

use std::time::Duration;

/// Most bytes of a body.
pub const BODY_BYTES: usize = 1024 * 1024;
/// Most records in a write.
pub const RECORDS: usize = 1_000;
/// Most shipments on a page.
pub const PAGE: usize = 1_000;
/// Shipments on a page if nothing is said.
pub const USUAL_PAGE: usize = 100;
/// Most bytes of a page's shipments. A function's answer may have 6 MB, but on its way out it is held some four times; a
/// thousand shipments have about one. What does not fit comes with the next page.
pub const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// Most rows that a request looks at for a page; a filter may leave few of them, or none.
pub const ROWS: usize = 1_000;
/// About so many rows of all of a tenant's lists are held for a page: the more lists, the fewer of each.
pub const ROWS_HELD: usize = 4_000;
/// So many shipments of a request are held at a time: with all of a thousand at once a function takes several times the
/// memory of its answer.
pub const HELD: usize = 200;
/// Most orders that one webhook names.
pub const HINTS: usize = 200;
/// How many records of a write are worked on at the same moment.
pub const AT_ONCE: usize = 16;
/// For how long a write begins with further records. The gateway waits 29 s for an answer; what was not begun by then is
/// answered as such, and can be sent again.
pub const PATIENCE: Duration = Duration::from_secs(20);
