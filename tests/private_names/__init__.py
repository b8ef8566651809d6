"""What the program needs of its libraries and they do not promise, one file a library."""
