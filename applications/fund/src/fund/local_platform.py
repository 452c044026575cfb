"""The platform of `fund up` and `fund backtest`: services and commands are processes of this machine."""

import sys
from dataclasses import dataclass

from fund.command_process import run_process
from fund.display import Display
from fund.folder import FundFolder
from fund.services import Service
from fund.steps import CommandFailedError
from fund.supervisor import Supervisor
from internal.forecasting.registry import LEAK_GATE, Registry


@dataclass(frozen=True)
class LocalPlatform:
    """Processes of this machine.

    Args:
        supervisor: Starts and watches the services.
        display: Shows the commands that are run.
    """

    supervisor: Supervisor
    display: Display

    def start_service(self, service: Service) -> None:
        """Start the service's process and wait until it answers."""
        self.supervisor.start(service)

    def check_services(self) -> None:
        """Raise UnavailableError when a service's process has ended."""
        self.supervisor.check()

    def run_models(self, *arguments: str) -> None:
        """Run `models ARGUMENTS...` as the user could.

        Raises:
            CommandFailedError: It ended with an exit code other than 0.
        """
        self.display.show_command("models", *arguments)
        words = [sys.executable, "-m", "models", *arguments]
        code = run_process(words, self.supervisor.environments.of_models())
        self.supervisor.check()
        if code != 0:
            raise CommandFailedError(
                f"`models {arguments[0]}` failed (exit code {code}); fix the error shown above and run the same "
                "command again, it resumes."
            )

    def find_trained_model(self, size: str) -> str | None:
        """The newest registered version of that size."""
        return find_trained_model(self.supervisor.folder, size)


def find_trained_model(folder: FundFolder, size: str) -> str | None:
    """The newest registered version of that size, None when one has to be trained.

    A trained model that is worse than the champion stays registered without being promoted: it is not trained again.
    A model without a record that it passed the leak gate can never be promoted, so it does not count.
    """
    models = [model for model in Registry(folder.registry).list() if LEAK_GATE in model.metrics]
    versions = [model.version for model in models if model.size == size]
    return versions[-1] if versions else None
