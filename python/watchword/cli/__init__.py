"""The command line: ``watchword verify``, ``inspect``, ``thumbprint``, ``keys``, ``demo``, ``completion``, ``man``."""

from watchword.cli.command import main

__all__ = ["main"]
