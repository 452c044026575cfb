"""The production stack, built with Pulumi's mocks: what is open, what is secret, what is encrypted, who may do what."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pulumi.runtime
import pytest
from pulumi_kit import Deployment, Registered, run_program
