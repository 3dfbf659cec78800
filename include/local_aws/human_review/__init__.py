"""SageMaker's human-review calls and the A2I runtime, with a worker portal and a simulated workforce."""
