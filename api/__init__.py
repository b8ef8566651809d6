"""A REST API for personal tasks in which PostgreSQL itself keeps users apart."""
