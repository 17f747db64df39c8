//! The settings of a server, from a mapping.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyMapping;
use watchword_gate::config::{HEADER_BYTES, ListenAddress, MAX_SOCKET_MODE, PROXIES};
use watchword_kernel::ReplayCache;
use watchword_serve::{Family, ReplayStore, Settings};

use crate::arguments::{count, names, seconds, text};

/// How many proofs fit into the memory of a process by default.
const DEFAULT_CAPACITY: usize = 1_000_000;

/// The proofs of one key may take this fraction of it, as in `MemoryReplayStore`.
const KEYS_SHARE: usize = 8;

/// The longest timeout, in seconds.
const MAX_TIMEOUT: f64 = 86_400.0;

/// The settings in a mapping. What is absent or None has its default; what is not known is an error.
pub(super) fn settings(given: &Bound<'_, PyMapping>) -> PyResult<Settings> {
    let mut settings = Settings::default();
    for pair in given.items()?.iter() {
        let (name, value): (String, Bound<'_, PyAny>) = pair.extract()?;
        if !value.is_none() {
            set(&mut settings, &name, &value)?;
        }
    }
    if !settings.path_prefix.is_empty() && settings.family != Family::Envoy {
        return Err(PyValueError::new_err(
            "path_prefix is for the proxy \"envoy\" only: the others send the target in a header",
        ));
    }
    Ok(settings)
}

fn set(settings: &mut Settings, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    match name {
        "listen" => settings.listen = addresses(name, value)?,
        "status_listen" => settings.status_listen = addresses(name, value)?,
        "proxy" => settings.family = family(&text(name, value)?)?,
        "path_prefix" => settings.path_prefix = path_prefix(&text(name, value)?)?,
        "socket_mode" => {
            settings.socket_mode =
                value.extract().ok().filter(|mode| *mode <= MAX_SOCKET_MODE).ok_or_else(|| {
                    PyValueError::new_err("socket_mode must be the permissions of a file, such as 0o660")
                })?;
        }
        "threads" => settings.threads = count(name, value)?,
        "max_connections" => settings.max_connections = count(name, value)?,
        "header_timeout" => settings.header_timeout = timeout(name, value)?,
        "idle_timeout" => settings.idle_timeout = timeout(name, value)?,
        "write_timeout" => settings.write_timeout = timeout(name, value)?,
        "lookup_timeout" => settings.lookup_timeout = timeout(name, value)?,
        "replay_timeout" => settings.replay_timeout = timeout(name, value)?,
        // The host passes it to stop().
        "stop_timeout" => {}
        "max_header_bytes" => settings.max_header_bytes = header_bytes(count(name, value)?)?,
        "log_rejections" => settings.record_rejected = value.is_truthy()?,
        "log_allowed" => settings.record_allowed = value.is_truthy()?,
        _ => return Err(PyTypeError::new_err(format!("settings has the unknown key {name:?}"))),
    }
    Ok(())
}

fn addresses(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<ListenAddress>> {
    let parse =
        |text: String| ListenAddress::parse(&text).map_err(|error| PyValueError::new_err(format!("{name}: {error}")));
    names(name, value)?.into_iter().map(parse).collect()
}

fn family(name: &str) -> PyResult<Family> {
    Family::of_name(name).ok_or_else(|| {
        let known: Vec<_> = PROXIES.iter().map(|known| format!("{known:?}")).collect();
        PyValueError::new_err(format!("proxy is {name:?}: it must be one of {}", known.join(", ")))
    })
}

fn path_prefix(text: &str) -> PyResult<String> {
    let prefix = text.trim_end_matches('/');
    match prefix.is_empty() || prefix.starts_with('/') {
        true => Ok(prefix.to_owned()),
        false => Err(PyValueError::new_err(format!("path_prefix is {text:?}: it must begin with a slash"))),
    }
}

fn header_bytes(bytes: NonZeroUsize) -> PyResult<usize> {
    match u64::try_from(bytes.get()).is_ok_and(|bytes| HEADER_BYTES.contains(&bytes)) {
        true => Ok(bytes.get()),
        false => Err(PyValueError::new_err(format!(
            "max_header_bytes is {bytes}: it must be from {} to {}",
            HEADER_BYTES.start(),
            HEADER_BYTES.end()
        ))),
    }
}

fn timeout(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let given = seconds(name, value)?;
    if given.is_nan() || given <= 0.0 {
        return Err(PyValueError::new_err(format!("{name} is {given}: it must be a positive number of seconds")));
    }
    Ok(Duration::from_secs_f64(given.min(MAX_TIMEOUT)))
}

/// The store of used proofs.
pub(super) fn replay_store(replay: &str, capacity: Option<&Bound<'_, PyAny>>) -> PyResult<ReplayStore> {
    match replay {
        "memory" => {
            let capacity = capacity.map(|capacity| count("replay_capacity", capacity)).transpose()?;
            let capacity = capacity.or(NonZeroUsize::new(DEFAULT_CAPACITY)).unwrap_or(NonZeroUsize::MIN);
            let share = NonZeroUsize::new(capacity.get() / KEYS_SHARE).unwrap_or(NonZeroUsize::MIN);
            Ok(ReplayStore::Memory(Arc::new(ReplayCache::new(capacity, share))))
        }
        "none" => Ok(ReplayStore::Unchecked),
        url => Ok(ReplayStore::Shared(url.to_owned())),
    }
}
