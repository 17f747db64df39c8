//! From a request to its token: the path, the route, the credentials, the issuer.

use std::sync::Arc;

use watchword_kernel::{Policy, UnixTime};

use crate::certificate::Certificate;
use crate::credentials::{Credentials, CredentialsError};
use crate::decision::{Allowed, Context, Decision};
use crate::failure::Failure;
use crate::fields::{Fields, is_read, is_removed};
use crate::path::{NormalPath, split_target};
use crate::proxy;
use crate::query::has_access_token;
use crate::request::{Header, Request};
use crate::rules::{Access, Guard, Rules, wrong_issuer};
use crate::sent_token::{SentProof, SentToken};
use crate::template::Variables;

/// How far a request came before its token is verified.
#[allow(clippy::large_enum_variant, reason = "moved once, to the caller")]
pub enum Read {
    /// There is a decision.
    Decided(Decision),
    /// The token has to be verified.
    Token(SentToken),
}

impl Rules {
    /// Reads a request, in the order: path, query, route, credentials, issuer.
    pub fn read(self: &Arc<Self>, request: &Request<'_>, now: UnixTime) -> Read {
        let (fields, context) = self.begin(request);
        let path = match check_target(request) {
            Ok(path) => path,
            Err(failure) => return Read::Decided(context.reject(failure)),
        };
        let Some(matched) = self.routes.find(request.method, &path) else {
            return Read::Decided(context.reject(Failure::new("no_route")));
        };
        let Some(guard) = self.guards.get(matched.index).map(Arc::clone) else {
            return Read::Decided(context.reject(Failure::new("internal_error")));
        };
        self.read_guarded(request, &path, &fields, Context { variables: matched.variables, ..context }, guard, now)
    }

    /// The same for a request whose route another router has chosen: `guard` is what is required, and `variables` are those
    /// of the path.
    pub fn read_for(
        self: &Arc<Self>,
        guard: &Arc<Guard>,
        variables: Variables,
        request: &Request<'_>,
        now: UnixTime,
    ) -> Read {
        let (fields, context) = self.begin(request);
        match check_target(request) {
            Ok(path) => {
                self.read_guarded(request, &path, &fields, Context { variables, ..context }, Arc::clone(guard), now)
            }
            Err(failure) => Read::Decided(context.reject(failure)),
        }
    }

    /// Whether a header with this name has any influence on a decision, so that a server has to pass it on.
    pub fn reads_header(&self, name: &[u8]) -> bool {
        is_read(name, &self.proxy, &self.identity_prefix)
    }

    /// Whether a header with this name must not reach the application, as [`Decision::is_removed`].
    pub fn removes_header(&self, name: &[u8]) -> bool {
        is_removed(name, &self.proxy, &self.identity_prefix)
    }

    /// The decision for an exception in a server, so that it fails closed.
    pub fn failed(self: &Arc<Self>) -> Decision {
        self.reject(&[], Failure::new("internal_error"))
    }

    /// The decision for a failure that a server finds before the gate reads a request with these headers.
    pub fn reject(self: &Arc<Self>, headers: &[Header<'_>], failure: Failure) -> Decision {
        let unread = Request { method: "", target: b"", headers, certificate: None, form: None };
        self.begin(&unread).1.reject(failure)
    }

    fn begin<'a>(self: &Arc<Self>, request: &Request<'a>) -> (Fields<'a>, Context) {
        let fields = Fields::read(request.headers, &self.proxy, &self.identity_prefix);
        let context = Context {
            rules: Arc::clone(self),
            guard: None,
            variables: Variables::default(),
            trace_id: fields.trace_id,
            has_removed: fields.has_removed,
            scheme: None,
            issuer: None,
        };
        (fields, context)
    }

