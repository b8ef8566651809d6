"""Mutation tests: what a guard is worth is seen when it is taken away.

`python -m tests.mutants` takes one guard after the other out of a copy of the program and runs the
suite there. The suite must turn red, and the report names the test that caught it. What is taken
away is in `table.py`, and in one module for each room of the program.
"""
