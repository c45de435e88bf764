//! Numbers and flags.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::{Kind, Shape};
use crate::problem::Code;
use crate::reader::Section;
use crate::tree::Node;

/// A whole number of `unit`s within a range.
pub(crate) const fn whole<T>(range: RangeInclusive<T>, unit: &'static str) -> Whole<T> {
    Whole { range, unit, example: None }
}

/// See [`whole`].
pub(crate) struct Whole<T> {
    range: RangeInclusive<T>,
    unit: &'static str,
    example: Option<T>,
}

impl<T> Whole<T> {
    /// What messages propose; else the least value.
    pub(crate) fn for_example(mut self, example: T) -> Self {
        self.example = Some(example);
        self
    }
}

/// An unsigned integer.
pub(crate) trait Unsigned: Copy + Display + TryFrom<i128> {
    /// The number itself; nothing of its kind is wider.
    fn wide(self) -> u64;
}

impl Unsigned for u16 {
    fn wide(self) -> u64 {
        self.into()
    }
}

impl Unsigned for u32 {
    fn wide(self) -> u64 {
        self.into()
    }
}

impl Unsigned for u64 {
    fn wide(self) -> u64 {
        self
    }
}

impl Unsigned for usize {
    fn wide(self) -> u64 {
        self as u64
    }
}

impl<T: Unsigned> Kind for Whole<T> {
    type Value = T;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<T> {
        let item = section.take(key)?;
        let example = format!("`{key}: {}`", self.example());
        let Node::Whole(value) = item.node else {
            section.wrong_type(key, item, "a whole number", &example);
            return None;
        };
        let (start, end) = (self.range.start().wide(), self.range.end().wide());
        if (i128::from(start)..=i128::from(end)).contains(&value) {
            return T::try_from(value).ok();
        }
        let what =
            format!("{} is {value}, but must be from {start} to {end} {}", section.name(key), self.unit);
        section.note(item.at, Code::InvalidValue, what, format!("write for example {example}"));
        None
    }

    fn shape(&self) -> Shape {
        Shape::Whole { min: self.range.start().wide(), max: self.range.end().wide(), unit: self.unit }
    }

    fn example(&self) -> String {
        self.example.unwrap_or(*self.range.start()).to_string()
    }

    fn exemplified_by(self, default: &T) -> Self {
        self.for_example(*default)
    }

    fn default_json(&self, value: &T) -> serde_json::Value {
        value.wide().into()
    }
}

/// A number of `unit`s within a range, whole or not.
pub(crate) const fn number(range: RangeInclusive<f64>, unit: &'static str) -> Number {
    Number { range, unit, example: None }
}

/// A time in seconds within a range.
pub(crate) const fn seconds(range: RangeInclusive<f64>) -> Number {
    number(range, "seconds")
}

/// See [`number`].
pub(crate) struct Number {
    range: RangeInclusive<f64>,
    unit: &'static str,
    example: Option<f64>,
}

impl Number {
    /// What messages propose; else the least value.
    pub(crate) const fn for_example(mut self, example: f64) -> Self {
        self.example = Some(example);
        self
    }
}

impl Kind for Number {
    type Value = f64;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<f64> {
        let item = section.take(key)?;
        #[allow(clippy::cast_precision_loss)]
        let value = match item.node {
            Node::Whole(value) => value as f64,
            Node::Fraction(value) => value,
            _ => {
                section.wrong_type(key, item, "a number", &format!("`{key}: {}`", self.example()));
                return None;
            }
        };
        // NaN is in no range.
        if self.range.contains(&value) {
            return Some(value);
        }
        let what = format!(
            "{} is {value}, but must be from {} to {} {}",
            section.name(key),
            self.range.start(),
            self.range.end(),
            self.unit
        );
        let hint = format!("write for example `{key}: {}`", self.example());
        section.note(item.at, Code::InvalidValue, what, hint);
        None
    }

    fn shape(&self) -> Shape {
        Shape::Number { min: *self.range.start(), max: *self.range.end(), unit: self.unit }
    }

    fn example(&self) -> String {
        self.example.unwrap_or(*self.range.start()).to_string()
    }

    fn exemplified_by(self, default: &f64) -> Self {
        self.for_example(*default)
    }

    fn default_json(&self, value: &f64) -> serde_json::Value {
        number_json(*value)
    }
}

/// A number as JSON; a whole one without a fraction.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn number_json(value: f64) -> serde_json::Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { (value as i64).into() } else { value.into() }
}

/// `true` or `false`.
pub(crate) const fn flag() -> Flag {
    Flag { example: true }
}

/// See [`flag`].
pub(crate) struct Flag {
    example: bool,
}

impl Kind for Flag {
    type Value = bool;

    fn read(&self, section: &mut Section<'_>, key: &'static str) -> Option<bool> {
        let item = section.take(key)?;
        if let Node::Bool(value) = item.node {
            return Some(value);
        }
        section.wrong_type(key, item, "true or false", &format!("`{key}: {}`", self.example));
        None
    }

    fn shape(&self) -> Shape {
        Shape::Flag
    }

    fn example(&self) -> String {
        self.example.to_string()
    }

    fn exemplified_by(self, default: &bool) -> Self {
        Self { example: *default }
    }

    fn default_json(&self, value: &bool) -> serde_json::Value {
        (*value).into()
    }
}
