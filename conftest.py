"""How the tests of all parts start: bytecode at hand, no search for plugins, and the longest modules first.

It contains only settings of Python and pytest.
"""

import gc
import os
import sys

import pytest

# Of these each takes more than twenty seconds; begun last, one would keep one worker busy and leave the other idle.
LONGEST = (
    "tests/test_daily_cycle.py",
    "tests/test_backtest.py",
    "tests/test_own_strategy.py",
    "applications/portfoliomanager/tests/at_exchange/test_waiting_runs.py",
    "applications/portfoliomanager/tests/at_exchange/test_restored_brokers.py",
    "applications/portfoliomanager/tests/at_exchange/test_failed_orders.py",
    "applications/portfoliomanager/tests/at_exchange/test_broker_answers.py",
    "applications/portfoliomanager/tests/at_exchange/test_rebalance.py",
    "applications/portfoliomanager/tests/test_portfoliomanager_lease.py",
    "applications/portfoliomanager/tests/test_portfoliomanager_service.py",
    "libraries/python/tests/test_kernels_sanitizers.py",
    "applications/portfoliomanager/tests/test_portfoliomanager_killed.py",
    "applications/datamanager/tests/test_datamanager_interruptions.py",
    "applications/exchange/tests/test_exchange_process.py",
    "applications/models/tests/test_models_resume.py",
    "applications/models/tests/test_models_walk_forward.py",
    "applications/models/tests/test_models_real_data.py",
    "applications/models/tests/test_models_memory.py",
    "applications/models/tests/test_models_commands.py",
    "applications/models/tests/test_models_collect.py",
    "libraries/python/tests/test_kernels_layers.py",
    "libraries/python/tests/test_tft_model.py",
    "libraries/python/tests/test_tft_training.py",
    "applications/research/tests/test_fault_seeds.py",
    "tests/test_full_disk.py",
    "applications/models/tests/test_models_train.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Where the environment forbids bytecode beside the sources, keep it in pytest's own cache folder.

    The tests start services and commands more than a hundred times; without bytecode each would first compile the
    2,000 modules that it imports, for some two seconds. Workers and all that they start inherit the two variables.
    """
    if config.pluginmanager.has_plugin("cacheprovider") and os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        folder = str(config.cache.mkdir("bytecode"))
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = folder
        sys.dont_write_bytecode = False
    # each of those processes would look for plugins of pydantic in all installed packages; there are none
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"


def pytest_collectstart() -> None:
    """Stop Python's collector: importing tests makes no garbage, but a million objects, which it would search often."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest modules first, in the order of the list."""
    places = {path: place for place, path in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.split("::")[0], len(LONGEST)))


def pytest_collection_finish() -> None:
    """Take the 900,000 objects of the collected tests out of Python's collector, which needs half a second for them."""
    gc.freeze()
    gc.enable()