    fn read_guarded(
        &self,
        request: &Request<'_>,
        path: &NormalPath,
        fields: &Fields<'_>,
        context: Context,
        guard: Arc<Guard>,
        now: UnixTime,
    ) -> Read {
        let mut context = Context { guard: Some(Arc::clone(&guard)), ..context };
        if let Some(what) = fields.malformed {
            return Read::Decided(context.reject(malformed(what)));
        }
        let is_public = guard.access == Access::Public;
        let sent = match fields.credentials.read() {
            // Repeated or malformed credentials reach no application: it could read them differently.
            Ok(_) | Err(CredentialsError::MissingToken | CredentialsError::MissingProof) if is_public => {
                return Read::Decided(context.allow(Allowed::default()));
            }
            Ok(sent) => sent,
            Err(CredentialsError::MissingToken) => return Read::Decided(without_token(request, context, &guard)),
            Err(error) => {
                let failure = Failure::with_detail(error.code(), error.detail().to_owned());
                return Read::Decided(context.reject(failure));
            }
        };
        context.scheme = Some(sent.scheme);
        let (proof, certificate) = match (self.proof(request, path, fields, &sent), self.certificate(request, fields)) {
            (Ok(proof), Ok(certificate)) => (proof, certificate),
            (Err(failure), _) | (_, Err(failure)) => return Read::Decided(context.reject(failure)),
        };
        let Some((issuer, policy)) = self.issuer_of(sent.token, &guard) else {
            let failure = self.check_without_keys(sent.token, &self.unknown_issuer_policy, now);
            let failure = failure.unwrap_or_else(wrong_issuer);
            return Read::Decided(context.reject_token(failure, None, sent.token.to_vec()));
        };
        context.issuer = Some(issuer);
        let token = sent.token.to_vec();
        Read::Token(SentToken { context, guard, policy, issuer, token, proof, certificate })
    }

    /// The issuer that a token states, unverified, and what its tokens must fulfil here. If only one issuer's tokens are
    /// accepted, nothing is read of the token.
    fn issuer_of(&self, token: &[u8], guard: &Guard) -> Option<(usize, Arc<Policy>)> {
        let index = match guard.only_issuer() {
            Some(index) => index,
            None => self.issuers.find_in(token, &self.limits)?,
        };
        guard.policies.get(index)?.as_ref().map(|policy| (index, Arc::clone(policy)))
    }

    fn proof(
        &self,
        request: &Request<'_>,
        path: &NormalPath,
        fields: &Fields<'_>,
        sent: &Credentials<'_>,
    ) -> Result<Option<SentProof>, Failure> {
        let Some(proof) = sent.proof else { return Ok(None) };
        let uri = match self.proxy.origin {
            None => self.origin.uri(path.as_str(), fields.host),
            Some(family) => {
                let origin = proxy::origin(family, fields.origin)
                    .ok_or_else(|| malformed("the proxy's headers with the origin are missing or malformed"))?;
                origin + self.origin.prefix() + path.as_str()
            }
        };
        Ok(Some(SentProof { proof: proof.to_vec(), method: request.method.to_owned(), uri }))
    }

    /// The certificate of the client: by the proxy's header if there is one, as the connection is then the proxy's.
    fn certificate(&self, request: &Request<'_>, fields: &Fields<'_>) -> Result<Option<Certificate>, Failure> {
        match &self.proxy.certificate {
            None => Ok(request.certificate.map(Certificate::from)),
            Some((_, format)) => match fields.certificate {
                None => Ok(None),
                Some(value) => proxy::certificate(*format, value).map_err(malformed),
            },
        }
    }
}

fn check_target(request: &Request<'_>) -> Result<NormalPath, Failure> {
    let (path, query) = split_target(request.target);
    let path = NormalPath::parse(path).map_err(|error| Failure::with_detail("ambiguous_path", error.to_string()))?;
    match query.is_some_and(has_access_token) {
        true => Err(Failure::new("token_in_query")),
        false => Ok(path),
    }
}

fn without_token(request: &Request<'_>, context: Context, guard: &Guard) -> Decision {
    if request.form.is_some_and(has_access_token) {
        return context.reject(Failure::new("token_in_body"));
    }
    match guard.access {
        Access::Optional => context.allow(Allowed::default()),
        _ => context.reject(Failure::new("missing_token")),
    }
}

fn malformed(what: &str) -> Failure {
    Failure::with_detail("malformed_request", what.to_owned())
}
