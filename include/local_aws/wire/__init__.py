"""The server side of AWS's JSON protocols, driven by botocore's own service models."""
