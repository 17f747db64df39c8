"""``python benches/gate.py``: what the gate costs: within an event loop, with a hook, and under uvicorn.

All contenders of a group are interleaved, as in ``run.py``. ``--readme`` writes the tables into ``benches/README.md``;
``--quick`` measures nothing, and checks that every contender accepts and rejects what it should.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gate_apps
import machine
import report
from contender import Contender, Over
from gate_load import Served, Several, issuer_for_authgent
from gate_loop import InLoop, bare, checks
from rounds import Group, Pace, Times, difference, interleave, median, ratio
from samples import AUDIENCE, ISSUER, QUICK_TOKENS, TOKENS, Samples, samples

import watchword
from watchword.integrations.asgi import GateMiddleware
from watchword.testing import LocalIssuer

BEGIN, END = "<!-- the gate -->", "<!-- the gate ends -->"
CACHED, EACH = "token in the cache", "new token"
#: Presented again and again under uvicorn, by authgent's one algorithm.
CLIENTS = 64
#: Of each application under uvicorn.
PROCESSES = 3


def in_loop(given: Samples) -> Group:
    """The gate around an application that does nothing, beside ``Verifier.verify`` for the same tokens."""
    os.environ["GATE_BENCH"] = json.dumps({"jwks": given.jwks, "issuer": ISSUER})
    contenders: dict[str, Contender] = {"application alone": InLoop(bare, given.tokens)}
    for name, options in _verifiers():
        gate = gate_apps.gate(**options)
        _check_gate(gate, given)
        contenders[f"behind the gate, {name}"] = InLoop(GateMiddleware(bare, gate), given.tokens)
        contenders[f"`Gate.check`, {name}"] = Over(*checks(gate, given.tokens))
        contenders[f"`Verifier.verify`, {name}"] = Over(gate.verifier.verify, given.tokens)
    return Group(contenders)


def _verifiers() -> list[tuple[str, dict[str, Any]]]:
    return [(CACHED, {"token_cache": watchword.TokenCache(max_bytes=64 << 20)}), (EACH, {})]


def _check_gate(gate: Any, given: Samples) -> None:
    check, _ = checks(gate, ())
    _, good = checks(gate, given.tokens)
    _, bad = checks(gate, given.forged + given.unfit)
    assert all(check(headers).allowed for headers in good), "the gate rejects a valid token"
    assert not any(check(headers).allowed for headers in bad), "the gate accepts an invalid token"


def hooks(given: Samples) -> Group:
    """The same check without a hook, and with one that does nothing."""
    os.environ["GATE_BENCH"] = json.dumps({"jwks": given.jwks, "issuer": ISSUER})
    contenders: dict[str, Contender] = {}
    for name, hook in (("no hook", None), ("`on_verdict` that does nothing", lambda _decision, _seconds: None)):
        gate = gate_apps.gate(token_cache=watchword.TokenCache(max_bytes=64 << 20))
        gate.on_verdict = hook
        contenders[name] = Over(*checks(gate, given.tokens))
    return Group(contenders)


SERVED = {
    "application alone": "none",
    "Watchword's gate, cached": "watchword_cached",
    "Watchword's gate, each token verified": "watchword_each",
    "PyJWT": "pyjwt",
    "authgent's middleware and decorator": "authgent",
}


def served(issuer: LocalIssuer) -> Group:
    """Starlette under uvicorn, with and without: the CPU time of the server's process."""
    settings: dict[str, object] = {"jwks": issuer.jwks(), "issuer": issuer.issuer}
    claims = {"aud": AUDIENCE, "scope": f"{gate_apps.SCOPE} orders:write", "sub": "client:agnt_7f3a9d51"}
    tokens = [issuer.mint(claims, expires_in=86_400) for _ in range(CLIENTS)]
    bad = {issuer.mint_bad("one bit of the signature flipped"): 401, issuer.mint({**claims, "scope": "other"}): 403}
    group = Group({}, stretch=50)
    for name, app in SERVED.items():
        found = Several(partial(Served, app, settings, tokens), PROCESSES)
        group.contenders[name] = found
        wrong = {
            token: status for token, status in bad.items() for one in found.processes if one.status(token) != status
        }
        if wrong and app != "none":
            group.close()
            raise AssertionError(f"{name} accepts an invalid token: the comparison is void")
    return group


