"""Requests with an Idempotency-Key: the table of used keys, its statements, and the replay.

A feature's route asks `replay.once`; nothing here knows what the request did."""
