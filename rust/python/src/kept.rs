//! Python objects that are made on first access, and kept.

#[allow(clippy::disallowed_types, reason = "see Kept")]
use std::sync::OnceLock;

use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;

/// A cell for a Python object.
///
/// The object is made outside of the cell, and stored in it with the interpreter attached throughout: no fork can happen
/// in between (PyO3's own `PyOnceLock` detaches, and is half written while it waits to be attached again). Threads that
/// need it at the same time may each make one; one of them is kept.
#[allow(clippy::disallowed_types, reason = "is written only with the interpreter attached")]
pub(crate) struct Kept<T>(OnceLock<Py<T>>);

impl<T> Kept<T> {
    pub(crate) const fn new() -> Self {
        #[allow(clippy::disallowed_types, reason = "see above")]
        Self(OnceLock::new())
    }

    /// A cell with this object.
    #[allow(clippy::disallowed_types, reason = "see above")]
    pub(crate) fn of(object: Py<T>) -> Self {
        Self(OnceLock::from(object))
    }

    /// The object, made here if the cell is empty.
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

    /// Visits the object for the garbage collector.
    ///
    /// A cell is never emptied, so classes with such cells have no `__clear__`: a cycle through one also goes through the
    /// dict or the exception in it, and these can be cleared.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.get().map_or(Ok(()), |object| visit.call(object))
    }
}
