//! The settings and figures of precomputed tables.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use watchword_kernel::tables::{self, Width};

use crate::arguments::count;
use crate::convert::type_name;

/// Figures about the precomputed tables of the process, and the settings in force.
#[pyclass(frozen, get_all, module = "watchword.tables", name = "TableStats")]
pub(crate) struct PyTableStats {
    /// The bytes that all tables take.
    bytes: usize,
    /// How many keys have a table.
    tables: usize,
    /// How many tables were built since the process started.
    built: u64,
    /// How many tables were evicted in favour of others.
    evicted: u64,
    /// How often a key was refused a table because the keys that have one are used more.
    refused: u64,
    /// How many keys wait for a table, with the one whose table is being built.
    queued: usize,
    /// The bytes that all tables may take.
    max_bytes: usize,
    /// The largest width of a digit, in bits.
    width: u8,
    /// After how many uses a key gets a table.
    after_uses: u32,
}

/// Change the settings of precomputed tables for the whole process; an argument that is not given leaves its setting.
///
/// Raises TypeError or ValueError if an argument is invalid.
#[pyfunction]
#[pyo3(signature = (*, max_bytes=None, width=None, after_uses=None))]
pub(crate) fn configure_tables(
    py: Python<'_>,
    max_bytes: Option<&Bound<'_, PyAny>>,
    width: Option<&Bound<'_, PyAny>>,
    after_uses: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let mut settings = tables::settings();
    if let Some(bytes) = max_bytes {
        settings.max_bytes = bytes.extract().map_err(|_| {
            if bytes.is_instance_of::<pyo3::types::PyInt>() {
                return PyValueError::new_err("max_bytes must be 0 or more, and fit a machine word");
            }
            PyTypeError::new_err(format!("max_bytes must be an int, not {}", type_name(bytes)))
        })?;
    }
    if let Some(bits) = width {
        let bits = u8::try_from(count("width", bits)?.get()).ok().and_then(Width::new);
        settings.width = bits.ok_or_else(|| PyValueError::new_err("width must be from 4 to 8"))?;
    }
    if let Some(uses) = after_uses {
        let uses = u32::try_from(count("after_uses", uses)?.get());
        settings.after_uses = uses.map_err(|_| PyValueError::new_err("after_uses is too large"))?;
    }
    py.detach(|| tables::configure(settings)).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Return the current figures and settings of precomputed tables.
#[pyfunction]
pub(crate) fn table_stats() -> PyTableStats {
    let tables::Settings { max_bytes, width, after_uses } = tables::settings();
    let tables::Stats { bytes, tables, built, evicted, refused, queued } = tables::stats();
    PyTableStats { bytes, tables, built, evicted, refused, queued, max_bytes, width: width.bits(), after_uses }
}

#[pymethods]
impl PyTableStats {
    fn __repr__(&self) -> String {
        let Self { bytes, tables, built, evicted, refused, queued, max_bytes, width, after_uses } = self;
        format!(
            "TableStats(bytes={bytes}, tables={tables}, built={built}, evicted={evicted}, refused={refused}, \
             queued={queued}, max_bytes={max_bytes}, width={width}, after_uses={after_uses})"
        )
    }
}
