"""The core: what the durable extension does with an orchestration's history, as pure functions on values."""
