"""Idempotency-Key support: the table of used keys, its statements, and response replay.

A route calls `replay.once`; nothing here knows what the request did.
"""
