"""Payload stores: where offloaded statuses are kept, and the activity that puts them there."""
