"""Typed clients of the management API: `status_client` over HTTP, `durable_client` inside functions."""
