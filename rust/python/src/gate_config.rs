//! The configuration of a gate, as dicts of the keywords that Python's classes take.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use watchword_gate::config::{
    CacheSetting, ConfigError, DpopConfig, GateConfig, IssuerConfig, LogConfig, Problem, ProxyConfig, Replay,
    RouteConfig, ServerConfig, TokenConfig, json_schema,
};
use watchword_gate::methods::Methods;
use watchword_gate::path::NormalPath;
use watchword_gate::template::Template;
use watchword_kernel::{BoundTokens, Tenants};

/// The configuration of a gate, read whole and checked: plain data.
#[pyclass(frozen, module = "watchword._kernel", name = "GateConfig")]
pub(crate) struct PyGateConfig(GateConfig);

/// Line and column (counted from 1; None if they are not known), path, and what is wrong.
type ProblemTuple = (Option<usize>, Option<usize>, String, String);

#[pymethods]
impl PyGateConfig {
    /// Read TOML. Raises watchword.gate.ConfigError with all that is wrong.
    #[staticmethod]
    fn from_toml(py: Python<'_>, text: &str) -> PyResult<Self> {
        GateConfig::from_toml(text).map(Self).map_err(|error| config_error(py, &error))
    }

    /// Read JSON with the same names. Raises watchword.gate.ConfigError with all that is wrong.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        GateConfig::from_json(text).map(Self).map_err(|error| config_error(py, &error))
    }

    /// The keywords of an Issuer for each; `cache_settings` is a dict of those of CacheSettings.
    #[getter]
    fn issuers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.0.issuers.iter().map(|issuer| issuer_keywords(py, issuer)).collect()
    }

    /// The keywords of a Verifier for the requirements of all issuers; those that are not configured are absent.
    #[getter]
    fn token<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let keywords = PyDict::new(py);
        add_token(&keywords, &self.0.token)?;
        Ok(keywords)
    }

    /// The other settings, by their names, sections as dicts; what is not configured is absent.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let config = &self.0;
        let settings = PyDict::new(py);
        settings.set_item("public_url", PyTuple::new(py, &config.public_url)?)?;
        set(&settings, "resource", config.resource.as_ref())?;
        set(&settings, "realm", config.realm.as_ref())?;
        set(&settings, "identity_prefix", config.identity_prefix.as_ref())?;
        set(&settings, "identity_secret_file", config.identity_secret_file.as_ref())?;
        set(&settings, "scopes_supported", tuple(py, config.scopes_supported.as_ref())?)?;
        settings.set_item("proxy", proxy_keywords(py, &config.proxy)?)?;
        settings.set_item("dpop", dpop_settings(py, &config.dpop)?)?;
        settings.set_item("token_cache_bytes", config.token_cache_bytes)?;
        set(&settings, "log", config.log.as_ref().map(|log| log_keywords(py, log)).transpose()?)?;
        settings.set_item("metrics", config.metrics)?;
        set(&settings, "server", config.server.as_ref().map(|server| server_settings(py, server)).transpose()?)?;
        Ok(settings)
    }

    /// The keywords of a watchword.gate.Route for each.
    #[getter]
    fn routes<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.0.routes().iter().map(|route| route_keywords(py, route)).collect()
    }

    /// What is allowed, and probably not meant: line, column, path and message of each.
    #[getter]
    fn warnings(&self) -> Vec<ProblemTuple> {
        self.0.warnings.iter().map(problem).collect()
    }

    /// Line and column of a value by its path, as "issuers[0].jwks_uri"; None for JSON, and if there is no such value.
    fn position(&self, path: &str) -> Option<(usize, usize)> {
        self.0.position(path).map(|position| (position.line, position.column))
    }

    /// For each route, whether its path and whether its methods match a request.
    ///
    /// path: in normal form. Raises ValueError if it is not a path.
    fn matches(&self, method: &str, path: &str) -> PyResult<Vec<(bool, bool)>> {
        let path = normal(path)?;
        let matches = |route: &RouteConfig| {
            let template = Template::parse(&route.path).ok();
            let methods = route.methods.clone().map_or(Methods::Any, Methods::OneOf);
            (template.is_some_and(|template| template.matches(&path).is_some()), methods.includes(method))
        };
        Ok(self.0.routes().iter().map(matches).collect())
    }

    fn __repr__(&self) -> String {
        format!("GateConfig(issuers={}, routes={})", self.0.issuers.len(), self.0.routes().len())
    }
}

