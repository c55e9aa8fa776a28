"""Typed, testable, watchable custom status for Azure Durable Functions."""
