"""`task-api audit`: checks user isolation in a live database (policies, grants, probes)."""
