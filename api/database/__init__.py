"""Everything between a statement and PostgreSQL: the one door (`session`), its pool and wire,
the guard of statements, the gate that refuses an unfit role, and how rows become JSON.

It knows no table of the product."""
