//! Policies.

use std::num::NonZeroUsize;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use watchword_kernel::delegation::{MAX_ACTORS, MOST_ACTORS};
use watchword_kernel::dpop::PROOF_LIMITS;
use watchword_kernel::{
    self as kernel, Audience, BoundTokens, JwsPolicy, Limits, Policy, PolicyError, ProofPolicy, ScopeClaims, Tenants,
    json,
};

use crate::arguments::{self, Given};

/// The requirements that a token must fulfil, compiled once.
///
/// issuer: `iss` must be exactly this, or one of these; None: not checked. A placeholder, as in
/// "https://login.example/{tid}/v2.0", stands for the value of the claim of that name in the same token; `tenants` are
/// then the values that are accepted, or ANY_TENANT for all of them.
/// audience: `aud` must name this, or one of these; None: the token must not name any; ANY_AUDIENCE: not checked.
/// audience_claim: the claim that names the audience, for issuers that use another than `aud`; a token that also has an
/// `aud` must name one of `audience` in both.
/// algorithms: the accepted values of `alg`; None: the algorithms of the keys.
/// types: the accepted values of `typ`, as media types, None for its absence.
/// leeway: seconds by which clocks may differ, both ways, for `exp`, `nbf` and `iat`.
/// required: claims that must be present and not null.
/// bound_tokens: "reject" rejects a token that is bound to a key (`cnf`) and sent without a proof; "accept" accepts it as
/// a bearer token.
/// scope_claims: claims whose words are the token's scopes, each a string with spaces or an array of strings.
/// trust_domain: the name of a SPIFFE trust domain, instead of an issuer: the token is a JWT-SVID, whose `sub` must be
/// the SPIFFE ID of a workload in that domain, and whose `aud` and `exp` must be present.
/// max_token_bytes, max_header_bytes: the longest encoded forms that are accepted.
///
/// The arguments can be read back as attributes. Policies are equal if their arguments are, and can be hashed, pickled and
/// copied.
///
/// Raises ValueError or TypeError if an argument is invalid, or if two contradict each other.
#[pyclass(frozen, module = "watchword", name = "Policy")]
pub(crate) struct PyPolicy {
    policy: Arc<Policy>,
    /// The accepted values of `iss`, a tuple; None: it is not checked.
    #[pyo3(get)]
    issuer: Option<Py<PyTuple>>,
    /// The accepted audiences, a tuple; None: a token must not name any; ANY_AUDIENCE: not checked.
    #[pyo3(get)]
    audience: Option<Py<PyAny>>,
    /// The accepted algorithms, a tuple; None: those of the keys.
    #[pyo3(get)]
    algorithms: Option<Py<PyTuple>>,
    /// The accepted values of `typ`, a tuple, with None for its absence.
    #[pyo3(get)]
    types: Py<PyTuple>,
    /// The seconds by which clocks may differ, a float.
    #[pyo3(get)]
    leeway: f64,
    /// The claims that must be present, a tuple.
    #[pyo3(get)]
    required: Py<PyTuple>,
    /// How a token is treated that is bound to a key and sent without a proof: "reject" or "accept".
    #[pyo3(get)]
    bound_tokens: &'static str,
    /// The claims with the token's scopes, a tuple.
    #[pyo3(get)]
    scope_claims: Py<PyTuple>,
    /// The accepted tenants, a tuple; ANY_TENANT: all; None: the issuer has none.
    #[pyo3(get)]
    tenants: Option<Py<PyAny>>,
    /// The SPIFFE trust domain, or None.
    #[pyo3(get)]
    trust_domain: Option<String>,
    /// The claim that names the audience.
    #[pyo3(get)]
    audience_claim: String,
    /// The length of the longest token that is accepted, in bytes.
    #[pyo3(get)]
    max_token_bytes: usize,
    /// The length of the longest header that is accepted, encoded, in bytes.
    #[pyo3(get)]
    max_header_bytes: usize,
}

/// The names of the arguments, in the order of the constructor.
const ARGUMENTS: [&str; 13] = [
    "issuer",
    "audience",
    "algorithms",
    "types",
    "leeway",
    "required",
    "bound_tokens",
    "scope_claims",
    "tenants",
    "trust_domain",
    "audience_claim",
    "max_token_bytes",
    "max_header_bytes",
];

/// How many of them a `repr` always shows; the others only if they are not the defaults.
const ALWAYS_SHOWN: usize = 8;

/// The type of ANY_AUDIENCE: `aud` is deliberately not checked.
#[pyclass(frozen, module = "watchword", name = "AnyAudience")]
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

/// The type of ANY_TENANT: every tenant of a multi-tenant issuer is deliberately accepted.
#[pyclass(frozen, module = "watchword", name = "AnyTenant")]
pub(crate) struct AnyTenant;

