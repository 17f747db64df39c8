"""The MCP server that the conformance suite of the MCP project tests: its tools, resources and prompts by name.

The suite sends no credentials, so ``WithCredentials`` adds them to each of its requests, in front of a gate.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

from mcp import types
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from pydantic import BaseModel, Field

# One pixel, and no sound.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WAV = base64.b64encode(b"RIFF&\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0\x80>\0\0\2\0\x10\0data\2\0\0\0\0\0").decode()


class WithCredentials:
    """Adds to each request the headers that ``sign(method, path)`` returns: the part of a client with a token."""

    def __init__(self, app: Any, sign: Callable[[str, str], dict[str, str]]) -> None:
        self._app = app
        self._sign = sign

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            signed = self._sign(scope["method"], scope["path"]).items()
            added = [(name.lower().encode(), value.encode()) for name, value in signed]
            scope = {**scope, "headers": [*scope["headers"], *added]}
        await self._app(scope, receive, send)


def mcp_server() -> MCPServer:
    """The server, with what the scenarios of the suite call."""
    server = MCPServer("conformance")
    _tools(server)
    _tools_that_ask(server)
    _resources(server)
    _prompts(server)
    _requests(server)
    return server


def _tools(server: MCPServer) -> None:
    image = types.ImageContent(type="image", data=PNG, mime_type="image/png")

    @server.tool()
    def test_simple_text() -> str:
        """Simple text."""
        return "This is a simple text response for testing."

    @server.tool()
    def test_image_content() -> list[types.ImageContent]:
        """Image content."""
        return [image]

    @server.tool()
    def test_audio_content() -> list[types.AudioContent]:
        """Audio content."""
        return [types.AudioContent(type="audio", data=WAV, mime_type="audio/wav")]

    @server.tool()
    def test_embedded_resource() -> list[types.EmbeddedResource]:
        """Embedded resource."""
        return [_embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]

    @server.tool()
    def test_multiple_content_types() -> list[types.TextContent | types.ImageContent | types.EmbeddedResource]:
        """Multiple content types."""
        embedded = _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
        return [_text("Multiple content types test:"), image, embedded]

    @server.tool()
    def test_error_handling() -> str:
        """Error handling."""
        raise RuntimeError("This tool intentionally returns an error for testing")

    @server.tool()
    async def test_tool_with_logging(ctx: Context) -> str:
        """Tool with logging."""
        for message in ("started", "data", "completed"):
            await ctx.info(f"Tool execution {message}" if message != "data" else "Tool processing data")
            await asyncio.sleep(0.05)
        return "logged"

    @server.tool()
    async def test_tool_with_progress(ctx: Context) -> str:
        """Tool with progress."""
        for progress in (0, 50, 100):
            await ctx.report_progress(progress, 100)
            await asyncio.sleep(0.05)
        return "done"


class _User(BaseModel):
    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


class _Defaults(BaseModel):
    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: str = Field("active", json_schema_extra={"enum": ["active", "inactive", "pending"]})
    verified: bool = True


def _named(*names: str) -> list[dict[str, str]]:
    return [{"const": f"value{number}", "title": name} for number, name in enumerate(names, 1)]


_OPTIONS = ["option1", "option2", "option3"]


class _Enums(BaseModel):
    untitledSingle: str = Field(json_schema_extra={"enum": _OPTIONS})
    titledSingle: str = Field(json_schema_extra={"oneOf": _named("First Option", "Second Option", "Third Option")})
    legacyEnum: str = Field(json_schema_extra={"enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]})
    untitledMulti: list[str] = Field(json_schema_extra={"items": {"type": "string", "enum": _OPTIONS}})
    titledMulti: list[str] = Field(json_schema_extra={"items": {"anyOf": _named("First Choice", "Second Choice")}})


def _tools_that_ask(server: MCPServer) -> None:
    @server.tool()
    async def test_sampling(prompt: str, ctx: Context) -> str:
        """Sampling."""
        message = types.SamplingMessage(role="user", content=_text(prompt))
        result = await ctx.session.create_message(messages=[message], max_tokens=100)
        return f"LLM response: {getattr(result.content, 'text', '')}"

    async def ask(ctx: Context, message: str, schema: type[BaseModel]) -> str:
        result = await ctx.elicit(message, schema)
        content = result.data.model_dump() if result.action == "accept" else {}
        return f"action={result.action}, content={json.dumps(content)}"

    @server.tool()
    async def test_elicitation(message: str, ctx: Context) -> str:
        """Elicitation."""
        return f"User response: {await ask(ctx, message, _User)}"

    @server.tool()
    async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
        """Elicitation sep1034 defaults."""
        return f"Elicitation completed: {await ask(ctx, 'Who are you?', _Defaults)}"

    @server.tool()
    async def test_elicitation_sep1330_enums(ctx: Context) -> str:
        """Elicitation sep1330 enums."""
        return f"Elicitation completed: {await ask(ctx, 'Which ones?', _Enums)}"


def _resources(server: MCPServer) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002  # the suite's name
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        return "Watched resource content"


def _prompts(server: MCPServer) -> None:
    @server.prompt()
    def test_simple_prompt() -> list[UserMessage]:
        """Simple prompt."""
        return [UserMessage(_text("This is a simple prompt for testing."))]

    @server.prompt()
    def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
        """Prompt with arguments."""
        return [UserMessage(_text(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))]

    @server.prompt()
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:
        """Prompt with embedded resource."""
        embedded = _embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(embedded), UserMessage(_text("Please process the embedded resource above."))]

    @server.prompt()
    def test_prompt_with_image() -> list[UserMessage]:
        """Prompt with image."""
        image = types.ImageContent(type="image", data=PNG, mime_type="image/png")
        return [UserMessage(image), UserMessage(_text("Please analyze the image above."))]


def _requests(server: MCPServer) -> None:
    """The requests that the SDK's server has no decorator for: they are accepted, and nothing comes of them."""

    async def accept(_: Any, __: Any) -> types.EmptyResult:
        return types.EmptyResult()

    low = server._lowlevel_server
    low.add_request_handler("logging/setLevel", types.SetLevelRequestParams, accept)
    low.add_request_handler("resources/subscribe", types.SubscribeRequestParams, accept)
    low.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, accept)

    @server.completion()
    async def complete(ref: Any, argument: Any, context: Any) -> types.Completion:
        return types.Completion(values=["paris", "park", "party"], total=3, has_more=False)


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _embedded(uri: str, mime_type: str, text: str) -> types.EmbeddedResource:
    resource = types.TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return types.EmbeddedResource(type="resource", resource=resource)


__all__ = ["WithCredentials", "mcp_server"]
