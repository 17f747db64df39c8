"""The calls of authgent-server's API, each described once for threads and for event loops."""
