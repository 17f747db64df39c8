"""The gate and an independent model of its rules agree on every request, while routes and issuers change."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from typing import Any

import near_misses
import pytest
import sent
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from model import STATUSES, Configuration, Model, Request, Rule, Verdict

from watchword.gate import Decision, Gate, Route, TrustedProxy


def gate_of(configuration: Configuration) -> Gate:
    return Gate(
        sent.verifier(*configuration.issuers, token_cache=configuration.token_cache),
        routes_of(configuration.rules),
        public_url=configuration.public_url,
        identity_prefix=configuration.identity_prefix,
        proxy=TrustedProxy(
            origin=configuration.origin_headers,  # type: ignore[arg-type]  # one of them
            certificate_header=configuration.certificate_header,
            certificate_format=configuration.certificate_format,  # type: ignore[arg-type]  # as above
        ),
    )


def routes_of(rules: tuple[Rule, ...]) -> list[Route]:
    return [Route(**vars(rule)) for rule in rules]


def headers_of(request: Request) -> list[Any]:
    """Return the headers as the request's server passes them on."""
    if not request.as_text:
        return list(request.headers)
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]


def ask(gate: Gate, request: Request) -> Decision:
    arguments: dict[str, Any] = {
        "method": request.method,
        "target": request.target.decode("latin-1") if request.as_text else request.target,
        "headers": headers_of(request),
        "certificate": request.certificate,
    }
    return asyncio.run(gate.check_async(**arguments)) if request.is_async else gate.check(**arguments)


def summary(decision: Decision) -> Verdict:
    """Return the gate's decision in the model's terms."""
    return Verdict(
        decision.code,
        decision.route,
        decision.variables,
        None if decision.token is None else sent.BY_PAYLOAD[decision.token.payload],
        None if decision.proof is None else decision.proof.token_id,
        decision.scheme,
    )


def check(gate: Gate, model: Model, request: Request) -> None:
    """Ask both, and compare what they say."""
    decision, verdict = ask(gate, request), model.check(request)
    assert summary(decision) == verdict
    assert decision.status == STATUSES.get(verdict.code, 401)
    assert decision.allowed == (verdict.code == "allowed")
    left = dataclasses.replace(request, headers=model.forwarded(request.headers))
    assert decision.forwarded_headers(headers_of(request)) == headers_of(left)
    check_identity(decision, model, request)
    if decision.allowed:
        identity = {
            name.removeprefix(model.configuration.identity_prefix): value for name, value in decision.identity_headers
        }
        assert model.identity(verdict).items() <= identity.items()


def check_identity(decision: Decision, model: Model, request: Request) -> None:
    """No identity header of the client survives, and each of the gate's occurs once, with one line of ASCII."""

    def is_below_prefix(name: str) -> bool:
        prefix = model.configuration.identity_prefix
        return name.translate(SEPARATORS).lower().startswith(prefix.translate(SEPARATORS).lower())

    left = [name.decode("latin-1") for name, _ in decision.forwarded_headers(request.headers)]
    assert not any(is_below_prefix(name) for name in left)
    own = [name for name, _ in decision.identity_headers]
    assert all(is_below_prefix(name) for name in own)
    assert len({name.lower() for name in own}) == len(own) == (len(IDENTITY) if decision.allowed else 0)
    assert all(value.isascii() and value.isprintable() and "," not in value for _, value in decision.identity_headers)
    assert all(value.isascii() and value.isprintable() for _, value in decision.headers)


SEPARATORS = str.maketrans("_.", "--")
IDENTITY = ("Sub", "Iss", "Client-Id", "Scope", "Actors", "Jti", "Exp", "Jkt", "Route", "Trace-Id")


@given(st.data())
def test_the_gate_decides_as_the_model(data: st.DataObject) -> None:
    configuration = data.draw(near_misses.configurations(), label="configuration")
    model = Model(configuration)
    with gate_of(configuration) as gate:
        for _ in range(data.draw(st.integers(1, 4))):
            check(gate, model, data.draw(near_misses.requests(configuration), label="request"))


@pytest.mark.parametrize("grammar", near_misses.REQUIRED_SCOPES)
def test_scopes_with_variables_of_the_path(grammar: str) -> None:
    """Each required scope with each value, by each token."""
    for scope in near_misses.REQUIRED_SCOPES[grammar]:
        configuration = Configuration((Rule("/orders/{id}", scopes=(scope,), scope_grammar=grammar),))
        model = Model(configuration)
        with gate_of(configuration) as gate:
            for value, name in itertools.product(near_misses.VALUES, sent.TOKENS):
                raw = sent.TOKENS[name].raw.encode()
                request = Request("GET", f"/orders/{value}".encode(), [(b"Authorization", b"Bearer " + raw)])
                assert summary(ask(gate, request)) == model.check(request), (scope, value, name)


class ChangingGate(RuleBasedStateMachine):
    """Requests, and changes of the routes and of the issuers between them."""

    @initialize(configuration=near_misses.configurations())
    def open(self, configuration: Configuration) -> None:
        self.gate, self.model = gate_of(configuration), Model(configuration)

    @rule(data=st.data())
    def request(self, data: st.DataObject) -> None:
        check(self.gate, self.model, data.draw(near_misses.requests(self.model.configuration)))

    @rule(data=st.data())
    def reload_routes(self, data: st.DataObject) -> None:
        rules = data.draw(st.lists(near_misses.rules(self.model.configuration.issuers), max_size=3))
        self.gate.reload(routes_of(tuple(rules)))
        self._change(rules=tuple(rules))

    @rule()
    def change_issuers(self) -> None:
        """Add the second issuer, or remove it: a route that names it then accepts none of its tokens."""
        second = sent.ISSUERS["second"]
        if "second" in self.model.configuration.issuers:
            self.gate.verifier.remove_issuer(second.issuer)
            self._change(issuers=("first",))
        else:
            self.gate.verifier.add_issuer(second.as_issuer())
            self._change(issuers=("first", "second"))

    def _change(self, **changes: Any) -> None:
        self.model.configuration = dataclasses.replace(self.model.configuration, **changes)

    def teardown(self) -> None:
        if hasattr(self, "gate"):
            self.gate.close()


ChangingGate.TestCase.settings = settings(max_examples=60, stateful_step_count=12)
test_the_gate_decides_as_the_model_while_it_changes = ChangingGate.TestCase
