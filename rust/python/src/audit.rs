//! Audits of logs of tokens, in Arrow columns.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use watchword_columns::{AuditColumns, AuditReader, RequestColumns, TimeOfUse, audit_batch, capsule};
use watchword_kernel::audit::{AuditKeys, Auditor, time_of_use};
use watchword_kernel::scope::PlainScopes;
use watchword_kernel::{KeyEpoch, KeyHistory, KeyLayer, KeyState, PolicyEpoch, PolicyError, PolicyHistory};

use crate::arguments::count;
use crate::dpop::PyProofPolicy;
use crate::key_set::PyKeySet;
use crate::policy::{PyPolicy, value_error};

/// Verifies columns of tokens as of the times at which they were used.
///
/// keys: the keys of each issuer over time, by its name, or those of any issuer under the name None. Each history is a list
/// of (start in Unix seconds, layers), each layer a state and a KeySet; no layers mean that there is no record. The first
/// start is -inf. policies: a list of (start, Policy, scopes), in the same manner. proof_policy: the requirements for DPoP
/// proofs. cache_bytes: what may be kept of tokens that may occur again, in bytes; 0: nothing.
///
/// Raises ValueError if starts do not ascend from -inf, or a state is unknown.
#[pyclass(frozen, module = "watchword._kernel", name = "Auditor")]
pub(crate) struct PyAuditor(Arc<Auditor>);

/// A record batch. It has the Arrow PyCapsule interface, by which pyarrow, polars and DuckDB read it.
#[pyclass(frozen, module = "watchword._kernel", name = "ArrowBatch")]
pub(crate) struct PyArrowBatch(pub(crate) watchword_columns::RecordBatch);

/// A stream of record batches, which can be read once. It has the Arrow PyCapsule interface, by which pyarrow, polars and
/// DuckDB read it.
#[pyclass(frozen, module = "watchword._kernel", name = "ArrowStream")]
pub(crate) struct PyArrowStream {
    schema: watchword_columns::SchemaRef,
    reader: Mutex<Option<Box<AuditReader>>>,
}

/// The names of columns, and the time of all rows if there is no column of times.
#[pyclass(frozen, module = "watchword._kernel", name = "AuditColumns")]
pub(crate) struct PyAuditColumns(AuditColumns);

type PyLayers = Vec<(String, Py<PyKeySet>)>;
type PyHistory = Vec<(f64, PyLayers)>;

#[pymethods]
impl PyAuditColumns {
    #[new]
    #[pyo3(signature = (token, time, request=None, keep=Vec::new()))]
    fn new(
        token: String,
        time: &Bound<'_, PyAny>,
        request: Option<(String, String, String)>,
        keep: Vec<String>,
    ) -> PyResult<Self> {
        let time = match time.extract::<String>() {
            Ok(name) => TimeOfUse::Column(name),
            Err(_) => time_of_use(crate::arguments::seconds("time", time)?)
                .map(TimeOfUse::Fixed)
                .ok_or_else(|| PyValueError::new_err("time must be Unix seconds from 0 to the end of the year 9999"))?,
        };
        let request = request.map(|(method, uri, proof)| RequestColumns { method, uri, proof });
        Ok(Self(AuditColumns { token, time, request, keep }))
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "AuditColumns()"
    }
}

#[pymethods]
impl PyAuditor {
    #[new]
    #[pyo3(signature = (keys, policies, proof_policy, cache_bytes))]
    #[allow(clippy::needless_pass_by_value, reason = "the shape of a Python method")]
    fn new(
        keys: Vec<(Option<String>, PyHistory)>,
        policies: Vec<(f64, Py<PyPolicy>, Vec<String>)>,
        proof_policy: &Bound<'_, PyProofPolicy>,
        cache_bytes: usize,
    ) -> PyResult<Self> {
        let keys = audit_keys(keys)?;
        let epoch = |(start, policy, scopes): (f64, Py<PyPolicy>, Vec<String>)| {
            let scopes = PlainScopes::new(&scopes).map_err(|error| PyValueError::new_err(error.to_string()))?;
            Ok((start, PolicyEpoch { policy: Arc::clone(policy.get().kernel()), scopes }))
        };
        let mut policies = policies.into_iter().map(epoch).collect::<PyResult<Vec<_>>>()?.into_iter();
        let (start, first) = policies.next().ok_or_else(|| PyValueError::new_err("there is no policy"))?;
        check_first(start)?;
        let policies = PolicyHistory::new(first, policies.collect()).map_err(|error| value_error(&error))?;
        let auditor = Auditor::new(keys, policies, proof_policy.get().kernel().clone(), cache_bytes);
        Ok(Self(Arc::new(auditor.map_err(|error| value_error(&error))?)))
    }

    /// How many tokens were examined: fewer than there were rows if tokens occurred again.
    #[getter]
    fn examined(&self) -> u64 {
        self.0.examined()
    }

