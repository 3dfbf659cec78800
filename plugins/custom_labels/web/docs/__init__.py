"""The DAGs' documentation."""
