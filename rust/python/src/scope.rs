//! The matchers of scopes.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyString, PyTuple};
use watchword_kernel::Error;
use watchword_kernel::scope::{
    Explanation, PlainScopes, ResourceRequest, ResourceScopes, ScopeError, SlotRequest, SlotScopes, split,
};

use crate::convert::type_name;
use crate::errors;

/// Scopes of the form `resource(.sub)*:action`, split at the last colon.
///
/// `users:*` is every action on exactly that resource, `users:**` on that resource and all below it; `*:read` is that
/// action, and `*:*` every action, on resources without a dot; `*:**` is everything. Any other `*` is a character like
/// any other. A scope without a colon (`owner`) is a word, which grants no action and which no wildcard grants.
///
/// scopes: an iterable of str, or one str with spaces between the scopes.
///
/// Raises ScopeSyntaxError for the first that is not a scope.
#[pyclass(frozen, eq, hash, module = "watchword.scopes", name = "ResourceScopes")]
#[derive(PartialEq, Hash)]
pub(crate) struct PyResourceScopes(Arc<ResourceScopes>);

/// Scopes of the form `action:resource:identifier`: three parts, none empty.
///
/// The identifier may hold further colons. `*` as the whole identifier is any identifier; elsewhere in it it is a
/// character like any other; in the action or the resource it is an error.
///
/// scopes: an iterable of str, or one str with spaces between the scopes.
///
/// Raises ScopeSyntaxError for the first that is not a scope.
#[pyclass(frozen, eq, hash, module = "watchword.scopes", name = "SlotScopes")]
#[derive(PartialEq, Hash)]
pub(crate) struct PySlotScopes(Arc<SlotScopes>);

/// OAuth 2 scope tokens (RFC 6749 section 3.3): each stands for itself, exactly and with regard to case.
///
/// scopes: an iterable of str, or one str with spaces between the scopes.
///
/// Raises ScopeSyntaxError for the first that is not a scope token: printable ASCII without quotes and backslashes.
#[pyclass(frozen, eq, hash, module = "watchword.scopes", name = "PlainScopes")]
#[derive(PartialEq, Hash)]
pub(crate) struct PyPlainScopes(Arc<PlainScopes>);

/// Which scope grants a request, or the nearest that does not. Its truth value is the answer.
#[pyclass(frozen, module = "watchword.scopes", name = "ScopeExplanation")]
pub(crate) struct PyScopeExplanation(Explanation);

/// A part of a request. Text that is not Unicode (lone surrogates) names nothing that anybody holds.
struct Name<'py>(Bound<'py, PyString>);

/// Scopes: several words, or one text of words.
struct ScopeList(Vec<String>);

/// What every matcher has, whatever its grammar, and what this one has of its own.
macro_rules! matcher {
    ($class:ident, $matcher:ident, $name:literal, { $($own:tt)* }) => {
        impl $class {
            pub(crate) fn new(scopes: $matcher) -> Self {
                Self(Arc::new(scopes))
            }

            /// Scopes that are compiled already.
            pub(crate) fn shared(scopes: Arc<$matcher>) -> Self {
                Self(scopes)
            }
        }

        #[pymethods]
        impl $class {
            #[new]
            fn from_python(scopes: &Bound<'_, PyAny>) -> PyResult<Self> {
                $matcher::new(ScopeList::extract(scopes)?.0).map(Self::new).map_err(|error| scope_error(&error))
            }

            /// What somebody holds: scopes as they stand in a claim (a str, an iterable of str, or None).
            ///
            /// What is not a scope grants nothing and is listed in `ignored`, instead of raising. Raises TypeError where
            /// an element is not str.
            #[staticmethod]
            fn from_claim(claim: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
                let scopes = claim.map(ScopeList::extract).transpose()?.map_or_else(Vec::new, |list| list.0);
                Ok(Self::new($matcher::from_claim(scopes)))
            }

            /// What `from_claim` left out, sorted.
            #[getter]
            fn ignored<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
                PyTuple::new(py, self.0.ignored())
            }

            /// Whether every request that the other set allows, this one allows, too.
            ///
            /// A set that something was left out of (`ignored`) is covered by none.
            fn covers(&self, other: &Self) -> bool {
                self.0.covers(&other.0)
            }

            /// Those scopes of the other set that this one does not cover: empty where it covers the set.
            fn missing<'py>(&self, py: Python<'py>, other: &Self) -> PyResult<Bound<'py, PyTuple>> {
                PyTuple::new(py, self.0.missing(&other.0).collect::<Vec<_>>())
            }

            /// Demand that this set covers the other one.
            ///
            /// Raises InsufficientScopeError, whose `scope` has the scopes that are missing.
            fn require_all(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
                self.0.require_all(&other.0).map_err(|error| errors::verification_error(py, &error))
            }

            /// The intersection: the set that allows what both allow.
            ///
            /// Raises ValueError where it would take more than 64 KiB to write down.
            fn narrow(&self, other: &Self) -> PyResult<Self> {
                self.0.narrow(&other.0).map(Self::new).map_err(|error| scope_error(&error))
            }

            fn __len__(&self) -> usize {
                self.0.scopes().len()
            }

            fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
                PyTuple::new(py, self.0.scopes())?.try_iter()
            }

            fn __contains__(&self, scope: &Bound<'_, PyAny>) -> bool {
                scope.cast::<PyString>().is_ok_and(|text| text.to_str().is_ok_and(|scope| self.0.contains(scope)))
            }

            fn __str__(&self) -> String {
                self.0.to_string()
            }

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                let scopes = self.0.to_string().into_pyobject(py)?.repr()?;
                Ok(match self.0.ignored().len() {
                    0 => format!("{}({scopes})", $name),
                    ignored => format!("<{}({scopes}), ignored={ignored}>", $name),
                })
            }

            $($own)*
        }
    };
}

