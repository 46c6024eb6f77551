//! Every parser of what comes from outside, as one function of bytes each. A target fails by panicking: when what it calls
//! does, and when what was read is not what its words promise.
//!
//! Two things run them: `cargo test -p renkei-fuzz`, which bends a kept corpus by seed, in every run of the tests; and
//! `cargo fuzz run TARGET` in `fuzz/`, guided by coverage, for as long as somebody lets it. Both take their corpus from
//! `fuzz/corpus/TARGET`.

pub mod bend;
mod targets;

/// A parser under fuzzing.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is its folder's in the corpus.
    pub name: &'static str,
    /// Reads bytes. Panics if anything is wrong.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 14] = [
    Target { name: "document", run: targets::document },
    Target { name: "api_url", run: targets::api_url },
    Target { name: "retry_after", run: targets::retry_after },
    Target { name: "shop_orders", run: targets::shop_orders },
    Target { name: "shop_answers", run: targets::shop_answers },
    Target { name: "messages", run: targets::messages },
    Target { name: "warehouse_bodies", run: targets::warehouse_bodies },
    Target { name: "warehouse_lists", run: targets::warehouse_lists },
    Target { name: "webhooks", run: targets::webhooks },
    Target { name: "result_files", run: targets::result_files },
    Target { name: "file_layouts", run: targets::file_layouts },
    Target { name: "products_csv", run: targets::products_csv },
    Target { name: "console_forms", run: targets::console_forms },
    Target { name: "console_uploads", run: targets::console_uploads },
];

/// The target of this name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn target(name: &str) -> Target {
    TARGETS.into_iter().find(|target| target.name == name).unwrap_or_else(|| panic!("there is no fuzz target {name}"))
}
