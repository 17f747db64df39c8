//! The kernel's errors as Python exceptions.

use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use watchword_gate::Failure;
use watchword_kernel as kernel;

use crate::evidence::{Evidence, Presented};
use crate::kept::Kept;

pyo3::import_exception!(watchword.errors, KeySetError);
pyo3::import_exception!(watchword.errors, ScopeSyntaxError);

/// The exception for an error without a token; the kernel names the code, `watchword.errors` has the class.
pub(crate) fn verification_error(py: Python<'_>, error: &kernel::Error) -> PyErr {
    from_code(py)
        .and_then(|from_code| from_code.call1((error.code(), error.to_string())))
        .map_or_else(|failure| failure, PyErr::from_value)
}

/// Return the exception for scopes that do not cover what is required.
pub(crate) fn insufficient_scope(py: Python<'_>, error: &kernel::scope::InsufficientScope) -> PyErr {
    definitions(py)
        .and_then(|definitions| definitions.getattr("InsufficientScopeError"))
        .and_then(|class| class.call1((error.to_string(), error.required())))
        .map_or_else(|failure| failure, PyErr::from_value)
}

/// The exception for a token that was rejected.
pub(crate) fn rejected(py: Python<'_>, rejection: kernel::Rejection, token: &Bound<'_, PyAny>) -> PyErr {
    Presented::new(token)
        .and_then(|token| exception(py, rejection, token))
        .map_or_else(|failure| failure, PyErr::from_value)
}

/// The same, as an object.
pub(crate) fn exception(py: Python<'_>, rejection: kernel::Rejection, token: Presented) -> PyResult<Bound<'_, PyAny>> {
    let (error, signed) = rejection.into_parts();
    let evidence = Evidence::new(token, signed);
    from_code(py)?.call1((error.code(), error.to_string(), evidence))
}

/// The exception for a chain of delegation that was rejected.
pub(crate) fn delegation_error(py: Python<'_>, error: &kernel::DelegationError) -> PyErr {
    from_code(py)
        .and_then(|from_code| from_code.call1((error.code(), error.to_string())))
        .map_or_else(|failure| failure, PyErr::from_value)
}

/// The exception for an error of a request.
pub(crate) fn of_code(py: Python<'_>, code: &str, detail: &str) -> PyErr {
    from_code(py)
        .and_then(|from_code| from_code.call1((code, detail)))
        .map_or_else(|failure| failure, PyErr::from_value)
}

/// The exception for a request that is rejected by a gate.
pub(crate) fn of_failure(py: Python<'_>, failure: &Failure) -> PyErr {
    of_failure_with(py, failure, None).map_or_else(|failure| failure, PyErr::from_value)
}

/// The same, as an object, about the token that was sent.
pub(crate) fn of_failure_with<'py>(
    py: Python<'py>,
    failure: &Failure,
    sent: Option<Presented>,
) -> PyResult<Bound<'py, PyAny>> {
    let evidence = sent.map(|token| Evidence::new(token, failure.signed.as_deref().cloned()));
    let error = from_code(py)?.call1((failure.code, failure.detail.as_str(), evidence))?;
    if let Some(scope) = &failure.scope {
        error.setattr("scope", scope)?;
    }
    if failure.code == "insufficient_user_authentication" {
        let contexts = failure.acr_values.iter().flat_map(|values| values.split(' '));
        error.setattr("acr_values", PyTuple::new(py, contexts.collect::<Vec<_>>())?)?;
        error.setattr("max_age", failure.max_age)?;
    }
    Ok(error)
}

/// The member of `ErrorCode` with this value.
pub(crate) fn code<'py>(py: Python<'py>, code: &str) -> PyResult<Bound<'py, PyAny>> {
    definitions(py)?.getattr("ErrorCode")?.call1((code,))
}

/// `watchword.errors.from_code`, imported once: a bad token must not cost much.
fn from_code(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static FROM_CODE: Kept<PyAny> = Kept::new();
    let from_code = FROM_CODE.get_or_make_ref(py, || Ok(definitions(py)?.getattr("from_code")?.unbind()))?;
    Ok(from_code.bind(py))
}

fn definitions(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static DEFINITIONS: Kept<PyModule> = Kept::new();
    Ok(DEFINITIONS.get_or_make_ref(py, || py.import("watchword.errors").map(Bound::unbind))?.bind(py))
}

/// Imports everything now: a fork during an import by another thread would leave a child that waits for that thread.
pub(crate) fn prepare(py: Python<'_>) -> PyResult<()> {
    from_code(py)?;
    KeySetError::type_object(py);
    ScopeSyntaxError::type_object(py);
    Ok(())
}
