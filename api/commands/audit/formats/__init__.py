"""Output formats of the audit report: each module has a function `render`."""
