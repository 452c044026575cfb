"""What runs on a Swarm, wherever it is: networks, secrets, stacks, each made by the command that a person's task runs too.

It knows which command makes, changes and removes a thing, and by what a change of it is seen (a hash of files, a secret's
value). It does not know what those commands do (infrastructure/swarm/), nor where the engine is: the docker context says.
"""

from collections.abc import Sequence

import pulumi
from pulumi_command import local

from infrastructure.cluster_configuration import SwarmConfiguration
from infrastructure.names import CONTEXTS

PRODUCTION = CONTEXTS[1]


def use_context(engine: pulumi.Output[str], after: Sequence[pulumi.Resource]) -> pulumi.Resource:
    return local.Command("context", create="x", opts=pulumi.ResourceOptions(depends_on=after))


def deploy(swarm: SwarmConfiguration, environment, after: Sequence[pulumi.Resource]) -> None:
    pass
