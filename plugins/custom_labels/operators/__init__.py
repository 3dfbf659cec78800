"""Operators: submit, wait, validate."""
