//! Status pages, rendered by a Python function.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use watchword_serve::{Page, Render};

use crate::convert::type_name;

/// What renders pages by a function; whatever it raises is reported as unraisable.
pub(super) fn renderer(function: Bound<'_, PyAny>) -> PyResult<Arc<Render>> {
    if !function.is_callable() {
        return Err(PyTypeError::new_err(format!("pages must be callable, not {}", type_name(&function))));
    }
    let function = function.unbind();
    Ok(Arc::new(move |path: &str| {
        // None: the interpreter ends.
        Python::try_attach(|py| match page(function.bind(py), path) {
            Ok(page) => Some(page),
            Err(error) => {
                error.write_unraisable(py, Some(function.bind(py)));
                None
            }
        })?
    }))
}

fn page(function: &Bound<'_, PyAny>, path: &str) -> PyResult<Page> {
    let (status, content_type, content) = function.call1((path,))?.extract()?;
    Ok(Page { status, content_type, content })
}
