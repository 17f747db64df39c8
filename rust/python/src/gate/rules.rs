//! The rules by which requests are checked.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use watchword_gate::config::RouteConfig;
use watchword_gate::methods::{Methods, check_method};
use watchword_gate::route_table::RouteTable;
use watchword_gate::template::{Template, Variables};
use watchword_gate::{
    AnswerSettings, Certificate, CertificateFormat, Guard, MIN_SECRET_BYTES, OriginHeaders, Progress, Read, Request,
    Rules, Secret, TrustedProxy, is_plain_name, is_quotable,
};
use watchword_kernel::{ClientCertificate, UnixTime};

use super::decision::PyDecision;
use super::headers::Headers;
use super::origin::PyPublicOrigin;
use super::route::{route_config, route_error};
use super::sent_token::{PySentToken, decided, progress};
use crate::arguments::moment;
use crate::convert::Text;
use crate::dpop::PyProofPolicy;
use crate::issuer_table::PyIssuerTable;
use crate::key_set::PyKeySet;
use crate::policy::PyPolicy;
use crate::token_cache::PyTokenCache;

/// What a gate checks requests by: immutable, and replaced as a whole.
///
/// routes: dicts with the fields of a Route; policies: for each route the policy of each issuer, None if its tokens are not
/// accepted. Raises ValueError or TypeError if an argument is invalid.
#[pyclass(frozen, module = "watchword._kernel", name = "GateRules")]
pub(crate) struct PyGateRules(pub(crate) Arc<Rules>);

/// The requirements for a request whose route a framework has chosen.
#[pyclass(frozen, module = "watchword._kernel", name = "GateGuard")]
pub(crate) struct PyGateGuard(pub(crate) Arc<Guard>);

type Policies<'py> = Vec<Option<Bound<'py, PyPolicy>>>;

