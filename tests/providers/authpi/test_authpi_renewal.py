"""Renewal: when, with what checks, once for all who ask, and never lost."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from authpi_server import ACCESS, NONCE, REFRESH, SECRET, Idp, json_answer
from authpi_tokens import CLIENT
from endpoint import LONG, Hang, answer, eventually

from watchword.providers.authpi import (
    AuthenticatedAgent,
    OAuthError,
    PrincipalType,
    RefreshError,
    SessionExpiredError,
    SubjectMismatchError,
    TokenExpiredError,
    TokenParseError,
    TokenSet,
)
from watchword.providers.authpi.delivery import Delivery
from watchword.waiting import finish


def soon(seconds: float = 10) -> int:
    return int(time.time() + seconds)


# When.


@pytest.mark.parametrize(
    ("access_ends", "id_ends", "options", "is_renewed"),
    [
        (3600, 3600, {}, False),
        (10, 3600, {}, True),
        (3600, 10, {}, True),
        (3600, -10, {}, True),
        (-10, 3600, {}, True),
        (90, 90, {"refresh_buffer_seconds": 120}, True),
        (10, 3600, {"refresh_buffer_seconds": 1}, False),
        (-10, 3600, {"auto_refresh": False}, False),
    ],
)
def test_tokens_are_renewed_if_either_ends_soon(
    idp: Idp, form: str, access_ends: int, id_ends: int, options: dict[str, Any], is_renewed: bool
) -> None:
    id_token = idp.issuing.mint(exp=soon(id_ends), iat=soon(-3600))
    stored = idp.stored(expires_at=soon(access_ends), id_token=id_token)
    got: list[dict[str, Any]] = []
    agent = idp.call(form, lambda client: client.create_agent(stored.model_dump(), on_refresh=got.append), **options)
    assert agent.id == "usr_1"
    assert agent.tokens.access_token == ("new-access-token" if is_renewed else ACCESS)
    assert got == ([agent.tokens.model_dump()] if is_renewed else [])
    common = {"client_id": CLIENT, "client_secret": SECRET}
    sent = [{"grant_type": "refresh_token", "refresh_token": REFRESH, **common}] if is_renewed else []
    assert idp.forms() == sent


def test_a_call_decides_for_itself(idp: Idp, form: str) -> None:
    stored = idp.stored()
    idp.call(form, lambda client: client.create_agent(stored, auto_refresh=False))
    assert idp.server.count() == 0
    idp.call(form, lambda client: client.create_agent(stored, auto_refresh=True), auto_refresh=False)
    assert idp.server.count() == 1


def test_an_expired_id_token_is_not_accepted_without_renewal(idp: Idp, form: str) -> None:
    stored = idp.stored(id_token=idp.issuing.mint(exp=soon(-60), iat=soon(-3600)))
    with pytest.raises(TokenExpiredError):
        idp.call(form, lambda client: client.create_agent(stored, auto_refresh=False))


def test_without_a_refresh_token(idp: Idp, form: str) -> None:
    stored, errors = idp.stored(refresh_token=None), []
    with pytest.raises(TokenExpiredError) as caught:
        idp.call(form, lambda client: client.create_agent(stored, on_refresh_error=errors.append))
    assert errors == [caught.value]
    agent = idp.call(form, lambda client: client.create_agent(stored, auto_refresh=False))
    with pytest.raises(TokenExpiredError, match="No refresh token available"):
        idp.call(form, lambda client: client.refresh(agent))
    assert idp.server.count() == 0


def test_a_manual_renewal(idp: Idp, form: str) -> None:
    agent = idp.call(form, lambda client: client.create_agent(idp.stored(expires_at=soon(3600))))
    got: list[dict[str, Any]] = []
    new = idp.call(form, lambda client: client.refresh(agent, on_refresh=got.append))
    assert (new.id, new.tokens.access_token) == ("usr_1", "new-access-token")
    assert [TokenSet(**one) for one in got] == [new.tokens]
    with pytest.raises(TypeError, match="AuthenticatedAgent"):
        idp.call(form, lambda client: client.refresh(idp.stored()))


def test_what_a_renewal_does_not_state_again_stays(idp: Idp, form: str) -> None:
    idp.answers(refresh_token=None, scope=None)
    tokens = idp.call(form, lambda client: client.create_agent(idp.stored())).tokens
    assert (tokens.refresh_token, tokens.scope) == (REFRESH, "openid")


def test_the_resources_of_a_renewal(idp: Idp, form: str) -> None:
    """A session keeps those of its login, unless the call says otherwise; a manual renewal has the client's."""
    stored, mine = idp.stored(), {"resources": ["https://a.example"]}
    agent = idp.call(form, lambda client: client.create_agent(stored, auto_refresh=False))
    idp.call(form, lambda client: client.create_agent(stored), **mine)
    idp.call(form, lambda client: client.create_agent(stored, resources=["https://b.example"]), **mine)
    idp.call(form, lambda client: client.refresh(agent), **mine)
    idp.call(form, lambda client: client.refresh(agent, resources=[]), **mine)
    assert [one.get("resource") for one in idp.forms()] == [None, "https://b.example", "https://a.example", None]


