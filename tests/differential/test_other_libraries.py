"""What the kernel accepts, PyJWT and joserfc accept; what they accept besides is in the list of differences."""

from __future__ import annotations

import pytest

pytest.importorskip("jwt", reason="the other libraries are test dependencies")
pytest.importorskip("joserfc", reason="the other libraries are test dependencies")

import mint
import mutations
from hypothesis import given
from paths import GOOD_KEYS, KEY_OPTIONS, Path
from peers import PEERS
from strictness import LAXER, STRICTER, Difference, Seen

KERNEL = Path(KEY_OPTIONS[0], "verify")


def explained(differences: tuple[Difference, ...], peer: str, token: str) -> list[Difference]:
    code, seen = KERNEL.verdict(token), Seen(token)
    return [one for one in differences if peer in one.peers and one.code is code and one.applies(seen)]


@mutations.times(5)
@given(mutations.tokens)
def test_mutated_tokens(token: str) -> None:
    code = KERNEL.verdict(token)
    for name, accepts in PEERS.items():
        if accepts(token, GOOD_KEYS) == (code is None):
            continue
        listed = explained(LAXER if code is None else STRICTER, name, token)
        assert listed, f"{name} {'rejects' if code is None else 'accepts'} what the kernel calls {code or 'valid'}"


@pytest.mark.parametrize("token", mutations.GOOD_TOKENS, ids=[algorithm for _, algorithm in mint.SIGNERS])
def test_good_tokens(token: str) -> None:
    assert KERNEL.verdict(token) is None
    for name, accepts in PEERS.items():
        assert accepts(token, GOOD_KEYS) or explained(LAXER, name, token)


#: One token for each entry of the list, so that no entry outlives its difference.
STRICTER_EXAMPLES: dict[str, list[str]] = {
    "RFC 7515 section 2": [mint.token() + "=="],
    "RFC 7515 section 4": [mint.token(head=mint.with_member(mint.header(), '"x":1,"x":1'))],
    "RFC 7515 section 4.1.9": [mint.token(head=mint.header(typ=7))],
    "RFC 7797 section 6": [mint.token(head=mint.header(b64=True))],
    "RFC 7515 section 4.1.11": [mint.token(head=mint.header(crit=[]))],
    "RFC 8725 section 3.11": [mint.token(head=mint.header(typ="dpop+jwt"))],
    "RFC 7519 section 4": [mint.token(mint.with_member(mint.claims(), '"x":1,"x":1'))],
    "RFC 7519 section 2": [mint.token(mint.claims(exp=10**13)), mint.token(mint.claims(exp=str(mint.NOW + 60)))],
    "RFC 8693 section 4.2": [mint.token(mint.claims(scope=7))],
    "RFC 7800 section 3.1": [mint.token(mint.claims(cnf="x"))],
    "RFC 8693 section 4": [mint.token(mint.claims(act=None)), mint.token(mint.claims(may_act="x"))],
    "RFC 9449 section 7.1": [mint.token(mint.claims(cnf={"jkt": "x"}))],
    "RFC 7800 section 3": [mint.token(mint.claims(cnf={"kid": "x", "jkt": "x"}))],
    "RFC 8705 section 3": [mint.token(mint.claims(cnf={"x5t#S256": mint.b64(bytes(32)), "jkt": "x"}))],
}


@pytest.mark.parametrize("difference", STRICTER, ids=lambda difference: difference.reason.partition(":")[0])
def test_every_listed_strictness_is_real(difference: Difference) -> None:
    examples = STRICTER_EXAMPLES[difference.reason.partition(":")[0]]
    for token in examples:
        assert KERNEL.verdict(token) is difference.code
        assert difference.applies(Seen(token))
    accepting = {name for token in examples for name, accepts in PEERS.items() if accepts(token, GOOD_KEYS)}
    assert accepting == difference.peers


LAXER_EXAMPLES = (
    mint.token(algorithm="Ed25519"),
    mint.token(head=mint.header(jku=7)),
    mint.token(mint.claims(exp=mint.NOW - 4.5)),
)


@pytest.mark.parametrize(("difference", "token"), list(zip(LAXER, LAXER_EXAMPLES, strict=True)))
def test_every_listed_leniency_is_harmless(difference: Difference, token: str) -> None:
    assert KERNEL.verdict(token) is None
    assert difference.applies(Seen(token))
    assert {name for name, accepts in PEERS.items() if not accepts(token, GOOD_KEYS)} == difference.peers
