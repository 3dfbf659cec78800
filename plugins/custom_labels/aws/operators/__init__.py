"""Operators of Custom Labels."""
