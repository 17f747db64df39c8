//! Columns of texts and of bytes, read as bytes.
//!
//! Nobody validates that a text which comes over the C data interface is UTF-8, so no text is made of it here.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, BinaryViewArray, LargeBinaryArray, downcast_integer_array};
use arrow_schema::{ArrowError, DataType};

/// A column of bytes.
pub(crate) enum ByteColumn {
    Small(BinaryArray),
    Large(LargeBinaryArray),
    View(BinaryViewArray),
    /// Null in each row: a column of which no value is known, not even the type.
    Null,
    /// Each row's number among the values.
    Dictionary(Vec<Option<usize>>, Box<ByteColumn>),
}

impl ByteColumn {
    /// The column, if it is one of texts or bytes, or of references to them in a dictionary.
    pub(crate) fn new(name: &str, column: &ArrayRef) -> Result<Self, ArrowError> {
        match column.data_type() {
            DataType::Null => Ok(Self::Null),
            DataType::Utf8 => Ok(Self::Small(checked(BinaryArray::from(column.as_string::<i32>().clone()))?)),
            DataType::LargeUtf8 => Ok(Self::Large(checked(LargeBinaryArray::from(column.as_string::<i64>().clone()))?)),
            DataType::Utf8View => Ok(Self::View(checked(column.as_string_view().clone().to_binary_view())?)),
            DataType::Binary => Ok(Self::Small(checked(column.as_binary::<i32>().clone())?)),
            DataType::LargeBinary => Ok(Self::Large(checked(column.as_binary::<i64>().clone())?)),
            DataType::BinaryView => Ok(Self::View(checked(column.as_binary_view().clone())?)),
            DataType::Dictionary(_, values) if !matches!(**values, DataType::Dictionary(..)) => {
                let dictionary = column.as_any_dictionary();
                let values = Self::new(name, dictionary.values())?;
                let indices = indices_below(dictionary.values().len(), dictionary.keys()).ok_or_else(|| {
                    ArrowError::InvalidArgumentError(format!(
                        "the column {name:?} refers to values that its dictionary does not have"
                    ))
                })?;
                Ok(Self::Dictionary(indices, Box::new(values)))
            }
            other => Err(ArrowError::InvalidArgumentError(format!(
                "the column {name:?} is {other}, not a column of texts or of bytes"
            ))),
        }
    }

    /// The bytes in a row; `None` if they are null.
    pub(crate) fn get(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Null => None,
            Self::Small(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Dictionary(indices, values) => values.get((*indices.get(row)?)?),
        }
    }
}

/// The index of each row, `None` for a null; nothing if one is not below `length`.
#[allow(clippy::unnecessary_fallible_conversions, reason = "infallible for some of the types that a key can have")]
fn indices_below(length: usize, keys: &dyn Array) -> Option<Vec<Option<usize>>> {
    downcast_integer_array!(
        keys => keys
            .iter()
            .map(|key| key.map_or(Some(None), |key| usize::try_from(key).ok().filter(|key| *key < length).map(Some)))
            .collect(),
        _ => None
    )
}

/// The array, if its offsets lie within its data.
fn checked<A: Array + Clone>(array: A) -> Result<A, ArrowError> {
    array.to_data().validate_data().map(|()| array)
}