matcher!(PyResourceScopes, ResourceScopes, "ResourceScopes", {
    /// Whether this action on this resource is allowed. Neither is read as a pattern.
    #[pyo3(signature = (*, action, resource))]
    fn allows(&self, action: Name<'_>, resource: Name<'_>) -> bool {
        let (Some(action), Some(resource)) = (action.text(), resource.text()) else { return false };
        self.0.allows(ResourceRequest { action, resource })
    }

    /// Demand that this action on this resource is allowed.
    ///
    /// Raises InsufficientScopeError.
    #[pyo3(signature = (*, action, resource))]
    fn require(&self, py: Python<'_>, action: Name<'_>, resource: Name<'_>) -> PyResult<()> {
        let required = ResourceRequest { action: &action.shown(), resource: &resource.shown() }.to_string();
        demand(py, self.allows(action, resource), required)
    }

    /// Which scope grants this action on this resource, or the nearest that does not.
    #[pyo3(signature = (*, action, resource))]
    fn explain(&self, action: Name<'_>, resource: Name<'_>) -> PyScopeExplanation {
        PyScopeExplanation(match (action.text(), resource.text()) {
            (Some(action), Some(resource)) => self.0.explain(ResourceRequest { action, resource }),
            _ => {
                let (action, resource) = (action.shown(), resource.shown());
                let nobody = ResourceScopes::from_claim::<&str>([]);
                nobody.explain(ResourceRequest { action: &action, resource: &resource })
            }
        })
    }
});

matcher!(PySlotScopes, SlotScopes, "SlotScopes", {
    /// Whether this action on the resource with this identifier is allowed. None of them is read as a pattern.
    #[pyo3(signature = (*, action, resource, identifier))]
    fn allows(&self, action: Name<'_>, resource: Name<'_>, identifier: Name<'_>) -> bool {
        let parts = (action.text(), resource.text(), identifier.text());
        let (Some(action), Some(resource), Some(identifier)) = parts else { return false };
        self.0.allows(SlotRequest { action, resource, identifier })
    }

    /// Demand that this action on the resource with this identifier is allowed.
    ///
    /// Raises InsufficientScopeError.
    #[pyo3(signature = (*, action, resource, identifier))]
    fn require(&self, py: Python<'_>, action: Name<'_>, resource: Name<'_>, identifier: Name<'_>) -> PyResult<()> {
        let (shown, of, which) = (action.shown(), resource.shown(), identifier.shown());
        let required = SlotRequest { action: &shown, resource: &of, identifier: &which }.to_string();
        demand(py, self.allows(action, resource, identifier), required)
    }
});

matcher!(PyPlainScopes, PlainScopes, "PlainScopes", {
    /// Whether this scope is there. Several are asked for with `covers`.
    fn allows(&self, scope: Name<'_>) -> bool {
        scope.text().is_some_and(|scope| self.0.allows(scope))
    }

    /// Demand that this scope is there.
    ///
    /// Raises InsufficientScopeError.
    fn require(&self, py: Python<'_>, scope: Name<'_>) -> PyResult<()> {
        let required = scope.shown().into_owned();
        demand(py, self.allows(scope), required)
    }
});

#[pymethods]
impl PyScopeExplanation {
    /// Whether the request is allowed.
    #[getter]
    fn allowed(&self) -> bool {
        self.0.allowed()
    }

    /// The scope that grants it, the narrowest where several do; else the nearest that does not; None where none is near.
    #[getter]
    fn scope(&self) -> Option<&str> {
        self.0.scope()
    }

    fn __bool__(&self) -> bool {
        self.0.allowed()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let scope = self.0.scope().into_pyobject(py)?.repr()?;
        let allowed = if self.0.allowed() { "True" } else { "False" };
        Ok(format!("ScopeExplanation(allowed={allowed}, scope={scope})"))
    }
}

impl Name<'_> {
    fn text(&self) -> Option<&str> {
        self.0.to_str().ok()
    }

    /// The text to show: with replacement characters where it is not Unicode.
    fn shown(&self) -> Cow<'_, str> {
        self.0.to_string_lossy()
    }
}

impl<'py> FromPyObject<'_, 'py> for Name<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.cast::<PyString>().map(|text| Self(text.to_owned())).map_err(|_| {
            PyTypeError::new_err(format!(
                "an action, a resource, an identifier or a scope is str, not {}",
                type_name(&object)
            ))
        })
    }
}

impl ScopeList {
    /// Text that is not Unicode becomes text with replacement characters, which no scope may have.
    fn extract(scopes: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = scopes.cast::<PyString>() {
            return Ok(Self(split(&text.to_string_lossy()).map(str::to_owned).collect()));
        }
        let mut found = Vec::new();
        for scope in scopes.try_iter().map_err(|_| not_scopes(scopes))? {
            let scope = scope?;
            found.push(scope.cast::<PyString>().map_err(|_| not_scopes(&scope))?.to_string_lossy().into_owned());
        }
        Ok(Self(found))
    }
}

fn demand(py: Python<'_>, allowed: bool, required: String) -> PyResult<()> {
    if allowed { Ok(()) } else { Err(errors::verification_error(py, &Error::InsufficientScope { required })) }
}

fn not_scopes(object: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("scopes are str or an iterable of str, not {}", type_name(object)))
}

fn scope_error(error: &ScopeError) -> PyErr {
    match error {
        ScopeError::Syntax { .. } => errors::ScopeSyntaxError::new_err(error.to_string()),
        ScopeError::TooLarge => PyValueError::new_err(error.to_string()),
    }
}
