//! Records of logs in text formats.

use std::sync::Mutex;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use watchword_columns::records_batch;
use watchword_records::{Error, Fields, Format, Limits, Reader};

use crate::audit::PyArrowBatch;

/// Reads records from bytes that are fed to it, in one of the formats "ndjson", "csv" and "lines".
///
/// token, time, method, uri, proof: the names of the fields; of those without a name there is no column. max_record_bytes:
/// a longer record is an unreadable row.
///
/// Raises ValueError if the format is unknown.
#[pyclass(frozen, module = "watchword._kernel", name = "RecordReader")]
pub(crate) struct PyRecordReader(Mutex<Reader>);

/// A batch, the unreadable rows as (line, reason), and the offset and the line after the last record.
type Taken = (PyArrowBatch, Vec<(u64, &'static str)>, u64, u64);

#[pymethods]
impl PyRecordReader {
    #[new]
    #[pyo3(signature = (format, *, token, time=None, method=None, uri=None, proof=None, max_record_bytes))]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn new(
        format: &str,
        token: String,
        time: Option<String>,
        method: Option<String>,
        uri: Option<String>,
        proof: Option<String>,
        max_record_bytes: usize,
    ) -> PyResult<Self> {
        let format = match format {
            "ndjson" => Format::Ndjson,
            "csv" => Format::Csv,
            "lines" => Format::Lines,
            _ => return Err(PyValueError::new_err("format must be 'ndjson', 'csv' or 'lines'")),
        };
        let limits = Limits { max_record_bytes, ..Limits::default() };
        Ok(Self(Mutex::new(Reader::new(format, Fields { token, time, method, uri, proof }, limits))))
    }

    /// Add bytes of the input. Raises ValueError if the input was ended.
    fn feed(&self, data: &[u8]) -> PyResult<()> {
        self.with(|reader| reader.feed(data))
    }

    /// End the input.
    fn finish(&self) -> PyResult<()> {
        self.with(|reader| {
            reader.finish();
            Ok(())
        })
    }

    /// End an input that is known to be incomplete: if its last line has no line end, it is unreadable.
    fn break_off(&self) -> PyResult<()> {
        self.with(|reader| {
            reader.break_off();
            Ok(())
        })
    }

    /// Return the next `max_rows` rows, or what there is before the end: a batch with the columns token, time (Unix seconds,
    /// NaN if there is none), row (the line on which the record begins, from 1), and method, uri, proof if they have names;
    /// the unreadable rows, each a line and a reason; and the offset and the line after the last record. None if there
    /// must be more bytes, and after the end.
    ///
    /// Raises ValueError if the header of a CSV file is unreadable or lacks a column.
    fn take(&self, py: Python<'_>, max_rows: usize) -> PyResult<Option<Taken>> {
        let rows = py.detach(|| self.with(|reader| reader.take(max_rows)))?;
        rows.map(|rows| {
            let unreadable = rows.unreadable.iter().map(|row| (row.line, row.reason.as_str())).collect();
            let ends = rows.ends;
            let batch = records_batch(rows).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
            Ok((PyArrowBatch(batch), unreadable, ends.offset, ends.line))
        })
        .transpose()
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "RecordReader()"
    }
}

impl PyRecordReader {
    fn with<T>(&self, use_it: impl FnOnce(&mut Reader) -> Result<T, Error>) -> PyResult<T> {
        let mut reader = self
            .0
            .try_lock()
            .map_err(|_| PyRuntimeError::new_err("another thread uses the reader: use it in one at a time"))?;
        use_it(&mut reader).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}
