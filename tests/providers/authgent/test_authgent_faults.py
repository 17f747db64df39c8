"""Every call against everything that servers should not do: the documented exception, and no request too many."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import authgent_calls
import endpoint
import pytest
from authgent_calls import CALLS, FAST, SECRET, Documented
from client_faults import FAULTS, Fault, Outcome
from endpoint import Server

import watchword.providers.authgent as authgent

STATUS = {Outcome.LIMITED: 429, Outcome.UNAVAILABLE: 503, Outcome.INVALID: 200}

#: Revocation has no result, so that any JSON object is a success.
EMPTY = ("no members", "members that are null")

#: What takes until the time limit is tried once for each way of sending again.
SLOW = ("silence", "a header byte now and then", "a body byte now and then")


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with endpoint.running() as started:
        yield started


def cases() -> Iterator[object]:
    for one in CALLS:
        for fault in FAULTS:
            if str(fault) in SLOW and one.name not in ("get_token", "refresh_token"):
                continue
            forms = authgent_calls.FORMS if one.name in ("get_token", "refresh_token") else ("sync",)
            for form in forms:
                yield pytest.param(one, fault, form, id=f"{one}-{fault}-{form}")


@pytest.mark.parametrize(("one", "fault", "form"), list(cases()))
def test_faults(server: Server, one: Documented, fault: Fault, form: str) -> None:
    server.routes[one.route] = fault.make(server.stop)
    if one.name == "revoke_token" and str(fault) in EMPTY:
        assert authgent_calls.call(form, server.url, one.name, FAST, **one.arguments) is None
        return
    with pytest.raises(authgent.ServerError) as caught:
        authgent_calls.call(form, server.url, one.name, FAST, **one.arguments)
    error = caught.value
    expected = 500 if "500" in str(fault) else STATUS.get(fault.outcome)
    assert error.status_code == expected
    assert (error.__cause__, error.__context__) == (None, None)
    shown = "".join(traceback.format_exception(error))
    for secret in (SECRET, "eyJ.old", "tok_old", "eyJ.grant", authgent_calls.UNSIGNED):
        assert secret not in shown
    assert server.count() == fault.attempts(repeatable=one.repeatable, max_retries=FAST.max_retries)


@pytest.mark.parametrize("one", [one for one in CALLS if one.name != "revoke_token"], ids=str)
def test_a_missing_member_is_named(server: Server, one: Documented) -> None:
    required = {
        "/token": ("access_token", "token_type", "expires_in"),
        "/agents": ("id", "client_id", "client_secret", "name"),
        "/register": ("client_id", "client_secret", "grant_types"),
        "/introspect": ("active",),
        "/token/check": ("allowed", "effective_scopes", "delegation_depth", "max_delegation_depth", "reasons"),
        "/stepup": ("id", "status"),
        "/stepup/req_1": ("status",),
    }[one.route]
    for name in required:
        for document in ({**one.good, name: ["x", 1]}, {key: value for key, value in one.good.items() if key != name}):
            server.routes[one.route] = authgent_calls.good(document, one.status)
            with pytest.raises(authgent.ServerError, match=f'"{name}"'):
                authgent_calls.call("sync", server.url, one.name, **one.arguments)
