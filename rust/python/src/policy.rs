//! Policies.

use std::num::NonZeroUsize;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use watchword_kernel::{Audience, BoundTokens, JwsPolicy, Limits, Policy, PolicyError};

use crate::arguments::{self, Given};

/// What a caller demands of a token, compiled once.
///
/// issuer: `iss` must be exactly this, or one of these; None: not checked.
/// audience: `aud` must name this, or one of these; None: the token must not name any; ANY_AUDIENCE: not checked.
/// algorithms: what `alg` may be; None: the algorithms of the keys.
/// types: what `typ` may be, as media types, None standing for its absence.
/// leeway: seconds by which clocks may differ, both ways, for `exp`, `nbf` and `iat`.
/// required: claims that must be there and not null.
/// bound_tokens: "reject" refuses a token that is bound to a key (`cnf`) and comes without a proof of it; "accept" takes
/// it as a bearer token.
/// max_token_bytes, max_header_bytes: the longest encoded forms that are looked at.
///
/// Raises ValueError or TypeError for a demand that cannot be meant.
#[pyclass(frozen, module = "watchword", name = "Policy")]
pub(crate) struct PyPolicy {
    policy: Arc<Policy>,
    shown: String,
}

/// The type of ANY_AUDIENCE, which says openly that `aud` is not checked.
#[pyclass(frozen, module = "watchword", name = "_AnyAudience")]
pub(crate) struct AnyAudience;

#[pymethods]
impl AnyAudience {
    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "ANY_AUDIENCE"
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __reduce__(&self) -> &'static str {
        "ANY_AUDIENCE"
    }
}

impl PyPolicy {
    pub(crate) fn kernel(&self) -> &Arc<Policy> {
        &self.policy
    }
}

#[pymethods]
impl PyPolicy {
    #[new]
    #[pyo3(
        signature = (*, issuer=None, audience=None, algorithms=None, types=Given::absent(), leeway=Given::absent(),
                     required=Given::absent(), bound_tokens="reject", max_token_bytes=Given::absent(),
                     max_header_bytes=Given::absent()),
        text_signature = "(*, issuer=None, audience=None, algorithms=None, types=('JWT', 'at+jwt', None), leeway=5, \
                          required=('exp',), bound_tokens='reject', max_token_bytes=16384, max_header_bytes=4096)"
    )]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn new(
        py: Python<'_>,
        issuer: Option<&Bound<'_, PyAny>>,
        audience: Option<&Bound<'_, PyAny>>,
        algorithms: Option<&Bound<'_, PyAny>>,
        types: Given<'_>,
        leeway: Given<'_>,
        required: Given<'_>,
        bound_tokens: &str,
        max_token_bytes: Given<'_>,
        max_header_bytes: Given<'_>,
    ) -> PyResult<Self> {
        let issuers = issuer.map(|object| arguments::names("issuer", object)).transpose()?;
        let audience = audience.map(read_audience).transpose()?.unwrap_or_default();
        let algorithms = algorithms.map(|object| arguments::words("algorithms", object)).transpose()?;
        let types = types.or(default_types(), |object| arguments::words("types", object))?;
        let leeway = leeway.or(5.0, |object| arguments::seconds("leeway", object))?;
        let required = required.or(vec!["exp".into()], |object| arguments::words("required", object))?;
        let limits = limits(max_token_bytes, max_header_bytes)?;
        let shown = format!(
            "Policy(issuer={}, audience={}, algorithms={}, types={}, leeway={}, required={}, \
             bound_tokens='{bound_tokens}')",
            shown(py, issuers.as_deref().map(words))?,
            match &audience {
                Audience::Any => "ANY_AUDIENCE".to_owned(),
                Audience::OneOf(names) => shown(py, Some(words(names)))?,
                Audience::Unnamed => "None".to_owned(),
            },
            shown(py, algorithms.as_deref().map(words))?,
            shown(py, Some(types.iter().map(Option::as_deref)))?,
            leeway,
            shown(py, Some(words(&required)))?,
        );
        let mut policy = Policy::new(jws_policy(limits, Some(&types), algorithms.as_deref())?)
            .with_audience(audience)
            .and_then(|policy| policy.with_leeway(leeway))
            .map_err(|error| value_error(&error))?
            .with_required(required)
            .with_bound_tokens(match bound_tokens {
                "reject" => BoundTokens::Reject,
                "accept" => BoundTokens::Accept,
                _ => return Err(PyValueError::new_err("bound_tokens is 'reject' or 'accept'")),
            });
        if let Some(issuers) = issuers {
            policy = policy.with_issuers(issuers).map_err(|error| value_error(&error))?;
        }
        Ok(Self { policy: Arc::new(policy), shown })
    }

    fn __repr__(&self) -> &str {
        &self.shown
    }
}

pub(crate) fn jws_policy(
    limits: Limits,
    types: Option<&[Option<String>]>,
    algorithms: Option<&[String]>,
) -> PyResult<JwsPolicy> {
    JwsPolicy::new(limits, types, algorithms).map_err(|error| value_error(&error))
}

pub(crate) fn limits(token: Given<'_>, header: Given<'_>) -> PyResult<Limits> {
    let default = Limits::default();
    Ok(Limits {
        token: token.or(default.token, |object| arguments::count("max_token_bytes", object).map(NonZeroUsize::get))?,
        header: header
            .or(default.header, |object| arguments::count("max_header_bytes", object).map(NonZeroUsize::get))?,
    })
}

fn read_audience(object: &Bound<'_, PyAny>) -> PyResult<Audience> {
    if object.is_instance_of::<AnyAudience>() {
        return Ok(Audience::Any);
    }
    arguments::names("audience", object).map(Audience::OneOf)
}

fn default_types() -> Vec<Option<String>> {
    vec![Some("JWT".into()), Some("at+jwt".into()), None]
}

/// A list as Python would write it.
fn shown<'a>(py: Python<'_>, list: Option<impl IntoIterator<Item = Option<&'a str>>>) -> PyResult<String> {
    let Some(list) = list else { return Ok("None".to_owned()) };
    Ok(PyTuple::new(py, list.into_iter().collect::<Vec<_>>())?.repr()?.to_string())
}

fn words(list: &[String]) -> impl Iterator<Item = Option<&str>> {
    list.iter().map(|word| Some(word.as_str()))
}

fn value_error(error: &PolicyError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