def test_no_refresh_token_is_sent_twice_for_other_resources(idp: Idp) -> None:
    stored = idp.stored()
    with idp.client("thread") as client:
        for name in ("a", "b", "a", "b", "c"):
            client.create_agent(stored, resources=[f"https://{name}.example"])
    # Those of "c" come last: the server repeats its answer, and so the refresh token stays what it was.
    sent = [(one["refresh_token"], one["resource"]) for one in idp.forms()]
    assert sent == [
        (REFRESH, "https://a.example"),
        ("new-refresh-token", "https://b.example"),
        ("new-refresh-token", "https://c.example"),
    ]


# Sets without an ID token.


def test_a_set_without_an_id_token(idp: Idp, form: str) -> None:
    later = soon(3600)
    for changes in ({}, {"refresh_token": None}):
        with pytest.raises(TokenParseError, match="no ID token"):
            idp.call(form, lambda client: client.create_agent(idp.stored(id_token=None, expires_at=later, **changes)))  # noqa: B023
    # Who the access token belongs to is asked for.
    hinted = idp.stored(id_token=None, expires_at=later, subject_hint="usr_1")
    agent = idp.call(form, lambda client: client.create_agent(hinted))
    assert (agent.id, agent.type, agent.email) == ("usr_1", PrincipalType.USER, "ada@example.com")
    with pytest.raises(SubjectMismatchError):
        idp.call(form, lambda client: client.create_agent(hinted.model_copy(update={"subject_hint": "usr_2"})))
    # A client without logins has no tokens but its own.
    own = {"access_token": ACCESS, "expires_at": later, "scope": "users:read"}
    machine = idp.call(form, lambda client: client.create_agent(own), redirect_uri=None)
    assert (machine.id, machine.has_access("read", "users")) == (CLIENT, True)
    with pytest.raises(TokenExpiredError):
        idp.call(form, lambda client: client.create_agent({**own, "expires_at": soon()}), redirect_uri=None)


@pytest.mark.parametrize("id_token", ["not.a.jwt", "x", "e30.e30.", ""])
def test_an_id_token_that_is_none_does_not_use_up_the_refresh_token(idp: Idp, form: str, id_token: str) -> None:
    with pytest.raises(TokenParseError):
        idp.call(form, lambda client: client.create_agent(idp.stored(id_token=id_token)))
    with pytest.raises(TokenParseError):
        idp.call(form, lambda client: client.create_agent({"access_token": ACCESS}))
    with pytest.raises(TypeError):
        idp.call(form, lambda client: client.create_agent("tokens"))
    assert idp.server.count() == 0


