"""The running fund of the folder, asked with the reader's token: whatever is asked, nothing can be changed with it."""

from dataclasses import dataclass
from typing import Self

from fund.addresses import Addresses
from fund.clients import Clients, connect
from fund.folder import FundFolder
from fund.service_client import ServiceClient
from fund.unopened import require_opened
from internal.http.roles import Role


@dataclass(frozen=True)
class RunningFund:
    """A fund that was opened on this machine, and its services, which may run or not.

    Attributes:
        folder: Its folder.
        addresses: Where its services listen.
        clients: The services, asked as a reader.
    """

    folder: FundFolder
    addresses: Addresses
    clients: Clients

    @classmethod
    def find(cls) -> Self:
        """The fund of `FUND_HOME`.

        Raises:
            ConfigurationError: No fund was opened there.
        """
        folder = FundFolder.from_environment()
        require_opened(folder)
        addresses = Addresses.of_running(folder)
        return cls(folder, addresses, connect(folder, addresses, Role.READER))

    @property
    def trader(self) -> ServiceClient:
        """The fund's portfoliomanager."""
        return self.clients.portfoliomanager
