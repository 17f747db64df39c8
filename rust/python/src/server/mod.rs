//! The gate as a server.

mod arguments;
mod pages;
mod stats;

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple};
use watchword_gate::config::ListenAddress;
use watchword_serve::{Configured, Metadata, Server, check_replay_url};

use crate::arguments::seconds;
use crate::gate::{PyDecision, PyGateRules};
use crate::key_set::PyKeySet;
use crate::nonces::PyNonceKeys;
use crate::token_cache::PyTokenCache;

/// The longest wait of one call, in seconds: signals are handled between two calls.
const MAX_WAIT: f64 = 3600.0;

/// What a proxy asks before it lets a request pass: `auth_request`, `forward_auth`, `ext_authz` over HTTP/1.1.
///
/// It has threads of its own, which need no interpreter but for status pages. It belongs to the process that made it: in a
/// forked child every method raises RuntimeError. `replay` is "memory", "none", or the URL of a Redis or Valkey server.
/// `pages(path)` returns status, content type and content of a status page; it is called in other threads, and if it
/// raises, the answer is 503. Binds the sockets. Raises ValueError or TypeError if an argument is invalid, OSError if an
/// address cannot be bound.
#[pyclass(frozen, module = "watchword._kernel", name = "Server")]
pub(crate) struct PyServer(Server);

type KeySets<'py> = Vec<Option<Bound<'py, PyKeySet>>>;

/// A lookup: its number, the issuer, the keys that were seen, the `kid`s.
type PyLookup<'py> = (u64, String, Option<Bound<'py, PyKeySet>>, Vec<Option<String>>);

#[pymethods]
impl PyServer {
    #[new]
    #[pyo3(signature = (*, settings, rules, keys, cache, replay, replay_capacity, nonces, pages, metadata=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn new(
        py: Python<'_>,
        settings: &Bound<'_, PyMapping>,
        rules: &Bound<'_, PyGateRules>,
        keys: KeySets<'_>,
        cache: Option<&Bound<'_, PyTokenCache>>,
        replay: &str,
        replay_capacity: Option<&Bound<'_, PyAny>>,
        nonces: Option<&Bound<'_, PyNonceKeys>>,
        pages: Bound<'_, PyAny>,
        metadata: Option<(String, Vec<u8>)>,
    ) -> PyResult<Self> {
        let settings = arguments::settings(settings)?;
        let replay = arguments::replay_store(replay, replay_capacity)?;
        let configured = configured(rules, &keys, cache, nonces, metadata)?;
        let render = pages::renderer(pages)?;
        py.detach(|| Server::bind(settings, configured, replay, render)).map(Self).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidInput => PyValueError::new_err(error.to_string()),
            _ => PyErr::from(error),
        })
    }

    /// Raise ValueError if `replay` is neither "memory" nor "none" nor a URL that the server can use. Nothing is connected.
    #[staticmethod]
    fn check_replay(replay: &str) -> PyResult<()> {
        match replay {
            "memory" | "none" => Ok(()),
            url => check_replay_url(url).map_err(PyValueError::new_err),
        }
    }

    /// Where proxies ask, as in `listen`, with the ports that were chosen.
    #[getter]
    fn addresses<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.addresses().iter().map(ListenAddress::to_string))
    }

    /// Where the status pages are.
    #[getter]
    fn status_addresses<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.status_addresses().iter().map(ListenAddress::to_string))
    }

    /// Start the threads, and return. Raises OSError if that fails, or if the server was stopped.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let server = self.owned()?;
        py.detach(|| server.start()).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    /// Replace what requests are checked by; `keys` are those of the issuers of `rules`. Used proofs stay used.
    #[pyo3(signature = (*, rules, keys, cache, nonces, metadata=None))]
    fn replace(
        &self,
        rules: &Bound<'_, PyGateRules>,
        keys: KeySets<'_>,
        cache: Option<&Bound<'_, PyTokenCache>>,
        nonces: Option<&Bound<'_, PyNonceKeys>>,
        metadata: Option<(String, Vec<u8>)>,
    ) -> PyResult<()> {
        self.owned()?.replace(configured(rules, &keys, cache, nonces, metadata)?);
        Ok(())
    }

    /// Replace the keys of an issuer (None: they are unavailable). Return whether there is an issuer of this name.
    #[pyo3(signature = (issuer, keys))]
    fn set_keys(&self, issuer: &str, keys: Option<&Bound<'_, PyKeySet>>) -> PyResult<bool> {
        Ok(self.owned()?.set_keys(issuer, keys.map(|keys| Arc::clone(keys.get().kernel()))))
    }

    /// Return the next lookup of keys that requests wait for: its number, the issuer, the keys that they saw (None: they
    /// are unavailable), and the `kid`s of their tokens, unverified. Wait for one, `timeout` seconds at most; return None
    /// after that, or once the server was stopped.
    fn next_lookup<'py>(&self, py: Python<'py>, timeout: &Bound<'_, PyAny>) -> PyResult<Option<PyLookup<'py>>> {
        let (server, timeout) = (self.owned()?, wait(timeout)?);
        let Some((lookup, keys)) = py.detach(|| server.next_lookup(timeout)) else { return Ok(None) };
        let keys = keys.map(|keys| Bound::new(py, PyKeySet::shared(keys))).transpose()?;
        Ok(Some((lookup.id, lookup.issuer, keys, lookup.key_ids)))
    }

    /// End a lookup: the requests that wait for it are decided with the keys that there are now.
    fn finish_lookup(&self, number: u64) -> PyResult<()> {
        self.owned()?.finish_lookup(number);
        Ok(())
    }

    /// Return the decisions to be logged: a list of Decision, how long it took in seconds, and when it was made in Unix
    /// seconds. Wait for one, `timeout` seconds at most.
    fn drain_records(&self, py: Python<'_>, timeout: &Bound<'_, PyAny>) -> PyResult<Vec<(PyDecision, f64, f64)>> {
        let (server, timeout) = (self.owned()?, wait(timeout)?);
        let records = py.detach(|| server.drain_records(timeout));
        let object = |record: watchword_serve::Record| {
            (PyDecision::answered(py, record.decision, record.trace_id), record.seconds, record.at)
        };
        Ok(records.into_iter().map(object).collect())
    }

    /// Return the counters since the start.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        stats::dict(py, self.owned()?)
    }

    /// Accept no more connections, close those without a request, and wait until the others have their answer, `grace`
    /// seconds at most. Does nothing if the server was stopped.
    fn stop(&self, py: Python<'_>, grace: &Bound<'_, PyAny>) -> PyResult<()> {
        let (server, grace) = (self.owned()?, wait(grace)?);
        py.detach(|| server.stop(grace));
        Ok(())
    }

    fn __repr__(&self) -> String {
        let addresses: Vec<_> = self.0.addresses().iter().map(ListenAddress::to_string).collect();
        format!("Server({})", addresses.join(", "))
    }
}

