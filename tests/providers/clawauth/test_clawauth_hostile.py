"""Any bad input yields a verdict: never an exception, and never an agent."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import attack_tokens
import hypothesis.strategies as st
import mint
import pytest
from clawauth_issuer import AGENT, BASE_URL, SERVICE, Claws
from hypothesis import given

from watchword.dpop import DpopProver
from watchword.testing import Defect

CLAWS = Claws()
AUTH = CLAWS.service(audience=SERVICE)


#: No error text has such a word by chance.
SECRET = "s3cr3t-s3cr3t"


def rejected(token: str | bytes) -> str:
    """Return the code of the error, which must not quote the token."""
    code, shown = rejection(token)
    parts = token.split(".") if isinstance(token, str) else []
    assert not any(len(part) > 8 and part in shown for part in parts)
    return code


def rejection(token: str | bytes) -> tuple[str, str]:
    """Return the code of the error, and everything that the result shows."""
    result = AUTH.verify(token)
    assert not result.valid
    assert result.agent is None
    assert result.error is not None
    return result.error.partition(":")[0], repr(result)


@pytest.mark.parametrize("defect", Defect, ids=str)
def test_every_kind_of_bad_token(defect: Defect) -> None:
    assert rejected(CLAWS.mint_bad(defect, algorithm="ES256")) == str(defect.code)


def test_the_token_that_they_are_made_of_is_good() -> None:
    assert AUTH.verify(CLAWS.mint(algorithm="ES256")).valid


@pytest.mark.parametrize("row", attack_tokens.ROWS)
def test_every_row_of_the_list_of_attacks(row: str) -> None:
    for defect in attack_tokens.ROWS[row]:
        rejected(CLAWS.mint_bad(defect))


def test_each_row_has_a_token_or_a_reason(shared: Path) -> None:
    table = (shared / "facts" / "attacks.md").read_text(encoding="utf-8").splitlines()
    for row in [line.split("|")[1].strip() for line in table if line.startswith("|")][2:]:
        names = [name for name in (*attack_tokens.ROWS, *attack_tokens.ELSEWHERE) if row.startswith(name)]
        assert len(names) == 1, f"{row!r} is named by {names}"


@given(st.one_of(st.text(), st.binary(), st.text("abc.\ud800é=-_", max_size=40)))
def test_any_text_at_all(token: str | bytes) -> None:
    # Whether it is quoted is not asked here: hypothesis draws words of the error texts, too.
    assert rejection(token)[0] in {"malformed_token", "malformed_header", "unsupported"}


@pytest.mark.parametrize("form", ["{0}", "{0}.{0}", "{0}.{0}.{0}", "{0}.{0}.{0}.{0}.{0}", "{0} é", "Bearer {0}"])
def test_no_error_quotes_a_malformed_token(form: str) -> None:
    assert SECRET not in rejection(form.format(SECRET))[1]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*AGENT, "scope", "scopes", "trustScore", "cnf", "act", "iss"]), _JSON))
def test_any_claims_at_all(claims: dict[str, Any]) -> None:
    payload = {"iss": BASE_URL, "aud": SERVICE, "exp": time.time() + 60, **AGENT, **claims}
    result = AUTH.verify(CLAWS.sign(json.dumps(payload).encode("utf-8", "surrogatepass"), algorithm="ES256"))
    assert result.valid == (result.agent is not None) == (result.error is None)
    if result.agent is not None:
        assert result.agent.id.startswith("agent_")
        assert 0 <= result.agent.trust_score <= 10
        with contextlib.suppress(UnicodeEncodeError):
            assert type(result).model_validate_json(result.model_dump_json()) == result


# One kind of token for another.


def test_a_humans_token_is_never_an_agents() -> None:
    claims = {"iss": BASE_URL, "aud": SERVICE, "exp": int(time.time()) + 60, **AGENT}
    secrets = (b"shared-secret", CLAWS.public_pem(), json.dumps(CLAWS.jwks()["keys"][0]).encode())
    for secret in secrets:
        token = mint.token(claims, {"alg": "HS256", "typ": "JWT"}, key=secret, algorithm="HS256")
        head, _, signature = token.rpartition(".")
        assert hmac.compare_digest(mint.unb64(signature), hmac.new(secret, head.encode(), hashlib.sha256).digest())
        assert rejected(token) == "algorithm_not_allowed"


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_only_es256_although_the_set_has_other_good_keys(algorithm: str) -> None:
    assert rejected(CLAWS.mint(algorithm=algorithm)) == "algorithm_not_allowed"


@pytest.mark.parametrize("text", ["svc_abc123", "rf_abc123", "chal_xyz789", "agent_abc123", "30440220123abc"])
def test_clawauths_other_secrets(text: str) -> None:
    assert rejected(text) == "malformed_token"


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "vc+jwt", "id+jwt", "logout+jwt", "refresh+jwt"])
def test_tokens_of_other_types(typ: str) -> None:
    assert rejected(CLAWS.mint(header={"typ": typ})) == "wrong_type"


def test_a_proof_is_no_token() -> None:
    assert rejected(DpopProver("ES256").proof("GET", "https://orders.example/")) == "wrong_type"


def test_a_token_that_is_bound_to_a_key_is_no_bearer_token() -> None:
    assert rejected(CLAWS.token(cnf={"jkt": DpopProver().jkt})) == "dpop_proof_required"
    assert rejected(CLAWS.token(act="x")) == "malformed_claims"
