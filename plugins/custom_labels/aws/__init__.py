"""What talks to AWS, for anybody's DAG: hooks, operators, sensors, triggers, waiters and links."""