/// Return a request's path in the normal form that routes are matched with (RFC 3986 section 6.2.2).
///
/// Raises ValueError if it is not a path, or if two parsers could read it differently.
#[pyfunction]
pub(crate) fn normal_path(path: &str) -> PyResult<String> {
    normal(path).map(|path| path.as_str().to_owned())
}

/// Return the JSON Schema of a gate's configuration, by which editors complete and check a file.
#[pyfunction]
pub(crate) fn gate_config_schema() -> String {
    json_schema()
}

fn normal(path: &str) -> PyResult<NormalPath> {
    NormalPath::parse(path.as_bytes()).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn config_error(py: Python<'_>, error: &ConfigError) -> PyErr {
    let problems: Vec<ProblemTuple> = error.problems.iter().map(problem).collect();
    py.import("watchword.gate.config_error")
        .and_then(|module| module.getattr("ConfigError"))
        .and_then(|class| class.call1((problems,)))
        .map_or_else(|failure| failure, PyErr::from_value)
}

fn problem(problem: &Problem) -> ProblemTuple {
    let position = problem.position;
    (position.map(|at| at.line), position.map(|at| at.column), problem.path.clone(), problem.message.clone())
}

fn issuer_keywords<'py>(py: Python<'py>, issuer: &IssuerConfig) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(py);
    keywords.set_item("issuer", &issuer.issuer)?;
    keywords.set_item("aliases", PyTuple::new(py, &issuer.aliases)?)?;
    match &issuer.tenants {
        None => {}
        Some(Tenants::Any) => keywords.set_item("tenants", constant(py, "ANY_TENANT")?)?,
        Some(Tenants::OneOf(names)) => keywords.set_item("tenants", PyTuple::new(py, names)?)?,
    }
    set(&keywords, "jwks_uri", issuer.jwks_uri.as_ref())?;
    set(&keywords, "jwks", issuer.jwks.as_ref())?;
    set(&keywords, "jwks_file", issuer.jwks_file.as_ref())?;
    set(&keywords, "pem", issuer.pem.as_ref())?;
    keywords.set_item("allow_loopback_http", issuer.allow_loopback_http)?;
    keywords.set_item("allow_private_hosts", PyTuple::new(py, &issuer.allow_private_hosts)?)?;
    keywords.set_item("allow_http_hosts", PyTuple::new(py, &issuer.allow_http_hosts)?)?;
    set(&keywords, "audience_claim", issuer.audience_claim.as_ref())?;
    add_token(&keywords, &issuer.token)?;
    let cache = PyDict::new(py);
    for (name, value) in &issuer.cache {
        match value {
            CacheSetting::Number(number) => cache.set_item(name, number)?,
            CacheSetting::Whole(count) => cache.set_item(name, count)?,
        }
    }
    keywords.set_item("cache_settings", cache)?;
    Ok(keywords)
}

fn add_token(keywords: &Bound<'_, PyDict>, token: &TokenConfig) -> PyResult<()> {
    let py = keywords.py();
    set(keywords, "audience", tuple(py, token.audience.as_ref())?)?;
    if token.any_audience {
        keywords.set_item("audience", constant(py, "ANY_AUDIENCE")?)?;
    }
    set(keywords, "algorithms", tuple(py, token.algorithms.as_ref())?)?;
    set(keywords, "types", token.types.as_ref().map(|types| PyTuple::new(py, types)).transpose()?)?;
    set(keywords, "leeway", token.leeway)?;
    set(keywords, "required", tuple(py, token.required.as_ref())?)?;
    let bound_tokens = token.bound_tokens.map(|bound| match bound {
        BoundTokens::Reject => "reject",
        BoundTokens::Accept => "accept",
    });
    set(keywords, "bound_tokens", bound_tokens)?;
    set(keywords, "scope_claims", tuple(py, token.scope_claims.as_ref())?)?;
    set(keywords, "max_token_bytes", token.max_token_bytes)?;
    set(keywords, "max_header_bytes", token.max_header_bytes)
}

fn proxy_keywords<'py>(py: Python<'py>, proxy: &ProxyConfig) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(py);
    set(&keywords, "origin", proxy.origin)?;
    set(&keywords, "certificate_header", proxy.certificate_header.as_ref())?;
    set(&keywords, "certificate_format", proxy.certificate_format)?;
    Ok(keywords)
}

