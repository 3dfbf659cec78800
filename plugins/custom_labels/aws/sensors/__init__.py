"""Sensors of Custom Labels."""
