//! Times at which robots start, as people in Japan write them, and as schedules need them: in UTC.
//!
//! Japan has no daylight saving, so nine hours back is always right. Going back may cross midnight: days of the week and
//! of the month move with it, and where that cannot be said in one expression it is said in two, or refused in a sentence.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::jst;

/// Hours that Japan is ahead of UTC.
const AHEAD: u8 = 9;
/// Days that are looked through for the next time of a cron: the 29th of February may be eight years away.
const MOST_DAYS: usize = 8 * 366;
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A time of day in Japan: `09:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DailyAt {
    hour: u8,
    minute: u8,
}

impl DailyAt {
    /// From hour and minute in Japan.
    pub fn new(hour: u8, minute: u8) -> Result<Self, String> {
        if hour < 24 && minute < 60 {
            Ok(Self { hour, minute })
        } else {
            Err("a day has the times 00:00 to 23:59".into())
        }
    }

    /// The schedule's expression, in UTC.
    #[must_use]
    pub fn utc(self) -> String {
        format!("cron({} {} * * ? *)", self.minute, (self.hour + 24 - AHEAD) % 24)
    }

    /// The first such time after this one. None at the end of all time.
    #[must_use]
    pub fn next(self, after: Timestamp) -> Option<Timestamp> {
        let (hours, minutes) = ([self.hour].into(), [self.minute].into());
        let fields = Fields { minutes: Some(minutes), hours: Some(hours), ..Fields::default() };
        fields.next(after)
    }
}

impl TryFrom<String> for DailyAt {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not a time of day: write hours and minutes in Japan time, such as \"09:30\"");
        let (hour, minute) = text.trim().split_once(':').ok_or_else(wrong)?;
        let two = |part: &str| {
            let digits = matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse::<u8>().ok() } else { None }
        };
        match (two(hour), two(minute)) {
            (Some(hour), Some(minute)) if text.trim().len() >= 4 => Self::new(hour, minute).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl From<DailyAt> for String {
    fn from(at: DailyAt) -> String {
        format!("{:02}:{:02}", at.hour, at.minute)
    }
}

impl JsonSchema for DailyAt {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DailyAt".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]{1,2}:[0-9]{1,2}$",
            "description": "A time of day in Japan: `\"09:30\"`."
        })
    }
}

/// Five fields as in `crontab`, in Japan time: minute, hour, day of the month, month, day of the week.
///
/// Each field is `*`, or a list of numbers and ranges, perhaps with a step (`*/15`, `9-18`, `1,15`); days of the week
/// also by name (`MON-FRI`), 0 and 7 being Sunday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: String,
    utc: Vec<String>,
}

impl Cron {
    /// The schedules' expressions, in UTC: one, or two where the hours in Japan lie on both sides of 09:00.
    #[must_use]
    pub fn utc(&self) -> &[String] {
        &self.utc
    }

    /// How many such times a day has that has any.
    #[must_use]
    pub fn most_a_day(&self) -> u32 {
        let count = |field: &Field, all: u32| field.as_ref().map_or(all, |values| values.len() as u32);
        Fields::read(&self.text).map_or(0, |fields| count(&fields.minutes, 60) * count(&fields.hours, 24))
    }

    /// The first such time after this one. None if there is none within years, such as on the 31st of April.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        Fields::read(&self.text).ok()?.next(after)
    }
}

impl TryFrom<String> for Cron {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let utc = to_utc(&text)?;
        Ok(Self { text: text.split_whitespace().collect::<Vec<_>>().join(" "), utc })
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> String {
        cron.text
    }
}

impl JsonSchema for Cron {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cron".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Five fields as in crontab, in Japan time: `0 9-18 * * MON-FRI`."
        })
    }
}

/// One field: None is `*`.
type Field = Option<BTreeSet<u8>>;

/// What a cron says, in Japan time.
#[derive(Debug, Default)]
struct Fields {
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    /// 0 is Sunday.
    weekdays: Field,
}

impl Fields {
    fn read(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "{text:?} is not a cron of five fields (minute, hour, day of the month, month, day of the week): write for \
                 example \"0 9-18 * * MON-FRI\""
            ));
        };
        let minutes = field(minute, "minute", 0, 59)?;
        let hours = field(hour, "hour", 0, 23)?;
        let days = field(day, "day of the month", 1, 31)?;
        let months = field(month, "month", 1, 12)?;
        let weekdays = field(&named(weekday), "day of the week", 0, 7)?
            .map(|days| days.into_iter().map(|day| day % 7).collect::<BTreeSet<u8>>());
        if days.is_some() && weekdays.is_some() {
            return Err("days of the month and days of the week exclude each other: write * for one of them".into());
        }
        Ok(Self { minutes, hours, days, months, weekdays })
    }

    fn has(&self, date: Date) -> bool {
        let has = |field: &Field, value: i8| {
            field.as_ref().is_none_or(|values| u8::try_from(value).is_ok_and(|value| values.contains(&value)))
        };
        has(&self.days, date.day())
            && has(&self.months, date.month())
            && has(&self.weekdays, date.weekday().to_sunday_zero_offset())
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let all = |field: &Field, most: u8| match field {
            Some(values) => values.iter().copied().collect(),
            None => (0..most).collect::<Vec<u8>>(),
        };
        let (hours, minutes) = (all(&self.hours, 24), all(&self.minutes, 60));
        let days = std::iter::successors(Some(jst::date(after)), |date| date.tomorrow().ok());
        days.take(MOST_DAYS).filter(|date| self.has(*date)).find_map(|date| {
            let times = hours.iter().flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute)));
            let mut times = times.filter_map(|(hour, minute)| {
                jst::instant(date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0))
            });
            times.find(|time| *time > after)
        })
    }
}

