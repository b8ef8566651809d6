"""What `task-api` does besides serving requests: a file or a package for each command."""
