"""Authentication: bearer tokens, verified by a shared secret or by the issuer's key set.

Only this package makes a `User`.
"""
