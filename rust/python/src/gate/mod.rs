//! The gate: requests in, decisions out.

mod answers;
mod credentials;
mod decision;
mod headers;
mod identity;
mod origin;
mod route;
mod rules;
mod secrets;
mod sent_token;

use pyo3::prelude::*;

pub(crate) use answers::answer_of;
pub(crate) use decision::PyDecision;
pub(crate) use rules::PyGateRules;

/// Adds the classes and functions of the gate.
pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<credentials::PyCredentials>()?;
    module.add_class::<decision::PyDecision>()?;
    module.add_class::<identity::PyIdentityReader>()?;
    module.add_class::<origin::PyPublicOrigin>()?;
    module.add_class::<rules::PyGateRules>()?;
    module.add_class::<rules::PyGateGuard>()?;
    module.add_class::<sent_token::PySentToken>()?;
    module.add_class::<sent_token::PyUnusedProof>()?;
    module.add_function(wrap_pyfunction!(answers::challenge, module)?)?;
    module.add_function(wrap_pyfunction!(credentials::read_credentials, module)?)?;
    module.add_function(wrap_pyfunction!(answers::require_authentication, module)?)?;
    module.add_function(wrap_pyfunction!(secrets::read_secrets, module)?)?;
    Ok(())
}
