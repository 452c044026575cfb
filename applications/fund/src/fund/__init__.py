"""The command line of the fund: starts the services as processes and walks the staircase in front of the user."""
