"""What fits authgent's tokens into others' frameworks: MCP, RFC 9728 metadata, LangChain."""