#[pymethods]
impl PyGateRules {
    #[new]
    #[pyo3(signature = (*, routes, policies, issuers, issuer_names, unknown_issuer_policy, origin, proofs, algorithms, identity_prefix, identity_secret, realm, resource_metadata, origin_headers,
        certificate_header, certificate_format))]
    #[allow(clippy::too_many_arguments, reason = "the parts of the rules")]
    fn new(
        routes: Vec<Bound<'_, PyDict>>,
        policies: Vec<Policies<'_>>,
        issuers: &Bound<'_, PyIssuerTable>,
        issuer_names: Vec<String>,
        unknown_issuer_policy: &Bound<'_, PyPolicy>,
        origin: &Bound<'_, PyPublicOrigin>,
        proofs: &Bound<'_, PyProofPolicy>,
        algorithms: Vec<String>,
        identity_prefix: String,
        identity_secret: Option<&str>,
        realm: Option<String>,
        resource_metadata: Option<String>,
        origin_headers: Option<&str>,
        certificate_header: Option<String>,
        certificate_format: &str,
    ) -> PyResult<Self> {
        if !is_plain_name(&identity_prefix) || !identity_prefix.ends_with('-') {
            return Err(PyValueError::new_err(format!(
                "identity_prefix is {identity_prefix:?}: it must be letters, digits and dashes, with a dash at the end"
            )));
        }
        // The message never quotes it.
        let identity_secret = identity_secret.map(Secret::parse).transpose();
        let identity_secret = identity_secret.map_err(|_| {
            PyValueError::new_err(format!("identity_secret must be base64url of {MIN_SECRET_BYTES} bytes or more"))
        })?;
        for (name, value) in [("realm", &realm), ("resource_metadata", &resource_metadata)] {
            if value.as_ref().is_some_and(|value| !is_quotable(value)) {
                return Err(PyValueError::new_err(format!(
                    "{name} must be printable ASCII without quotes and backslashes"
                )));
            }
        }
        let issuer_names: Vec<Arc<str>> = issuer_names.into_iter().map(Arc::from).collect();
        let mut templates = Vec::with_capacity(routes.len());
        let mut guards = Vec::with_capacity(routes.len());
        for (route, policies) in routes.iter().zip(&policies) {
            let config = route_config(route)?;
            let template = template(&config)?;
            let variables: Vec<&str> = template.variables().collect();
            guards.push(Arc::new(guard(&config, Some(&variables), policies, &issuer_names)?));
            templates.push((template, methods(&config)?));
        }
        Ok(Self(Arc::new(Rules {
            origin: origin.get().0.clone(),
            proxy: proxy(origin_headers, certificate_header, certificate_format)?,
            identity_prefix,
            identity_secret,
            answers: AnswerSettings { realm, resource_metadata, algorithms: algorithms.join(" ") },
            proofs: proofs.get().kernel().clone(),
            issuers: Arc::clone(issuers.get().kernel()),
            issuer_names,
            limits: issuers.get().limits(),
            unknown_issuer_policy: Arc::clone(unknown_issuer_policy.get().kernel()),
            routes: RouteTable::compile(templates),
            guards,
        })))
    }

    /// Return the requirements of a route that a framework chooses, for `read_for`.
    ///
    /// route: a dict with the fields of a Route; policies: those of each issuer. Raises ValueError if it is invalid.
    fn guard(&self, route: &Bound<'_, PyDict>, policies: Policies<'_>) -> PyResult<PyGateGuard> {
        guard(&route_config(route)?, None, &policies, &self.0.issuer_names).map(Arc::new).map(PyGateGuard)
    }

    /// Read a request as of `now` (Unix seconds), up to its token.
    ///
    /// target: path and query as received; headers: pairs, a mapping, or an object with items(); certificate: that of the
    /// client, DER or PEM; form: the first bytes of a form in the body. Returns a Decision, or a SentToken.
    #[pyo3(signature = (method, target, headers, now, certificate=None, form=None))]
    #[allow(clippy::too_many_arguments, reason = "the parts of a request")]
    fn read<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        now: &Bound<'_, PyAny>,
        certificate: Option<&Bound<'_, PyAny>>,
        form: Option<&[u8]>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with_request(&self.0, method, target, headers, now, certificate, form, |request, now| {
            as_object(py, self.0.read(request, now))
        })
    }

    /// Decide on a request as of `now` (Unix seconds) with the keys of the only issuer.
    ///
    /// nonces: those that are accepted now, the newest first; cache: where verified tokens are kept; the others are as for
    /// `read`. Returns a Decision; an UnusedProof; or a SentToken, if the keys have none that the token names.
    #[pyo3(signature = (method, target, headers, now, keys, nonces=None, cache=None, certificate=None, form=None))]
    #[allow(clippy::too_many_arguments, reason = "the parts of a request, and what it is checked with")]
    fn check<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        now: &Bound<'_, PyAny>,
        keys: &Bound<'_, PyKeySet>,
        nonces: Option<&Bound<'_, PyAny>>,
        cache: Option<&Bound<'_, PyTokenCache>>,
        certificate: Option<&Bound<'_, PyAny>>,
        form: Option<&[u8]>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with_request(&self.0, method, target, headers, now, certificate, form, |request, moment| {
            match self.0.read(request, moment) {
                Read::Decided(decision) => as_object(py, Read::Decided(decision)),
                Read::Token(sent) => match progress(py, sent, keys, moment, nonces, cache)? {
                    Progress::NeedsKeys(sent, _) => as_object(py, Read::Token(sent)),
                    known => decided(py, known),
                },
            }
        })
    }

    /// The same for a request whose route a framework has chosen; `variables` are those of its path.
    #[pyo3(signature = (guard, variables, method, target, headers, now, certificate=None, form=None))]
    #[allow(clippy::too_many_arguments, reason = "the parts of a request")]
    fn read_for<'py>(
        &self,
        py: Python<'py>,
        guard: &Bound<'_, PyGateGuard>,
        variables: Vec<(String, String)>,
        method: &str,
        target: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        now: &Bound<'_, PyAny>,
        certificate: Option<&Bound<'_, PyAny>>,
        form: Option<&[u8]>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with_request(&self.0, method, target, headers, now, certificate, form, |request, now| {
            as_object(py, self.0.read_for(&guard.get().0, Variables::from_iter(variables), request, now))
        })
    }

    /// Return the decision for an exception in a server: the request is rejected as `internal_error`.
    fn failed(&self) -> PyDecision {
        PyDecision::new(self.0.failed(), None)
    }
}

