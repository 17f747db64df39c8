"""HTML pages from pure functions, without scripts: the report of an audit, and the status page of a server."""
