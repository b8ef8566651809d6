"""`task-api audit`: reads the live database and says whether users are kept apart."""
