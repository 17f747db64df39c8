//! The scope matchers.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyString, PyTuple};
use watchword_kernel::scope::{
    Explanation, InsufficientScope, PlainScopes, ResourceRequest, ResourceScopes, ScopeError, SlotRequest, SlotScopes,
    split,
};

use crate::convert::type_name;
use crate::errors;

/// An immutable, hashable set of scopes of the form ``resource(.sub)*:action``, split at the last colon.
///
/// ``users:*`` grants every action on that resource alone, ``users:**`` on that resource and everything below it.
/// ``*:read`` grants that action, and ``*:*`` every action, on resources without a dot; ``*:**`` grants everything. Any
/// other ``*`` is an ordinary character. A scope without a colon (``owner``) is a word: it grants no action, and no
/// wildcard grants it.
///
/// ``scopes`` is an iterable of str, or one str with scopes separated by spaces. Iterating a set, ``len()`` and ``str()``
/// give the shortest list of scopes with the same meaning, sorted; ``scope in set`` tells whether the set covers a scope.
///
/// Raises ``ScopeSyntaxError`` for the first text that is not a scope, ``TypeError`` if an element is not a str.
#[pyclass(frozen, eq, hash, module = "watchword.scopes", name = "ResourceScopes")]
#[derive(PartialEq, Hash)]
pub(crate) struct PyResourceScopes(Arc<ResourceScopes>);

/// An immutable, hashable set of scopes of the form ``action:resource:identifier``: three parts, none empty.
///
/// The identifier may contain further colons. ``*`` as the whole identifier is any identifier; elsewhere in the
/// identifier it is an ordinary character; in the action or the resource it is an error.
///
/// ``scopes`` is an iterable of str, or one str with scopes separated by spaces. Iterating a set, ``len()`` and ``str()``
/// give the shortest list of scopes with the same meaning, sorted; ``scope in set`` tells whether the set covers a scope.
///
/// Raises ``ScopeSyntaxError`` for the first text that is not a scope, ``TypeError`` if an element is not a str.
#[pyclass(frozen, eq, hash, module = "watchword.scopes", name = "SlotScopes")]
#[derive(PartialEq, Hash)]
pub(crate) struct PySlotScopes(Arc<SlotScopes>);

/// An immutable, hashable set of OAuth 2 scope tokens (RFC 6749 section 3.3), compared exactly and case-sensitively.
///
/// ``scopes`` is an iterable of str, or one str with scopes separated by spaces. Iterating a set, ``len()`` and ``str()``
/// give the scopes, sorted; ``scope in set`` tells whether the set contains a scope.
///
/// Raises ``ScopeSyntaxError`` for the first text that is not a scope token (printable ASCII without spaces, quotes and
/// backslashes), ``TypeError`` if an element is not a str.
#[pyclass(frozen, eq, hash, module = "watchword.scopes", name = "PlainScopes")]
#[derive(PartialEq, Hash)]
pub(crate) struct PyPlainScopes(Arc<PlainScopes>);

/// The scope that grants a request, or the nearest one that does not. It is true if the request is allowed.
///
/// Its ``str()`` is one sentence for a log, escaped and bounded in length.
#[pyclass(frozen, module = "watchword.scopes", name = "ScopeExplanation")]
pub(crate) struct PyScopeExplanation(Explanation);

/// A part of a request. Text that is not Unicode (lone surrogates) is granted by no scope.
struct Name<'py>(Bound<'py, PyString>);

/// Scopes: an iterable of str, or one str with scopes separated by spaces.
struct ScopeList(Vec<String>);

/// The methods that all matchers share, and those that one of them adds.
macro_rules! matcher {
    ($class:ident, $matcher:ident, $name:literal, { $($own:tt)* }) => {
        impl $class {
            pub(crate) fn new(scopes: $matcher) -> Self {
                Self(Arc::new(scopes))
            }

            /// The matcher of scopes that are already compiled.
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

            /// Return the set of the scopes in a claim: a str, an iterable of str, or ``None`` for an absent claim.
            ///
            /// A text that is not a scope grants nothing and is listed in ``ignored``; no error is raised. Use this for
            /// granted scopes, and the constructor for required ones.
            ///
            /// Raises ``TypeError`` if an element is not a str.
            #[staticmethod]
            fn from_claim(claim: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
                let scopes = claim.map(ScopeList::extract).transpose()?.map_or_else(Vec::new, |list| list.0);
                Ok(Self::new($matcher::from_claim(scopes)))
            }

            /// The texts that ``from_claim`` ignored because they are not scopes, a sorted tuple.
            #[getter]
            fn ignored<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
                PyTuple::new(py, self.0.ignored())
            }

            /// Return whether this set allows every request that the other set allows.
            ///
            /// No set covers one that has ``ignored`` texts, because it is unknown what they require.
            fn covers(&self, other: &Self) -> bool {
                self.0.covers(&other.0)
            }

            /// Return the scopes of the other set that this one does not cover: an empty tuple if it covers all.
            fn missing<'py>(&self, py: Python<'py>, other: &Self) -> PyResult<Bound<'py, PyTuple>> {
                PyTuple::new(py, self.0.missing(&other.0).collect::<Vec<_>>())
            }

            /// Return ``None`` if this set covers the other one.
            ///
            /// Raises ``InsufficientScopeError`` if it does not; the error's ``scope`` has the missing scopes.
            fn require_all(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
                self.0.require_all(&other.0).map_err(|error| errors::insufficient_scope(py, &error))
            }

            /// Return the intersection: the set of the requests that both sets allow.
            ///
            /// Raises ``ValueError`` if the scopes that are in neither set would be longer than 64 KiB.
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
    /// Return whether a scope allows this action on this resource. Neither is a pattern: ``*`` is an ordinary name.
    ///
    /// Raises ``TypeError`` if one of them is not a str.
    #[pyo3(signature = (*, action, resource))]
    fn allows(&self, action: Name<'_>, resource: Name<'_>) -> bool {
        let (Some(action), Some(resource)) = (action.text(), resource.text()) else { return false };
        self.0.allows(ResourceRequest { action, resource })
    }

    /// Return ``None`` if a scope allows this action on this resource.
    ///
    /// Raises ``InsufficientScopeError`` if none does; the error's ``scope`` is ``resource:action``. Raises ``TypeError`` if
    /// one of them is not a str.
    #[pyo3(signature = (*, action, resource))]
    fn require(&self, py: Python<'_>, action: Name<'_>, resource: Name<'_>) -> PyResult<()> {
        let required = ResourceRequest { action: &action.lossy(), resource: &resource.lossy() }.to_string();
        require(py, self.allows(action, resource), required)
    }

    /// Return the scope that grants this action on this resource, or the nearest one that does not.
    ///
    /// It searches all scopes, so use ``allows`` for decisions. Raises ``TypeError`` if one of them is not a str.
    #[pyo3(signature = (*, action, resource))]
    fn explain(&self, action: Name<'_>, resource: Name<'_>) -> PyScopeExplanation {
        PyScopeExplanation(match (action.text(), resource.text()) {
            (Some(action), Some(resource)) => self.0.explain(ResourceRequest { action, resource }),
            _ => {
                let (action, resource) = (action.lossy(), resource.lossy());
                let empty = ResourceScopes::from_claim::<&str>([]);
                empty.explain(ResourceRequest { action: &action, resource: &resource })
            }
        })
    }
});

