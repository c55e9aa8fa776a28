"""START AND WATCH: the HTTP functions through which instances are started and watched."""