def test_a_renewal_without_an_id_token_asks_for_the_claims(idp: Idp, form: str) -> None:
    idp.answers(id_token=None)
    idp.server.routes["/userinfo"] = json_answer({"sub": "usr_1", "organizations": []})
    got: list[dict[str, Any]] = []
    agent = idp.call(form, lambda client: client.create_agent(idp.stored(), on_refresh=got.append))
    # Memberships that have ended are gone.
    assert (agent.id, agent.organizations) == ("usr_1", [])
    assert (got[0]["subject_hint"], got[0]["id_token"]) == ("usr_1", None)
    assert [one.path for one in idp.server.requests] == ["/token", "/userinfo"]
    assert idp.server.requests[1].headers["authorization"] == "Bearer new-access-token"
    # And so does what was stored.
    assert idp.call(form, lambda client: client.create_agent(got[0])).id == "usr_1"


def test_claims_that_cannot_be_had_come_after_the_tokens_are_stored(idp: Idp, form: str) -> None:
    idp.answers(id_token=None)
    idp.server.routes["/userinfo"] = answer(status=403)
    got, errors = [], []
    with pytest.raises(OAuthError, match="Failed to fetch user info"):
        idp.call(
            form,
            lambda client: client.create_agent(idp.stored(), on_refresh=got.append, on_refresh_error=errors.append),
        )
    assert ([one["refresh_token"] for one in got], errors) == (["new-refresh-token"], [])
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: client.create_agent(idp.stored(), on_refresh_error=errors.append))
    assert errors == [caught.value]


# Whose tokens they are.


@pytest.mark.parametrize("has_id_token", [True, False])
def test_somebody_elses_tokens(idp: Idp, form: str, has_id_token: bool) -> None:
    idp.answers(id_token=idp.issuing.mint(sub="usr_2") if has_id_token else None)
    idp.server.routes["/userinfo"] = json_answer({"sub": "usr_2"})
    agent = idp.call(form, lambda client: client.create_agent(idp.stored(), auto_refresh=False))
    got: list[Any] = []
    for call in (
        lambda client: client.create_agent(idp.stored(), on_refresh=got.append),
        lambda client: client.refresh(agent, on_refresh=got.append),
    ):
        with pytest.raises(SubjectMismatchError) as caught:
            idp.call(form, call)
        assert (caught.value.expected_sub, caught.value.actual_sub) == ("usr_1", "usr_2")
    # With a hint at whose they must be, if that turned out too late.
    assert {one["subject_hint"] for one in got} == (set() if has_id_token else {"usr_1"})


@pytest.mark.parametrize(
    ("old", "new", "is_accepted"),
    [(NONCE, NONCE, True), (NONCE, None, True), (None, NONCE, True), (NONCE, "other", False)],
)
def test_the_nonce_does_not_change(idp: Idp, form: str, old: str | None, new: str | None, is_accepted: bool) -> None:
    idp.answers(id_token=idp.issuing.mint(nonce=new))
    stored, got = idp.stored(id_token=idp.issuing.mint(nonce=old)), []
    if is_accepted:
        assert idp.call(form, lambda client: client.create_agent(stored, on_refresh=got.append)).id == "usr_1"
        return
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: client.create_agent(stored, on_refresh=got.append))
    assert (caught.value.error, got) == ("invalid_nonce", [])


