//! What records and checks say in English, in Japanese: the sentences that people are shown in more than one place.
//! The console shows them on its pages, and a merchant's staff read them in their chat (`renkei-notify`); the tables
//! stand here once, so that both say the same. What only pages say stands in the console, by the same [`forms`].
//!
//! Records and the command line keep the English. A sentence that has no Japanese is shown as it is: one that people
//! have to look up is better than none. Tests read the sources of whatever says something, and fail on a sentence that
//! has none.

pub mod checks;
pub mod counts;
pub mod fields;
pub mod forms;
mod lang;
pub mod reasons;
pub mod robots;
pub mod runs;
#[cfg(test)]
mod sources;

pub use lang::Lang;
