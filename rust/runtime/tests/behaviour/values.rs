//! How each Arrow type reaches JSON and text. What of it users see is `docs/reference/types.md`.

use std::sync::Arc;

use apisink_runtime::row::Column;
use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
use arrow_array::types::IntervalMonthDayNano;
use arrow_array::*;
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use proptest::prelude::*;

fn json(array: &dyn Array) -> Result<String, String> {
    let mut out = Vec::new();
    Column::new(array)?.write_json(0, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn text(array: &dyn Array) -> Result<String, String> {
    let mut out = Vec::new();
    Column::new(array)?.write_text(0, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn map_of_int(key: &str, value: i32) -> MapArray {
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value(key);
    map.values().append_value(value);
    map.append(true).unwrap();
    map.finish()
}

fn list_of(values: ArrayRef) -> ListArray {
    let field = Arc::new(Field::new("element", values.data_type().clone(), true));
    ListArray::new(field, OffsetBuffer::from_lengths([values.len()]), values, None)
}

#[test]
fn every_type_has_its_json_and_its_text_form() {
    let nested = StructArray::from(vec![
        (
            Arc::new(Field::new("name", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["Zoë \"Z\""])) as ArrayRef,
        ),
        (Arc::new(Field::new("age", DataType::Int32, true)), Arc::new(Int32Array::from(vec![None]))),
    ]);
    let table: Vec<(ArrayRef, &str, &str)> = vec![
        (Arc::new(StringArray::from(vec!["a\"b\\\n\u{1}é"])), r#""a\"b\\\n\u0001é""#, "a\"b\\\n\u{1}é"),
        (Arc::new(LargeStringArray::from(vec!["x"])), "\"x\"", "x"),
        (Arc::new(Int8Array::from(vec![-128])), "-128", "-128"),
        (Arc::new(Int16Array::from(vec![32767])), "32767", "32767"),
        (Arc::new(Int32Array::from(vec![-1])), "-1", "-1"),
        (Arc::new(Int64Array::from(vec![i64::MIN])), "-9223372036854775808", "-9223372036854775808"),
        (Arc::new(Float32Array::from(vec![0.1])), "0.1", "0.1"),
        (Arc::new(Float64Array::from(vec![1.0])), "1.0", "1.0"),
        (Arc::new(Float64Array::from(vec![1e300])), "1e+300", "1e+300"),
        (Arc::new(BooleanArray::from(vec![true])), "true", "true"),
        (Arc::new(decimal(1230, 2)), "12.30", "12.30"),
        (Arc::new(decimal(-5, 3)), "-0.005", "-0.005"),
        (Arc::new(decimal(0, 2)), "0.00", "0.00"),
        (
            Arc::new(decimal(i128::from(i64::MAX) * 1000, 0)),
            "9223372036854775807000",
            "9223372036854775807000",
        ),
        (Arc::new(BinaryArray::from(vec![&[0u8, 255][..]])), "\"AP8=\"", "AP8="),
        (Arc::new(LargeBinaryArray::from(vec![&b"hi"[..]])), "\"aGk=\"", "aGk="),
        (Arc::new(Date32Array::from(vec![20_484])), "\"2026-01-31\"", "2026-01-31"),
        (Arc::new(Date32Array::from(vec![-719_162])), "\"0001-01-01\"", "0001-01-01"),
        (timestamp(1_769_863_845_000_000, true), "\"2026-01-31T12:50:45Z\"", "2026-01-31T12:50:45Z"),
        (timestamp(1_769_863_845_120_000, true), "\"2026-01-31T12:50:45.12Z\"", "2026-01-31T12:50:45.12Z"),
        (timestamp(-1, true), "\"1969-12-31T23:59:59.999999Z\"", "1969-12-31T23:59:59.999999Z"),
        (timestamp(1_769_863_845_000_000, false), "\"2026-01-31T12:50:45\"", "2026-01-31T12:50:45"),
        (
            Arc::new(Time64NanosecondArray::from(vec![3_661_000_000_500])),
            "\"01:01:01.0000005\"",
            "01:01:01.0000005",
        ),
        (Arc::new(Time64MicrosecondArray::from(vec![3_661_000_000])), "\"01:01:01\"", "01:01:01"),
        (Arc::new(DurationMicrosecondArray::from(vec![93_784_500_000])), "\"P1DT2H3M4.5S\"", "P1DT2H3M4.5S"),
        (Arc::new(DurationMicrosecondArray::from(vec![-1_000_000])), "\"-P0DT0H0M1S\"", "-P0DT0H0M1S"),
        (Arc::new(IntervalYearMonthArray::from(vec![14])), "\"P1Y2M\"", "P1Y2M"),
        (
            Arc::new(IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, -2, 1_500_000_000)])),
            "\"P1M-2DT1.5S\"",
            "P1M-2DT1.5S",
        ),
        (
            Arc::new(list_of(Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])))),
            "[1,null,3]",
            "[1,null,3]",
        ),
        (Arc::new(nested), r#"{"name":"Zoë \"Z\"","age":null}"#, r#"{"name":"Zoë \"Z\"","age":null}"#),
        (Arc::new(map_of_int("k\"", 7)), r#"{"k\"":7}"#, r#"{"k\"":7}"#),
        (Arc::new(NullArray::new(1)), "null", ""),
        (Arc::new(StringArray::from(vec![None::<&str>])), "null", ""),
    ];
    for (array, in_json, in_text) in table {
        let data_type = array.data_type();
        assert_eq!(json(array.as_ref()).as_deref(), Ok(in_json), "JSON of {data_type}");
        assert_eq!(text(array.as_ref()).as_deref(), Ok(in_text), "text of {data_type}");
    }
}

#[test]
fn numbers_without_a_json_form_are_an_error_in_json_and_a_word_in_text() {
    for (value, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")] {
        let array = Float64Array::from(vec![value]);
        assert!(json(&array).unwrap_err().contains("has no JSON form"));
        assert_eq!(text(&array).as_deref(), Ok(word));
    }
    let list = list_of(Arc::new(Float32Array::from(vec![f32::NAN])));
    assert!(json(&list).is_err());
}

#[test]
fn a_type_that_cannot_be_sent_says_what_to_do() {
    let error = Column::check(&DataType::Date64).unwrap_err();
    assert_eq!(error, "type Date64 cannot be sent; cast it to string in the source");
}

fn decimal(value: i128, scale: i8) -> Decimal128Array {
    Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap()
}

fn timestamp(micros: i64, zoned: bool) -> ArrayRef {
    let array = TimestampMicrosecondArray::from(vec![micros]);
    Arc::new(if zoned { array.with_timezone("Europe/Berlin") } else { array })
}

proptest! {
    #[test]
    fn any_string_reads_back_from_its_json_form(value in any::<String>()) {
        let written = json(&StringArray::from(vec![value.as_str()])).unwrap();
        prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), value);
    }

    #[test]
    fn any_finite_number_reads_back_from_its_json_form(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
        let written = json(&Float64Array::from(vec![value])).unwrap();
        prop_assert_eq!(written.parse::<f64>().unwrap().to_bits(), value.to_bits());
    }

    #[test]
    fn any_decimal_keeps_its_digits(value in -(10i128.pow(38) - 1)..10i128.pow(38), scale in 0i8..=38) {
        let written = text(&decimal(value, scale)).unwrap();
        let digits: String = written.chars().filter(|c| *c != '.').collect();
        prop_assert_eq!(digits.parse::<i128>().unwrap(), value);
        let fraction = written.split_once('.').map_or(0, |(_, f)| f.len());
        prop_assert_eq!(fraction, scale as usize);
    }

    #[test]
    fn any_timestamp_is_an_error_or_a_date_and_never_a_panic(value in any::<i64>(), days in any::<i32>()) {
        let _ = text(timestamp(value, true).as_ref());
        let _ = text(&Date32Array::from(vec![days]));
        let _ = text(&DurationMicrosecondArray::from(vec![value]));
        let _ = text(&Time64NanosecondArray::from(vec![value]));
    }
}
