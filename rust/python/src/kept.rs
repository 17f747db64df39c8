//! Python objects that are made when they are first asked for.

#[allow(clippy::disallowed_types, reason = "see Kept")]
use std::sync::OnceLock;

use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;

/// A place for a Python object.
///
/// The object is made outside of the cell, and put into it with the interpreter attached all the while: a fork cannot
/// happen in between (PyO3's own `PyOnceLock` detaches, and is half done as long as it waits to be attached again). Threads
/// that ask at the same time may each make one; one of them is kept.
#[allow(clippy::disallowed_types, reason = "is only written to with the interpreter attached")]
pub(crate) struct Kept<T>(OnceLock<Py<T>>);

impl<T> Kept<T> {
    pub(crate) const fn new() -> Self {
        #[allow(clippy::disallowed_types, reason = "see above")]
        Self(OnceLock::new())
    }

    /// The object that is kept, made here if there is none.
    pub(crate) fn get_or_make(&self, py: Python<'_>, make: impl FnOnce() -> PyResult<Py<T>>) -> PyResult<Py<T>> {
        self.get_or_make_ref(py, make).map(|object| object.clone_ref(py))
    }

    /// The same, borrowed.
    pub(crate) fn get_or_make_ref(&self, _py: Python<'_>, make: impl FnOnce() -> PyResult<Py<T>>) -> PyResult<&Py<T>> {
        if let Some(kept) = self.0.get() {
            return Ok(kept);
        }
        let made = make()?;
        Ok(self.0.get_or_init(|| made))
    }

    /// Shows the object to the garbage collector.
    ///
    /// What is kept is never taken out again, so that classes with such cells have no `__clear__`: a cycle through one also
    /// goes through the dict or the exception that is kept, and these can be cleared.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.get().map_or(Ok(()), |object| visit.call(object))
    }
}
