"""DO: the activities, one module per orchestration, under the orchestration's file name."""
