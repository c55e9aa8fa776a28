"""Loads an Azure Functions app from its folder: settings, functions and bindings. Imports nothing of the host."""
