"""The command line of the fund: it starts the services as processes and runs the whole fund on one machine."""
