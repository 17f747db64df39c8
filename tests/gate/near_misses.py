"""Strategies for requests that are almost right: a valid request for a route, changed in a few ways."""

from __future__ import annotations

import re
from urllib.parse import quote

import sent
from hypothesis import strategies as st
from model import Configuration, Pairs, Request, Rule
from proofs import jkt
from sent import AUDIENCE, CERTIFICATES, DEFECTS, HOLDERS, ISSUERS, OTHER_AUDIENCE, TOKENS, Token

# Routes.

TEMPLATES = (
    "/",
    "/orders",
    "/orders/",
    "/orders/{id}",
    "/orders/{id}/items/{item}",
    "/orders/new",
    "/{kind}/{id}",
    "/files/{path...}",
    "/users/{id}/",
    "/caf%C3%A9/{id}",
    "/{path...}",
)
METHODS = ("GET", "POST", "HEAD", "DELETE")
REQUIRED_SCOPES = {
    "plain": ("read", "write", "orders:{id}", "orders:1", "admin"),
    "resource": ("orders.1:read", "orders.{id}:read", "users.{id}:read", "{id}:read", "owner"),
    "slot": ("read:orders:1", "read:orders:{id}", "write:orders:{id}", "read:users:{id}"),
}


@st.composite
def rules(draw: st.DrawFn, issuers: tuple[str, ...]) -> Rule:
    path = draw(st.sampled_from(TEMPLATES))
    kind = draw(st.sampled_from(["public", "optional", "token", "token", "token"]))
    methods = draw(st.none() | st.lists(st.sampled_from(METHODS), min_size=1, max_size=2, unique=True).map(tuple))
    name = draw(st.sampled_from([None, None, "orders"]))
    if kind == "public":
        return Rule(path, methods, name, public=True)
    grammar = draw(st.sampled_from(list(REQUIRED_SCOPES)))
    usable = [scope for scope in REQUIRED_SCOPES[grammar] if "{id}" not in scope or "{id}" in path]
    return Rule(
        path,
        methods,
        name,
        optional=kind == "optional",
        issuers=draw(st.sampled_from([None, None, None, *((ISSUERS[name].issuer,) for name in issuers)])),
        audience=draw(st.sampled_from([None, None, None, OTHER_AUDIENCE, AUDIENCE])),
        scopes=draw(st.lists(st.sampled_from(usable), max_size=2, unique=True).map(tuple)),
        scope_grammar=grammar,
        dpop=draw(st.sampled_from(["allowed", "allowed", "required"])),
        max_depth=draw(st.sampled_from([None, None, None, 0, 1])),
        require_human_root=draw(st.sampled_from([False, False, False, True])),
        allowed_actors=draw(st.sampled_from([None, None, None, (), ("mailer",)])),
        acr_values=draw(st.sampled_from([(), (), (), ("strong",), ("stronger", "weak")])),
        max_age=draw(st.sampled_from([None, None, None, 0, 60])),
    )


PREFIXES = ("X-Auth-", "x-auth-", "X-Id-9-", "Remote-")


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    certificate_format = draw(st.sampled_from([None, None, "escaped-pem", "xfcc"]))
    issuers = draw(st.sampled_from([("first", "second"), ("first",)]))
    return Configuration(
        tuple(draw(st.lists(rules(issuers), min_size=1, max_size=4))),
        issuers=issuers,
        public_url=draw(st.sampled_from(["https://api.example", "http://api.example:8080", "https://api.example/v1"])),
        identity_prefix=draw(st.sampled_from(PREFIXES)),
        origin_headers=draw(st.sampled_from([None, None, "x-forwarded", "forwarded"])),
        certificate_header=certificate_format and draw(st.sampled_from(["X-Client-Cert", "x-forwarded-client-cert"])),
        certificate_format=certificate_format or "escaped-pem",
        token_cache=draw(st.booleans()),
    )


# Paths and queries.

VALUES = (
    "1",
    "2",
    "new",
    "a:b",
    "a.b",
    "*",
    "orders",
    "caf%C3%A9",
    "a%20b",
    "~x",
    "**",
    "%EF%BF%BD",
    "a@b,c=d",
    "%2A",
    "a%3Ab",
)
PATH_TRICKS = (
    "//", "/./", "/../", "/%2e%2e/", "%2f", "%5C", "\\", ";", "%3b", ";a=b", "%252e", "%00", "%0d%0a", "%ff", "%c3",
    "%", "%4", "%zz", " ", "\t", "#", "|", "\u00e9", "%c3%a9", "%6F", "%7e", "%41", "*", ":", "@", "/", ".", "..",
    "%2E", "%2A", "%3a", "\x00", "[", "{id}", "'", "%27", "%EF%BC%8F",
)  # fmt: skip
QUERIES = (
    "", "?", "?x=2", "?access_token=x", "?x=2&access_token=x", "?access%5Ftoken=x", "?%61ccess_token", "?access_token",
    "?ACCESS_TOKEN=x", "?xaccess_token=x", "?x=access_token", "?x=1;access_token=x", "?access+token=x", "?a=/../",
    "?access_token%3Dx", "?&&access_token=", "?x=?access_token=x", "?%", "?x=%ff", "?=access_token",
    "?access_token[]=x",
)  # fmt: skip


