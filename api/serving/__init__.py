"""The server process: uvicorn's protocol with bounds, its connections, workers and listener.

Only this package uses uvicorn's internals."""
