"""``watchword verify``: verdicts in words and in JSON, exit statuses, hints, mistakes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from command_process import start

import watchword as ww
from watchword.testing import ClientCertificate, LocalIssuer


def test_a_good_token(run, issuer: LocalIssuer, requirements) -> None:
    answer = run("verify", *requirements, issuer.mint(sub="alice"))
    assert answer.status == 0
    heading, row, _, sentence = answer.out.splitlines()
    assert heading.split() == ["#", "verdict", "subject", "issuer", "expires", "key", "alg"]
    assert row.split()[:4] == ["1", "valid", "alice", "https://issuer.test"]
    assert row.split()[-2:] == ["eddsa-1", "EdDSA"]
    assert sentence == "1 token: valid."
    assert answer.err == ""


def test_a_bad_token_among_good_ones(run, issuer: LocalIssuer, requirements) -> None:
    answer = run("verify", *requirements, issuer.mint(), issuer.mint_bad("expired"), issuer.mint(algorithm="ES256"))
    assert answer.status == 1
    assert "2  rejected  expired: the token expired 1 hour ago" in answer.out
    assert "3 tokens: 2 valid, 1 rejected (1 expired)." in answer.out


def test_lines_of_standard_input_have_their_numbers(run, issuer: LocalIssuer, requirements) -> None:
    text = f"\n{issuer.mint()}\r\n\n   {issuer.mint()}\t\n{issuer.mint_bad('claim twice')}"
    answer = run("verify", *requirements, "--json", text=text)
    assert answer.status == 1
    assert [(one["index"], one["valid"]) for one in answer.objects] == [(2, True), (4, True), (5, False)]


def test_files_and_standard_input_among_tokens(run, issuer: LocalIssuer, requirements, tmp_path: Path) -> None:
    good, bad = issuer.mint(), issuer.mint_bad("expired")
    path = tmp_path / "tokens"
    path.write_text(f"{good}\n\n{bad}\n")

    def verdicts(*arguments: str, text: str = "") -> list[tuple[int, bool]]:
        return [(one["index"], one["valid"]) for one in run(*arguments, text=text).objects]

    command = ["verify", *requirements, "--json"]
    assert verdicts(*command, str(path)) == [(1, True), (3, False)]
    assert verdicts(*command, "-", text=good) == [(1, True)]
    assert verdicts(*command, bad, str(path), good, "-", text=f"\n{bad}") == [
        (1, False), (2, True), (4, False), (5, True), (7, False)
    ]  # fmt: skip
    assert [one["index"] for one in run("inspect", "--json", str(path), good).objects] == [1, 3, 4]


def test_an_existing_file_wins_over_a_token(
    run, issuer: LocalIssuer, requirements, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("verify", *requirements, "a.b.c").status == 1
    Path("a.b.c").write_text(issuer.mint())
    assert run("verify", *requirements, "a.b.c").status == 0


@pytest.mark.parametrize("name", ["nowhere/tokens", "tokens.txt", "tokens.jwt"])
def test_a_file_that_does_not_exist_is_not_verified_as_a_token(run, requirements, tmp_path: Path, name: str) -> None:
    answer = run("verify", *requirements, str(tmp_path / name) if "/" in name else name)
    assert answer.status == 2
    assert f"{name}' can't be read: No such file or directory" in answer.err
    assert run("verify", *requirements, str(tmp_path)).status == 2


def test_a_word_that_is_neither_a_file_nor_a_token_gets_a_hint(run, requirements) -> None:
    assert "Hint: No file has this name" in run("verify", *requirements, "tokens").out
    assert "No file" not in run("verify", *requirements, text="tokens").out


def test_json_lines_are_complete(run, issuer: LocalIssuer, requirements) -> None:
    good = issuer.mint(sub="alice", tenant={"name": "blå"})
    bad = issuer.mint_bad("wrong audience")
    answer = run("verify", *requirements, "--json", good, bad)
    claims = ww.verify(good, issuer.key_set(), issuer.policy()).claims
    assert answer.objects == [
        {
            "index": 1,
            "valid": True,
            "code": None,
            "detail": None,
            "algorithm": "EdDSA",
            "key_id": "eddsa-1",
            "claims": claims,
        },
        {
            "index": 2,
            "valid": False,
            "code": "wrong_audience",
            "detail": '"aud" must name "https://api.test"',
            "token_hash": base64.urlsafe_b64encode(hashlib.sha256(bad.encode()).digest()).decode().rstrip("="),
            "subject": "agent-7",
        },
    ]
    assert answer.status == 1


def test_every_defect_has_its_code(run, issuer: LocalIssuer, requirements) -> None:
    bad = list(issuer.defects())
    answer = run("verify", *requirements, "--json", *(token for _, _, token in bad))
    assert [one["code"] for one in answer.objects] == [code.value for _, code, _ in bad]


def test_no_token_is_ever_printed(run, issuer: LocalIssuer, requirements) -> None:
    tokens = [issuer.mint(), *(token for _, _, token in issuer.defects() if token)]
    for options in ([], ["--json"]):
        answer = run("verify", *requirements, *options, *tokens)
        for token in tokens:
            for part in token.split("."):
                assert len(part) < 8 or part not in answer.out + answer.err


@pytest.mark.parametrize(
    "arguments", [["TOKEN"], ["keys", "TOKEN"], ["keys", "-", "TOKEN"], ["verify", "--pem", "TOKEN"]]
)
def test_a_token_in_the_wrong_place_is_not_printed(run, issuer: LocalIssuer, arguments) -> None:
    token = issuer.mint()
    answer = run(*(token if argument == "TOKEN" else argument for argument in arguments))
    assert answer.status == 2
    assert "(a token)" in answer.err
    assert not any(part in answer.err for part in token.split("."))


# Hostile tokens.

HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\u202egnp.exe\x7f"


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_hostile_token_cannot_control_the_terminal(run, issuer: LocalIssuer, requirements, option) -> None:
    tokens = [
        issuer.mint(sub=HOSTILE),
        issuer.mint({HOSTILE: HOSTILE}),
        issuer.mint(header={"kid": HOSTILE}),
        issuer.mint(header={"kid": HOSTILE[:4], "typ": HOSTILE}),
    ]
    answer = run("verify", *requirements, *option, *tokens)
    assert answer.status == 1
    for line in (answer.out + answer.err).split("\n"):
        assert line.isprintable()
    if option:
        assert answer.objects[0]["claims"]["sub"] == HOSTILE
    else:
        assert "\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\x0d\\x0a\\u202egnp.exe\\x7f" in answer.out


# Requirements.


def test_the_issuer_is_checked_only_if_one_is_given(run, issuer: LocalIssuer, jwks: str) -> None:
    other = issuer.mint(iss="https://other.test")
    options = ["--jwks", jwks, "--audience", "https://api.test"]
    answer = run("verify", *options, other)
    assert answer.status == 0
    assert "Not checked: the issuer (no --issuer)." in answer.out
    assert "wrong issuer" in run("verify", *options, "--issuer", "https://issuer.test", other).out
    both = ["--issuer", "https://issuer.test", "--issuer", "https://other.test"]
    assert run("verify", *options, *both, other, issuer.mint()).status == 0


def test_the_audience_must_be_named_or_waived(run, issuer: LocalIssuer, jwks: str) -> None:
    options = ["--jwks", jwks, "--issuer", "https://issuer.test"]
    answer = run("verify", *options, issuer.mint())
    assert answer.status == 1
    assert "Hint: --audience" in answer.out
    assert (
        run("verify", *options, "--audience", "https://a", "--audience", "https://api.test", issuer.mint()).status == 0
    )
    waived = run("verify", *options, "--any-audience", issuer.mint())
    assert waived.status == 0
    assert "Not checked: the audience (--any-audience)." in waived.out
    assert run("verify", *options, "--any-audience", "--audience", "a", issuer.mint()).status == 2


@pytest.mark.parametrize(
    ("options", "token", "code"),
    [
        (["--algorithm", "ES256"], {}, "algorithm_not_allowed"),
        (["--algorithm", "ES256", "--algorithm", "EdDSA"], {}, None),
        (["--type", "JWT"], {}, "wrong_type"),
        (["--type", "JWT", "--type", "at+jwt"], {}, None),
        (["--type", "none"], {}, "wrong_type"),
        (["--type", "none"], {"header": {"typ": None}}, None),
        (["--require", "tenant"], {}, "missing_claim"),
        (["--require", "tenant"], {"tenant": "blue"}, None),
        (["--require", "tenant"], {"tenant": "blue", "exp": None}, "missing_claim"),
        (["--leeway", "0"], {"expires_in": -3}, "expired"),
        ([], {"expires_in": -3}, None),
        (["--leeway", "60"], {"expires_in": -30}, None),
        ([], {"cnf": {"jkt": "x" * 43}}, "dpop_proof_required"),
        (["--accept-bound"], {"cnf": {"jkt": "x" * 43}}, None),
        (["--at", "1000000000"], {}, "issued_in_future"),
        (["--at", "2001-09-09T01:46:40Z"], {"iat": 1_000_000_000, "exp": 1_000_000_001}, None),
        (["--at", "2001-09-09T03:46:40.5+02:00"], {"iat": 1_000_000_000, "exp": 1_000_000_001}, None),
        (["--at", "2001-09-09T02:46:40Z"], {"iat": 1_000_000_000, "exp": 1_000_000_001}, "expired"),
        (["--at", "2001-09-09"], {"iat": 999_993_600, "exp": 999_993_601, "nbf": 999_993_600}, None),
        (["--at", "2001-09-09", "--leeway", "0"], {"iat": 0, "exp": 999_993_600}, "expired"),
        (["--threads", "2"], {}, None),
    ],
)
def test_requirements(run, issuer: LocalIssuer, requirements, options, token, code) -> None:
    answer = run("verify", *requirements, *options, "--json", issuer.mint(**token))
    assert [one["code"] for one in answer.objects] == [code]
    assert answer.status == (0 if code is None else 1)


def test_a_public_key_in_pem(run, issuer: LocalIssuer, tmp_path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(issuer.public_pem())
    options = ["--pem", str(path), "--audience", "https://api.test"]
    assert run("verify", *options, issuer.mint()).status == 0
    assert "invalid signature" in run("verify", *options, issuer.mint_bad("claims changed after signing")).out


def test_a_token_that_is_bound_to_a_certificate(run, issuer: LocalIssuer, requirements, tmp_path) -> None:
    own, other = ClientCertificate.make(), ClientCertificate.make()
    chain, another, no_certificate = (tmp_path / name for name in ("chain.pem", "another.pem", "key.pem"))
    chain.write_text(f"subject=CN = client\n{own.pem}{other.pem}")
    another.write_text(other.pem)
    no_certificate.write_text(own.private_key_pem)
    raw = [issuer.mint(certificate=own.der), issuer.mint(), issuer.mint_bad("expired")]
    for options, code in (
        ([], "certificate_required"),
        (["--accept-bound"], None),
        (["--certificate", str(chain)], None),
        (["--certificate", str(another)], "certificate_mismatch"),
    ):
        answer = run("verify", *requirements, *options, "--json", *raw)
        assert [one["code"] for one in answer.objects] == [code, None, "expired"]
    assert "--certificate FILE" in run("verify", *requirements, raw[0]).out
    for path in (no_certificate, tmp_path / "absent.pem"):
        answer = run("verify", *requirements, "--certificate", str(path), *raw)
        assert answer.status == 2
        assert path.name in answer.err
        assert "PRIVATE" not in answer.err


def test_a_certificate_with_keys_over_http(run, tmp_path) -> None:
    own = ClientCertificate.make()
    path = tmp_path / "client.pem"
    path.write_text(own.pem)
    with LocalIssuer().serve() as served:
        options = ["--issuer", served.issuer, "--audience", "https://api.test", "--allow-loopback-http"]
        token = served.mint(certificate=own.der)
        assert run("verify", *options, token).status == 1
        assert run("verify", *options, "--certificate", str(path), token).status == 0


# Key sources.


def test_keys_are_discovered(run) -> None:
    with LocalIssuer().serve() as served:
        options = ["--issuer", served.issuer, "--audience", "https://api.test", "--allow-loopback-http"]
        answer = run("verify", *options, served.mint(), served.mint_bad("unknown kid"))
        assert answer.status == 1
        assert "1 valid, 1 rejected (1 unknown key)" in answer.out
        assert served.requests.count("/jwks.json") == 2  # once more for the unknown kid


def test_keys_are_fetched(run) -> None:
    with LocalIssuer().serve() as served:
        options = ["--jwks", served.jwks_uri, "--audience", "https://api.test", "--allow-loopback-http"]
        assert run("verify", *options, served.mint()).status == 0
        assert run("verify", *options, "--issuer", served.issuer, served.mint()).status == 0
        assert run("verify", *options, "--issuer", "https://other.test", served.mint()).status == 1


def test_one_issuer_that_is_down_does_not_stop_the_others(run) -> None:
    with LocalIssuer().serve() as up, LocalIssuer().serve() as down, down.outage():
        issuers = ["--issuer", up.issuer, "--issuer", down.issuer]
        answer = run("verify", *issuers, "--any-audience", "--allow-loopback-http", "--json", up.mint(), down.mint())
        assert answer.status == 1
        assert [one["code"] for one in answer.objects] == [None, "keys_unavailable"]


def test_an_outage_is_reported_once(requirements) -> None:
    with LocalIssuer().serve() as up, LocalIssuer().serve() as down, down.outage():
        options = ["--any-audience", "--allow-loopback-http", "a.b.c"]
        for issuers, report in (
            ([up, down], "Continuing without some keys"),
            ([down], "watchword verify: the keys"),
        ):
            process = start("verify", *(f"--issuer={one.issuer}" for one in issuers), *options)
            (line,) = process.communicate(timeout=60)[1].decode().splitlines()
            assert line.startswith(report)
            assert "HTTP 503" in line


def test_rejected_keys_are_mentioned(run, issuer: LocalIssuer, tmp_path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}, *issuer.jwks()["keys"]]}))
    answer = run("verify", "--jwks", str(path), "--any-audience", issuer.mint())
    assert answer.status == 0
    assert "Rejected 1 of the keys" in answer.err


# Hints.


@pytest.mark.parametrize(
    ("spoilt", "hint"),
    [
        ("Bearer {}", "Remove the word 'Bearer'"),
        ("DPoP {}", "Remove the word 'DPoP'"),
        ("Authorization: Bearer {}", "a whole header line"),
        ('"{}"', "Remove the quotation marks."),
        (" {}", "Remove the white space."),
    ],
)
def test_text_around_a_token_is_named(run, issuer: LocalIssuer, requirements, spoilt: str, hint: str) -> None:
    token = spoilt.format(issuer.mint())
    answer = run("verify", *requirements, token)
    assert answer.status == 1
    assert hint in answer.out
    assert hint in run("verify", *requirements, "--json", token).objects[0]["hint"]


def test_a_hint_is_given_once(run, issuer: LocalIssuer, requirements) -> None:
    answer = run("verify", *requirements, *[issuer.mint_bad("expired") for _ in range(3)])
    assert answer.out.count("Hint: --at") == 1


# Mistakes.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no key source given"),
        (["--jwks", "nowhere.json"], "can't be read"),
        (["--jwks", "."], "can't be read"),
        (["--pem", "nowhere.pem"], "can't be read"),
        (["--jwks", "http://keys.example/"], "https"),
        (["--jwks", "ftp://keys.example/"], "https"),
        (["--jwks", "http://127.0.0.1:1/"], "--allow-loopback-http"),
        (["--jwks", "http://127.0.0.1:1/", "--allow-loopback-http"], "can't be fetched"),
        (["--issuer", "http://127.0.0.1:1"], "--allow-loopback-http"),
        (["--issuer", "http://127.0.0.1:1", "--allow-loopback-http"], "Check the URL"),
        (["--jwks", "-"], "can't hold both"),
        (["--jwks", "-", "-"], "can't hold both"),
        (["--jwks", "a", "--pem", "b"], "not allowed with"),
    ],
)
def test_a_mistake_is_status_2_and_a_sentence(run, arguments, said: str) -> None:
    answer = run("verify", *arguments, "--audience", "https://api.test", *([] if "-" in arguments else ["a.b.c"]))
    assert answer.status == 2
    assert said in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--at", "yesterday"], "invalid time"),
        (["--at", "2026-11-21T09:30:00"], "invalid time"),
        (["--at", "nan"], "invalid time"),
        (["--at", "2026-02-30T09:30:00Z"], "invalid time"),
        (["--at", "2026-02-30"], "invalid time"),
        (["--algorithm", "HS256"], "HS256"),
        (["--leeway", "-1"], "leeway"),
        (["--leeway", "x"], "invalid float"),
        (["--threads", "0"], "at least 1"),
        (["--issuer", ""], "issuer"),
    ],
)
def test_an_invalid_option_is_status_2(run, requirements, options, said: str) -> None:
    answer = run("verify", *requirements, *options, "a.b.c")
    assert answer.status == 2
    assert said in answer.err


@pytest.mark.parametrize("text", ["", "\n\n  \n"])
def test_no_tokens_at_all_is_status_2(run, requirements, text: str) -> None:
    answer = run("verify", *requirements, text=text)
    assert answer.status == 2
    assert "there are no tokens" in answer.err


@pytest.mark.parametrize("document", ["[]", "not JSON", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}'])
def test_a_document_without_usable_keys_is_status_2(run, tmp_path, document: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(document)
    answer = run("verify", "--jwks", str(path), "--any-audience", "a.b.c")
    assert answer.status == 2
    assert "keys.json" in answer.err


def test_the_document_names_every_option(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    document = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    table = document.partition("## `watchword verify`")[2].partition("For people:")[0]
    documented = set(re.findall(r"^\| `(--[a-z-]+)", table, re.MULTILINE))
    assert documented == set(re.findall(r"^  (--[a-z-]+)", run("verify", "--help").out, re.MULTILINE))