@st.composite
def paths(draw: st.DrawFn, template: str) -> str:
    path = re.sub(r"\{\w+\}", lambda _: draw(st.sampled_from(VALUES)), template)
    path = re.sub(r"\{\w+\.\.\.\}", lambda _: "/".join(draw(st.lists(st.sampled_from(VALUES), max_size=3))), path)
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2]))):
        at = draw(st.integers(0, len(path)))
        path = path[:at] + draw(st.sampled_from(PATH_TRICKS)) + path[at:]
    return path


# Headers.

IDENTITY_NAMES = ("Sub", "Iss", "Scope", "Anything", "sub", "Client_Id", "client.id", "Jkt", "")
HARMLESS = (b"Accept", b"X-Authority", b"XAuth-Sub", b"X-Auth", b"Auth-Sub", b"Host", b"X-Forwarded-For", b"Cookie")
SCHEMES = ("Bearer", "Bearer", "bearer", "BEARER")
DPOP_SCHEMES = ("DPoP", "DPoP", "dpop", "DPOP")
OTHER_SCHEMES = ("Basic", "Bearer\t", "", "DPoPx", "Bearer:", "Negotiate", "bearer,")


def spelled(name: str) -> st.SearchStrategy[str]:
    """A header's name in any case, and with dots and underscores for dashes."""
    characters = [
        st.sampled_from([ch.lower(), ch.upper()] if ch.isalpha() else ["-", "_", "."] if ch in "-_." else [ch])
        for ch in name
    ]
    return st.tuples(*characters).map("".join)


@st.composite
def identity_headers(draw: st.DrawFn, configuration: Configuration) -> Pairs:
    names = st.sampled_from(IDENTITY_NAMES).flatmap(lambda name: spelled(configuration.identity_prefix + name))
    pairs = st.tuples(names.map(str.encode), st.sampled_from([b"admin", b"", b"a, b"]))
    others = st.tuples(st.sampled_from(HARMLESS), st.sampled_from([b"x", b"", b"a, b"]))
    options = [configuration.identity_prefix + "Sub", "close", "DPoP", "authorization", "x-auth", "keep-alive"]
    connection = st.tuples(
        st.sampled_from([b"Connection", b"connection"]),
        st.lists(st.sampled_from(options).flatmap(spelled), max_size=2).map(", ".join).map(str.encode),
    )
    proxies = [
        configuration.certificate_header or "X-Client-Cert",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "Forwarded",
    ]
    look_alikes = st.tuples(st.sampled_from(proxies).flatmap(spelled).map(str.encode), st.just(b"x"))
    return draw(
        st.lists(
            st.sampled_from([0] * 12 + [1, 2, 2]).flatmap([pairs | others, connection, look_alikes].__getitem__),
            max_size=4,
        )
    )


def _cased(name: str) -> st.SearchStrategy[bytes]:
    return st.sampled_from([name, name, name.lower(), name.upper()]).map(str.encode)


_PADDING = st.sampled_from(["", "", "", " ", "\t", "  "])


@st.composite
def authorization(draw: st.DrawFn, scheme: str, token: Token) -> bytes:
    space = draw(st.sampled_from([" "] * 8 + ["  ", "", "\t", "   ", " \t", " \x0c"]))
    tail = draw(
        st.sampled_from([""] * 12 + [",", " x", "=", ", Bearer x", ",dpop x", ", Bearer", "\x00", "\u00e9", " "])
    )
    return (draw(_PADDING) + scheme + space + token.raw + tail + draw(_PADDING)).encode("latin-1")


@st.composite
def changed(draw: st.DrawFn, pairs: Pairs) -> Pairs:
    """Headers, doubled, joined, renamed, removed, or in another order."""
    pairs = list(pairs)
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2]))):
        if not pairs:
            break
        at = draw(st.integers(0, len(pairs) - 1))
        name, value = pairs[at]
        match draw(st.sampled_from(["double", "join", "rename", "remove", "empty", "swap"])):
            case "double":
                pairs.insert(draw(st.integers(0, len(pairs))), (draw(_cased(name.decode("latin-1"))), value))
            case "join":
                pairs[at] = name, value + draw(st.sampled_from([b",", b", ", b";"])) + value
            case "rename":
                suffix = draw(st.sampled_from([b"_", b".", b"-", b" ", b"x", b"s"]))
                pairs[at] = draw(st.sampled_from([name + suffix, suffix + name, name.replace(b"-", b"_")])), value
            case "remove":
                del pairs[at]
            case "empty":
                pairs[at] = name, b""
            case "swap":
                pairs.insert(draw(st.integers(0, len(pairs) - 1)), pairs.pop(at))
    return pairs


