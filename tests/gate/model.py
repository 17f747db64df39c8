"""The gate's rules in Python: an independent model, which the gate is compared with.

Written from the documents and the RFCs (6750, 7239, 8693, 8705, 9110, 9449, 9470), not from the gate. It knows nothing
of cryptography: :mod:`sent` knows the facts of each token and proof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

import model_paths as paths
import model_scopes as scopes
import sent
from sent import BY_RAW, ISSUERS, NOW, PROOFS, Proof, Token

#: The characters of identity headers that are not percent-encoded.
_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "%,")

Pairs = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Rule:
    """A route: the same fields as :class:`watchword.gate.Route`."""

    path: str
    methods: tuple[str, ...] | None = None
    name: str | None = None
    public: bool = False
    optional: bool = False
    issuers: tuple[str, ...] | None = None
    audience: str | None = None
    scopes: tuple[str, ...] = ()
    scope_grammar: str = "plain"
    dpop: str = "allowed"
    max_depth: int | None = None
    require_human_root: bool = False
    allowed_actors: tuple[str, ...] | None = None
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None


@dataclass(frozen=True)
class Configuration:
    """What a gate is configured with."""

    rules: tuple[Rule, ...]
    issuers: tuple[str, ...] = ("first", "second")
    public_url: str = "https://api.example"
    identity_prefix: str = "X-Auth-"
    origin_headers: str | None = None
    certificate_header: str | None = None
    certificate_format: str = "escaped-pem"
    token_cache: bool = False


@dataclass(frozen=True)
class Request:
    """A request as a server received it."""

    method: str
    target: bytes
    headers: Pairs = field(default_factory=list)
    certificate: bytes | None = None
    as_text: bool = False
    """Whether the server passes the headers on as ``str``."""
    is_async: bool = False


STATUSES = {
    "allowed": 200,
    "malformed_request": 400,
    "ambiguous_path": 400,
    "token_in_query": 400,
    "no_route": 403,
    "insufficient_scope": 403,
    "delegation_too_deep": 403,
    "delegation_no_human_root": 403,
    "delegation_actor_not_allowed": 403,
}
"""Those of the codes that are not 401."""


@dataclass(frozen=True)
class Verdict:
    """What the model says of a request."""

    code: str
    route: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    token: Token | None = None
    proof: str | None = None
    """Its ``jti``."""
    scheme: str | None = None


class _Rejected(Exception):
    """Ends a check; its argument is the code."""


@dataclass
class _Credentials:
    scheme: str
    token: Token
    proof: Proof | None


class Model:
    """The rules for one gate. Used proofs are kept."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self._used: set[tuple[str, str]] = set()
        families = {None: [], "x-forwarded": [b"x-forwarded-proto", b"x-forwarded-host"], "forwarded": [b"forwarded"]}
        #: A trusted proxy replaces what clients send under these names: they occur at most once.
        self._proxy_headers: list[bytes] = families[configuration.origin_headers]
        if configuration.certificate_header is not None:
            self._proxy_headers.append(configuration.certificate_header.lower().encode())

    def check(self, request: Request) -> Verdict:
        """Return the verdict on a request."""
        path, _, query = request.target.partition(b"?")
        normal = paths.normal_path(path)
        if normal is None:
            return Verdict("ambiguous_path")
        if paths.has_token(query):
            return Verdict("token_in_query")
        rule, variables = self._route(request.method, normal)
        if rule is None:
            return Verdict("no_route")
        route = rule.name or rule.path
        hosts = {value.strip(b" \t").lower() for value in _values(request.headers, b"host")}
        if (
            len(hosts) > 1
            or any(len(_values(request.headers, name)) > 1 for name in self._proxy_headers)
            or self._names_identity(request.headers)
        ):
            return Verdict("malformed_request", route, variables)
        if rule.public:
            try:
                self._credentials(request.headers)
            except _Rejected as rejected:
                if str(rejected) != "dpop_missing_proof":
                    return Verdict(str(rejected), route, variables)
            return Verdict("allowed", route, variables)
        credentials = scheme = None
        try:
            credentials = self._credentials(request.headers)
            scheme = None if credentials is None else credentials.scheme
            self._check(rule, variables, credentials, request, normal)
        except _Rejected as rejected:
            return Verdict(str(rejected), route, variables, scheme=scheme)
        if credentials is None:
            return Verdict("allowed", route, variables)
        proof = None if credentials.proof is None else credentials.proof.identifier
        return Verdict("allowed", route, variables, credentials.token, proof, scheme)

    def forwarded(self, headers: Pairs) -> Pairs:
        """Return the headers that may reach the application."""
        return [(name, value) for name, value in headers if not self._is_forged(name)]

    def identity(self, verdict: Verdict) -> dict[str, str]:
        """Return the identity headers of a request that may pass whose values are known here, without their prefix."""
        token = verdict.token
        values: dict[str, list[str]] = {
            "Sub": [] if token is None else [token.subject],
            "Iss": [] if token is None else [token.issuer or ""],
            "Scope": [] if token is None else list(token.scopes),
            "Actors": [] if token is None else list(token.actors),
            "Jkt": [] if token is None or verdict.proof is None else [token.jkt or ""],
            "Route": [verdict.route or ""],
        }
        return {name: " ".join(quote(one, safe=_PRINTABLE) for one in several) for name, several in values.items()}

    def _is_forged(self, name: bytes) -> bool:
        read = _as_read(name)
        if read.startswith(_as_read(self.configuration.identity_prefix.encode())):
            return True
        # A name that is read as one of the proxy's, which its exact name overwrites.
        return any(read == _as_read(own) and name.lower() != own for own in self._proxy_headers)

    def _names_identity(self, headers: Pairs) -> bool:
        """Whether a client wants the next server to remove a header of ours (RFC 9110 section 7.6.1)."""
        options = [
            option.strip(b" \t") for value in _values(headers, b"connection") for option in value.lower().split(b",")
        ]
        prefix = _as_read(self.configuration.identity_prefix.encode())
        return any(_as_read(one).startswith(prefix) or one in (b"authorization", b"dpop") for one in options)

    def _route(self, method: str, path: str) -> tuple[Rule | None, dict[str, str]]:
        for rule in self.configuration.rules:
            methods = None if rule.methods is None else {*rule.methods, *({"HEAD"} if "GET" in rule.methods else ())}
            variables = paths.match(rule.path, path)
            if variables is not None and (methods is None or method in methods):
                return rule, variables
        return None, {}

    # Credentials (RFC 6750 section 2.1, RFC 9449 section 7.1).

    def _credentials(self, headers: Pairs) -> _Credentials | None:
        authorization, proofs = _values(headers, b"authorization"), _values(headers, b"dpop")
        if len(authorization) > 1:
            raise _Rejected("malformed_request")
        # A comma joins repeated headers; no proof contains one.
        if len(proofs) > 1 or any(b"," in value for value in proofs):
            raise _Rejected("dpop_several_proofs")
        if not authorization:
            return None
        scheme, _, text = authorization[0].partition(b" ")
        if scheme.lower() not in (b"bearer", b"dpop"):
            if re.search(rb",[ \t]*(bearer|dpop)(?![^ \t,])", authorization[0], re.IGNORECASE):
                raise _Rejected("malformed_request")  # two headers, joined
            return None
        text = text.strip(b" ")
        if not re.fullmatch(rb"[A-Za-z0-9\-._~+/]+=*", text):
            raise _Rejected("malformed_request")
        token = BY_RAW.get(text.decode(), Token(text.decode(), error="malformed_token"))
        if scheme.lower() == b"bearer":
            return _Credentials("Bearer", token, None)
        if not proofs:
            raise _Rejected("dpop_missing_proof")
        raw = proofs[0].decode("latin-1")
        return _Credentials("DPoP", token, PROOFS.get(raw, Proof(raw, error="dpop_malformed_proof")))

    # The token, then the proof, then the requirements, then replay.

    def _check(
        self, rule: Rule, variables: dict[str, str], credentials: _Credentials | None, request: Request, path: str
    ) -> None:
        if credentials is None:
            if rule.optional:
                return
            raise _Rejected("missing_token")
        token, proof = credentials.token, credentials.proof
        # What the proxy says is read before the token, so that a misconfigured proxy is found by the first request.
        certificate = self._certificate(request)
        uri = "" if proof is None else self._origin(request.headers) + path
        self._check_token(rule, token)
        self._check_binding(token, proof, certificate)
        if proof is not None:
            self._check_proof(token, proof, request.method, uri)
        self._check_requirements(rule, variables, token)
        if proof is not None:
            if (proof.jkt, proof.identifier) in self._used:
                raise _Rejected("dpop_replayed")
            self._used.add((proof.jkt, proof.identifier))

    def _check_token(self, rule: Rule, token: Token) -> None:
        if token.error is not None:
            raise _Rejected(token.error)
        configured = [ISSUERS[name].issuer for name in self.configuration.issuers]
        if token.issuer not in configured or (rule.issuers is not None and token.issuer not in rule.issuers):
            raise _Rejected("wrong_issuer")
        for error in (token.signature, token.claims_error):
            if error is not None:
                raise _Rejected(error)
        if (rule.audience or sent.AUDIENCE) not in token.audience:
            raise _Rejected("wrong_audience")

    def _check_binding(self, token: Token, proof: Proof | None, certificate: bytes | None) -> None:
        if token.other_binding:
            raise _Rejected("unsupported")
        if token.certificate is not None and certificate != token.certificate:
            raise _Rejected("certificate_required" if certificate is None else "certificate_mismatch")
        if token.jkt is not None and proof is None:
            raise _Rejected("dpop_proof_required")
        if token.jkt is None and proof is not None:
            raise _Rejected("dpop_unbound_token")

    def _check_proof(self, token: Token, proof: Proof, method: str, uri: str) -> None:
        if proof.error is not None:
            raise _Rejected(proof.error)
        if proof.jkt != token.jkt:
            raise _Rejected("dpop_key_mismatch")
        if proof.signature is not None:
            raise _Rejected(proof.signature)
        if proof.method != method:
            raise _Rejected("dpop_wrong_method")
        if paths.normal_uri(proof.uri) != paths.normal_uri(uri):
            raise _Rejected("dpop_wrong_uri")
        if proof.time_error is not None:
            raise _Rejected(proof.time_error)
        if proof.access_token is None:
            raise _Rejected("dpop_missing_claim")
        if proof.access_token != token.raw:
            raise _Rejected("dpop_wrong_access_token")

    def _check_requirements(self, rule: Rule, variables: dict[str, str], token: Token) -> None:
        if rule.dpop == "required" and token.jkt is None:
            raise _Rejected("dpop_bound_token_required")
        for scope in rule.scopes:
            required = scopes.required(rule.scope_grammar, scope, variables)
            if required is None or not scopes.allows(rule.scope_grammar, token.scopes, required):
                raise _Rejected("insufficient_scope")
        if (rule.acr_values and token.acr not in rule.acr_values) or (
            rule.max_age is not None
            and (token.authenticated_at is None or not -5 <= NOW - token.authenticated_at <= rule.max_age + 5)
        ):
            raise _Rejected("insufficient_user_authentication")
        if rule.max_depth is not None and len(token.actors) > rule.max_depth:
            raise _Rejected("delegation_too_deep")
        if rule.require_human_root and not token.subject.startswith("user:"):
            raise _Rejected("delegation_no_human_root")
        if rule.allowed_actors is not None and not set(token.actors) <= set(rule.allowed_actors):
            raise _Rejected("delegation_actor_not_allowed")

    # What a trusted proxy says.

    def _origin(self, headers: Pairs) -> str:
        """Return the scheme and host that the client requested, and the path that precedes all others."""
        match self.configuration.origin_headers:
            case None:
                return self.configuration.public_url
            case "x-forwarded":
                scheme, host = _only(headers, "x-forwarded-proto"), _only(headers, "x-forwarded-host")
            case _:
                if "," in (_only(headers, "forwarded") or ""):
                    raise _Rejected("malformed_request")  # two elements: another proxy's, too
                parameters = [
                    (name.lower(), value.strip('"'))
                    for name, _, value in (
                        part.partition("=") for part in (_only(headers, "forwarded") or "").split(";")
                    )
                ]
                named = dict(parameters)
                if len(named) < len(parameters):
                    raise _Rejected("malformed_request")
                scheme, host = named.get("proto"), named.get("host")
        if not scheme or scheme.lower() not in ("http", "https") or not re.fullmatch(r"[\w.-]+(:\d+)?", host or ""):
            raise _Rejected("malformed_request")
        return f"{scheme}://{host}{urlsplit(self.configuration.public_url).path}"

    def _certificate(self, request: Request) -> bytes | None:
        """Return the certificate in DER, by the proxy's header if there is one: the connection is then the proxy's."""
        name = self.configuration.certificate_header
        if name is None:
            return request.certificate
        text = _only(request.headers, name)
        return _certificate_in(text, self.configuration.certificate_format) if text else None


def _only(headers: Pairs, name: str) -> str | None:
    """Return the value of a header that occurs at most once."""
    values = _values(headers, name.lower().encode())
    return values[0].decode("latin-1") if values else None


def _certificate_in(text: str, form: str) -> bytes:
    if form == "xfcc":
        # A comma separates what several proxies have set, and only one is trusted.
        found = [] if "," in text else re.findall(r'(?:^|;)Cert="([^"]*)"', text)
        text = found[0] if len(found) == 1 else ""
    for der in sent.CERTIFICATES.values():
        if unquote(text) == sent.pem(der):
            return der
    raise _Rejected("malformed_request")


def _values(headers: Pairs, name: bytes) -> list[bytes]:
    return [value.strip(b" \t") for found, value in headers if found.lower() == name]


def _as_read(name: bytes) -> bytes:
    """Return what servers and gateways read a header's name as: WSGI and CGI do not tell ``-`` from ``_``."""
    return name.lower().replace(b"_", b"-").replace(b".", b"-")
