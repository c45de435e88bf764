//! A typed view of an Arrow array: which Spark types can be rendered, and null handling.

use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType,
};
use arrow_array::{
    Array, BinaryArray, BooleanArray, LargeBinaryArray, LargeStringArray, ListArray, MapArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

/// An Arrow array with its type resolved. Made once per batch, so that no type test is left to do per value.
///
/// How each type is written is one table: see `docs/reference/types.md`.
pub enum Column<'a> {
    /// Spark's `void`.
    Null,
    /// `boolean`.
    Boolean(&'a BooleanArray),
    /// `tinyint`.
    Int8(&'a PrimitiveArray<Int8Type>),
    /// `smallint`.
    Int16(&'a PrimitiveArray<Int16Type>),
    /// `int`.
    Int32(&'a PrimitiveArray<Int32Type>),
    /// `bigint`.
    Int64(&'a PrimitiveArray<Int64Type>),
    /// `float`.
    Float32(&'a PrimitiveArray<Float32Type>),
    /// `double`.
    Float64(&'a PrimitiveArray<Float64Type>),
    /// `decimal(p, s)`; the second is the scale.
    Decimal(&'a PrimitiveArray<Decimal128Type>, u8),
    /// `string`, `char`, `varchar`.
    Text(&'a StringArray),
    /// `string` with large offsets.
    LargeText(&'a LargeStringArray),
    /// `binary`.
    Binary(&'a BinaryArray),
    /// `binary` with large offsets.
    LargeBinary(&'a LargeBinaryArray),
    /// `date`.
    Date(&'a PrimitiveArray<Date32Type>),
    /// `timestamp` (an instant, written in UTC).
    Timestamp(&'a PrimitiveArray<TimestampMicrosecondType>),
    /// `timestamp_ntz` (a wall clock without a zone).
    LocalTimestamp(&'a PrimitiveArray<TimestampMicrosecondType>),
    /// `time`, in nanoseconds.
    TimeNanos(&'a PrimitiveArray<Time64NanosecondType>),
    /// `time`, in microseconds.
    TimeMicros(&'a PrimitiveArray<Time64MicrosecondType>),
    /// `interval day to second`.
    DayTime(&'a PrimitiveArray<DurationMicrosecondType>),
    /// `interval year to month`.
    YearMonth(&'a PrimitiveArray<IntervalYearMonthType>),
    /// `interval` (calendar).
    Calendar(&'a PrimitiveArray<IntervalMonthDayNanoType>),
    /// `array`.
    List(&'a ListArray, Box<Column<'a>>),
    /// `struct`.
    Struct(&'a StructArray, Vec<(&'a str, Column<'a>)>),
    /// `map`; keys, then values.
    Map(&'a MapArray, Box<Column<'a>>, Box<Column<'a>>),
}

impl<'a> Column<'a> {
    /// Whether values of a type can be written at all; the error says what to do instead.
    pub fn check(data_type: &DataType) -> Result<(), String> {
        match data_type {
            DataType::List(inner) => Self::check(inner.data_type()),
            DataType::Struct(fields) => fields.iter().try_for_each(|f| Self::check(f.data_type())),
            DataType::Map(entries, _) => Self::check(entries.data_type()),
            simple => {
                let array = arrow_array::new_empty_array(simple);
                Column::new(array.as_ref()).map(|_| ())
            }
        }
    }

    /// The view of an array.
    pub fn new(array: &'a dyn Array) -> Result<Self, String> {
        let data_type = array.data_type();
        let column = match data_type {
            DataType::Null => Some(Column::Null),
            DataType::Boolean => view(array).map(Column::Boolean),
            DataType::Int8 => view(array).map(Column::Int8),
            DataType::Int16 => view(array).map(Column::Int16),
            DataType::Int32 => view(array).map(Column::Int32),
            DataType::Int64 => view(array).map(Column::Int64),
            DataType::Float32 => view(array).map(Column::Float32),
            DataType::Float64 => view(array).map(Column::Float64),
            DataType::Decimal128(_, scale) => {
                u8::try_from(*scale).ok().and_then(|scale| view(array).map(|a| Column::Decimal(a, scale)))
            }
            DataType::Utf8 => view(array).map(Column::Text),
            DataType::LargeUtf8 => view(array).map(Column::LargeText),
            DataType::Binary => view(array).map(Column::Binary),
            DataType::LargeBinary => view(array).map(Column::LargeBinary),
            DataType::Date32 => view(array).map(Column::Date),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => view(array).map(Column::Timestamp),
            DataType::Timestamp(TimeUnit::Microsecond, None) => view(array).map(Column::LocalTimestamp),
            DataType::Time64(TimeUnit::Nanosecond) => view(array).map(Column::TimeNanos),
            DataType::Time64(TimeUnit::Microsecond) => view(array).map(Column::TimeMicros),
            DataType::Duration(TimeUnit::Microsecond) => view(array).map(Column::DayTime),
            DataType::Interval(IntervalUnit::YearMonth) => view(array).map(Column::YearMonth),
            DataType::Interval(IntervalUnit::MonthDayNano) => view(array).map(Column::Calendar),
            DataType::List(_) => match view::<ListArray>(array) {
                Some(list) => Some(Column::List(list, Box::new(Column::new(list.values().as_ref())?))),
                None => None,
            },
            DataType::Struct(fields) => match view::<StructArray>(array) {
                Some(object) => {
                    let columns = fields
                        .iter()
                        .zip(object.columns())
                        .map(|(field, child)| Ok((field.name().as_str(), Column::new(child.as_ref())?)))
                        .collect::<Result<Vec<_>, String>>()?;
                    Some(Column::Struct(object, columns))
                }
                None => None,
            },
            DataType::Map(_, _) => match view::<MapArray>(array) {
                Some(map) => Some(Column::Map(
                    map,
                    Box::new(Column::new(map.keys().as_ref())?),
                    Box::new(Column::new(map.values().as_ref())?),
                )),
                None => None,
            },
            _ => None,
        };
        column.ok_or_else(|| format!("type {data_type} cannot be sent; cast it to string in the source"))
    }

    /// Whether the value at a row is null.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Null => true,
            Column::Boolean(a) => a.is_null(row),
            Column::Int8(a) => a.is_null(row),
            Column::Int16(a) => a.is_null(row),
            Column::Int32(a) => a.is_null(row),
            Column::Int64(a) => a.is_null(row),
            Column::Float32(a) => a.is_null(row),
            Column::Float64(a) => a.is_null(row),
            Column::Decimal(a, _) => a.is_null(row),
            Column::Text(a) => a.is_null(row),
            Column::LargeText(a) => a.is_null(row),
            Column::Binary(a) => a.is_null(row),
            Column::LargeBinary(a) => a.is_null(row),
            Column::Date(a) => a.is_null(row),
            Column::Timestamp(a) | Column::LocalTimestamp(a) => a.is_null(row),
            Column::TimeNanos(a) => a.is_null(row),
            Column::TimeMicros(a) => a.is_null(row),
            Column::DayTime(a) => a.is_null(row),
            Column::YearMonth(a) => a.is_null(row),
            Column::Calendar(a) => a.is_null(row),
            Column::List(a, _) => a.is_null(row),
            Column::Struct(a, _) => a.is_null(row),
            Column::Map(a, _, _) => a.is_null(row),
        }
    }
}

fn view<T: 'static>(array: &dyn Array) -> Option<&T> {
    array.as_any().downcast_ref::<T>()
}
