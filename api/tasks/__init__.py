"""The tasks feature: table, statements, request and response models, routes.

Another table gets a package like this one; lower layers do not depend on it.
"""
