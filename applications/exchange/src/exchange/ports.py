"""What the exchange needs besides the venue's own repository."""

from typing import Protocol

from exchange.faults import Fault, StoredFault
from exchange.locates import Locate
from exchange.statements import Statement
from exchange.watchlists import Watchlist


class WatchlistRepository(Protocol):
    """Where watchlists are stored."""

    def list_watchlists(self) -> list[Watchlist]:
        """Every watchlist, in the order of their making."""
        ...

    def put_watchlist(self, watchlist: Watchlist) -> None:
        """Stores a watchlist, new or changed."""
        ...

    def delete_watchlist(self, watchlist_id: str) -> None:
        """Deletes a watchlist."""
        ...


class LocateRepository(Protocol):
    """Where locates are stored."""

    def list_locates(self) -> list[Locate]:
        """Every locate, newest first."""
        ...

    def add_locate(self, locate: Locate) -> None:
        """Stores a locate."""
        ...


class FaultRepository(Protocol):
    """Where injected faults are stored."""

    def add_fault(self, fault: Fault) -> StoredFault:
        """Stores a fault."""
        ...

    def list_faults(self) -> list[StoredFault]:
        """Every fault, used-up ones included, oldest first."""
        ...

    def clear_faults(self) -> None:
        """Deletes every fault and statement."""
        ...

    def add_statement(self, statement: Statement) -> None:
        """Stores how the vendor states a corporate action."""
        ...

    def list_statements(self) -> list[Statement]:
        """Every statement, oldest first."""
        ...

    def take_request_fault(self, method: str, path: str) -> Fault | None:
        """The oldest fault that strikes this request, used up by one; None when the request goes through."""
        ...
