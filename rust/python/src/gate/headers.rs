//! The headers of a request, borrowed from Python objects.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::convert::type_name;

/// The names and values of headers, as Python objects.
pub(super) struct Headers<'py>(Vec<(Field<'py>, Field<'py>)>);

/// A name or a value.
#[derive(Clone)]
enum Field<'py> {
    Bytes(Bound<'py, PyBytes>),
    /// Text, as UTF-8. A `str` that is not Unicode has replacement characters, which nothing that is read here contains.
    Text(Bound<'py, PyString>, String),
}

impl<'py> Headers<'py> {
    /// Reads pairs, a mapping of a name to a value or to a list of values, or an object with `items()`.
    ///
    /// The items of a framework's headers list a repeated name several times. Those of `email.message.Message` are parsed,
    /// or objects of its own for values that are not ASCII; its raw items are as they were received.
    ///
    /// Only headers whose names `reads` accepts are kept.
    pub(super) fn new(headers: &Bound<'py, PyAny>, reads: impl Fn(&[u8]) -> bool) -> PyResult<Self> {
        let mut pairs = Vec::new();
        if let Ok(list) = headers.cast_exact::<PyList>() {
            // What an ASGI server passes: its pairs are read for each request.
            for pair in list.iter() {
                pairs.extend(pair_of(&pair, &reads)?);
            }
            return Ok(Self(pairs));
        }
        for pair in items(headers)?.try_iter()? {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract().map_err(|_| not_pairs())?;
            let name = Field::new(name)?;
            if !reads(name.as_bytes()) {
                continue;
            }
            match value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
                false => pairs.push((name, Field::new(value)?)),
                true => {
                    for one in value.try_iter()? {
                        pairs.push((name.clone(), Field::new(one?)?));
                    }
                }
            }
        }
        Ok(Self(pairs))
    }

    /// The bytes of the names and values.
    pub(super) fn as_bytes(&self) -> Vec<(&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
    }

    /// The pairs, as a list of tuples.
    pub(super) fn into_list(self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let pairs = self.0.into_iter().map(|(name, value)| (name.into_object(), value.into_object()));
        PyList::new(py, pairs.collect::<Vec<_>>())
    }
}

impl<'py> Field<'py> {
    fn new(object: Bound<'py, PyAny>) -> PyResult<Self> {
        let object = match object.cast_into::<PyBytes>() {
            Ok(bytes) => return Ok(Self::Bytes(bytes)),
            Err(error) => error.into_inner(),
        };
        match object.cast_into::<PyString>() {
            Ok(text) => {
                let utf8 = text.to_string_lossy().into_owned();
                Ok(Self::Text(text, utf8))
            }
            Err(error) => Err(PyTypeError::new_err(format!(
                "the names and values of headers must be str or bytes, not {}",
                type_name(&error.into_inner())
            ))),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Text(_, utf8) => utf8.as_bytes(),
        }
    }

    fn into_object(self) -> Bound<'py, PyAny> {
        match self {
            Self::Bytes(bytes) => bytes.into_any(),
            Self::Text(text, _) => text.into_any(),
        }
    }
}

/// What is iterated over: `raw_items()`, `items()`, or the object itself.
fn items<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(dict) = headers.cast_exact::<PyDict>() {
        return Ok(dict.items().into_any());
    }
    for name in ["raw_items", "items"] {
        if let Some(items) = headers.getattr_opt(name)? {
            return items.call0();
        }
    }
    Ok(headers.clone())
}

fn pair_of<'py>(pair: &Bound<'py, PyAny>, reads: impl Fn(&[u8]) -> bool) -> PyResult<Option<(Field<'py>, Field<'py>)>> {
    if let Ok(tuple) = pair.cast_exact::<PyTuple>()
        && tuple.len() == 2
    {
        let name = Field::new(tuple.get_item(0)?)?;
        return if reads(name.as_bytes()) { Ok(Some((name, Field::new(tuple.get_item(1)?)?))) } else { Ok(None) };
    }
    // ASGI allows pairs of any kind; some servers have lists.
    let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = match pair.cast::<PyList>() {
        Ok(list) if list.len() == 2 => (list.get_item(0)?, list.get_item(1)?),
        _ => pair.extract().map_err(|_| not_pairs())?,
    };
    let name = Field::new(name)?;
    if reads(name.as_bytes()) { Ok(Some((name, Field::new(value)?))) } else { Ok(None) }
}

fn not_pairs() -> PyErr {
    PyTypeError::new_err("headers must be pairs of a name and a value, or a mapping")
}
