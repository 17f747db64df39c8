//! Routes that are declared in Python.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use watchword_gate::config::{RouteConfig, RouteError};
use watchword_kernel::scope::ScopeGrammar;

use crate::arguments::{names, text, words};
use crate::delegation::Names;

/// The configuration of a route: the fields of a `watchword.gate.Route`, as a dict.
pub(super) fn route_config(route: &Bound<'_, PyDict>) -> PyResult<RouteConfig> {
    let mut config = RouteConfig::new("/");
    for (name, value) in route.iter() {
        let name: String = name.extract()?;
        if value.is_none() {
            continue;
        }
        let count = || value.extract().map_err(|_| not_a_count(&name));
        match name.as_str() {
            "path" => config.path = text(&name, &value)?,
            "methods" => config.methods = Some(words("methods", &value)?),
            "name" => config.name = Some(text(&name, &value)?),
            "public" => config.public = value.is_truthy()?,
            "optional" => config.optional = value.is_truthy()?,
            "issuers" => config.issuers = Some(words("issuers", &value)?),
            "audience" => config.audience = Some(names("audience", &value)?),
            "scopes" => config.scopes = words("scopes", &value)?,
            "scope_grammar" => config.scope_grammar = grammar(&text(&name, &value)?)?,
            "dpop" => config.dpop_required = is_required(&text(&name, &value)?)?,
            "max_depth" => config.max_depth = Some(value.extract().map_err(|_| not_a_count(&name))?),
            "require_human_root" => config.require_human_root = value.is_truthy()?,
            "allowed_actors" => config.allowed_actors = Some(value.extract::<Names>()?.0),
            "acr_values" => config.acr_values = words("acr_values", &value)?,
            "max_age" => config.max_age = Some(count()?),
            _ => return Err(PyValueError::new_err(format!("a route has no {name:?}"))),
        }
    }
    Ok(config)
}

/// The error of a route that is invalid.
pub(super) fn route_error(route: &RouteConfig, error: &RouteError) -> PyErr {
    PyValueError::new_err(format!("{}: {}: {}", route.display_name(), error.member, error.message))
}

fn grammar(name: &str) -> PyResult<ScopeGrammar> {
    ScopeGrammar::from_name(name).ok_or_else(|| {
        PyValueError::new_err(format!("scope_grammar is {name:?}: it must be \"plain\", \"resource\" or \"slot\""))
    })
}

fn is_required(dpop: &str) -> PyResult<bool> {
    match dpop {
        "required" => Ok(true),
        "allowed" => Ok(false),
        _ => Err(PyValueError::new_err(format!("dpop is {dpop:?}: it must be \"allowed\" or \"required\""))),
    }
}

fn not_a_count(name: &str) -> PyErr {
    PyValueError::new_err(format!("{name} must be a whole number, 0 or more"))
}