fn dpop_settings<'py>(py: Python<'py>, dpop: &DpopConfig) -> PyResult<Bound<'py, PyDict>> {
    let settings = PyDict::new(py);
    set(&settings, "max_age", dpop.max_age)?;
    set(&settings, "leeway", dpop.leeway)?;
    set(&settings, "algorithms", tuple(py, dpop.algorithms.as_ref())?)?;
    set(&settings, "nonce_lifetime", dpop.nonce_lifetime)?;
    set(&settings, "nonce_keys_file", dpop.nonce_keys_file.as_ref())?;
    settings.set_item(
        "replay",
        match &dpop.replay {
            Replay::Memory => "memory",
            Replay::None => "none",
            Replay::Redis(url) => url,
        },
    )?;
    set(&settings, "replay_capacity", dpop.replay_capacity)?;
    Ok(settings)
}

fn log_keywords<'py>(py: Python<'py>, log: &LogConfig) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(py);
    set(&keywords, "rejections", log.rejections)?;
    set(&keywords, "allowed", log.allowed)?;
    set(&keywords, "sample", log.sample)?;
    set(&keywords, "max_per_second", log.max_per_second)?;
    set(&keywords, "burst", log.burst)?;
    Ok(keywords)
}

/// All of them, defaults included; an optional one that is not configured is None.
fn server_settings<'py>(py: Python<'py>, server: &ServerConfig) -> PyResult<Bound<'py, PyDict>> {
    let settings = PyDict::new(py);
    settings.set_item("proxy", server.proxy)?;
    settings.set_item("listen", PyTuple::new(py, server.listen.iter().map(ToString::to_string))?)?;
    settings.set_item("status_listen", PyTuple::new(py, server.status_listen.iter().map(ToString::to_string))?)?;
    settings.set_item("socket_mode", server.socket_mode)?;
    settings.set_item("threads", server.threads)?;
    settings.set_item("max_connections", server.max_connections)?;
    settings.set_item("header_timeout", server.header_timeout)?;
    settings.set_item("idle_timeout", server.idle_timeout)?;
    settings.set_item("write_timeout", server.write_timeout)?;
    settings.set_item("lookup_timeout", server.lookup_timeout)?;
    settings.set_item("replay_timeout", server.replay_timeout)?;
    settings.set_item("max_header_bytes", server.max_header_bytes)?;
    settings.set_item("stop_timeout", server.stop_timeout)?;
    settings.set_item("path_prefix", server.path_prefix.as_ref())?;
    Ok(settings)
}

fn route_keywords<'py>(py: Python<'py>, route: &RouteConfig) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(py);
    keywords.set_item("path", &route.path)?;
    set(&keywords, "methods", tuple(py, route.methods.as_ref())?)?;
    set(&keywords, "name", route.name.as_ref())?;
    keywords.set_item("public", route.public)?;
    keywords.set_item("optional", route.optional)?;
    set(&keywords, "issuers", tuple(py, route.issuers.as_ref())?)?;
    set(&keywords, "audience", tuple(py, route.audience.as_ref())?)?;
    keywords.set_item("scopes", PyTuple::new(py, &route.scopes)?)?;
    keywords.set_item("scope_grammar", route.scope_grammar.name())?;
    keywords.set_item("dpop", if route.dpop_required { "required" } else { "allowed" })?;
    set(&keywords, "max_depth", route.max_depth)?;
    keywords.set_item("require_human_root", route.require_human_root)?;
    if let Some(actors) = &route.allowed_actors {
        let names = PyTuple::new(
            py,
            actors
                .iter()
                .map(|actor| match &actor.issuer {
                    None => actor.subject.as_str().into_bound_py_any(py),
                    Some(issuer) => (issuer.as_str(), actor.subject.as_str()).into_bound_py_any(py),
                })
                .collect::<PyResult<Vec<_>>>()?,
        )?;
        keywords.set_item("allowed_actors", names)?;
    }
    keywords.set_item("acr_values", PyTuple::new(py, &route.acr_values)?)?;
    set(&keywords, "max_age", route.max_age)?;
    Ok(keywords)
}

/// One of the module's objects, of which there is one each.
fn constant<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("watchword._kernel")?.getattr(name)
}

fn tuple<'py>(py: Python<'py>, list: Option<&Vec<String>>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    list.map(|list| PyTuple::new(py, list)).transpose()
}

/// Sets an item, if there is a value.
fn set<'py>(dict: &Bound<'py, PyDict>, name: &str, value: Option<impl IntoPyObject<'py>>) -> PyResult<()> {
    value.map_or(Ok(()), |value| dict.set_item(name, value))
}
