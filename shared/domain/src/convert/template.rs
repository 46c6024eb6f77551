//! Templates of fields: compiled once, rendered within limits.
//!
//! A template is a merchant's text over a shop's data: neither is trusted. It can read nothing but what it is shown, and
//! ends by its limits: fuel for the work and the memory that it takes, a longest output, and a greatest depth. What an
//! error says holds nothing of the order, since it is kept with the order's reason and shown in listings.

use std::io;

use minijinja::machinery::{self, Instruction};
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};

use super::filters::{self, FILTERS, Said};

/// Longest template, in characters.
pub(super) const LONGEST_TEMPLATE: usize = 4_000;
/// Longest text that a template may make, in characters.
pub(super) const LONGEST_OUTPUT: usize = 2_000;
/// Work of one rendering: a unit for each step and for each 64 bytes that it makes or looks through. A filter or two of
/// a remark take some fifty.
const FUEL: u64 = 20_000;
/// Work of all renderings for one order: one merchant's templates must not hold up what waits behind them.
const FUEL_OF_AN_ORDER: u64 = 200_000;
/// Greatest depth of loops within loops.
const DEPTH: usize = 20;

/// Why a template does not compile or render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Line of the template, from 1, if it can be told.
    pub line: Option<usize>,
    /// Why, in a sentence without anything of the order.
    pub sentence: String,
}

/// An engine without anything that looks outside or that could make much of little.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    environment.set_formatter(|out, state, value| {
        let missing = value.is_none().then_some(&Value::UNDEFINED);
        escape_formatter(out, state, missing.unwrap_or(value))
    });
    // These pad to any width that is asked for, or show what the engine holds.
    for name in ["format", "indent", "batch", "slice", "tojson", "pprint", "urlencode"] {
        environment.remove_filter(name);
    }
    environment.remove_global("debug");
    filters::add(&mut environment);
    environment
}

/// Compiles a template under this name.
pub(super) fn add(environment: &mut Environment<'static>, name: String, text: &str) -> Result<(), TemplateError> {
    let length = text.chars().count();
    if length > LONGEST_TEMPLATE {
        let sentence = format!("the template has {length} characters; {LONGEST_TEMPLATE} is the most");
        return Err(TemplateError { line: None, sentence });
    }
    environment.add_template_owned(name, text.to_owned()).map_err(|error| explained(&error))
}

/// Filters and tests that a template names and that there are not, wherever they stand: rendering on samples finds only
/// those in branches that the samples reach.
pub(super) fn unknown_names(environment: &Environment<'static>, name: &str) -> Vec<TemplateError> {
    let Ok(template) = environment.get_template(name) else { return Vec::new() };
    let instructions = &machinery::get_compiled_template(&template).instructions;
    let mut state = environment.empty_state();
    let mut unknown: Vec<TemplateError> = Vec::new();
    let mut before: Option<&Instruction<'_>> = None;
    for place in 0.. {
        let Some(instruction) = instructions.get(place) else { break };
        // Filters that apply another filter, or a test, to each of a list take its name last.
        let given = || match before {
            Some(Instruction::LoadConst(value)) => value.as_str(),
            _ => None,
        };
        let (filter, test) = match instruction {
            Instruction::ApplyFilter("map", Some(2), _) => (given(), None),
            Instruction::ApplyFilter("select" | "reject", Some(2), _)
            | Instruction::ApplyFilter("selectattr" | "rejectattr", Some(3), _) => (None, given()),
            Instruction::ApplyFilter(filter, _, _) => (Some(*filter), None),
            Instruction::PerformTest(test, _, _) => (None, Some(*test)),
            _ => (None, None),
        };
        // Nothing is given to them, so that one which there is says that it lacks something.
        let line = instructions.get_line(place);
        let lacks = |error: Error| matches!(error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest);
        if let Some(name) = filter
            && state.apply_filter(name, &[]).is_err_and(lacks)
        {
            let own = FILTERS.join(", ");
            let sentence = format!("there is no such filter (`{name:.60}`); beside the usual ones there are {own}");
            unknown.push(TemplateError { line, sentence });
        }
        if let Some(name) = test
            && state.perform_test(name, &[]).is_err_and(lacks)
        {
            unknown.push(TemplateError { line, sentence: format!("there is no such test (`{name:.60}`)") });
        }
        before = Some(instruction);
    }
    unknown
}

