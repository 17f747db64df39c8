//! From a configuration to the rules that it describes.

use std::sync::Arc;

use watchword_kernel::dpop::PROOF_LIMITS;
use watchword_kernel::{
    Algorithm, Audience, Backend, IssuerNames, IssuerTable, JwsPolicy, KeySet, Limits, Policy, PolicyError,
    ProofPolicy, ScopeClaims,
};

use super::gate_config::{ConfigError, GateConfig};
use super::issuer::IssuerConfig;
use super::problem::Problem;
use super::route::RouteConfig;
use super::settings::ProxyConfig;
use super::token::TokenConfig;
use crate::answer::AnswerSettings;
use crate::identity::DEFAULT_PREFIX;
use crate::metadata::metadata_url;
use crate::methods::Methods;
use crate::origin::PublicOrigin;
use crate::proxy::{CertificateFormat, OriginHeaders, TrustedProxy};
use crate::route_table::RouteTable;
use crate::rules::{Guard, Rules};
use crate::template::Template;

/// A configuration, compiled: the rules, and where the keys of their issuers are from, in the issuers' order.
pub struct Compiled {
    /// The rules.
    pub rules: Rules,
    /// Where the keys are from.
    pub keys: Vec<KeyLocation>,
    /// The file whose first secret belongs into `rules.identity_secret`, by whoever reads files ([`read_secrets`]); its name
    /// may be relative to the configuration.
    ///
    /// [`read_secrets`]: crate::read_secrets
    pub identity_secret_file: Option<String>,
}

/// Where the keys of an issuer are from.
pub enum KeyLocation {
    /// They stand in the configuration.
    Given(Arc<KeySet>),
    /// A file has them; its name may be relative to the configuration.
    File(String),
    /// They are fetched: from a URL, or as the issuer's metadata says.
    Remote,
}

impl GateConfig {
    /// Compiles the rules. Nothing is read or fetched.
    ///
    /// # Errors
    /// [`ConfigError`] if its parts contradict each other, as two issuers that claim the same tokens.
    pub fn compile(&self) -> Result<Compiled, ConfigError> {
        let keys = self.key_locations()?;
        let policies = self.policies()?;
        let mut guards = Vec::with_capacity(self.routes.len());
        let mut templates = Vec::with_capacity(self.routes.len());
        for (index, route) in self.routes.iter().enumerate() {
            let path = format!("routes[{index}]");
            let template =
                Template::parse(&route.path).map_err(|error| self.error(format!("{path}.path"), error.to_string()))?;
            let variables: Vec<&str> = template.variables().collect();
            guards.push(Arc::new(self.guard(route, &variables, &policies, &path)?));
            templates.push((template, route.methods.clone().map_or(Methods::Any, Methods::OneOf)));
        }
        let issuers = IssuerTable::new(&self.issuers.iter().map(IssuerConfig::names).collect::<Vec<_>>());
        let limits = self.largest_limits();
        let unknown_issuer_policy = match policies.as_slice() {
            [only] => Arc::clone(only),
            _ => Arc::new(self.token.policy(&TokenConfig::default(), limits, None).map_err(|e| self.at("token", &e))?),
        };
        let origin = PublicOrigin::new(&self.public_url)
            .map_err(|error| self.error("public_url".to_owned(), error.to_string()))?;
        let rules = Rules {
            answers: self.answers(&origin),
            origin,
            proxy: TrustedProxy::from(&self.proxy),
            identity_prefix: self.identity_prefix.clone().unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
            identity_secret: None,
            proofs: self.proofs().map_err(|error| self.at("dpop", &error))?,
            issuers: Arc::new(issuers.map_err(|error| self.at("issuers", &error))?),
            issuer_names: self.issuer_names(),
            limits,
            unknown_issuer_policy,
            routes: RouteTable::compile(templates),
            guards,
        };
        Ok(Compiled { rules, keys, identity_secret_file: self.identity_secret_file.clone() })
    }

