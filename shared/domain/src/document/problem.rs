//! What is found in a document, and where.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

/// Problems, and warnings, that are told at once. The rest is noise, and a hostile document could make very many.
pub(super) const MOST_TOLD: usize = 1_000;

/// Something that must be changed before the document can be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1; 0 where the settings did not come from a text.
    pub line: usize,
    /// Column, from 1; 0 where the settings did not come from a text.
    pub column: usize,
    /// The setting, such as `connections[0].daily_call_limit`; empty for the document as a whole.
    pub path: String,
    /// What is wrong and what to do about it. Never holds what stands where a secret belongs.
    pub sentence: String,
}

/// Something that is allowed but that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Line, from 1; 0 where the settings did not come from a text.
    pub line: usize,
    /// Column, from 1; 0 where the settings did not come from a text.
    pub column: usize,
    /// The setting.
    pub path: String,
    /// What to know.
    pub sentence: String,
}

fn at(f: &mut fmt::Formatter<'_>, line: usize, path: &str, sentence: &str) -> fmt::Result {
    if line > 0 {
        write!(f, "line {line}: ")?;
    }
    if path.is_empty() {
        return f.write_str(sentence);
    }
    // A path holds keys as they were written; a terminal must not take them for anything else.
    for c in path.chars() {
        if c.is_control() { write!(f, "{}", c.escape_default())? } else { f.write_char(c)? }
    }
    write!(f, ": {sentence}")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        at(f, self.line, &self.path, &self.sentence)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        at(f, self.line, &self.path, &self.sentence)
    }
}

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

/// Where each setting of a document stands. Settings that did not come from a text have [`Places::default`].
#[derive(Debug, Clone, Default)]
pub struct Places {
    by_path: HashMap<String, Place>,
}

impl Places {
    pub(super) fn note(&mut self, path: &str, place: Place) {
        self.by_path.insert(path.to_owned(), place);
    }

    /// The place of a setting, or of the nearest thing around it that the text holds.
    pub(super) fn of(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(place) = self.by_path.get(path) {
                return *place;
            }
            match path.rfind(['.', '[']) {
                Some(cut) => path = &path[..cut],
                None => return self.by_path.get("").copied().unwrap_or_default(),
            }
        }
    }

    /// The line of a setting such as `connections[0].daily_call_limit`, or of the nearest thing around it; 0 if the
    /// settings did not come from a text.
    #[must_use]
    pub fn line(&self, path: &str) -> usize {
        self.of(path).line
    }
}

/// What a check found: problems forbid applying, warnings do not.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// What must be changed.
    pub problems: Vec<Problem>,
    /// What to know.
    pub warnings: Vec<Warning>,
}

/// Collects findings with their places.
pub(super) struct Report<'a> {
    pub places: &'a Places,
    pub findings: Findings,
}

impl Report<'_> {
    pub fn problem(&mut self, path: impl Into<String>, sentence: impl Into<String>) {
        let path = path.into();
        let Place { line, column } = self.places.of(&path);
        if self.findings.problems.len() <= MOST_TOLD {
            self.findings.problems.push(Problem { line, column, path, sentence: sentence.into() });
        }
    }

    pub fn warning(&mut self, path: impl Into<String>, sentence: impl Into<String>) {
        let path = path.into();
        let Place { line, column } = self.places.of(&path);
        if self.findings.warnings.len() < MOST_TOLD {
            self.findings.warnings.push(Warning { line, column, path, sentence: sentence.into() });
        }
    }

    /// ` on line 12`, or nothing where there are no lines.
    pub fn on_line(&self, path: &str) -> String {
        match self.places.line(path) {
            0 => String::new(),
            line => format!(" on line {line}"),
        }
    }
}
