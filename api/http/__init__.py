"""HTTP for every feature: routing, problems, OpenAPI, ETags, CORS, limits, timeouts, health.

It knows no feature: those import it."""
