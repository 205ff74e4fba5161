"""A real API server on loopback, the operator beside it, and what tests ask of both."""