@dataclass(frozen=True)
class Target:
    work: str
    at_most: float
    unit: str
    measure: Callable[[dict[str, Times]], float]


def _added(name: str) -> Callable[[dict[str, Times]], float]:
    """What the gate adds to the application, as a multiple of ``Verifier.verify``: the median over the rounds."""

    def measure(found: dict[str, Times]) -> float:
        times = found["in an event loop"]
        with_gate, alone, verify = (
            times[key] for key in (f"behind the gate, {name}", "application alone", f"`Verifier.verify`, {name}")
        )
        return statistics.median((a - b) / c for a, b, c in zip(with_gate, alone, verify, strict=True))

    return measure


TARGETS = (
    Target(f"the ASGI gate, {CACHED}, against `Verifier.verify`", 5.5, "×", _added(CACHED)),
    Target(f"the ASGI gate, {EACH} (EdDSA), against `Verifier.verify`", 1.5, "×", _added(EACH)),
    Target(
        "`on_verdict` that does nothing",
        0.3,
        "µs",
        lambda found: difference(found["hook"], "`on_verdict` that does nothing", "no hook"),
    ),
    Target(
        "Starlette under uvicorn, cached, against the application alone",
        1.2,
        "×",
        lambda found: ratio(found["under uvicorn"], "Watchword's gate, cached", "application alone"),
    ),
)


def _measured(pace: Pace, tokens: int, only: str) -> Iterator[tuple[str, Times]]:
    with issuer_for_authgent() as issuer:
        makers: dict[str, Callable[[], Group]] = {
            "in an event loop": lambda: in_loop(samples("EdDSA", tokens)),
            "hook": lambda: hooks(samples("EdDSA", tokens)),
            "under uvicorn": lambda: served(issuer),
        }
        for name, make in makers.items():
            if only in name:
                print(name, file=sys.stderr)
                group = make()
                try:
                    yield name, interleave(group, pace)
                finally:
                    group.close()


def _tables(found: dict[str, Times]) -> Iterator[str]:
    yield "| | target | measured | |"
    yield "|---|---|---|---|"
    for target in TARGETS:
        try:
            value = target.measure(found)
        except KeyError:
            continue
        word = "met" if value <= target.at_most else "**not met**"
        yield f"| {target.work} | at most {target.at_most} {target.unit} | {value:.2f} {target.unit} | {word} |"
    for name, times in found.items():
        yield ""
        yield f"| {name} | µs | × |"
        yield "|---|---:|---:|"
        first = next(iter(times))
        for contender in times:
            yield f"| {contender} | {median(times, contender):.3g} | {ratio(times, contender, first):.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only check that every contender works")
    parser.add_argument("--only", metavar="TEXT", default="", help="measure only the groups whose name contains TEXT")
    parser.add_argument("--seconds", type=float, default=20, help="time limit of each group (20)")
    parser.add_argument("--readme", action="store_true", help="write the tables into benches/README.md")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    told = machine.describe()
    pace = Pace.quick() if options.quick else Pace(seconds=options.seconds)
    found = dict(_measured(pace, QUICK_TOKENS if options.quick else TOKENS, options.only))
    if options.quick:
        print("every contender accepts and rejects what it should; nothing was measured")
        return
    text = "\n".join([f"{told['processor']}, {told['python']}, commit {told['commit']}.", "", *_tables(found), ""])
    print(text)
    if options.readme:
        report.insert(Path(__file__).with_name("README.md"), text, BEGIN, END)


if __name__ == "__main__":
    main()
