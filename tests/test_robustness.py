"""Any input yields a verdict: never another exception, never a panic, never memory out of proportion."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import GOOD_KEYS, each_backend, each_options, key_set

import watchword as ww
from watchword import _kernel

POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
JWKS = json.dumps(GOOD_KEYS)


def verify_everywhere(token: str | bytes, keys: ww.KeySet) -> None:
    """Call every entry point; anything but a verdict is raised as an error."""
    for call in (lambda: ww.verify(token, keys, POLICY, now=mint.NOW), lambda: ww.verify_jws(token, keys)):
        with contextlib.suppress(ww.VerificationError):
            call()
    ww.verify_many([token], keys, POLICY, now=mint.NOW)


anything = st.one_of(
    st.text(), st.binary(), st.text("eyJ.=-_ \x00\ud800é"), st.text(alphabet=st.characters(categories=["Cs"]))
)


@each_options
@given(token=anything)
def test_arbitrary_text_and_bytes(options: Any, token: str | bytes) -> None:
    verify_everywhere(token, key_set(JWKS, options))


@each_options
@given(head=st.binary(max_size=80), payload=st.binary(max_size=80), signature=st.binary(max_size=80))
def test_arbitrary_parts(options: Any, head: bytes, payload: bytes, signature: bytes) -> None:
    verify_everywhere(mint.token(payload, head, signature=signature), key_set(JWKS, options))


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)
jwk_like = st.dictionaries(
    st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "key_ops", "d", "k"]) | st.text(max_size=3),
    st.sampled_from(["EC", "OKP", "RSA", "oct", "P-256", "P-384", "Ed25519", "sig", "AQAB", mint.public_jwk("rsa")["n"],
                     mint.public_jwk("p256")["x"], mint.public_jwk("p256")["y"], "AA", "="]) | json_like,
    max_size=7,
)  # fmt: skip


@each_backend
@given(
    document=st.one_of(
        anything, json_like.map(json.dumps), st.lists(jwk_like, max_size=5).map(lambda keys: json.dumps({"keys": keys}))
    )
)
def test_arbitrary_key_documents(backend: Any, document: str | bytes) -> None:
    for call in (ww.KeySet.from_json, ww.KeySet.from_pem):
        try:
            keys = call(document, backend=backend)
        except ww.KeySetError:
            continue
        assert len(keys) + len(keys.rejected) <= 256
        verify_everywhere(mint.token(), keys)


@given(st.lists(jwk_like, max_size=4))
def test_arbitrary_mappings(keys: list[Any]) -> None:
    try:
        result = ww.KeySet.from_json({"keys": keys})
    except ww.KeySetError:
        return
    assert len(result) + len(result.rejected) == len(keys)


def test_mappings_that_are_no_json() -> None:
    endless: dict[str, Any] = {}
    endless["keys"] = [endless]
    for mistake in ({"keys": [{"kty": b"RSA"}]}, {"keys": [{1, 2}]}, endless):
        with pytest.raises((TypeError, ValueError), match=r"\w"):
            ww.KeySet.from_json(mistake)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ww.KeySetError):
        ww.KeySet.from_json({"keys": deep})


@given(st.binary(max_size=200))
def test_arbitrary_der(data: bytes) -> None:
    with pytest.raises(ww.KeySetError):
        ww.KeySet.from_der(data)


@given(st.one_of(anything, json_like.map(json.dumps), jwk_like.map(json.dumps)))
def test_arbitrary_thumbprints(document: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        assert len(ww.thumbprint(document)) == 43


#: What the child process prepares, what it then does, and the size of its largest input in bytes.
LOADS: dict[str, tuple[str, str, int]] = {
    "huge token": ("token = 'A' * 30_000_000", "verdict(token)", 30_000_000),
    "huge token of bytes": ("token = b'.' * 30_000_000", "verdict(token)", 30_000_000),
    "tokens at the cap": (
        "token = mint.token(b'[' * 11_900)",
        "for _ in range(300): verdict(token)",
        16_384,
    ),
    "members at the cap": (
        "token = mint.token(b'{' + b','.join(b'\"%d\":0' % i for i in range(1_450)) + b'}')",
        "for _ in range(300): verdict(token)",
        16_384,
    ),
    "a token rejected without end": (
        "token = mint.token(signature=bytes(64))",
        "for _ in range(40_000): verdict(token)",
        512,
    ),
    "huge key document": ("text = '[' * 30_000_000", "document(text)", 30_000_000),
    "key document of brackets": (
        "text = '[' * 1_000_000",
        "for _ in range(30): document(text)",
        1_000_000,
    ),
    "key document of members": (
        "text = '{' + ','.join('\"%x\":0' % i for i in range(100_000)) + '}'",
        "for _ in range(30): document(text)",
        1_000_000,
    ),
    "key document of nulls": (
        "text = '{\"keys\":[' + ','.join(['null'] * 200_000) + ']}'",
        "for _ in range(30): document(text)",
        1_000_000,
    ),
    "key document of strings": (
        "text = '{\"keys\":[],\"x\":\"' + '\\\\u0041' * 170_000 + '\"}'",
        "for _ in range(30): document(text)",
        1_000_000,
    ),
}

CHILD = """
import sys
sys.path.insert(0, {tests!r})
import mint
import watchword as ww
from watchword import _kernel