def test_a_renewed_id_token_is_verified(idp: Idp, form: str) -> None:
    got: list[Any] = []
    for id_token in (
        idp.issuing.mint_bad("claims changed after signing"),
        idp.issuing.mint(aud="cli_2"),
        idp.issuing.mint(iss="https://evil.example"),
        idp.issuing.mint(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    ):
        idp.answers(id_token=id_token)
        with pytest.raises(TokenParseError):
            idp.call(form, lambda client: client.create_agent(idp.stored(), on_refresh=got.append))
    assert got == []


def test_without_keys_the_tokens_are_stored_and_verified_later(idp: Idp, form: str) -> None:
    idp.server.routes["/keys"] = answer(status=503)
    got, errors = [], []
    remote = {"jwks": None, "jwks_uri": f"{idp.server.url}/keys"}
    with pytest.raises(OAuthError) as caught:
        idp.call(
            form,
            lambda client: client.create_agent(idp.stored(), on_refresh=got.append, on_refresh_error=errors.append),
            **remote,
        )
    assert (caught.value.error, errors) == ("temporarily_unavailable", [])
    (kept,) = got
    assert (kept["refresh_token"], kept["subject_hint"]) == ("new-refresh-token", "usr_1")
    idp.server.routes["/keys"] = json_answer(idp.issuing.jwks())
    assert idp.call(form, lambda client: client.create_agent(kept), **remote).id == "usr_1"
    with pytest.raises(SubjectMismatchError):
        idp.call(form, lambda client: client.create_agent({**kept, "subject_hint": "usr_2"}))


# Refusals.


def test_a_renewal_that_is_refused(idp: Idp, form: str) -> None:
    idp.refuses("/token", "invalid_grant", error_description="grant not found")
    errors: list[Exception] = []
    with pytest.raises(RefreshError, match="grant not found") as caught:
        idp.call(form, lambda client: client.create_agent(idp.stored(), on_refresh_error=errors.append))
    assert (caught.value.error, caught.value.status_code, errors) == ("invalid_grant", 400, [caught.value])
    assert type(caught.value) is RefreshError
    assert idp.server.count() == 1
    idp.refuses("/token", "session_expired", 403)
    with pytest.raises(SessionExpiredError) as caught:
        idp.call(form, lambda client: client.create_agent(idp.stored()))
    assert isinstance(caught.value, RefreshError)
    assert (caught.value.error, caught.value.status_code) == ("session_expired", 403)
    idp.answers(access_token=None)
    with pytest.raises(RefreshError, match="access_token") as caught:
        idp.call(form, lambda client: client.create_agent(idp.stored()))
    assert (caught.value.error, caught.value.status_code) == ("server_error", 200)


def test_on_refresh_that_raises(idp: Idp, form: str) -> None:
    def full(tokens: dict[str, Any]) -> None:
        raise OSError("disk full")

    errors: list[Exception] = []
    with pytest.raises(OSError, match="disk full") as caught:
        idp.call(
            form, lambda client: client.create_agent(idp.stored(), on_refresh=full, on_refresh_error=errors.append)
        )
    assert errors == [caught.value]


def test_callbacks_that_cannot_be_called(idp: Idp, form: str) -> None:
    async def coroutine(value: object) -> None:
        return

    for name in ("on_refresh", "on_refresh_error"):
        wrong = ["text", coroutine] if form == "thread" else ["text"]
        for callback in wrong:
            with pytest.raises(TypeError, match=name):
                idp.call(form, lambda client: client.create_agent(idp.stored(), **{name: callback}))  # noqa: B023
    assert idp.server.count() == 0


@pytest.mark.filterwarnings("error")
def test_a_function_that_returns_a_coroutine_stores_nothing_in_a_thread(idp: Idp) -> None:
    """Such as a lambda around a coroutine function: the new tokens would be lost without a word."""

    async def store(value: object, session: object) -> None:
        return

    with pytest.raises(TypeError, match="cannot await"):
        idp.call("thread", lambda client: client.create_agent(idp.stored(), on_refresh=lambda new: store(new, None)))


def test_coroutine_functions_are_awaited(idp: Idp) -> None:
    got: list[Any] = []

    async def store(value: object) -> None:
        await asyncio.sleep(0)
        got.append(value)

    idp.call("task", lambda client: client.create_agent(idp.stored(), on_refresh=store))
    assert got[0]["access_token"] == "new-access-token"
    idp.refuses("/token", "invalid_grant")
    with pytest.raises(RefreshError) as caught:
        idp.call("task", lambda client: client.create_agent(idp.stored(), on_refresh_error=store))
    assert got[1:] == [caught.value]


# Once, whoever asks.


def test_concurrent_callers_share_one_renewal(idp: Idp, form: str) -> None:
    good = idp.server.routes["/token"]
    hang = idp.server.routes["/token"] = Hang(good)
    stored, got = idp.stored(), []
    agent = idp.call("thread", lambda client: client.create_agent(stored, auto_refresh=False))
    client = idp.client(form)
    calls: list[Callable[[], Any]] = [lambda: client.create_agent(stored, on_refresh=got.append)] * 4
    calls.append(lambda: client.refresh(agent))

    agents: list[AuthenticatedAgent] = []
    if form == "thread":
        threads = [threading.Thread(target=lambda call=call: agents.append(call())) for call in calls]
        for thread in threads:
            thread.start()
        idp.server.wait_for(1)
        hang.released.set()
        for thread in threads:
            thread.join(LONG)
        # Who comes a moment later with the old tokens gets the new ones, too.
        agents.append(calls[0]())
        renewed = client.refresh(agents[-1])
    else:

        async def in_tasks() -> Any:
            tasks = [asyncio.ensure_future(call()) for call in calls]
            await asyncio.to_thread(idp.server.wait_for, 1)
            hang.released.set()
            agents.extend(await asyncio.gather(*tasks))
            agents.append(await calls[0]())
            return await client.refresh(agents[-1])

        renewed = asyncio.run(in_tasks())
    assert {one.tokens.access_token for one in agents} == {"new-access-token"}
    assert len(agents) == 6
    assert [one["access_token"] for one in got] == ["new-access-token"] * 5
    # The new tokens are renewed with the new refresh token.
    assert [one["refresh_token"] for one in idp.forms()] == [REFRESH, "new-refresh-token"]
    assert renewed.id == "usr_1"


def test_a_refresh_token_that_stays_is_used_again(idp: Idp, form: str) -> None:
    async def twice_in_task(client: Any) -> None:
        await client.refresh(await client.create_agent(idp.stored()))

    idp.answers(refresh_token=None)
    call = twice_in_task if form == "task" else lambda client: client.refresh(client.create_agent(idp.stored()))
    idp.call(form, call)
    assert [one["refresh_token"] for one in idp.forms()] == [REFRESH, REFRESH]


def test_a_failed_callback_is_its_callers_alone(idp: Idp) -> None:
    hang = idp.server.routes["/token"] = Hang(idp.server.routes["/token"])
    stored, got = idp.stored(), []

    async def full(tokens: dict[str, Any]) -> None:
        raise OSError("disk full")

    async def in_tasks() -> list[Any]:
        client = idp.client("task")
        first = asyncio.ensure_future(client.create_agent(stored, on_refresh=full))
        await asyncio.to_thread(idp.server.wait_for, 1)
        second = asyncio.ensure_future(client.create_agent(stored, on_refresh=got.append))
        await asyncio.sleep(0)
        hang.released.set()
        return await asyncio.gather(first, second, return_exceptions=True)

    failed, agent = asyncio.run(in_tasks())
    assert isinstance(failed, OSError)
    assert agent.id == "usr_1"
    assert len(got) == 1
    assert idp.server.count() == 1


@pytest.mark.parametrize("has_id_token", [True, False])
def test_a_session_with_another_subject_gets_nothing(idp: Idp, form: str, has_id_token: bool) -> None:
    if not has_id_token:
        idp.answers(id_token=None)
    mine, got = idp.stored(), []
    other = mine.model_copy(update={"id_token": idp.issuing.mint(sub="usr_2")})

    async def in_task(client: Any) -> None:
        await client.create_agent(mine)
        await client.create_agent(other, on_refresh=got.append)

    def in_thread(client: Any) -> None:
        client.create_agent(mine)
        client.create_agent(other, on_refresh=got.append)

    with pytest.raises(SubjectMismatchError):
        idp.call(form, in_thread if form == "thread" else in_task)
    assert (got, idp.server.count("/token")) == ([], 1)


# Never lost.

_REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("_REQUEST")


def test_a_cancelled_caller_does_not_lose_the_tokens(idp: Idp) -> None:
    hang = idp.server.routes["/token"] = Hang(idp.server.routes["/token"])
    got: list[Any] = []

    async def store(tokens: dict[str, Any]) -> None:
        await asyncio.sleep(0.01)
        got.append((_REQUEST.get(), tokens["refresh_token"]))

    async def in_tasks() -> None:
        client = idp.client("task")
        _REQUEST.set("of the caller")
        caller = asyncio.ensure_future(client.create_agent(idp.stored(), on_refresh=store))
        await asyncio.to_thread(idp.server.wait_for, 1)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert got == []
        hang.released.set()
        await asyncio.to_thread(eventually, lambda: got)

    asyncio.run(in_tasks())
    assert got == [("of the caller", "new-refresh-token")]


def test_cancelling_a_caller_while_it_stores_the_tokens_does_not_lose_them(idp: Idp) -> None:
    """Neither the caller that began the renewal, nor one that got its result."""
    stored = idp.stored()

    async def in_tasks(client: Any) -> None:
        begun, go, got = asyncio.Event(), asyncio.Event(), []

        async def store(tokens: dict[str, Any]) -> None:
            begun.set()
            await go.wait()
            got.append(tokens)

        caller = asyncio.ensure_future(client.create_agent(stored, on_refresh=store))
        await begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        go.set()
        while not got:
            await asyncio.sleep(0)

    async def both() -> None:
        client = idp.client("task")
        await in_tasks(client)
        await in_tasks(client)

    asyncio.run(asyncio.wait_for(both(), LONG))
    assert idp.server.count() == 1


def test_a_caller_in_a_thread_stores_the_tokens_itself(idp: Idp) -> None:
    threads: list[threading.Thread] = []
    idp.call(
        "thread",
        lambda client: client.create_agent(
            idp.stored(), on_refresh=lambda tokens: threads.append(threading.current_thread())
        ),
    )
    assert threads == [threading.current_thread()]


class Interrupted(BaseException):
    """As ``KeyboardInterrupt``, or a worker's time limit."""


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals go to the main thread")
def test_an_interrupted_caller_in_a_thread_does_not_lose_the_tokens(idp: Idp, caplog: pytest.LogCaptureFixture) -> None:
    hang = idp.server.routes["/token"] = Hang(idp.server.routes["/token"])
    got: list[Any] = []

    def store(tokens: dict[str, Any]) -> None:
        got.append((_REQUEST.get(), tokens["refresh_token"]))
        raise OSError("disk full of " + tokens["refresh_token"])

    def interrupt(*_: object) -> None:
        raise Interrupted

    def when_asked() -> None:
        idp.server.wait_for(1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def call() -> None:
        _REQUEST.set("of the caller")
        idp.client("thread").create_agent(idp.stored(), on_refresh=store)

    former = signal.signal(signal.SIGUSR1, interrupt)
    interrupter = threading.Thread(target=when_asked)
    try:
        interrupter.start()
        with pytest.raises(Interrupted):
            contextvars.copy_context().run(call)
    finally:
        interrupter.join(LONG)
        signal.signal(signal.SIGUSR1, former)
    assert got == []
    hang.released.set()
    eventually(lambda: caplog.records)
    assert got == [("of the caller", "new-refresh-token")]
    assert "OSError" in caplog.text
    assert "new-refresh-token" not in caplog.text


def test_a_caller_that_is_interrupted_at_the_last_moment_stores_the_tokens(idp: Idp) -> None:
    got: list[Any] = []
    delivery = Delivery(got.append, is_async=False)
    tokens = idp.stored()
    finish(delivery.from_shared_call(tokens))
    assert got == []
    finish(delivery.after_cancellation())
    assert got == [tokens.model_dump()]