#[pymethods]
impl AnyTenant {
    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "ANY_TENANT"
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __reduce__(&self) -> &'static str {
        "ANY_TENANT"
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
                     required=Given::absent(), bound_tokens="reject", scope_claims=Given::absent(), tenants=None,
                     trust_domain=None, audience_claim="aud", max_token_bytes=Given::absent(), max_header_bytes=Given::absent()),
        text_signature = "(*, issuer=None, audience=None, algorithms=None, types=('JWT', 'at+jwt', None), leeway=5, \
                          required=('exp',), bound_tokens='reject', scope_claims=('scope', 'scp'), tenants=None, \
                          trust_domain=None, audience_claim='aud', max_token_bytes=16384, max_header_bytes=4096)"
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
        scope_claims: Given<'_>,
        tenants: Option<&Bound<'_, PyAny>>,
        trust_domain: Option<&Bound<'_, PyAny>>,
        audience_claim: &str,
        max_token_bytes: Given<'_>,
        max_header_bytes: Given<'_>,
    ) -> PyResult<Self> {
        let issuers = issuer.map(|object| arguments::names("issuer", object)).transpose()?;
        let accepted = audience.map(read_audience).transpose()?.unwrap_or_default();
        let algorithms = algorithms.map(|object| arguments::words::<String>("algorithms", object)).transpose()?;
        let types = types.or(default_types(), |object| arguments::words("types", object))?;
        let leeway = leeway.or(Policy::DEFAULT_LEEWAY, |object| arguments::seconds("leeway", object))?;
        let required = required.or(owned(&Policy::DEFAULT_REQUIRED), |object| arguments::words("required", object))?;
        let scope_claims =
            scope_claims.or(owned(&ScopeClaims::DEFAULT), |object| arguments::words("scope_claims", object))?;
        let accepted_tenants = tenants.map(read_tenants).transpose()?;
        let trust_domain = trust_domain.map(|object| arguments::text("trust_domain", object)).transpose()?;
        let limits = limits(max_token_bytes, max_header_bytes)?;
        let (bound_tokens, treatment) = match bound_tokens {
            "reject" => ("reject", BoundTokens::Reject),
            "accept" => ("accept", BoundTokens::Accept),
            _ => return Err(PyValueError::new_err("bound_tokens must be 'reject' or 'accept'")),
        };
        let policy = Policy::default()
            .with_jws(jws_policy(limits, Some(&types), algorithms.as_deref())?)
            .with_required(required.clone())
            .with_bound_tokens(treatment);
        let policy = ScopeClaims::new(scope_claims.clone())
            .and_then(|claims| {
                policy
                    .with_scope_claims(claims)
                    .with_audience(accepted.clone())?
                    .with_audience_claim(audience_claim)?
                    .with_leeway(leeway)
            })
            .map_err(|error| value_error(&error))?;
        let policy = match (issuers.clone(), accepted_tenants.clone(), &trust_domain) {
            (None, None, None) => Ok(policy),
            (Some(issuers), None, None) => policy.with_issuers(issuers),
            (Some(issuers), Some(tenants), None) => policy.with_tenants(issuers, tenants),
            (None, None, Some(name)) => policy.with_trust_domain(name),
            (None, Some(_), None) => {
                return Err(PyValueError::new_err(
                    "tenants require an issuer with a placeholder for them: issuer=\"https://login.example/{tid}/v2.0\"",
                ));
            }
            (_, _, Some(_)) => {
                return Err(PyValueError::new_err(
                    "trust_domain cannot be combined with issuer or tenants: a JWT-SVID has no iss",
                ));
            }
        };
        Ok(Self {
            policy: Arc::new(policy.map_err(|error| value_error(&error))?),
            issuer: issuers.map(|names| tuple(py, names)).transpose()?,
            audience: match accepted {
                Audience::OneOf(names) => Some(tuple(py, names)?.into_any()),
                Audience::Any | Audience::Unnamed => audience.cloned().map(Bound::unbind),
            },
            algorithms: algorithms.map(|names| tuple(py, names)).transpose()?,
            types: tuple(py, types)?,
            leeway,
            required: tuple(py, required)?,
            bound_tokens,
            scope_claims: tuple(py, scope_claims)?,
            tenants: match accepted_tenants {
                Some(Tenants::OneOf(names)) => Some(tuple(py, names)?.into_any()),
                Some(Tenants::Any) | None => tenants.cloned().map(Bound::unbind),
            },
            trust_domain,
            audience_claim: audience_claim.to_owned(),
            max_token_bytes: limits.token,
            max_header_bytes: limits.header,
        })
    }

    /// Return a new policy with some arguments changed: those of the constructor, by name.
    ///
    /// Raises ValueError or TypeError like the constructor.
    #[pyo3(signature = (**changes))]
    fn replace<'py>(slf: &Bound<'py, Self>, changes: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        let arguments = arguments_of(slf)?;
        if let Some(changes) = changes {
            arguments.update(changes.as_mapping())?;
        }
        PyType::new::<Self>(slf.py()).call((), Some(&arguments))
    }

    /// Copies and pickles are made by the constructor, and therefore checked like any other policy.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let py = slf.py();
        let partial = py.import("functools")?.getattr("partial")?;
        let constructor = partial.call((PyType::new::<Self>(py),), Some(&arguments_of(slf)?))?;
        Ok((constructor, PyTuple::empty(py)))
    }

    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(slf.is(other) || arguments_of(slf)?.eq(arguments_of(other)?)?)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<isize> {
        arguments_of(slf)?.values().to_tuple().hash()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let default = PyType::new::<Self>(slf.py()).call0()?;
        let mut shown = Vec::new();
        for (index, name) in ARGUMENTS.into_iter().enumerate() {
            let value = slf.getattr(name)?;
            if index < ALWAYS_SHOWN || value.ne(default.getattr(name)?)? {
                shown.push(format!("{name}={}", value.repr()?));
            }
        }
        Ok(format!("Policy({})", shown.join(", ")))
    }
}