/// What the templates of one order have used.
#[derive(Debug, Default)]
pub(super) struct Fuel {
    used: u64,
}

/// Renders a template.
pub(super) fn render(
    environment: &Environment<'static>,
    name: &str,
    root: Value,
    fuel: &mut Fuel,
) -> Result<String, TemplateError> {
    if fuel.used > FUEL_OF_AN_ORDER {
        let sentence = "the templates take too many steps for an order of so many parcels".to_owned();
        return Err(TemplateError { line: None, sentence });
    }
    let mut out = Limited(Vec::new());
    let rendered = environment.get_template(name).and_then(|template| {
        let captured = template.render_captured_to(root, &mut out)?;
        fuel.used += captured.state().fuel_levels().map_or(0, |(used, _)| used);
        Ok(())
    });
    if let Err(error) = rendered {
        return Err(if out.is_full() { too_long() } else { explained(&error) });
    }
    match String::from_utf8(out.0) {
        Ok(text) if text.chars().count() <= LONGEST_OUTPUT => Ok(text),
        Ok(_) | Err(_) => Err(too_long()),
    }
}

fn too_long() -> TemplateError {
    let sentence = format!("the template makes more than {LONGEST_OUTPUT} characters");
    TemplateError { line: None, sentence }
}

/// Takes so many bytes and fails then.
struct Limited(Vec<u8>);

impl Limited {
    /// No character has more bytes.
    const MOST: usize = LONGEST_OUTPUT * 4;

    fn is_full(&self) -> bool {
        self.0.len() > Self::MOST
    }
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (Self::MOST + 1).saturating_sub(self.0.len()).min(bytes.len());
        self.0.extend_from_slice(&bytes[..room]);
        if self.is_full() { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The engine's details quote values of the order in places, so only those about the template's own text are passed on.
fn explained(error: &Error) -> TemplateError {
    let own = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Said>());
    let detail = error.detail().unwrap_or_default();
    let sentence = match (own, error.kind()) {
        (Some(Said(sentence)), _) => sentence.clone(),
        (None, ErrorKind::SyntaxError | ErrorKind::BadEscape) => format!("the template cannot be read: {detail}"),
        (None, ErrorKind::TemplateNotFound) => "the template cannot be read: apply the document to see why".into(),
        (None, ErrorKind::OutOfFuel) => {
            "the template takes too many steps: does it loop, or heap up a text? It was ended".into()
        }
        (None, ErrorKind::UnknownFilter) => {
            format!("there is no such filter ({detail}); beside the usual ones there are {}", FILTERS.join(", "))
        }
        (None, ErrorKind::UnknownFunction | ErrorKind::UnknownTest) => format!("the template uses what there is not: {detail}"),
        (None, ErrorKind::UnknownMethod) => "values have no methods: use a filter instead".into(),
        (None, ErrorKind::TooManyArguments) => "a filter or function is given too much in its brackets".into(),
        (None, ErrorKind::MissingArgument) => "a filter or function needs more in its brackets".into(),
        (None, ErrorKind::WriteFailure) => return too_long(),
        (None, ErrorKind::InvalidOperation | ErrorKind::NonPrimitive | ErrorKind::CannotUnpack) => {
            "the template does what cannot be done with such a value (a number wanted where a text is, loops nested too \
             deep, or a text grown too large)"
                .into()
        }
        (None, kind) => format!("the template fails: {kind}"),
    };
    TemplateError { line: error.line(), sentence }
}
