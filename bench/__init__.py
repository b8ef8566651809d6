"""How fast it is, measured beside others on the same machine, in the same run."""
