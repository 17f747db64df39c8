//! Arguments of Python functions, read so that an error names the argument at fault.

use std::num::NonZeroUsize;

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use watchword_kernel::UnixTime;

use crate::convert::type_name;

/// An optional argument for which None is a value of its own.
pub(crate) struct Given<'py>(Option<Bound<'py, PyAny>>);

impl<'py> Given<'py> {
    pub(crate) fn absent() -> Self {
        Self(None)
    }

    /// The argument, read by `read`; the default if it was omitted.
    pub(crate) fn or<T>(self, default: T, read: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<T>) -> PyResult<T> {
        self.0.map_or(Ok(default), |object| read(&object))
    }
}

impl<'py> FromPyObject<'_, 'py> for Given<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(Some(object.to_owned())))
    }
}

/// A text.
pub(crate) fn text(name: &str, object: &Bound<'_, PyAny>) -> PyResult<String> {
    object.extract().map_err(|_| {
        if object.is_instance_of::<PyString>() {
            return PyValueError::new_err(format!("{name} is not text: it has lone surrogates"));
        }
        PyTypeError::new_err(format!("{name} must be str, not {}", type_name(object)))
    })
}

/// One name, or several.
pub(crate) fn names(name: &str, object: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if object.is_instance_of::<PyString>() {
        return Ok(vec![element(name, object)?]);
    }
    if object.is_instance_of::<PyBytes>() {
        return Err(not_words(name, object));
    }
    list(name, object)
}

/// Several words, with None among them if `T` allows it. A single `str` is a mistake: it would be split into letters.
pub(crate) fn words<T: Word>(name: &str, object: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
        return Err(PyTypeError::new_err(format!("{name} must be a list or tuple of str, not a single one")));
    }
    list(name, object)
}

/// The elements that a list of words may have.
pub(crate) trait Word: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr> {}

impl Word for String {}
impl Word for Option<String> {}

fn list<T: Word>(name: &str, object: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    let elements = object.try_iter().map_err(|_| not_words(name, object))?;
    elements.map(|found| element(name, &found?)).collect()
}

fn element<T: Word>(name: &str, object: &Bound<'_, PyAny>) -> PyResult<T> {
    object.extract().map_err(|_| not_words(name, object))
}

fn not_words(name: &str, found: &Bound<'_, PyAny>) -> PyErr {
    if found.is_instance_of::<PyString>() {
        return PyValueError::new_err(format!("{name} is not text: it has lone surrogates"));
    }
    PyTypeError::new_err(format!("{name} must be str, or a list or tuple of str, not {}", type_name(found)))
}

/// A number of seconds: any Python number that fits a double.
pub(crate) fn seconds(name: &str, object: &Bound<'_, PyAny>) -> PyResult<f64> {
    object.extract().or_else(|error: PyErr| {
        // An int beyond the range of a double is treated as an infinite float.
        if error.is_instance_of::<PyOverflowError>(object.py()) {
            return Ok(f64::INFINITY);
        }
        Err(PyTypeError::new_err(format!("{name} must be a number of seconds, not {}", type_name(object))))
    })
}

/// The time of verification.
pub(crate) fn moment(now: &Bound<'_, PyAny>) -> PyResult<UnixTime> {
    UnixTime::new(seconds("now", now)?)
        .ok_or_else(|| PyValueError::new_err("now must be a finite number of Unix seconds"))
}

/// The time of verification of each of `count` tokens: one for all of them, or a list.
pub(crate) fn moments(now: &Bound<'_, PyAny>, count: usize) -> PyResult<Vec<UnixTime>> {
    let is_list = !now.is_instance_of::<PyString>() && !now.is_instance_of::<PyBytes>();
    let Some(list) = is_list.then(|| now.try_iter().ok()).flatten() else {
        return Ok(vec![moment(now)?; count]);
    };
    let moments = list.map(|one| moment(&one?)).collect::<PyResult<Vec<_>>>()?;
    if moments.len() != count {
        let found = moments.len();
        return Err(PyValueError::new_err(format!("now lists {found} times for {count} tokens: give one for each")));
    }
    Ok(moments)
}

/// A positive number: of bytes, of threads.
pub(crate) fn count(name: &str, object: &Bound<'_, PyAny>) -> PyResult<NonZeroUsize> {
    let count: usize = object.extract().or_else(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(object.py()) {
            return Ok(0);
        }
        Err(PyTypeError::new_err(format!("{name} must be an int, not {}", type_name(object))))
    })?;
    NonZeroUsize::new(count)
        .ok_or_else(|| PyValueError::new_err(format!("{name} must be an int from 1 up to the largest machine word")))
}
