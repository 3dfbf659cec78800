"""Airflow's own page as a review backend: one human-in-the-loop question for each review."""
