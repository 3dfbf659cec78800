"""Hooks of the Amazon services that Custom Labels needs."""
