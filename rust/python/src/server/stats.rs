//! The counters of a server, as a dict.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use watchword_gate::Replay;
use watchword_serve::{BOUNDS, Server};

/// The counters: see the keys.
pub(super) fn dict<'py>(py: Python<'py>, server: &Server) -> PyResult<Bound<'py, PyDict>> {
    let stats = py.detach(|| server.stats());
    let dict = PyDict::new(py);
    let verdicts = PyDict::new(py);
    let cached = |cached: bool| if cached { "true" } else { "false" };
    for one in &stats.verdicts {
        let issuer = one.issuer.as_deref().unwrap_or_default();
        let route = one.route.as_deref().unwrap_or_default();
        let key = (issuer, one.code, one.scheme.unwrap_or_default(), cached(one.cached), route);
        verdicts.set_item(key, one.count)?;
    }
    dict.set_item("verdicts", verdicts)?;
    let seconds = PyDict::new(py);
    for one in &stats.durations {
        let result = if one.allowed { "allowed" } else { "rejected" };
        let key = (result, one.scheme.unwrap_or_default(), cached(one.cached));
        seconds.set_item(key, (one.counts.to_vec(), one.total))?;
    }
    dict.set_item("seconds", seconds)?;
    dict.set_item("bounds", PyTuple::new(py, BOUNDS)?)?;
    dict.set_item("requests", stats.verdicts.iter().map(|one| one.count).sum::<u64>())?;
    let connections = stats.connections;
    dict.set_item("connections", connections.open)?;
    dict.set_item("connections_limit", connections.limit)?;
    dict.set_item("connections_accepted", connections.accepted)?;
    dict.set_item("connections_refused", connections.refused)?;
    dict.set_item("connections_evicted", connections.evicted)?;
    dict.set_item("connections_timed_out", connections.timed_out)?;
    dict.set_item("accept_errors", connections.accept_errors)?;
    dict.set_item("bad_requests", connections.malformed)?;
    dict.set_item("status_connections", stats.status_connections.open)?;
    dict.set_item("lookups", stats.lookups)?;
    dict.set_item("lookups_waiting", stats.waiting_for_keys)?;
    dict.set_item("lookups_failed", stats.waits_failed)?;
    dict.set_item("replay_errors", stats.replay_failures)?;
    dict.set_item("replay_connects", stats.replay_connects)?;
    if let Replay::Memory(cache) = server.gate().replay() {
        dict.set_item("replay_size", cache.len())?;
        dict.set_item("replay_capacity", cache.capacity())?;
    }
    dict.set_item("records_dropped", stats.records_dropped)?;
    Ok(dict)
}
