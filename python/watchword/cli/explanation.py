"""The checks that a gate makes, in their order, and how far a request came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from watchword.cli.times import relative, utc
from watchword.gate import Decision, GateConfig, Route

Result = Literal["passed", "failed", "not reached", "not needed"]


class Check(NamedTuple):
    """One check of a request: its name, its result, and what was found."""

    name: str
    result: Result
    detail: str


# The codes of each check, in the order of docs/verification.md, with what the gate checks before and after the token.
_STEPS: dict[str, tuple[str, ...]] = {
    "path": ("ambiguous_path",),
    "query": ("token_in_query",),
    "route": ("no_route",),
    "credentials": (
        "malformed_request",
        "missing_token",
        "token_in_body",
        "dpop_missing_proof",
        "dpop_several_proofs",
    ),
    "form": ("too_large", "malformed_token", "unsupported", "malformed_header", "unsupported_critical_header"),
    "type": ("wrong_type",),
    "algorithm": ("algorithm_not_allowed",),
    "issuer": (),
    "key": ("unknown_key", "keys_unavailable"),
    "signature": ("invalid_signature",),
    "claims": ("malformed_claims",),
    "times": ("expired", "not_yet_valid", "issued_in_future"),
    "iss": ("wrong_issuer",),
    "audience": ("wrong_audience",),
    "required claims": ("missing_claim",),
    "binding": ("certificate_required", "certificate_mismatch", "dpop_proof_required", "dpop_unbound_token"),
    "proof": (),
    "DPoP": ("dpop_bound_token_required",),
    "scopes": ("insufficient_scope",),
    "user authentication": ("insufficient_user_authentication",),
    "delegation": (),
    "replay": ("dpop_replayed", "dpop_too_many_proofs", "dpop_replay_unavailable"),
}

_OF_REQUEST = ("path", "query", "route")
_MEMBERS = {"type": "typ", "algorithm": "alg", "key": "kid", "iss": "iss", "audience": "aud"}
_MOST_ROUTES = 3


class Explanation:
    """What a gate with this configuration decided on a request, as of ``now`` in Unix seconds, and why."""

    def __init__(self, config: GateConfig, decision: Decision, *, method: str, target: str, now: float) -> None:
        self._config = config
        self._decision = decision
        self._method = method
        self._now = now
        self._path = target.partition("?")[0]
        self._normal, self._matches = self._match(self._path)
        self._index = next((index for index, (_, path, methods) in enumerate(self._matches) if path and methods), None)
        token, error = decision.token, decision.error
        self._header: dict[str, Any] | None = None
        self._claims: dict[str, Any] | None = None
        if token is not None:
            self._header, self._claims = token.header, token.claims
        elif error is not None:
            self._header, self._claims = error.token_header, error.token_claims

    @property
    def route(self) -> Route | None:
        """The first route that matches."""
        return None if self._index is None else self._matches[self._index][0]

    def checks(self) -> list[Check]:
        """Return the checks in the order in which they are made."""
        failed = None if self._decision.allowed else self._failed()
        checks = []
        for name in _STEPS:
            if failed is None:
                checks.append(self._passed(name))
            elif name == failed:
                detail = "" if self._decision.error is None else self._decision.error.detail
                checks.append(Check(name, "failed", detail + (self._near() if name == "route" else "")))
                break
            else:
                checks.append(self._passed(name))
        rest = list(_STEPS)[len(checks) :]
        return checks + [Check(name, "not reached", "") for name in rest]

    def _failed(self) -> str:
        code = str(self._decision.code)
        # Before the key is looked for, unless there is one issuer only, whose keys are cached.
        if code == "wrong_issuer" and self._claims is None:
            return "issuer"
        # Of a form that is not supported, or bound by a method that is not.
        if code == "unsupported" and self._claims is not None:
            return "binding"
        other = "delegation" if code.startswith("delegation_") else "proof"
        return next((name for name, codes in _STEPS.items() if code in codes), other)

    def _passed(self, name: str) -> Check:
        route = self.route
        if self._decision.allowed and self._decision.token is None and name not in _OF_REQUEST:
            why = "the route is public" if route is not None and route.public else "optional, and no token was sent"
            return Check(name, "not needed", why)
        if name in ("proof", "replay") and self._decision.scheme != "DPoP":
            return Check(name, "not needed", "the token was sent without a proof")
        if name == "replay":
            return Check(name, "not needed", "which proofs were used is not known here")
        if name in ("DPoP", "scopes", "user authentication", "delegation"):
            found = None if route is None else self._requirement(name, route)
            return Check(name, "not needed", "") if found is None else Check(name, "passed", found)
        return Check(name, "passed", self._found(name))

    def _found(self, name: str) -> str:
        fixed = {
            "path": self._normal,
            "query": "no token in it",
            "route": self._chosen(),
            "credentials": "a token and a proof (DPoP)" if self._decision.scheme == "DPoP" else "a token (Bearer)",
            "issuer": self._decision.issuer or "",
        }
        if name in fixed:
            return fixed[name]
        if name == "times" and self._claims is not None:
            expires = self._claims.get("exp")
            if not isinstance(expires, (int, float)):
                return "no exp"
            return f"exp {utc(expires)}, {relative(expires, self._now)}"
        if name in ("iss", "audience") and self._claims is not None:
            return _text(self._claims.get(_MEMBERS[name]))
        if name in _MEMBERS and self._header is not None:
            return f"{_MEMBERS[name]} {_text(self._header.get(_MEMBERS[name]))}"
        return ""

    def _requirement(self, name: str, route: Route) -> str | None:
        """Return what a route requires; ``None`` if it requires nothing of the kind."""
        if name == "DPoP":
            return "required" if route.dpop == "required" else None
        if name == "scopes":
            scopes: Sequence[str] = tuple(route.scopes)
            return f"{' '.join(scopes)} ({route.scope_grammar})" if scopes else None
        if name == "user authentication":
            contexts: Sequence[str] = tuple(route.acr_values)
            wanted = [f"acr {' or '.join(contexts)}"] if contexts else []
            wanted += [f"at most {route.max_age} s ago"] if route.max_age is not None else []
            return ", ".join(wanted) if wanted else None
        limits = [f"max_depth {route.max_depth}"] if route.max_depth is not None else []
        limits += ["a human root"] if route.require_human_root else []
        limits += ["allowed actors only"] if route.allowed_actors is not None else []
        return ", ".join(limits) if limits else None

    def _chosen(self) -> str:
        """Return which route was taken, and why those before it were not."""
        if self._index is None:
            return ""
        variables = "".join(f", {name} = {value!r}" for name, value in self._decision.variables.items())
        before = self._matches[: self._index]
        others = [f"not {self._named(index)}" for index, (_, path, _) in enumerate(before) if path]
        elsewhere = len(before) - len(others)
        if elsewhere:
            others.append(f"{elsewhere} before it {'has' if elsewhere == 1 else 'have'} another path")
        return "; ".join([f"{self._named(self._index)}{variables}", *others])

    def _near(self) -> str:
        """Return which routes match the path and not the method, or the path but for a slash at the end."""
        near = [
            f"; the path is that of {self._named(index)}" for index, (_, path, _) in enumerate(self._matches) if path
        ]
        if not near and len(self._path) > 1:
            other = self._path[:-1] if self._path.endswith("/") else f"{self._path}/"
            found = enumerate(self._match(other)[1])
            near = [f"; {self._named(index)} is for {other}, another path" for index, (_, path, _) in found if path]
        return "".join(near[:_MOST_ROUTES])

    def _match(self, path: str) -> tuple[str, list[tuple[Route, bool, bool]]]:
        try:
            return self._config.matching(self._method, path)
        except ValueError:
            return path, []

    def _named(self, index: int) -> str:
        route = self._config.routes[index]
        methods = "" if route.methods is None else f"{', '.join(route.methods)} "
        name = "" if route.name is None else f"{route.name}: "
        return f"routes[{index}] ({name}{methods}{route.path})"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "absent" if value is None else str(value)


__all__ = ["Check", "Explanation"]