fn to_utc(text: &str) -> Result<Vec<String>, String> {
    let Fields { minutes, hours, days, months, weekdays } = Fields::read(text)?;
    let minutes = listed(minutes.as_ref());
    if days.is_none() && months.is_none() && weekdays.is_none() {
        // Every day is every day in any time zone.
        let hours = hours.map(|hours| hours.into_iter().map(|hour| (hour + 24 - AHEAD) % 24).collect());
        return Ok(vec![format!("cron({minutes} {} * * ? *)", listed(hours.as_ref()))]);
    }
    let hours = hours.unwrap_or_else(|| (0..24).collect());
    let (before, after): (BTreeSet<u8>, BTreeSet<u8>) = hours.into_iter().partition(|hour| *hour < AHEAD);
    let mut expressions = Vec::new();
    if !before.is_empty() {
        if months.is_some() {
            return Err(
                "months cannot be combined with hours before 09:00 in Japan, which are the day before in UTC: \
                        choose hours from 9, or write * for the month"
                    .into(),
            );
        }
        let days = match &days {
            None => None,
            Some(days) if days.iter().all(|day| (2..=28).contains(day)) => {
                Some(days.iter().map(|day| day - 1).collect())
            }
            Some(_) => {
                return Err(
                    "the days 1, 29, 30 and 31 cannot be combined with hours before 09:00 in Japan, which are \
                            another month's in UTC: choose hours from 9, or the days 2 to 28"
                        .into(),
                );
            }
        };
        let weekdays = weekdays.as_ref().map(|days| days.iter().map(|day| (day + 6) % 7).collect());
        let hours = before.into_iter().map(|hour| hour + 24 - AHEAD).collect();
        expressions.push(expression(&minutes, &hours, days.as_ref(), None, weekdays.as_ref()));
    }
    if !after.is_empty() {
        let hours = after.into_iter().map(|hour| hour - AHEAD).collect();
        expressions.push(expression(&minutes, &hours, days.as_ref(), months.as_ref(), weekdays.as_ref()));
    }
    Ok(expressions)
}

fn expression(
    minutes: &str,
    hours: &BTreeSet<u8>,
    days: Option<&BTreeSet<u8>>,
    months: Option<&BTreeSet<u8>>,
    weekdays: Option<&BTreeSet<u8>>,
) -> String {
    let hours = listed(Some(hours));
    // One of the two kinds of days must be `?`.
    let (days, weekdays) = match weekdays {
        Some(names) => {
            let names: Vec<&str> = names.iter().map(|day| DAYS[usize::from(*day)]).collect();
            ("?".to_owned(), names.join(","))
        }
        None => (listed(days), "?".to_owned()),
    };
    format!("cron({minutes} {hours} {days} {} {weekdays} *)", listed(months))
}

fn listed(field: Option<&BTreeSet<u8>>) -> String {
    field.map_or_else(|| "*".to_owned(), |values| values.iter().map(u8::to_string).collect::<Vec<_>>().join(","))
}

/// Names of days as numbers.
fn named(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    DAYS.iter().enumerate().fold(upper, |text, (number, name)| text.replace(name, &number.to_string()))
}

