"""The product: a person's tasks. Their table, statements, bodies and parameters, and routes.

Another table gets a package like this one; nothing beneath knows it."""