keys = ww.KeySet.from_json(mint.jwks("ed25519"))
policy = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)

def verdict(token):
    return [type(item) for item in ww.verify_many([token], keys, policy, now=mint.NOW)]

def document(text):
    try:
        ww.KeySet.from_json(text)
    except ww.KeySetError:
        pass

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

{setup}
verdict(mint.token())
document("[]")
with open("/proc/self/clear_refs", "w") as reset:
    reset.write("5")
before = peak()
{work}
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("name", LOADS)
def test_memory_is_bounded_by_the_input(name: str) -> None:
    setup, work, size = LOADS[name]
    code = CHILD.format(tests=str(Path(__file__).parent), setup=setup, work=work)
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert child.returncode == 0, child.stderr
    # Huge inputs are rejected before they are copied; small ones may be parsed, which costs a multiple, once.
    allowed = 2_000_000 if size > 1_048_576 else 2_000_000 + 12 * size
    assert int(child.stdout) < allowed


@given(token=anything)
def test_a_look_at_what_is_not_verified_never_fails(token: str | bytes) -> None:
    assert names(token) == (None, None, None)


def test_a_look_at_what_is_not_verified() -> None:
    # Enough to choose among what is configured, whatever the signature.
    assert names(mint.token(signature=b"")) == (mint.ISSUER, "agent-7", "ed25519")
    for head, payload, found in (
        (b"{", b"{", (None, None, None)),
        (b'{"alg":"x","kid":1}', b'{"iss":1,"sub":[]}', (None, None, None)),
        (b"{}", b'{"iss":"a","iss":"b"}', (None, None, None)),
        (b'{"alg":"x","kid":"k"}', b"[]", (None, None, "k")),
        (b"{}", b'{"sub":"spiffe://example.org/a"}', (None, "spiffe://example.org/a", None)),
    ):
        assert names(mint.token(payload, head)) == found


def test_a_look_at_a_token_keeps_within_the_limits() -> None:
    long = mint.token(mint.claims(pad="x" * 20_000))
    assert names(long) == (None, None, None)
    assert names(long, max_token_bytes=len(long)) == (mint.ISSUER, "agent-7", "ed25519")
    head = mint.token(head=mint.header(pad="x" * 5_000))
    assert names(head) == (None, None, None)
    assert names(head, max_header_bytes=7_000) == (mint.ISSUER, "agent-7", "ed25519")


def names(token: str | bytes, **limits: int) -> tuple[str | None, str | None, str | None]:
    found = _kernel.unverified_names(token, **limits)
    assert "agent" not in repr(found)
    return found.issuer, found.subject, found.key_id