fn field(text: &str, name: &str, least: u8, most: u8) -> Result<Field, String> {
    let wrong =
        || format!("{text:?} is no {name}: write *, or numbers from {least} to {most} such as 1,3 or 2-5 or */2");
    if text == "*" {
        return Ok(None);
    }
    let number = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let value = if digits { part.parse::<u8>().ok() } else { None };
        value.filter(|value| (least..=most).contains(value)).ok_or_else(wrong)
    };
    let mut values = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u8>().ok().filter(|step| *step > 0).ok_or_else(wrong)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" => (least, most),
            None if part.contains('/') => (number(range)?, most),
            None => (number(range)?, number(range)?),
        };
        if from > to {
            return Err(wrong());
        }
        values.extend((from..=to).step_by(usize::from(step)));
    }
    Ok(Some(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Vec<String> {
        Cron::try_from(text.to_owned()).unwrap().utc
    }

    fn refused(text: &str) -> String {
        Cron::try_from(text.to_owned()).unwrap_err()
    }

    #[test]
    fn a_time_of_day_is_nine_hours_earlier_in_utc() {
        let at = |text: &str| DailyAt::try_from(text.to_owned()).map(|at| (at.utc(), String::from(at)));
        assert_eq!(at("09:30"), Ok(("cron(30 0 * * ? *)".into(), "09:30".into())));
        // 00:00 in Japan is 15:00 UTC of the day before; 08:59 is the last minute of the day before in UTC.
        assert_eq!(at("00:00").unwrap().0, "cron(0 15 * * ? *)");
        assert_eq!(at("8:59").unwrap(), ("cron(59 23 * * ? *)".into(), "08:59".into()));
        for wrong in ["24:00", "9", "09:60", "9時", "+9:30", ":", "", "9:3"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn crons_move_with_their_days() {
        assert_eq!(utc("*/15 * * * *"), ["cron(0,15,30,45 * * * ? *)"]);
        assert_eq!(utc("0 3,21 * * *"), ["cron(0 12,18 * * ? *)"]);
        assert_eq!(utc("0 9-11 * * MON-FRI"), ["cron(0 0,1,2 ? * MON,TUE,WED,THU,FRI *)"]);
        // Monday 08:00 in Japan is Sunday 23:00 in UTC.
        assert_eq!(utc("0 8 * * 1"), ["cron(0 23 ? * SUN *)"]);
        assert_eq!(utc("0 8 * * 7"), ["cron(0 23 ? * SAT *)"]);
        assert_eq!(utc("0 8,9 * * 1"), ["cron(0 23 ? * SUN *)", "cron(0 0 ? * MON *)"]);
        assert_eq!(utc("30 10 1 * *"), ["cron(30 1 1 * ? *)"]);
        assert_eq!(utc("30 8 2,28 * *"), ["cron(30 23 1,27 * ? *)"]);
        assert_eq!(utc("0 9 * 12 *"), ["cron(0 0 * 12 ? *)"]);
    }

    #[test]
    fn the_times_of_a_day_are_counted() {
        let most = |text: &str| Cron::try_from(text.to_owned()).unwrap().most_a_day();
        assert_eq!(["* * * * *", "*/15 * * * *", "0 9-18 * * MON-FRI", "5 9 1 * *"].map(most), [1_440, 96, 10, 1]);
    }

    #[test]
    fn what_cannot_be_shifted_is_refused_in_a_sentence() {
        assert!(refused("0 8 1 * *").contains("another month"));
        assert!(refused("0 0 31 * *").contains("another month"));
        assert!(refused("0 8 * 12 *").contains("months"));
        assert!(refused("0 9 1 * MON").contains("exclude"));
        for wrong in ["", "* * * *", "60 * * * *", "5-1 * * * *", "*/0 * * * *", "0 9 0 * *", "a * * * *", "1- * * * *"]
        {
            assert!(Cron::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_time_is_the_first_after_now() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let daily = |text: &str, now: &str| DailyAt::try_from(text.to_owned()).unwrap().next(at(now)).unwrap();
        // 09:30 in Japan is 00:30 UTC.
        assert_eq!(daily("09:30", "2026-11-24T00:29:59Z"), at("2026-11-24T00:30:00Z"));
        assert_eq!(daily("09:30", "2026-11-24T00:30:00Z"), at("2026-11-25T00:30:00Z"));
        let cron = |text: &str, now: &str| Cron::try_from(text.to_owned()).unwrap().next(at(now));
        // A Friday evening, and the Monday after it.
        assert_eq!(cron("0 9-18 * * MON-FRI", "2026-11-27T09:00:00Z"), Some(at("2026-11-30T00:00:00Z")));
        assert_eq!(cron("*/15 * * * *", "2026-11-27T09:00:01Z"), Some(at("2026-11-27T09:15:00Z")));
        assert_eq!(cron("0 9 29 2 *", "2026-11-27T00:00:00Z"), Some(at("2028-02-29T00:00:00Z")));
        assert_eq!(cron("0 9 31 4 *", "2026-11-27T00:00:00Z"), None);
    }

    #[test]
    fn no_time_is_passed_over() {
        let start: Timestamp = "2026-11-26T22:17:00Z".parse().unwrap();
        for text in ["*/20 3,8-10 * * *", "5 8 * * SUN,1", "59 23 28,29 * *", "0 12 * 12 *"] {
            let cron = Cron::try_from(text.to_owned()).unwrap();
            let fields = Fields::read(text).unwrap();
            let mut expected = None;
            for minute in 1..60 * 24 * 10 {
                let time = start + jiff::SignedDuration::from_mins(minute);
                let local = time.to_zoned_datetime(jst::zone());
                let has = |field: &Field, value: i8| field.as_ref().is_none_or(|all| all.contains(&(value as u8)));
                if fields.has(local.date()) && has(&fields.hours, local.hour()) && has(&fields.minutes, local.minute())
                {
                    expected = Some(time);
                    break;
                }
            }
            assert!(expected.is_some(), "{text}");
            assert_eq!(cron.next(start), expected, "{text}");
        }
    }
}
