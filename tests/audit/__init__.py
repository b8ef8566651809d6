"""The audit: each check has been seen to fail, and to fall silent when mended."""
