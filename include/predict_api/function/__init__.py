"""What Lambda runs: the standard library and boto3 are all it imports, since its zip holds this folder and no more.

Its modules import each other by relative names, as the zip has them in a package ``predict_api`` of its own.
"""
