"""Tests orchestrations: the real SDK, virtual time, every status a poller could have seen, every order of events."""