matcher!(PySlotScopes, SlotScopes, "SlotScopes", {
    /// Return whether a scope allows this action on the resource with this identifier. None of them is a pattern.
    ///
    /// Raises ``TypeError`` if one of them is not a str.
    #[pyo3(signature = (*, action, resource, identifier))]
    fn allows(&self, action: Name<'_>, resource: Name<'_>, identifier: Name<'_>) -> bool {
        let parts = (action.text(), resource.text(), identifier.text());
        let (Some(action), Some(resource), Some(identifier)) = parts else { return false };
        self.0.allows(SlotRequest { action, resource, identifier })
    }

    /// Return ``None`` if a scope allows this action on the resource with this identifier.
    ///
    /// Raises ``InsufficientScopeError`` if none does; the error's ``scope`` is ``action:resource:identifier``. Raises
    /// ``TypeError`` if one of them is not a str.
    #[pyo3(signature = (*, action, resource, identifier))]
    fn require(&self, py: Python<'_>, action: Name<'_>, resource: Name<'_>, identifier: Name<'_>) -> PyResult<()> {
        let (action_text, resource_text, identifier_text) = (action.lossy(), resource.lossy(), identifier.lossy());
        let required = SlotRequest { action: &action_text, resource: &resource_text, identifier: &identifier_text };
        let required = required.to_string();
        require(py, self.allows(action, resource, identifier), required)
    }
});

matcher!(PyPlainScopes, PlainScopes, "PlainScopes", {
    /// Return whether the set contains this scope. Check several at once with ``covers``.
    ///
    /// Raises ``TypeError`` if it is not a str.
    fn allows(&self, scope: Name<'_>) -> bool {
        scope.text().is_some_and(|scope| self.0.allows(scope))
    }

    /// Return ``None`` if the set contains this scope.
    ///
    /// Raises ``InsufficientScopeError`` with that ``scope`` if it does not, ``TypeError`` if it is not a str.
    fn require(&self, py: Python<'_>, scope: Name<'_>) -> PyResult<()> {
        let required = scope.lossy().into_owned();
        require(py, self.allows(scope), required)
    }
});

#[pymethods]
impl PyScopeExplanation {
    /// Whether the request is allowed: the truth value of this object.
    #[getter]
    fn allowed(&self) -> bool {
        self.0.allowed()
    }

    /// The scope that grants the request, the narrowest if several do, or else the nearest one that does not.
    ///
    /// ``None`` if no scope is related to the request.
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

    /// The text for messages, with replacement characters for what is not Unicode.
    fn lossy(&self) -> Cow<'_, str> {
        self.0.to_string_lossy()
    }
}

impl<'py> FromPyObject<'_, 'py> for Name<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.cast::<PyString>().map(|text| Self(text.to_owned())).map_err(|_| {
            PyTypeError::new_err(format!(
                "an action, a resource, an identifier or a scope must be str, not {}",
                type_name(&object)
            ))
        })
    }
}

impl ScopeList {
    /// Text that is not Unicode gets replacement characters, which no scope may contain.
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

fn require(py: Python<'_>, allowed: bool, required: String) -> PyResult<()> {
    if allowed { Ok(()) } else { Err(errors::insufficient_scope(py, &InsufficientScope::new(required))) }
}

fn not_scopes(object: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("scopes must be str or an iterable of str, not {}", type_name(object)))
}

fn scope_error(error: &ScopeError) -> PyErr {
    match error {
        ScopeError::Syntax { .. } => errors::ScopeSyntaxError::new_err(error.to_string()),
        ScopeError::TooLarge => PyValueError::new_err(error.to_string()),
    }
}
