"""Batch audits: tokens of a log, verified as of the time that each was used."""
