"""The server process: uvicorn's protocol with bounds, its connections, workers and listener.

Everything that leans on uvicorn's internals is in this package."""
