"""Values and rules, pure: nothing here knows Airflow, boto3 or a clock."""
