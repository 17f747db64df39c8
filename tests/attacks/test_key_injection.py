"""A token that contains its own key, or a URL to fetch one from."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import mint
import pytest
from paths import assert_verdict

from watchword import ErrorCode


def injected(member: str, value: Any, **changes: Any) -> str:
    """Return a token signed with the attacker's key, by default with the ``kid`` of a trusted one."""
    return mint.token(head=mint.header(**{member: value, **changes}), key="ed25519-b")


EMBEDDED: dict[str, Any] = {
    "jwk": mint.public_jwk("ed25519-b"),
    "jwk with the trusted kid": mint.public_jwk("ed25519-b", kid="ed25519"),
    "jwk with its private half": mint.private_jwk("ed25519-b"),
    "jwk, symmetric": {"kty": "oct", "k": "AAAA"},
    "jwk, not an object": "ed25519-b",
    "x5c": ["MIIB"],
}


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_jwk_trusted(name: str) -> None:
    member = name.split(maxsplit=1)[0].rstrip(",")
    assert_verdict(injected(member, EMBEDDED[name]), ErrorCode.INVALID_SIGNATURE)
    assert_verdict(injected(member, EMBEDDED[name], kid="ed25519-b"), ErrorCode.UNKNOWN_KEY)
    assert_verdict(injected(member, EMBEDDED[name], kid=mint.OMIT), ErrorCode.INVALID_SIGNATURE)


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_key_does_not_hurt_a_good_token(name: str) -> None:
    member = name.split(maxsplit=1)[0].rstrip(",")
    assert_verdict(mint.token(head=mint.header(**{member: EMBEDDED[name]})), None)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("member", ["jku", "x5u"])
def test_jku_x5u_fetch(member: str, listener: socket.socket, tmp_path: Any) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(mint.encode(mint.jwks(mint.public_jwk("ed25519-b", kid="ed25519"))))
    port = listener.getsockname()[1]
    for uri in (
        f"http://127.0.0.1:{port}/jwks.json",
        f"https://127.0.0.1:{port}/jwks.json",
        file.as_uri(),
        "data:application/json;base64," + mint.b64(file.read_bytes()),
        "ftp://127.0.0.1/jwks.json",
    ):
        assert_verdict(injected(member, uri), ErrorCode.INVALID_SIGNATURE, uri)
        assert_verdict(injected(member, uri, kid="elsewhere"), ErrorCode.UNKNOWN_KEY, uri)
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize(
    "kid", ["../../../dev/null", "/dev/null", "' OR 1=1 --", "ed25519\x00", "ED25519", " ed25519", ""]
)
def test_kid_is_a_name_and_nothing_else(kid: str) -> None:
    assert_verdict(mint.token(head=mint.header(kid=kid)), ErrorCode.UNKNOWN_KEY)


def test_keys_without_a_kid_are_tried_for_any_token() -> None:
    anonymous = mint.jwks(mint.public_jwk("ed25519", kid=mint.OMIT), "p256")
    assert_verdict(mint.token(), None, jwks=anonymous)
    assert_verdict(mint.token(head=mint.header(kid=mint.OMIT)), None, jwks=anonymous)
    assert_verdict(mint.token(key="ed25519-b"), ErrorCode.INVALID_SIGNATURE, jwks=anonymous)


def test_a_named_key_is_never_used_for_another() -> None:
    # The set contains the key that signed, but with another kid than the token's.
    keys = mint.jwks("ed25519", "ed25519-b")
    assert_verdict(mint.token(head=mint.header("ed25519-b")), ErrorCode.INVALID_SIGNATURE, jwks=keys)
    assert_verdict(mint.token(head=mint.header("other")), ErrorCode.UNKNOWN_KEY, jwks=keys)


def test_token_without_a_kid_tries_the_keys_of_its_algorithm() -> None:
    head = mint.header(kid=mint.OMIT)
    assert_verdict(mint.token(head=head), None, jwks=mint.jwks("rsa", "p256", "ed25519-b", "ed25519"))
    assert_verdict(mint.token(head=head), ErrorCode.UNKNOWN_KEY, jwks=mint.jwks("rsa", "p256"))
    assert_verdict(mint.token(head=head), ErrorCode.INVALID_SIGNATURE, jwks=mint.jwks("ed25519-b"))


def test_empty_set_knows_no_key() -> None:
    assert_verdict(mint.token(), ErrorCode.UNKNOWN_KEY, jwks={"keys": []})
