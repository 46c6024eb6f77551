//! The console's functions end at a panic (`profile.pages`), and what others unwind by is left out of their programs.
//!
//! Cargo does not tell a build whether it is for one that ends at a panic; programs for deployment are those that are made
//! small. One made so that would unwind ends at its panic all the same.

use std::env;
use std::path::Path;

fn main() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/no_unwinding.ld");
    println!("cargo:rerun-if-changed={}", script.display());
    let is = |name, wanted: &str| env::var(name).is_ok_and(|found| found == wanted);
    if is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo:rustc-link-arg-bins=-T{}", script.display());
    }
}
