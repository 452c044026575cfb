"""What the Swarm's tasks do: networks, secrets, stacks, jobs. Each is a command, `python -m infrastructure.swarm.NAME`.

They use the engine only through the `docker` command line, so that contexts and DOCKER_HOST apply.
"""
