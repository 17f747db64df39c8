"""What stands before an application: FastAPI (any ASGI application), Flask, and the client's side of a 403."""
