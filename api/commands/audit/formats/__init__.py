"""How a report is shown. Each format is a function `render` from a report to text."""
