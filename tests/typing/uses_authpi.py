"""A program as AuthPI's documentation teaches it. It is never run: ``mypy --strict`` reads it."""

from __future__ import annotations

from typing import Any

import httpx
import httpx2

import watchword as ww
from watchword.client import CallSettings
from watchword.providers.authpi import (
    FOREIGN_CLAIMS,
    AccountLinkingRequiredError,
    AgentType,
    AuthenticatedAgent,
    AuthorizationUrl,
    ConfigurationError,
    ConsentRequiredError,
    IdpClient,
    IdpClientSync,
    IdTokenVerifier,
    InsufficientScopeError,
    InteractionRequiredError,
    LoginRequiredError,
    LogoutOptions,
    OAuthError,
    Organization,
    ParsedScope,
    PrincipalType,
    RefreshError,
    SessionExpiredError,
    SubjectMismatchError,
    TokenExpiredError,
    TokenParseError,
    TokenSet,
    UserBlockedError,
    UserInfo,
    has_access,
    parse_scope,
)
from watchword.providers.authpi.scopes import has_access as has_access_of_the_module


def settings(jwks: dict[str, Any]) -> IdTokenVerifier:
    try:
        return IdTokenVerifier(issuer_url="https://idp.authpi.com/iss_1", client_id="cli_1")
    except ConfigurationError as error:
        print(error)
    return IdTokenVerifier(
        "https://idp.authpi.com/iss_1",
        "cli_1",
        jwks=jwks,
        algorithms=["ES256"],
        trusted_audiences=["cli_2"],
        subject_prefixes=None,
        foreign_claims=[name for name in FOREIGN_CLAIMS if name != "client_id"],
        leeway=30,
    )


def session(idp: IdTokenVerifier, stored: dict[str, Any]) -> AuthenticatedAgent | None:
    try:
        return idp.create_agent(stored)
    except TokenExpiredError:
        print("log in again")
    except TokenParseError as error:
        print(error.error, error.error_description)
    except SubjectMismatchError as error:
        expected: str = error.expected_sub
        actual: str = error.actual_sub
        print(expected, actual)
    except OAuthError as error:
        code: str = error.error
        description: str | None = error.error_description
        print(code, description)
    return None


def login(idp: IdTokenVerifier, answer: TokenSet, nonce: str) -> AuthenticatedAgent:
    agent: AuthenticatedAgent = idp.create_agent(answer, nonce=nonce)
    agent = idp.create_agent(answer, expected_sub=agent.id, now=1_900_000_000)
    agent = idp.create_agent_from_trusted_channel(answer, nonce=nonce)
    token: ww.VerifiedToken = idp.verify(answer.id_token or "", nonce=nonce)
    print(token.subject)
    return agent


async def in_an_event_loop(stored: dict[str, Any]) -> str:
    async with IdTokenVerifier("https://idp.authpi.com/iss_1", "cli_1", jwks_uri="https://idp.authpi.com/jwks") as idp:
        agent = await idp.create_agent_async(stored)
        await idp.verify_async(stored["id_token"])
        return agent.id


def authorization(agent: AuthenticatedAgent) -> list[bool]:
    kind: PrincipalType = agent.type
    email: str | None = agent.email
    verified: bool | None = agent.email_verified
    moments: tuple[int, int] = (agent.expires_at, agent.expires_in)
    tokens: TokenSet = agent.tokens
    kept: dict[str, Any] = tokens.model_dump()
    held: list[str] = agent.get_scopes_for("org_1")
    print(kind is AgentType.AGENT, kind.value, email, verified, moments, kept, held, agent.org_id)
    for organization in agent.organizations:
        one: Organization = organization
        title: str | None = one.title
        scopes: list[str] = one.scopes
        since: int = one.joined_at
        print(one.id, title, scopes, since)
    return [
        agent.has_access("read", "users"),
        agent.has_access_in("org_1", "delete", "projects.tasks"),
        agent.is_owner_of("org_1"),
        agent.is_admin_of("org_1"),
        agent.is_member_of("org_1"),
        agent.is_expired(),
        agent.is_expired(60),
        agent.is_expired(buffer=60),
        agent.is_expired(buffer_seconds=0),
    ]


def scopes() -> str | None:
    held = ["users:read", "projects:**"]
    granted: bool = has_access(held, "read", "users") and has_access_of_the_module(held, "write", "projects.tasks")
    parsed: ParsedScope | None = parse_scope("users.verifiers:write")
    return f"{parsed.resource} {parsed.action} {granted}" if parsed is not None else None


def profile(answer: dict[str, Any]) -> str | None:
    info: UserInfo = UserInfo.model_validate(answer)
    organizations: list[Organization] | None = info.organizations
    print(info.sub, info.email, info.picture, organizations)
    return info.name


def errors(error: OAuthError) -> str:
    if isinstance(error, RefreshError):
        status: int | None = error.status_code
        return f"{status}"
    kinds: tuple[type[OAuthError], ...] = (
        InsufficientScopeError,
        SessionExpiredError,
        UserBlockedError,
        AccountLinkingRequiredError,
        InteractionRequiredError,
        LoginRequiredError,
        ConsentRequiredError,
    )
    return ", ".join(kind("why").error for kind in kinds if isinstance(error, kind))


def in_threads(callback: str, session: dict[str, Any]) -> str:
    with IdpClientSync(
        "https://idp.authpi.com/iss_1",
        "cli_1",
        "https://app.example.com/callback",
        client_secret=None,
        refresh_buffer_seconds=120,
        resources=["https://api.example.com"],
        http_client=httpx.Client(),
        call_settings=CallSettings(max_retries=0),
        jwks_uri="https://idp.authpi.com/jwks",
        foreign_claims=[],
    ) as idp:
        auth: AuthorizationUrl = idp.create_authorization_url(["openid"], org="org_1", extra_params={"prompt": "none"})
        agent: AuthenticatedAgent = idp.exchange_callback(callback, auth)
        agent = idp.exchange_callback({"code": "c", "state": ["s"]}, {"state": "s"})
        agent = idp.exchange_code("c", auth.code_verifier, nonce=auth.nonce, state="s", expected_state="s", iss="i")
        agent = idp.create_agent(session, on_refresh=session.update, on_refresh_error=print)
        agent = idp.refresh(agent, resources=[])
        idp.revoke_token(agent.tokens.access_token, "access_token")
        url: str = idp.create_logout_url(LogoutOptions(id_token_hint=agent.tokens.id_token))
        return url + str(idp.client_credentials(["users:read"]).tokens.scope)


async def in_tasks(callback: str, session: dict[str, Any]) -> UserInfo:
    async def store(tokens: dict[str, Any]) -> None:
        session.update(tokens)

    async def failed(error: Exception) -> None:
        print(type(error))

    async with IdpClient("https://idp.authpi.com/iss_1", "cli_1", http_client=httpx2.AsyncClient()) as idp:
        agent = await idp.exchange_callback(callback, idp.create_authorization_url(["openid"]))
        agent = await idp.create_agent(session, on_refresh=store, on_refresh_error=failed, auto_refresh=True)
        agent = await idp.create_agent(session, on_refresh=session.update, on_refresh_error=print)
        agent = await idp.refresh(agent, on_refresh=store)
        await idp.revoke_token(agent.tokens.refresh_token or "", hint="refresh_token")
        return await idp.get_user_info(await idp.client_credentials())
