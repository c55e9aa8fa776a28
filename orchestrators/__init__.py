"""DECIDE: one module per orchestration, and the types it shares with its clients (`*_contract`)."""
