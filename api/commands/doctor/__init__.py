"""`task-api doctor`: a file for each part of the configuration that it explains and tries."""
