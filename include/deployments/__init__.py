"""What is put where Airflow runs: the files for Amazon MWAA and Kubernetes, and the pools of every platform."""
