"""Adapters for MCP, for RFC 9728 metadata and for LangChain."""
