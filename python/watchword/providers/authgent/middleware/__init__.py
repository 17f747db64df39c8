"""Middleware for FastAPI (any ASGI application) and Flask, and the client's side of a 403."""
