"""Calls for tests of the callers: a verb, the server's answer to it, and a client's exception."""

from __future__ import annotations

import asyncio
import json

from endpoint import Server, answer

from watchword.client import Answer, Caller, CallError, CallSettings, Request, Verb

SECRET = "s3cret-s3cret"
FAST = CallSettings(timeout=0.6, deadline=20, first_delay=0.0, max_delay=0.0)


class Failed(Exception):
    """What this client raises."""

    def __init__(self, error: CallError) -> None:
        super().__init__(error.detail)
        self.error = error


def caller(server: Server, settings: CallSettings = FAST, **options: object) -> Caller:
    return Caller(server.url, user_agent="tests/1", raise_as=Failed, settings=settings, **options)  # type: ignore[arg-type]


def run(caller: Caller, verb: Verb[object], form: str) -> object:
    return caller.run(verb) if form == "thread" else asyncio.run(caller.run_async(verb))


def token(*, repeatable: bool) -> Verb[str]:
    got: Answer = yield Request("POST", "/token", form={"client_secret": SECRET}, repeatable=repeatable)
    if got.status != 200:
        return f"status {got.status}"
    return got.members().text("access_token")


GOOD = answer(json.dumps({"access_token": "abc", "new_member": 1}), Content_Type="application/json; charset=utf-8")