    /// Audit a record batch (an object with __arrow_c_array__) in this thread, and return an ArrowBatch of as many rows.
    ///
    /// Raises ValueError if a column is missing or has an unsuitable type.
    fn batch(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        columns: &Bound<'_, PyAuditColumns>,
    ) -> PyResult<PyArrowBatch> {
        let batch = capsule::import_batch(data)?;
        let columns = &columns.get().0;
        let audited = py.detach(|| audit_batch(&self.0, columns, &columns.output(batch.schema_ref())?, &batch));
        audited.map(PyArrowBatch).map_err(|error| capsule::value_error(&error))
    }

    /// Audit a stream of record batches (an object with __arrow_c_stream__) on up to `threads` threads (None: one for each
    /// processor), and return an ArrowStream, which audits as it is read.
    ///
    /// Raises ValueError if a column is missing or has an unsuitable type.
    #[pyo3(signature = (data, columns, threads=None))]
    fn stream(
        &self,
        data: &Bound<'_, PyAny>,
        columns: &Bound<'_, PyAuditColumns>,
        threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyArrowStream> {
        let threads = match threads {
            None => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            Some(threads) => count("threads", threads)?,
        };
        let reader =
            AuditReader::new(capsule::import_stream(data)?, Arc::clone(&self.0), columns.get().0.clone(), threads)
                .map_err(|error| capsule::value_error(&error))?;
        Ok(PyArrowStream { schema: reader.output(), reader: Mutex::new(Some(Box::new(reader))) })
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "Auditor()"
    }
}

#[pymethods]
impl PyArrowBatch {
    /// The number of rows.
    #[getter]
    fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    /// Return the schema, as the Arrow PyCapsule interface requires.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::export_schema(py, self.0.schema_ref())
    }

    /// Return schema and data, as the Arrow PyCapsule interface requires. The schema that is asked for is ignored.
    #[pyo3(signature = (requested_schema=None))]
    #[allow(unused_variables, reason = "the interface allows ignoring it")]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        capsule::export_batch(py, &self.0)
    }

    fn __repr__(&self) -> String {
        format!("ArrowBatch(rows={})", self.0.num_rows())
    }
}

#[pymethods]
impl PyArrowStream {
    /// Return the schema, as the Arrow PyCapsule interface requires.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::export_schema(py, &self.schema)
    }

    /// Return the stream, as the Arrow PyCapsule interface requires. The schema that is asked for is ignored.
    ///
    /// Raises ValueError if it was consumed already.
    #[pyo3(signature = (requested_schema=None))]
    #[allow(unused_variables, reason = "the interface allows ignoring it")]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let reader = self.reader.try_lock().ok().and_then(|mut reader| reader.take());
        let reader = reader.ok_or_else(|| PyValueError::new_err("the stream was consumed already"))?;
        capsule::export_stream(py, reader)
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "ArrowStream()"
    }
}

fn audit_keys(keys: Vec<(Option<String>, PyHistory)>) -> PyResult<AuditKeys> {
    let mut of_any_issuer = None;
    let mut by_issuer = Vec::with_capacity(keys.len());
    for (issuer, epochs) in keys {
        let history = history(epochs)?;
        match issuer {
            None => of_any_issuer = Some(history),
            Some(issuer) => by_issuer.push((issuer, history)),
        }
    }
    match (of_any_issuer, by_issuer.is_empty()) {
        (Some(history), true) => Ok(AuditKeys::OfAnyIssuer(history)),
        (None, _) => Ok(AuditKeys::ByIssuer(by_issuer)),
        (Some(_), false) => Err(PyTypeError::new_err("keys are those of any issuer, or those of each: not both")),
    }
}

fn history(epochs: PyHistory) -> PyResult<KeyHistory> {
    let mut epochs = epochs.into_iter();
    let (start, first) = epochs.next().ok_or_else(|| PyValueError::new_err("a history has no epoch"))?;
    check_first(start)?;
    let later = epochs.map(|(start, layers)| Ok((start, epoch(layers)?)));
    let later = later.collect::<PyResult<Vec<_>>>()?;
    KeyHistory::new(epoch(first)?, later).map_err(|error: PolicyError| value_error(&error))
}

/// Otherwise what holds from then on would count before, too.
fn check_first(start: f64) -> PyResult<()> {
    if start == f64::NEG_INFINITY { Ok(()) } else { Err(PyValueError::new_err("the first start must be -inf")) }
}

fn epoch(layers: PyLayers) -> PyResult<KeyEpoch> {
    let layer = |(state, keys): (String, Py<PyKeySet>)| {
        let state = KeyState::from_name(&state)
            .ok_or_else(|| PyValueError::new_err(format!("{state:?} is not the state of a key")))?;
        Ok(KeyLayer { state, keys: Arc::clone(keys.get().kernel()) })
    };
    layers.into_iter().map(layer).collect::<PyResult<Vec<_>>>().map(KeyEpoch::new)
}
