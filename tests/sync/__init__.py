"""Tests of api/sync."""
