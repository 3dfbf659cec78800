"""An HTTP API in front of the version that serves: the function, its template, and a server for this machine."""
