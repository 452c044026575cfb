"""What the Swarm's tasks do: networks, secrets, stacks, jobs. Each is a command, `python -m infrastructure.swarm.NAME`.

It talks to the engine through the `docker` command line alone, so that contexts and DOCKER_HOST hold.
"""