fn as_object(py: Python<'_>, read: Read) -> PyResult<Bound<'_, PyAny>> {
    Ok(match read {
        Read::Decided(decision) => Bound::new(py, PyDecision::new(decision, None))?.into_any(),
        Read::Token(sent) => Bound::new(py, PySentToken(sent))?.into_any(),
    })
}

#[allow(clippy::too_many_arguments, reason = "the parts of a request")]
fn with_request<T>(
    rules: &Rules,
    method: &str,
    target: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    now: &Bound<'_, PyAny>,
    certificate: Option<&Bound<'_, PyAny>>,
    form: Option<&[u8]>,
    read: impl FnOnce(&Request<'_>, UnixTime) -> PyResult<T>,
) -> PyResult<T> {
    let target = Text::of_token(target)?;
    let headers = Headers::new(headers, |name| rules.reads_header(name))?;
    let headers = headers.as_bytes();
    let certificate = certificate.map(client_certificate).transpose()?;
    let certificate = certificate.as_ref().map(Certificate::as_kernel);
    read(&Request { method, target: target.as_ref(), headers: &headers, certificate, form }, moment(now)?)
}

/// The certificate of a connection: DER, or PEM as servers pass it on.
fn client_certificate(object: &Bound<'_, PyAny>) -> PyResult<Certificate> {
    if let Ok(pem) = object.cast::<PyString>() {
        return Certificate::from_pem(&pem.to_string_lossy())
            .map_err(|error| PyValueError::new_err(format!("certificate: {error}")));
    }
    match object.cast::<PyBytes>() {
        Ok(der) if !der.as_bytes().is_empty() => Ok(ClientCertificate::Der(der.as_bytes()).into()),
        Ok(_) => Err(PyValueError::new_err("certificate is empty: it must be None if the client has none")),
        Err(_) => Err(PyTypeError::new_err("certificate must be bytes (DER) or str (PEM)")),
    }
}

fn template(config: &RouteConfig) -> PyResult<Template> {
    Template::parse(&config.path).map_err(|error| PyValueError::new_err(format!("path {:?}: {error}", config.path)))
}

fn methods(config: &RouteConfig) -> PyResult<Methods> {
    let Some(methods) = &config.methods else { return Ok(Methods::Any) };
    if methods.is_empty() {
        return Err(PyValueError::new_err(format!(
            "{}: methods is empty: name one, or leave it out for all",
            config.display_name()
        )));
    }
    for method in methods {
        check_method(method).map_err(|error| {
            PyValueError::new_err(format!("{}: methods has {method:?}: {error}", config.display_name()))
        })?;
    }
    Ok(Methods::OneOf(methods.clone()))
}

fn guard(
    config: &RouteConfig,
    variables: Option<&[&str]>,
    policies: &Policies<'_>,
    issuer_names: &[Arc<str>],
) -> PyResult<Guard> {
    let kernel = |policy: &Bound<'_, PyPolicy>| Arc::clone(policy.get().kernel());
    let policies = policies.iter().map(|policy| policy.as_ref().map(kernel)).collect();
    Guard::compile(config, variables, policies, issuer_names).map_err(|error| route_error(config, &error))
}

fn proxy(
    origin_headers: Option<&str>,
    certificate_header: Option<String>,
    certificate_format: &str,
) -> PyResult<TrustedProxy> {
    let origin = origin_headers
        .map(|name| OriginHeaders::from_name(name).ok_or_else(|| unknown("origin", name, &OriginHeaders::NAMES)))
        .transpose()?;
    let format = CertificateFormat::from_name(certificate_format)
        .ok_or_else(|| unknown("certificate_format", certificate_format, &CertificateFormat::NAMES))?;
    if let Some(name) = certificate_header.as_ref().filter(|name| !is_plain_name(name)) {
        return Err(PyValueError::new_err(format!(
            "certificate_header is {name:?}: it must be letters, digits and dashes"
        )));
    }
    Ok(TrustedProxy { origin, certificate: certificate_header.map(|name| (name, format)) })
}

fn unknown(argument: &str, name: &str, known: &[&str]) -> PyErr {
    PyValueError::new_err(format!("{argument} is {name:?}: it must be one of {known:?}"))
}