/// The arguments with which the constructor makes an equal policy.
fn arguments_of<'py>(policy: &Bound<'py, PyPolicy>) -> PyResult<Bound<'py, PyDict>> {
    let arguments = PyDict::new(policy.py());
    for name in ARGUMENTS {
        arguments.set_item(name, policy.getattr(name)?)?;
    }
    Ok(arguments)
}

/// `types` are those that are accepted; without a list, `typ` is not checked.
pub(crate) fn jws_policy(
    limits: Limits,
    types: Option<&[Option<String>]>,
    algorithms: Option<&[String]>,
) -> PyResult<JwsPolicy> {
    let policy = JwsPolicy::default().with_limits(limits).and_then(|policy| match types {
        Some(types) => policy.with_types(types),
        None => Ok(policy.with_any_type()),
    });
    let policy = policy.and_then(|policy| match algorithms {
        Some(algorithms) => policy.with_algorithms(algorithms),
        None => Ok(policy),
    });
    policy.map_err(|error| value_error(&error))
}

/// Adds the kernel's defaults and limits to the module, for Python code that passes them on or applies them earlier.
pub(crate) fn add_constants(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("DEFAULT_TYPES", PyTuple::new(py, JwsPolicy::DEFAULT_TYPES)?)?;
    module.add("DEFAULT_LEEWAY", Policy::DEFAULT_LEEWAY)?;
    module.add("DEFAULT_REQUIRED", PyTuple::new(py, Policy::DEFAULT_REQUIRED)?)?;
    module.add("DEFAULT_SCOPE_CLAIMS", PyTuple::new(py, ScopeClaims::DEFAULT)?)?;
    module.add("MAX_TOKEN_BYTES", Limits::default().token)?;
    module.add("MAX_HEADER_BYTES", Limits::default().header)?;
    module.add("MAX_PROOF_BYTES", PROOF_LIMITS.token)?;
    module.add("MAX_PROOF_HEADER_BYTES", PROOF_LIMITS.header)?;
    module.add("DPOP_ALGORITHMS", PyTuple::new(py, ProofPolicy::DEFAULT_ALGORITHMS.map(kernel::Algorithm::name))?)?;
    module.add("DPOP_MAX_AGE", ProofPolicy::DEFAULT_MAX_AGE)?;
    module.add("DPOP_LEEWAY", ProofPolicy::DEFAULT_LEEWAY)?;
    module.add("MAX_RECORD_BYTES", watchword_records::Limits::default().max_record_bytes)?;
    module.add("MAX_KEY_SET_BYTES", kernel::MAX_DOCUMENT)?;
    module.add("MAX_KEYS", kernel::MAX_KEYS)?;
    module.add("DEFAULT_MAX_ACTORS", MAX_ACTORS)?;
    module.add("MAX_ACTORS", MOST_ACTORS)?;
    module.add("MAX_JSON_DEPTH", json::MAX_DEPTH)?;
    module.add("MAX_NUMBER_LENGTH", json::MAX_NUMBER)?;
    module.add("MAX_NUMERIC_DATE", kernel::NumericDate::LAST)
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

pub(crate) fn read_tenants(object: &Bound<'_, PyAny>) -> PyResult<Tenants> {
    if object.is_instance_of::<AnyTenant>() {
        return Ok(Tenants::Any);
    }
    arguments::words("tenants", object).map(Tenants::OneOf)
}

fn default_types() -> Vec<Option<String>> {
    JwsPolicy::DEFAULT_TYPES.map(|typ| typ.map(str::to_owned)).into()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn tuple<'py, T: IntoPyObject<'py>>(py: Python<'py>, list: Vec<T>) -> PyResult<Py<PyTuple>> {
    PyTuple::new(py, list).map(Bound::unbind)
}

pub(crate) fn value_error(error: &PolicyError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