    /// What is required of a request whose route another router has chosen, which takes nothing from its path.
    ///
    /// # Errors
    /// [`ConfigError`] if the route contradicts the configuration.
    pub fn guard_of(&self, route: &RouteConfig) -> Result<Guard, ConfigError> {
        self.guard(route, &[], &self.policies()?, "")
    }

    fn guard(
        &self,
        route: &RouteConfig,
        variables: &[&str],
        policies: &[Arc<Policy>],
        path: &str,
    ) -> Result<Guard, ConfigError> {
        let accepts =
            |issuer: &IssuerConfig| route.issuers.as_ref().is_none_or(|accepted| accepted.contains(&issuer.issuer));
        let mut of_route = Vec::with_capacity(policies.len());
        for (issuer, own) in self.issuers.iter().zip(policies) {
            of_route.push(match (&route.audience, accepts(issuer)) {
                (_, false) => None,
                (None, true) => Some(Arc::clone(own)),
                (audience, true) => {
                    Some(Arc::new(issuer.policy(&self.token, audience.as_deref()).map_err(|e| self.at(path, &e))?))
                }
            });
        }
        Guard::compile(route, Some(variables), of_route, &self.issuer_names())
            .map_err(|error| self.error(format!("{path}.{}", error.member), error.message))
    }

    fn issuer_names(&self) -> Vec<Arc<str>> {
        self.issuers.iter().map(|issuer| Arc::from(issuer.issuer.as_str())).collect()
    }

    /// The policy of each issuer.
    fn policies(&self) -> Result<Vec<Arc<Policy>>, ConfigError> {
        let compile = |(index, issuer): (usize, &IssuerConfig)| {
            let policy = issuer.policy(&self.token, None).map(Arc::new);
            policy.map_err(|error| self.at(&format!("issuers[{index}]"), &error))
        };
        self.issuers.iter().enumerate().map(compile).collect()
    }

    fn key_locations(&self) -> Result<Vec<KeyLocation>, ConfigError> {
        let locate = |(index, issuer): (usize, &IssuerConfig)| {
            issuer.key_location().map_err(|message| self.error(format!("issuers[{index}]"), message))
        };
        self.issuers.iter().enumerate().map(locate).collect()
    }

    /// Within these limits the issuer of a token is read; the issuer that it names then applies its own.
    fn largest_limits(&self) -> Limits {
        let default = self.token.limits(&TokenConfig::default());
        let own = self.issuers.iter().map(|issuer| issuer.token.limits(&self.token));
        own.reduce(|a, b| Limits { token: a.token.max(b.token), header: a.header.max(b.header) }).unwrap_or(default)
    }

    fn answers(&self, origin: &PublicOrigin) -> AnswerSettings {
        let resource = self.resource.as_deref().unwrap_or(origin.first());
        AnswerSettings {
            realm: self.realm.clone(),
            resource_metadata: metadata_url(resource),
            algorithms: match &self.dpop.algorithms {
                Some(algorithms) => algorithms.join(" "),
                None => ProofPolicy::DEFAULT_ALGORITHMS.map(Algorithm::name).join(" "),
            },
        }
    }

    fn proofs(&self) -> Result<ProofPolicy, PolicyError> {
        let algorithms = match &self.dpop.algorithms {
            Some(names) => names.iter().filter_map(|name| Algorithm::from_name(name)).collect(),
            None => ProofPolicy::DEFAULT_ALGORITHMS.into_iter().collect(),
        };
        let max_age = self.dpop.max_age.unwrap_or(ProofPolicy::DEFAULT_MAX_AGE);
        ProofPolicy::new(PROOF_LIMITS, algorithms, max_age, self.dpop.leeway.unwrap_or(ProofPolicy::DEFAULT_LEEWAY))
    }

    fn at(&self, path: &str, error: &PolicyError) -> ConfigError {
        self.error(path.to_owned(), error.to_string())
    }

