//! What is going on, for whoever waits: on standard error, so that standard output holds the answer alone.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Whether steps are shown, and how.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    shown: bool,
}

impl Progress {
    /// Steps are shown: as a moving line on a terminal, as a line each otherwise.
    #[must_use]
    pub const fn shown() -> Self {
        Self { shown: true }
    }

    /// A line of its own: something that has happened.
    pub fn say(self, text: &str) {
        if self.shown {
            eprintln!("{text}");
        }
    }

    /// Something begins that takes a while. It has failed unless [`Step::done`] is called.
    #[must_use]
    pub fn step(self, text: &str) -> Step {
        let bar = (self.shown && io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner().with_message(text.to_owned());
            bar.set_style(spinner());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Step { progress: self, bar, text: text.to_owned(), began: Instant::now() }
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// Something that takes a while.
#[derive(Debug)]
pub struct Step {
    progress: Progress,
    bar: Option<ProgressBar>,
    text: String,
    began: Instant,
}

impl Step {
    /// It is done.
    pub fn done(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.progress.say(&format!("✓ {} ({:.1} s)", self.text, self.began.elapsed().as_secs_f64()));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
