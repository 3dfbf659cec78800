"""What the Airflow UI shows, and when its DAGs run."""
