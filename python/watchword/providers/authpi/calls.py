"""The calls of the issuer's endpoints, each described once for threads and event loops."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from watchword.client import Answer, Request, Verb
from watchword.providers.authpi import refusals
from watchword.providers.authpi.agent import AuthenticatedAgent, PrincipalType
from watchword.providers.authpi.authorization import Login, check_issuer, check_state, code_of
from watchword.providers.authpi.client_settings import ClientSettings, Endpoint
from watchword.providers.authpi.errors import ConfigurationError, OAuthError, SubjectMismatchError, TokenParseError
from watchword.providers.authpi.id_token import IdTokenVerifier
from watchword.providers.authpi.token_answers import token_set_of
from watchword.providers.authpi.token_sets import agent_without_id_token
from watchword.providers.authpi.types import AuthorizationUrl, OAuthCallbackInput, TokenSet, UserInfo
from watchword.waiting import Call


class Calls:
    """The calls of one client. ``clock`` returns Unix seconds."""

    def __init__(self, settings: ClientSettings, verifier: IdTokenVerifier, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.clock = clock
        self._verifier = verifier

    def exchange_callback(
        self, callback: OAuthCallbackInput, auth: AuthorizationUrl | Mapping[str, Any]
    ) -> Verb[AuthenticatedAgent]:
        """Check a callback, and exchange its code."""
        login = Login(auth)
        code = code_of(callback, login, self.settings)
        return (yield from self._exchange(code, login.code_verifier, login.resources, login.nonce))

    def exchange_code(
        self,
        code: str,
        code_verifier: str,
        *,
        resources: Sequence[str] | None,
        nonce: str | None,
        state: str | None,
        expected_state: str | None,
        iss: str | None,
    ) -> Verb[AuthenticatedAgent]:
        """Exchange a code, after checking what is known of its callback."""
        if (state is None) != (expected_state is None):
            raise TypeError("state, the callback's, and expected_state, the login's, must be given together")
        if expected_state is not None:
            check_state(state, expected_state)
        check_issuer(iss, self.settings)
        if nonce is not None and not isinstance(nonce, str):
            # Before the code is used up.
            raise TypeError(f"nonce must be a string, not {type(nonce).__name__}")
        return (yield from self._exchange(code, code_verifier, resources, nonce))

    def _exchange(
        self, code: str, code_verifier: str, resources: Sequence[str] | None, nonce: str | None
    ) -> Verb[AuthenticatedAgent]:
        redirect_uri = self.settings.required_redirect_uri()
        form: dict[str, str | Sequence[str]] = {
            "grant_type": "authorization_code",
            "code": checked_text("code", code),
            "redirect_uri": redirect_uri,
            "code_verifier": checked_text("code_verifier", code_verifier),
        }
        # Sent once: a code that is used again ends the grant.
        answer = yield from self.ask(self.settings.token, form, resources=self.settings.resources_of(resources))
        if not answer.is_success:
            raise refusals.refusal(
                answer,
                "token_error",
                "Failed to exchange code",
                secrets=(code, code_verifier, self.settings.client_secret),
            )
        tokens = token_set_of(answer, now=self.clock())
        if tokens.id_token is None:
            raise TokenParseError(
                "the answer to the code is missing ID token (OpenID Connect Core 1.0 section 3.1.3.3)"
            )
        return (yield from self.verified(tokens, nonce=nonce))

    def client_credentials(self, scopes: Sequence[str] | None) -> Verb[AuthenticatedAgent]:
        """Obtain an access token for the client itself (RFC 6749 section 4.4)."""
        secret = self.settings.client_secret
        if secret is None:
            raise ConfigurationError("client_secret is required for client_credentials flow: give it to the client")
        if isinstance(scopes, str):
            raise TypeError("scopes must be a list of strings, not one string")
        form: dict[str, str | Sequence[str]] = {"grant_type": "client_credentials"}
        if scopes:
            form["scope"] = " ".join(scopes)
        answer = yield from self.ask(self.settings.token, form, repeatable=True)
        if not answer.is_success:
            failure = "Client credentials authentication failed"
            raise refusals.refusal(answer, "token_error", failure, secrets=(secret,))
        tokens = token_set_of(answer, now=self.clock())
        # This grant has neither of them (section 4.4.3); nobody has verified an ID token that is there all the same.
        tokens = tokens.model_copy(update={"id_token": None, "refresh_token": None})
        return agent_without_id_token(tokens, self.settings.client_id, None)

    def get_user_info(self, agent: AuthenticatedAgent) -> Verb[UserInfo]:
        """Ask for the claims about an agent."""
        check_agent(agent)
        return (yield from self.user_info(agent.tokens.access_token, agent.id))

    def user_info(self, access_token: str, subject: str) -> Verb[UserInfo]:
        """Ask for the claims about ``subject`` (OpenID Connect Core 1.0 section 5.3)."""
        endpoint = self.settings.userinfo
        headers = {"authorization": f"Bearer {checked_text('access_token', access_token)}"}
        answer: Answer = yield Request(
            "GET", endpoint.path, headers=headers, base_url=endpoint.base_url, repeatable=True
        )
        if not answer.is_success:
            raise refusals.refusal(answer, "userinfo_error", "Failed to fetch user info", secrets=(access_token,))
        members = answer.members()
        # Section 5.3.2: without this check, the claims may be somebody else's.
        if members.text("sub") != subject:
            raise SubjectMismatchError(subject, members.text("sub"))
        try:
            return UserInfo.model_validate(members.raw)
        except ValidationError as error:
            wrong = sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]} & set(UserInfo.model_fields))
        raise members.invalid(", ".join(wrong))

    def agent_of_user_info(self, tokens: TokenSet, subject: str) -> Verb[AuthenticatedAgent]:
        """Return the agent of a token set without an ID token, by the claims that its access token gives access to."""
        info = yield from self.user_info(tokens.access_token, subject)
        return AuthenticatedAgent(
            id=info.sub,
            type=PrincipalType.of(info.sub),
            email=info.email,
            email_verified=info.email_verified,
            org_id=info.org_id,
            tokens=tokens,
            # None means none: a membership that ended must not live on in a session.
            organizations=info.organizations or [],
        )

    def revoke_token(self, token: str, hint: str | None) -> Verb[None]:
        """Revoke a token (RFC 7009 section 2.1)."""
        form: dict[str, str | Sequence[str]] = {"token": checked_text("token", token)}
        if hint is not None:
            form["token_type_hint"] = checked_text("token_type_hint", hint)
        answer = yield from self.ask(self.settings.revocation, form, repeatable=True)
        if not answer.is_success:
            secrets = (token, self.settings.client_secret)
            raise refusals.refusal(answer, "revocation_error", "Failed to revoke token", secrets=secrets)

    def ask(
        self,
        endpoint: Endpoint,
        form: dict[str, str | Sequence[str]],
        *,
        resources: Sequence[str] = (),
        repeatable: bool = False,
    ) -> Verb[Answer]:
        """Send a form with the client's authentication."""
        form = {**form, **self.settings.credentials, **({"resource": resources} if resources else {})}
        answer: Answer = yield Request(
            "POST", endpoint.path, form=form, base_url=endpoint.base_url, repeatable=repeatable
        )
        return answer

    def verified(
        self, tokens: TokenSet, *, nonce: str | None = None, subject: str | None = None
    ) -> Verb[AuthenticatedAgent]:
        """Return the agent of a token set, after verifying its ID token."""
        verifier = self._verifier
        agent: AuthenticatedAgent = yield Call(
            functools.partial(verifier.create_agent, tokens, nonce=nonce, expected_sub=subject),
            functools.partial(verifier.create_agent_async, tokens, nonce=nonce, expected_sub=subject),
        )
        return agent


def check_agent(agent: object) -> None:
    """Raise ``TypeError`` unless it is an agent."""
    if not isinstance(agent, AuthenticatedAgent):
        raise TypeError(f"agent must be an AuthenticatedAgent, not {type(agent).__name__}")


def checked_text(name: str, value: object) -> str:
    """Return a code, a token or a verifier, which have visible ASCII characters and spaces (RFC 6749 appendix A).

    Raises ``TypeError``, or :class:`OAuthError` with ``invalid_request``, which does not quote it.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {type(value).__name__}")
    if not value or not all(" " <= one <= "~" for one in value):
        raise OAuthError("invalid_request", f"{name} is empty, or has characters that it cannot have")
    return value


__all__ = ["Calls", "check_agent", "checked_text"]
