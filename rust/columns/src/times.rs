//! Columns of times.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{ArrowError, DataType, TimeUnit};

/// The Unix seconds of each row, NaN for a null. A timestamp without a time zone is read as UTC; a number is one of Unix
/// seconds.
#[allow(clippy::as_conversions, reason = "a time before the year 2500 loses less than a microsecond in a double")]
pub(crate) fn unix_seconds(name: &str, column: &ArrayRef) -> Result<Vec<f64>, ArrowError> {
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => Ok(read::<TimestampSecondType>(column, |time| time as f64)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Ok(read::<TimestampMillisecondType>(column, |time| time as f64 / 1e3))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Ok(read::<TimestampMicrosecondType>(column, |time| time as f64 / 1e6))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Ok(read::<TimestampNanosecondType>(column, |time| time as f64 / 1e9))
        }
        DataType::Null => Ok(vec![f64::NAN; column.len()]),
        DataType::Float64 => Ok(read::<Float64Type>(column, |time| time)),
        DataType::Int64 => Ok(read::<Int64Type>(column, |time| time as f64)),
        DataType::UInt64 => Ok(read::<UInt64Type>(column, |time| time as f64)),
        DataType::Int32 => Ok(read::<Int32Type>(column, f64::from)),
        DataType::UInt32 => Ok(read::<UInt32Type>(column, f64::from)),
        other => Err(ArrowError::InvalidArgumentError(format!(
            "the column {name:?} is {other}, not a column of times: cast it to timestamps, or to numbers of Unix seconds"
        ))),
    }
}

fn read<T: ArrowPrimitiveType>(column: &ArrayRef, seconds: impl Fn(T::Native) -> f64) -> Vec<f64> {
    let column = column.as_primitive::<T>();
    match column.nulls() {
        None => column.values().iter().map(|&time| seconds(time)).collect(),
        Some(_) => column.iter().map(|time| time.map_or(f64::NAN, &seconds)).collect(),
    }
}
