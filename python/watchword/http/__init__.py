"""One HTTP exchange within limits: bytes, and seconds in all. For every client of the package."""
