"""Sync: the number of each change of a person's tasks, and the tokens that devices keep of it.

The numbers are given by triggers (db/migrations/0005.sync.sql). Nothing here knows a route.
"""
