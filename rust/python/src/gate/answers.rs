//! What a resource server answers: statuses and challenges.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use watchword_gate::{ANSWERS, AuthenticationRequirement, Challenge, Scheme};

use crate::arguments::moment;
use crate::errors;
use crate::token::PyVerifiedToken;

/// Return what a resource server answers for an error code: the status, the scheme of the challenge, its `error` (None:
/// there is no challenge), and one sentence for the client.
///
/// Raises ValueError for an unknown code.
#[pyfunction]
pub(crate) fn answer_of(code: &str) -> PyResult<(u16, &'static str, Option<&'static str>, &'static str)> {
    let answer = ANSWERS.iter().find(|answer| answer.code == code);
    let answer = answer.ok_or_else(|| PyValueError::new_err(format!("{code:?} is not an error code")))?;
    Ok((answer.status, answer.scheme.name(), answer.error, answer.description))
}

/// Return the value of WWW-Authenticate for these parameters (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3,
/// RFC 9728 section 5.1).
///
/// scheme: "Bearer", "DPoP", or None for both and no `error`. A scope that is too long or malformed is omitted, since the
/// sender of a request chooses a part of it. Raises ValueError if `realm` or `resource_metadata` has a character that a
/// quoted string cannot have.
#[pyfunction]
#[pyo3(signature = (scheme, *, error=None, description=None, algorithms=None, scope=None, acr_values=None, max_age=None,
    realm=None, resource_metadata=None))]
#[allow(clippy::too_many_arguments, reason = "the parameters of a challenge")]
pub(crate) fn challenge(
    scheme: Option<&str>,
    error: Option<&str>,
    description: Option<&str>,
    algorithms: Option<&str>,
    scope: Option<&str>,
    acr_values: Option<&str>,
    max_age: Option<u64>,
    realm: Option<&str>,
    resource_metadata: Option<&str>,
) -> PyResult<String> {
    for (name, value) in [("realm", realm), ("resource_metadata", resource_metadata)] {
        if let Some(value) = value.filter(|value| !watchword_gate::is_quotable(value)) {
            return Err(PyValueError::new_err(format!(
                "{name} is {value:?}: it must be printable ASCII without quotes and backslashes"
            )));
        }
    }
    let challenge = Challenge { realm, error, description, scope, algorithms, acr_values, max_age, resource_metadata };
    Ok(match scheme {
        None => challenge.without_credentials(false),
        Some("DPoP") => challenge.to_text(Scheme::Dpop),
        Some(_) => challenge.to_text(Scheme::Bearer),
    })
}

/// Require that the user of a verified token authenticated strongly and recently enough (RFC 9470 section 5).
///
/// Raises InsufficientUserAuthenticationError; ValueError if an argument is invalid.
#[pyfunction]
pub(crate) fn require_authentication(
    py: Python<'_>,
    token: &Bound<'_, PyVerifiedToken>,
    acr_values: Vec<String>,
    max_age: Option<u64>,
    leeway: f64,
    now: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let requirement = AuthenticationRequirement::new(acr_values, max_age, leeway).map_err(PyValueError::new_err)?;
    requirement.check(token.get().kernel(), moment(now)?).map_err(|failure| errors::of_failure(py, &failure))
}
