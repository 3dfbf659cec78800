"""What the Airflow UI shows as the documentation of our DAGs, one file a DAG."""
