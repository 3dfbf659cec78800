"""Thin hooks over the AWS services that the Amazon provider has none for."""
