//! A short run of every fuzz target, decided by a seed: what it tries is the same on every machine.
//!
//! `RENKEI_FUZZ_INPUTS` and `RENKEI_FUZZ_SEED` make it longer and another one. An input that breaks something is kept under
//! `target/fuzz/`; `RENKEI_FUZZ_REPLAY=FILE RENKEI_FUZZ_TARGET=NAME` tries it alone. Once mended it goes into the corpus.
//! An input that ends the whole process (a stack that runs over) is found in `target/fuzz/NAME.current`.

use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use renkei_fuzz::bend::{Dice, bent};
use renkei_fuzz::{TARGETS, Target, target};

/// So many inputs to each target, where nobody says otherwise.
const INPUTS: usize = 3_000;
/// Nothing of 64 KB takes so long, however slow the machine.
const SLOW: Duration = Duration::from_secs(10);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

fn corpus(target: Target) -> Vec<Vec<u8>> {
    let folder = root().join("fuzz/corpus").join(target.name);
    let files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("no corpus: {}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "an empty corpus: {}", folder.display());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// What is wrong with it, if anything.
fn broken(target: Target, input: &[u8]) -> Option<String> {
    let began = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    if let Err(panic) = ended {
        let said =
            panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).into()));
        return Some(said.unwrap_or_default());
    }
    let took = began.elapsed();
    (took > SLOW).then(|| format!("{} bytes took {took:?}", input.len()))
}

fn short(target: Target, folder: &Path) -> Result<usize, String> {
    let corpus = corpus(target);
    let current = folder.join(target.name).with_extension("current");
    let seed = number("RENKEI_FUZZ_SEED", 1);
    let mut dice = Dice::new(seed as u64);
    let count = number("RENKEI_FUZZ_INPUTS", INPUTS);
    let bent = std::iter::repeat_with(|| bent(&corpus, &mut dice)).take(count);
    let mut tried = 0;
    for input in corpus.iter().cloned().chain(bent) {
        fs::write(&current, &input).unwrap();
        if let Some(said) = broken(target, &input) {
            let kept = folder.join(format!("{}-{seed}-{tried}", target.name));
            fs::write(&kept, &input).unwrap();
            let said: String = said.chars().take(500).collect();
            return Err(format!(
                "{}: {said}\n  replay: RENKEI_FUZZ_REPLAY={} RENKEI_FUZZ_TARGET={} cargo test -p renkei-fuzz",
                target.name,
                kept.display(),
                target.name
            ));
        }
        tried += 1;
    }
    fs::remove_file(&current).unwrap();
    Ok(tried)
}

#[test]
fn nothing_from_outside_breaks_its_parser() {
    if let Ok(file) = std::env::var("RENKEI_FUZZ_REPLAY") {
        let name = std::env::var("RENKEI_FUZZ_TARGET").expect("RENKEI_FUZZ_TARGET names the target");
        (target(&name).run)(&fs::read(file).expect("the kept input"));
        return;
    }
    let folder = root().join("target/fuzz");
    fs::create_dir_all(&folder).unwrap();
    let began = Instant::now();
    let only = std::env::var("RENKEI_FUZZ_TARGET").ok();
    let targets = TARGETS.into_iter().filter(|target| only.as_deref().is_none_or(|only| only == target.name));
    let ended: Vec<_> = targets.map(|target| (target.name, short(target, &folder))).collect();
    for (name, ended) in &ended {
        println!("{name}: {}", ended.as_ref().map_or("BROKEN".to_owned(), ToString::to_string));
    }
    let failures: Vec<&String> = ended.iter().filter_map(|(_, ended)| ended.as_ref().err()).collect();
    assert!(
        failures.is_empty(),
        "{} targets broke:\n{}",
        failures.len(),
        failures.iter().map(|f| f.as_str()).collect::<Vec<_>>().join("\n")
    );
    let tried: usize = ended.iter().filter_map(|(_, ended)| ended.as_ref().ok()).sum();
    // Not by `println!`, which a test that passes keeps to itself: the count is to be seen in every run.
    let _ = writeln!(std::io::stderr(), "{tried} inputs to {} fuzz targets in {:?}", ended.len(), began.elapsed());
}

/// A target that nobody runs under coverage, or a folder that is none's, would be forgotten.
#[test]
fn every_target_has_a_corpus_and_a_program_for_cargo_fuzz() {
    let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    names.sort_unstable();
    let list = |folder: &str| -> Vec<String> {
        let files = fs::read_dir(root().join("fuzz").join(folder)).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(list("corpus"), names);
    assert_eq!(list("fuzz_targets"), names);
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} is not in fuzz/Cargo.toml");
    }
}
