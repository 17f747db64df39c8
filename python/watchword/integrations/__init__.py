"""Thin adapters between frameworks or servers and :mod:`watchword.gate`: a module for each."""
