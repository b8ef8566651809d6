"""`task-api doctor`: checks the configuration and its services; a module for each part."""
