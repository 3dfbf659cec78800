"""What a project needs at AWS beside its Airflow: one CloudFormation stack, made and taken away."""
