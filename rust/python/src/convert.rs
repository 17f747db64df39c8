//! Conversion of Python's text and mappings to the kernel's input, and of its JSON to Python objects.

use std::borrow::Cow;

use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyMapping, PyString};
use watchword_kernel::json::{Object, Value};

use crate::errors::KeySetError;
use crate::kept::Kept;

/// Bytes, borrowed from a Python object if possible.
pub(crate) struct Text<'a>(Cow<'a, [u8]>);

impl<'a> Text<'a> {
    /// A token. A `str` that is not valid Unicode is hostile input, not a caller's mistake: it is passed on with replacement
    /// characters, which no token may contain.
    pub(crate) fn of_token(token: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = token.cast::<PyString>() {
            return Ok(Self(match text.to_str() {
                Ok(text) => Cow::Borrowed(text.as_bytes()),
                Err(_) => Cow::Owned(text.to_string_lossy().into_owned().into_bytes()),
            }));
        }
        if let Ok(bytes) = token.cast::<PyBytes>() {
            return Ok(Self(Cow::Borrowed(bytes.as_bytes())));
        }
        Err(PyTypeError::new_err(format!("a token must be str or bytes, not {}", type_name(token))))
    }

    /// A JSON document: text, or a mapping that `json.dumps` accepts.
    pub(crate) fn of_json(document: &'a Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        if let Ok(text) = document.cast::<PyString>() {
            return match text.to_str() {
                Ok(text) => Ok(Self(Cow::Borrowed(text.as_bytes()))),
                Err(_) => Err(KeySetError::new_err(format!("{name} is text with lone surrogates, which is not JSON"))),
            };
        }
        if let Ok(bytes) = document.cast::<PyBytes>() {
            return Ok(Self(Cow::Borrowed(bytes.as_bytes())));
        }
        if let Some(json) = plain_json(document) {
            return Ok(Self(Cow::Owned(json.into_bytes())));
        }
        if document.cast::<PyMapping>().is_ok() {
            let plain = document.py().get_type::<PyDict>().call1((document,))?;
            let written = json_dumps(document.py())?.call1((plain,)).map_err(|error| {
                if error.is_instance_of::<PyRecursionError>(document.py()) {
                    return KeySetError::new_err(format!("{name} is nested too deeply"));
                }
                error
            })?;
            return Ok(Self(Cow::Owned(written.extract::<String>()?.into_bytes())));
        }
        Err(PyTypeError::new_err(format!("{name} must be str, bytes or a mapping, not {}", type_name(document))))
    }
}

impl AsRef<[u8]> for Text<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "that".to_owned(), |name| name.to_string())
}

/// A JSON object as a dict, the same that Python's own parser returns: strict JSON has one reading.
pub(crate) fn from_json<'py>(py: Python<'py>, document: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let members = Object::parse(document).map_err(|error| PyValueError::new_err(error.to_string()))?;
    dict(py, &members).map(Bound::into_any)
}

/// The same; `None` if the document is not strict JSON, or not an object.
pub(crate) fn from_json_object<'py>(py: Python<'py>, document: &[u8]) -> PyResult<Option<Bound<'py, PyDict>>> {
    Object::parse(document).ok().map(|members| dict(py, &members)).transpose()
}

fn dict<'py>(py: Python<'py>, members: &Object<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in members.iter() {
        dict.set_item(name, object(py, value)?)?;
    }
    Ok(dict)
}

/// Recurses no deeper than the scanner of a document allows.
fn object<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) if number.is_integer() => match number.as_str().parse::<i64>() {
            Ok(number) => number.into_pyobject(py)?.into_any(),
            Err(_) => py.get_type::<PyInt>().call1((number.as_str(),))?,
        },
        Value::Number(number) => number.as_f64().into_pyobject(py)?.into_any(),
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(elements) => {
            let elements = elements.iter().map(|element| object(py, &element)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, elements)?.into_any()
        }
        Value::Object(members) => dict(py, &members.members())?.into_any(),
    })
}

/// The JSON of a dict with only text that needs no escapes, such as a JWK. `None` for any other: `json.dumps` writes
/// those.
fn plain_json(document: &Bound<'_, PyAny>) -> Option<String> {
    let mut json = String::from("{");
    for (name, value) in document.cast_exact::<PyDict>().ok()?.iter() {
        for (text, mark) in [(name, ':'), (value, ',')] {
            let text = text.cast_into_exact::<PyString>().ok()?;
            let text = text.to_str().ok()?;
            if text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | ..b' ')) {
                return None;
            }
            json.extend(["\"", text, "\""]);
            json.push(mark);
        }
    }
    // The last comma, or the bracket of an empty object, which is left to `json.dumps`.
    (json.pop() == Some(',')).then_some(json + "}")
}

fn json_dumps(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static DUMPS: Kept<PyAny> = Kept::new();
    let import = || py.import("json")?.getattr("dumps").map(Bound::unbind);
    DUMPS.get_or_make_ref(py, import).map(|dumps| dumps.bind(py))
}

/// Imports everything now: a fork during an import by another thread would leave a child that waits for that thread.
pub(crate) fn prepare(py: Python<'_>) -> PyResult<()> {
    PyMapping::type_object(py);
    json_dumps(py).map(drop)
}
