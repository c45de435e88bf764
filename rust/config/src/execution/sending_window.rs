//! `execution.sending_window`: the hours in which rows are sent.

use crate::keys::{keys, word, words};
use crate::problem::{Code, Located};
use crate::reader::Section;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

keys! {
    /// The hours in which rows are sent; outside of them the run pauses. The driver keeps them by its clock, together with
    /// the rate limit, which must be there.
    pub struct SendingWindow {
        /// When sending begins, as `HH:MM`.
        from: Located<String> = word("\"08:00\"").required(),
        /// When it pauses, as `HH:MM`; a time before `from` is one of the next day.
        until: Located<String> = word("\"18:00\"").required(),
        /// The time zone of both, by its name in the tz database.
        time_zone: Located<String> = word("Europe/Berlin").or(Located::new("UTC".to_owned(), Default::default())),
        /// Days on which it begins: `mon` to `sun`.
        days: Vec<Located<String>> =
            words("[mon, tue, wed, thu, fri]").or(DAYS.map(|day| Located::new(day.to_owned(), Default::default())).to_vec()),
    }
    check |section| {
        check_time(section, "from", from.as_ref());
        check_time(section, "until", until.as_ref());
        check_length(section, from.as_ref(), until.as_ref());
        check_days(section, days.as_deref());
    };
}

fn check_time(section: &Section<'_>, key: &str, time: Option<&Located<String>>) {
    let Some(time) = time else { return };
    let number = |text: &str, most: u32| {
        text.len() == 2
            && text.bytes().all(|b| b.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|n| n <= most)
    };
    let fits = time.split_once(':').is_some_and(|(hours, minutes)| number(hours, 23) && number(minutes, 59));
    if !fits {
        section.note(
            time.at,
            Code::InvalidValue,
            format!("{} is `{}`, which is no time of the day", section.name(key), time.value),
            format!("write for example `{key}: \"08:00\"`"),
        );
    }
}

fn check_length(section: &Section<'_>, from: Option<&Located<String>>, until: Option<&Located<String>>) {
    if let (Some(from), Some(until)) = (from, until)
        && from.value == until.value
    {
        section.note(
            until.at,
            Code::InvalidValue,
            format!("{} ends when it begins", section.path()),
            "leave `sending_window` out to send at any time",
        );
    }
}

fn check_days(section: &Section<'_>, days: Option<&[Located<String>]>) {
    for day in days.unwrap_or_default() {
        if !DAYS.contains(&day.as_str()) {
            section.unknown_choice("days", day, DAYS.into_iter());
        }
    }
    if let Some([]) = days {
        section.note(
            section.place("days"),
            Code::InvalidValue,
            format!("{} is empty: nothing would ever be sent", section.name("days")),
            "name a day, or leave `days` out for all of them",
        );
    }
}
