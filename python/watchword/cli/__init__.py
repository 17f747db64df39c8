"""The command line: ``watchword verify | inspect | thumbprint | keys | demo``. One file a verb."""

from watchword.cli.command import main

__all__ = ["main"]
