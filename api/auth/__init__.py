"""Who is asking: tokens are verified here, by a shared secret or by the issuer's key set.

Only this package makes a `User`."""
