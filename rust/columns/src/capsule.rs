//! The Arrow PyCapsule interface: how batches and streams are passed between Python libraries.
//!
//! This is the only module with unsafe code. What a producer passes is trusted to be laid out as Arrow's C data interface
//! says, as every consumer of that interface must; that texts are UTF-8 is *not* relied on anywhere in this crate.
#![allow(unsafe_code, reason = "the C data interface passes pointers")]

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{Array, ArrayReader, RecordBatch, RecordBatchReader, StructArray, cast::AsArray};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// A stream of another library. `RecordBatchStreamReader` would ignore that a row is null as a whole.
struct ImportedStream {
    arrays: ArrayStreamReader,
    schema: SchemaRef,
}

impl Iterator for ImportedStream {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.arrays.next().map(|array| batch_of(array?.as_struct().clone()))
    }
}

impl RecordBatchReader for ImportedStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// The batch of an object with `__arrow_c_array__`: a record batch, or an array of structs.
///
/// # Errors
/// `TypeError` if it is something else, `ValueError` if it was consumed already or has rows that are null.
pub fn import_batch(data: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let capsules = data.call_method0("__arrow_c_array__")?;
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = capsules.extract()?;
    let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: a capsule of this name has a pointer to such a struct, which lives as long as the capsule. The array is moved
    // out, and what is left is marked as released.
    let array = unsafe { FFI_ArrowArray::from_raw(array.as_ptr()) };
    if array.is_released() {
        return Err(PyValueError::new_err("the batch was consumed already"));
    }
    // SAFETY: as above; the capsule keeps the schema. The interface requires that the array agrees with it.
    let data = unsafe { from_ffi(array, schema.as_ref()) }.map_err(|error| value_error(&error))?;
    if !matches!(data.data_type(), DataType::Struct(_)) {
        return Err(no_columns());
    }
    batch_of(StructArray::from(data)).map_err(|error| value_error(&error))
}

/// The stream of an object with `__arrow_c_stream__`.
///
/// # Errors
/// `TypeError` if it is not a stream of record batches, `ValueError` if it was consumed already. Rows that are null as a
/// whole are an error of the reader.
pub fn import_stream(data: &Bound<'_, PyAny>) -> PyResult<Box<dyn RecordBatchReader + Send>> {
    let capsule = data.call_method0("__arrow_c_stream__")?;
    let capsule =
        capsule.cast::<PyCapsule>().map_err(|_| PyTypeError::new_err("__arrow_c_stream__ returned no capsule"))?;
    let stream = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: a capsule of this name has a pointer to such a struct. The stream is moved out, and what is left is marked as
    // released.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.as_ptr()) };
    let arrays = ArrayStreamReader::try_new(stream).map_err(|error| value_error(&error))?;
    let DataType::Struct(fields) = arrays.field().data_type() else { return Err(no_columns()) };
    let schema = Arc::new(Schema::new(fields.clone()));
    Ok(Box::new(ImportedStream { arrays, schema }))
}

/// What `__arrow_c_schema__` returns for a schema.
///
/// # Errors
/// `ValueError` if the schema has a type that the interface cannot pass.
pub fn export_schema<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema).map_err(|error| value_error(&error))?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// What `__arrow_c_array__` returns for a batch.
///
/// # Errors
/// `ValueError` if the batch has a type that the interface cannot pass.
pub fn export_batch<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyTuple>> {
    let (array, _) = to_ffi(&StructArray::from(batch.clone()).into()).map_err(|error| value_error(&error))?;
    let array = PyCapsule::new_with_value(py, array, ARRAY)?;
    PyTuple::new(py, [export_schema(py, batch.schema_ref())?, array])
}

/// What `__arrow_c_stream__` returns for a reader, which the consumer may call in any thread.
///
/// # Errors
/// None that this function causes: only those of making a Python object.
pub fn export_stream<'py>(
    py: Python<'py>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}

fn batch_of(rows: StructArray) -> Result<RecordBatch, ArrowError> {
    if rows.null_count() > 0 {
        return Err(ArrowError::InvalidArgumentError("the data has rows that are null as a whole".to_owned()));
    }
    Ok(RecordBatch::from(rows))
}

fn no_columns() -> PyErr {
    PyTypeError::new_err("the data has no columns: give a record batch or a table")
}

/// An error of Arrow as Python's.
pub fn value_error(error: &ArrowError) -> PyErr {
    match error {
        // The text alone, which is a sentence of this crate.
        ArrowError::InvalidArgumentError(text) => PyValueError::new_err(text.clone()),
        _ => PyValueError::new_err(error.to_string()),
    }
}
