"""The commands of `task-api`: a module or package for each."""