    fn error(&self, path: String, message: String) -> ConfigError {
        ConfigError { problems: vec![Problem { position: self.position(&path), path, message }] }
    }
}

impl IssuerConfig {
    fn names(&self) -> IssuerNames {
        IssuerNames {
            name: self.issuer.clone(),
            spellings: self.spellings().map(str::to_owned).collect(),
            tenants: self.tenants.clone(),
            trust_domain: self.trust_domain().map(str::to_owned),
        }
    }

    /// What this issuer's tokens must fulfil: what it says itself, otherwise what `[token]` says; `audience` replaces both.
    fn policy(&self, token: &TokenConfig, audience: Option<&[String]>) -> Result<Policy, PolicyError> {
        let policy = self.token.policy(token, self.token.limits(token), audience)?;
        let policy = match &self.audience_claim {
            Some(claim) => policy.with_audience_claim(claim)?,
            None => policy,
        };
        let spellings = self.spellings().map(str::to_owned).collect();
        match (self.trust_domain(), &self.tenants) {
            (Some(domain), _) => policy.with_trust_domain(domain),
            (None, Some(tenants)) => policy.with_tenants(spellings, tenants.clone()),
            (None, None) => policy.with_issuers(spellings),
        }
    }

    fn key_location(&self) -> Result<KeyLocation, String> {
        let keys = match (&self.jwks, &self.pem, &self.jwks_file) {
            (Some(jwks), ..) => KeySet::from_json(jwks.as_bytes(), Backend::Default).map_err(|error| error.to_string()),
            (_, Some(pem), _) => KeySet::from_pem(pem, None, None, Backend::Default).map_err(|error| error.to_string()),
            (_, _, Some(file)) => return Ok(KeyLocation::File(file.clone())),
            _ => return Ok(KeyLocation::Remote),
        };
        keys.map(|keys| KeyLocation::Given(Arc::new(keys)))
    }
}

impl TokenConfig {
    /// The policy without an issuer: what is said here, otherwise what `others` say, otherwise the kernel's defaults.
    fn policy(&self, others: &Self, limits: Limits, audience: Option<&[String]>) -> Result<Policy, PolicyError> {
        let audience = match (audience, [self, others].into_iter().find(|config| config.names_audience())) {
            (Some(of_route), _) => Audience::OneOf(of_route.to_vec()),
            (None, Some(config)) => config.audience.clone().map_or(Audience::Any, Audience::OneOf),
            (None, None) => Audience::default(),
        };
        let mut jws = JwsPolicy::default().with_limits(limits)?;
        if let Some(types) = self.types.as_ref().or(others.types.as_ref()) {
            jws = jws.with_types(types)?;
        }
        if let Some(algorithms) = self.algorithms.as_ref().or(others.algorithms.as_ref()) {
            jws = jws.with_algorithms(algorithms)?;
        }
        let mut policy = Policy::default().with_jws(jws).with_audience(audience)?;
        if let Some(leeway) = self.leeway.or(others.leeway) {
            policy = policy.with_leeway(leeway)?;
        }
        if let Some(required) = self.required.as_ref().or(others.required.as_ref()) {
            policy = policy.with_required(required.clone());
        }
        if let Some(claims) = self.scope_claims.as_ref().or(others.scope_claims.as_ref()) {
            policy = policy.with_scope_claims(ScopeClaims::new(claims.clone())?);
        }
        Ok(match self.bound_tokens.or(others.bound_tokens) {
            Some(treatment) => policy.with_bound_tokens(treatment),
            None => policy,
        })
    }
}

impl From<&ProxyConfig> for TrustedProxy {
    fn from(config: &ProxyConfig) -> Self {
        let format = config.certificate_format.and_then(CertificateFormat::from_name).unwrap_or_default();
        Self {
            origin: config.origin.and_then(OriginHeaders::from_name),
            certificate: config.certificate_header.clone().map(|header| (header, format)),
        }
    }
}
