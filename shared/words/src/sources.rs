//! The texts of sources, for tests that want each of them to have its Japanese: what is new there, or worded
//! otherwise, is found missing at once.

/// A text of a source.
pub struct Text {
    /// The code before it, without the texts in it.
    pub before: String,
    /// What it says, with something in each of its places.
    pub said: String,
}

impl Text {
    /// Is it among what this call is given? The call is named with its bracket: `.note(`.
    pub fn is_given_to(&self, call: &str) -> bool {
        let Some(at) = self.before.rfind(call) else { return false };
        let mut open = 1_usize;
        for sign in self.before[at + call.len()..].chars() {
            match sign {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if open == 0 {
                return false;
            }
        }
        true
    }

    /// Does it follow this piece of code?
    pub fn follows(&self, code: &str) -> bool {
        self.before.trim_end().ends_with(code)
    }

    /// Has it several words, as sentences have?
    pub fn is_sentence(&self) -> bool {
        self.said.split(' ').count() >= 3 && self.said.bytes().any(|byte| byte.is_ascii_lowercase())
    }
}

/// All texts of a source, but for what its tests and its comments say.
pub fn texts_of(source: &str) -> Vec<Text> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let source = source.replace("\\\n", "\u{1}").replace("'\"'", "");
    let mut code = String::new();
    let mut found = Vec::new();
    for line in source.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.starts_with("#[expect")) {
        let mut is_text = false;
        for part in line.split('"') {
            if is_text {
                // A text that goes on in the next line.
                let parts: Vec<&str> = part.split('\u{1}').map(str::trim).collect();
                found.push(Text { before: code.clone(), said: with_something(&parts.join(" ")) });
            } else {
                code.push_str(part);
            }
            is_text = !is_text;
        }
        code.push('\n');
    }
    found
}

/// Places of a format, filled.
fn with_something(format: &str) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        match after.split_once('}') {
            Some((name, after))
                if name.starts_with("near") || name == "hint" || name.is_empty() && after.is_empty() =>
            {
                rest = after;
            }
            Some((name, after)) if name.chars().all(|c| c.is_ascii_alphanumeric() || "_:.?".contains(c)) => {
                text.push('7');
                rest = after;
            }
            _ => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}