@st.composite
def origin_pairs(draw: st.DrawFn, family: str | None) -> Pairs:
    """What a proxy says of the origin, or a client pretends."""
    host = draw(
        st.sampled_from(["api.example", "api.example", "API.example:443", "elsewhere.example", "", "a b", "a/b"])
    )
    scheme = draw(st.sampled_from(["https", "https", "http", "HTTPS", "ftp", ""]))
    both: Pairs = [
        (b"X-Forwarded-Proto", scheme.encode()),
        (b"X-Forwarded-Host", host.encode()),
    ]
    standard: Pairs = [(b"Forwarded", f'for=1.2.3.4;proto={scheme};host="{host}"'.encode())]
    if family is None:
        return draw(st.sampled_from([[], [], both, standard]))
    return {"x-forwarded": both, "forwarded": standard}[family]


@st.composite
def certificate_pairs(draw: st.DrawFn, configuration: Configuration, der: bytes | None) -> Pairs:
    name = configuration.certificate_header
    if name is None:
        return draw(st.sampled_from([[], [(b"X-Forwarded-Client-Cert", b"Hash=0")]]))
    if der is None:
        return []
    escaped = quote(sent.pem(der), safe="")
    value = escaped if configuration.certificate_format == "escaped-pem" else f'By=x;Cert="{escaped}";Subject="CN=x"'
    value = draw(st.sampled_from([value] * 6 + ["x", "", "%", f"{value},{value}", f"x,{value}", f"{value},x"]))
    return [(draw(_cased(name)), value.encode())]


@st.composite
def requests(draw: st.DrawFn, configuration: Configuration) -> Request:
    """A request that is almost right for one of the routes."""
    rule = draw(st.sampled_from(configuration.rules or [Rule("/orders")]))
    method = draw(st.sampled_from([*(rule.methods or METHODS)] * 4 + ["GET", "HEAD", "get", "PUT"]))
    path = draw(paths(rule.path))
    query = draw(st.sampled_from(["", "", "", "?x=2", draw(st.sampled_from(QUERIES))]))
    token = TOKENS[draw(_tokens(rule))]
    certificate = draw(st.sampled_from([None, *CERTIFICATES.values()] + [token.certificate] * 3))
    pairs: Pairs = []
    with_proof = token.jkt is not None or rule.dpop == "required"
    if draw(st.sampled_from([True] * 9 + [False])):
        with_proof ^= draw(st.sampled_from([False] * 9 + [True]))
        scheme = draw(st.sampled_from(DPOP_SCHEMES if with_proof else SCHEMES))
        scheme = draw(st.sampled_from([scheme] * 15 + list(OTHER_SCHEMES)))
        pairs.append((draw(_cased("Authorization")), draw(authorization(scheme, token))))
    if with_proof or draw(st.sampled_from([False] * 5 + [True])):
        proof = draw(proofs(configuration, method, path, token))
        pairs.append((draw(_cased("DPoP")), draw(st.sampled_from([proof.raw] * 9 + ["x"])).encode()))
    pairs += draw(origin_pairs(configuration.origin_headers))
    pairs += draw(certificate_pairs(configuration, certificate))
    pairs += draw(identity_headers(configuration))
    given = draw(st.sampled_from([certificate] * 3 + [None])) if configuration.certificate_header is None else None
    is_async = draw(st.sampled_from([False] * 4 + [True]))
    return Request(method, (path + query).encode(), draw(changed(pairs)), given, draw(st.booleans()), is_async)


@st.composite
def _tokens(draw: st.DrawFn, rule: Rule) -> str:
    """A token that is likely to be accepted for the route, or any."""
    likely = [
        name
        for name, token in TOKENS.items()
        if token.error is token.signature is token.claims_error is None
        and (rule.audience or AUDIENCE) in token.audience
        and token.issuer in (rule.issuers or [issuer.issuer for issuer in ISSUERS.values()])
        and (token.jkt is not None or rule.dpop == "allowed")
    ]
    return draw(st.sampled_from(likely or list(TOKENS)) | st.sampled_from(list(TOKENS)))


@st.composite
def proofs(draw: st.DrawFn, configuration: Configuration, method: str, path: str, token: Token) -> sent.Proof:
    def mostly(right: str, *wrong: str) -> str:
        return draw(st.sampled_from([right] * 12 + list(wrong)))

    origin = mostly(
        configuration.public_url, "https://API.example:443", "https://elsewhere.example", "http://api.example"
    )
    path = mostly(
        path, path + "?x=2", path + "#f", path.lower(), path.replace("/", "//"), path + "/", "", "/x/.." + path
    )
    holder = next((name for name in HOLDERS if jkt(name) == token.jkt), HOLDERS[0])
    return sent.proof(
        method=mostly(method, "GET", "POST", method.lower()),
        uri=origin + path,
        access_token=draw(st.sampled_from([token.raw] * 12 + [None, TOKENS["valid"].raw])),
        holder=mostly(holder, *HOLDERS),
        identifier=draw(st.sampled_from(["1", "2", "3", "4", "5"])),
        defect=mostly("", *DEFECTS),
    )
