"""A REST API for personal tasks, isolated per user by PostgreSQL row security."""
