//! Logs: one JSON object a line on stdout, under fixed names, so that one query follows an order from schedule to
//! shipped.
//!
//! Names at the root of each line: `timestamp`, `level`, `message`, `target`, `function`; and, once known, `tenant`,
//! `connection`, `robot`, `run` (the correlation id), `message_id`. Spans bring them ([`run_span`]): a line has the
//! fields of all spans that it stands in, each name once, the innermost value winning.
//!
//! Personal data and secrets do not get here, because their types do not print. Other people's crates do not know that:
//! the AWS SDK prints whole requests at `trace`. So there is no `trace`, and code that is not ours is not heard below
//! `info`, whatever the level says. In a release build nothing below `info` is in the program at all (`Cargo.toml`); `debug`
//! is for programs of a developer.

use std::fmt;
use std::io::Write;

use renkei_domain::ids::{ConnectionId, RobotId, TenantId};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Span, Subscriber};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock::Clock;

/// From which level on, and of which modules, things are logged.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLevel(Targets);

impl LogLevel {
    /// `info`, or `warn,renkei_shop=info`. None if it is neither, or asks for `trace`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let targets: Targets = text.parse().ok()?;
        // A word that is no level is taken for a module of which all is wanted, `trace` too; nothing for `error`.
        let says_something = text.split(',').all(|part| !part.trim().is_empty());
        let has_general_level = targets.default_level().is_some_and(|level| level > LevelFilter::OFF);
        let asks_for_trace = targets.default_level() == Some(LevelFilter::TRACE)
            || targets.iter().any(|(_, level)| level == LevelFilter::TRACE);
        (says_something && has_general_level && !asks_for_trace).then_some(Self(targets))
    }
}

/// Why logs could not be started. Permanent.
#[derive(Debug, thiserror::Error)]
#[error("logs have been started already in this process")]
pub struct StartedAlready;

/// Starts logs, and tells panics to them. Once in a process, before anything else.
pub fn start(function: &'static str, level: LogLevel, clock: Clock) -> Result<(), StartedAlready> {
    subscriber(function, level, clock, std::io::stdout).try_init().map_err(|_| StartedAlready)?;
    std::panic::set_hook(Box::new(|panic| log_panic(panic.location())));
    Ok(())
}

/// Where it happened, and nothing of what was said: the text of a panic may quote the data that it tripped over.
fn log_panic(location: Option<&std::panic::Location<'_>>) {
    let at = location.map_or_else(String::new, ToString::to_string);
    tracing::error!(at, "a panic: this is a mistake in Renkei; the record that was in hand has failed");
}

/// The span of a robot's run: all that happens inside is logged with these names.
#[must_use]
pub fn run_span(tenant: &TenantId, connection: &ConnectionId, robot: Option<&RobotId>, run: &str) -> Span {
    tracing::info_span!(
        "run",
        tenant = tenant.as_str(),
        connection = connection.as_str(),
        robot = robot.map(RobotId::as_str),
        run
    )
}

fn subscriber<W>(function: &'static str, level: LogLevel, clock: Clock, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = JsonLines { function, clock, writer };
    tracing_subscriber::registry().with(level.0).with(filter_fn(move |about| may_speak(function, about))).with(lines)
}

fn may_speak(function: &str, about: &Metadata<'_>) -> bool {
    let speaker = about.target().split("::").next().unwrap_or_default();
    let is_ours = || speaker.starts_with("renkei") || speaker.bytes().eq(function.bytes().map(underscored));
    *about.level() <= Level::INFO || is_ours()
}

fn underscored(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte }
}

/// Writes events as JSON lines. An own layer, because those at hand either put spans' fields below `spans`, where
/// queries do not reach them by name, or write a name twice if an event and its span both have it.
struct JsonLines<W> {
    function: &'static str,
    clock: Clock,
    writer: W,
}

