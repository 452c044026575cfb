"""The Pulumi program: builds a stack from its parts, in order.

pulumi --cwd infrastructure up --stack local        # the Swarm of this machine's engine
pulumi --cwd infrastructure up --stack production   # a Swarm on AWS, see docs/production.md
"""

import sys
from pathlib import Path

# Pulumi runs this file by its path, which puts this folder on the path of imports instead of the root
sys.path[0] = str(Path(__file__).parents[1])

from infrastructure.program import compose  # noqa: E402 - after the line above, by which it is found

compose()
