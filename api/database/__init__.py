"""Database access: transactions, connection pool, wire protocol, statement guard, gate, JSON rows.

The gate refuses a serving role that row security does not bind. No table of the product is known
here.
"""