/// A span's fields, kept with the span.
struct SpanFields(Map<String, Value>);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Map::new();
            attributes.record(&mut Fields(&mut fields));
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(&mut Fields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        for span in context.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            if let Some(SpanFields(fields)) = span.extensions().get() {
                line.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
        }
        event.record(&mut Fields(&mut line));
        // Last, so that no field of an event's can pass for one of these.
        let about = event.metadata();
        line.insert("timestamp".into(), format!("{:.3}", self.clock.now()).into());
        line.insert("level".into(), about.level().as_str().into());
        line.insert("target".into(), about.target().into());
        line.insert("function".into(), self.function.into());
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // One write for each line, so that lines of two tasks do not mix. There is nobody to tell if it fails.
        drop(self.writer.make_writer_for(about).write_all(text.as_bytes()));
    }
}

struct Fields<'m>(&'m mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").into());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::sync::Once;

    use super::*;

    thread_local! {
        static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }

    struct ThisThread;

    impl Write for ThisThread {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Forgets what this thread has logged, and listens from now on, at `debug`.
    ///
    /// One subscriber for all tests: with one for each, whether an event is heard depends on which test's thread comes
    /// by it first, for `tracing` remembers that for the whole process.
    pub(crate) fn listen() {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            let lines = subscriber("fetch-orders", LogLevel::parse("debug").unwrap(), Clock::system(), || ThisThread);
            tracing::subscriber::set_global_default(lines).unwrap();
            tracing::callsite::rebuild_interest_cache();
        });
        LOGGED.take();
    }

    /// What this thread has logged since.
    pub(crate) fn logged() -> String {
        String::from_utf8(LOGGED.take()).unwrap()
    }

    /// The line with its time taken out, which must be there and be one.
    fn without_time(line: &str) -> String {
        let mut line: Map<String, Value> = serde_json::from_str(line).unwrap();
        let time = line.remove("timestamp").unwrap();
        assert!(
            time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok() && time.as_str().unwrap().len() == 24,
            "{time}"
        );
        Value::Object(line).to_string()
    }

    #[test]
    fn a_line_has_the_fields_of_its_spans_at_its_root_each_once() {
        listen();
        let (tenant, connection) = (TenantId::parse("hanako").unwrap(), ConnectionId::parse("hanako-ecforce").unwrap());
        let robot = RobotId::parse("hanako-ecforce/fetch-orders").unwrap();
        run_span(&tenant, &connection, Some(&robot), "run-1").in_scope(|| {
            tracing::info_span!("page", page = 3, run = "run-2").in_scope(|| {
                tracing::warn!(orders = 100, level = "shout", "queued");
            });
        });
        let golden = r#"{"connection":"hanako-ecforce","function":"fetch-orders","level":"WARN","message":"queued","orders":100,"page":3,"robot":"hanako-ecforce/fetch-orders","run":"run-2","target":"renkei_platform::telemetry::tests","tenant":"hanako"}"#;
        assert_eq!(without_time(&logged()), golden);
    }

    #[test]
    fn a_panic_is_logged_by_place_and_not_by_text() {
        listen();
        log_panic(Some(std::panic::Location::caller()));
        let text = logged();
        assert!(text.contains("telemetry.rs:") && text.contains(r#""level":"ERROR""#), "{text}");
    }

    #[test]
    fn others_are_not_heard_below_info() {
        listen();
        tracing::debug!(target: "aws_smithy_runtime::client", "a request");
        tracing::debug!(target: "fetch_orders::story", "ours");
        tracing::info!(target: "aws_smithy_runtime::client", "worth hearing");
        let text = logged();
        assert!(!text.contains("a request") && text.contains("ours") && text.contains("worth hearing"), "{text}");
    }

    #[test]
    fn levels_are_read_and_trace_is_refused() {
        for good in ["error", "warn", "info", "debug", "info,renkei_shop=debug"] {
            assert!(LogLevel::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "off",
            "info,",
            "loud",
            "trace",
            "info,aws_smithy_runtime=trace",
            "renkei_shop",
            "info,renkei_shop=loud",
        ] {
            assert!(LogLevel::parse(bad).is_none(), "{bad}");
        }
    }
}
