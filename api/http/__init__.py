"""HTTP for every feature: routing, problems, OpenAPI, ETags, CORS, limits, timeouts, health.

Imports no feature; the features import it."""