impl PyServer {
    fn owned(&self) -> PyResult<&Server> {
        if self.0.is_owned() {
            return Ok(&self.0);
        }
        Err(PyRuntimeError::new_err("the server belongs to the process that made it, and this is a forked child"))
    }
}

impl Drop for PyServer {
    fn drop(&mut self) {
        // A status page that is being rendered needs the interpreter to end.
        let stopped = Python::try_attach(|py| py.detach(|| self.0.stop(Duration::ZERO)));
        if stopped.is_none() {
            self.0.stop(Duration::ZERO);
        }
    }
}

fn configured(
    rules: &Bound<'_, PyGateRules>,
    keys: &KeySets<'_>,
    cache: Option<&Bound<'_, PyTokenCache>>,
    nonces: Option<&Bound<'_, PyNonceKeys>>,
    metadata: Option<(String, Vec<u8>)>,
) -> PyResult<Configured> {
    let rules = Arc::clone(&rules.get().0);
    if rules.issuer_names.len() != keys.len() {
        return Err(PyValueError::new_err(format!(
            "keys has {} elements, and the rules have {} issuers: give the keys of each, or None",
            keys.len(),
            rules.issuer_names.len()
        )));
    }
    let keys = keys.iter().map(|keys| keys.as_ref().map(|keys| Arc::clone(keys.get().kernel()))).collect();
    Ok(Configured {
        rules,
        keys,
        cache: cache.map(|cache| Arc::clone(cache.get().kernel())),
        nonces: nonces.map(|nonces| Arc::clone(&nonces.get().0)),
        metadata: metadata.map(|(path, document)| Metadata { path, document }),
    })
}

/// How long a call may block.
fn wait(timeout: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let given = seconds("timeout", timeout)?;
    if given.is_nan() || given < 0.0 {
        return Err(PyValueError::new_err(format!("the time is {given}: it must be a number of seconds, 0 or more")));
    }
    Ok(Duration::from_secs_f64(given.min(MAX_WAIT)))
}
