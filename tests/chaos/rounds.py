"""One round of chaos on a running fund: a session, with kills and faults at its open and at its close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import httpx

from chaos.draws import Move, Round, Wish
from chaos.invariants import find_broken, find_forbidden, find_not_flat, find_undone, find_unhandled
from chaos.killer import killing
from chaos.sight import Sight, list_unready, look, read_runs
from chaos.supervised_fund import StuckError, SupervisedFund
from internal.action_kinds import ActionKind
from internal.http.bearer import bearer_headers
from internal.lake.store import Lake
from internal.trading.trading_state import TradingState

OWNER = {"changed_by": "the owner", "reason": "drawn"}
CORRECTION = 1.1  # of a dividend that the vendor restates


@dataclass
class Player:
    """Plays rounds on a fund; `seen` is what was seen after the last one."""

    fund: SupervisedFund
    seen: Sight | None = None

    def open(self) -> None:
        """Wait for the first decision, that of the last closed session."""
        self.wait_done(("collection", "decision"))
        self.seen = self.look()

    def play(self, drawn: Round) -> list[str]:
        """The round; what is broken after it."""
        try:
            return self._play(drawn)
        except StuckError as error:
            return [f"not done after {self.fund.clients.exchange_state().timestamp}: {error}"]

    def _play(self, drawn: Round) -> list[str]:
        assert self.seen is not None
        before = self._ask_owner(drawn, self.seen)
        for move in Move:
            self._play_move(move, drawn)
        self.fund.attempt(self.restore_vendor)
        self.seen = now = self.look()
        session = self._session()
        if drawn.corrects:
            self.fund.attempt(self._misstate_dividend)
        return [
            *find_broken(now),
            *find_forbidden(before, now),
            *find_not_flat(before, now),
            *find_unhandled(now, session),
        ]

    def _ask_owner(self, drawn: Round, seen: Sight) -> Sight:
        """Do what the owner asks for, if anything; what is in force in the round."""
        wish = drawn.wish(is_active=seen.state == TradingState.ACTIVE)
        if wish is None:
            return seen
        manager = self.fund.clients.portfoliomanager
        if wish is Wish.FLATTEN:
            self.fund.attempt(lambda: manager.post("/flatten", OWNER))
        else:
            self.fund.attempt(lambda: manager.put("/trading-state", {"state": wish.value, **OWNER}))
        return self.look()

    def _play_move(self, move: Move, drawn: Round) -> None:
        for fault in drawn.faults[move]:
            self.fund.attempt(lambda fault=fault: self.fund.clients.exchange.post("/control/faults", fault.body()))
        kinds = ("reconciliation",) if move is Move.OPEN else ("collection", "decision")
        with killing(self.fund.supervisor, drawn.kills[move]):
            self.fund.move(move)
            self.wait_done(kinds)
        self.wait_done(kinds)

    def wait_done(self, kinds: Sequence[str]) -> None:
        """Wait until the runs of the session have succeeded and no event is left. Raises StuckError."""
        session = self._session()
        self.fund.wait(lambda: self._list_left(session, kinds))

    def _list_left(self, session: date, kinds: Sequence[str]) -> list[str]:
        """What is left; while trading is halted nothing is decided."""
        clients = self.fund.clients
        is_halted = clients.portfoliomanager.get("/trading-state")["state"] == TradingState.HALTED
        wanted = [kind for kind in kinds if not (is_halted and kind == "decision")]
        return find_undone(read_runs(clients), session, wanted) + self.fund.list_pending() + list_unready(clients)

    def restore_vendor(self) -> None:
        """End all faults and wrong statements."""
        exchange = self.fund.clients.exchange
        headers = bearer_headers(exchange.token)
        httpx.delete(f"{exchange.url}/control/faults", headers=headers, timeout=30, trust_env=False).raise_for_status()

    def _misstate_dividend(self) -> None:
        """Have the vendor correct its newest dividend to a wrong amount, until the next round ends."""
        rows = Lake(str(self.fund.folder.lake)).scan("corporate_actions").filter(kind=ActionKind.CASH_DIVIDEND)
        newest = rows.sort("effective_date").tail(1).collect().to_dicts()
        for row in newest:
            amount = round(row["cash_amount"] * CORRECTION, 4)
            statement = {"kind": "corrected", "action_id": row["action_id"], "day": self._session().isoformat()}
            self.fund.clients.exchange.post("/control/statements", {**statement, "cash_amount": amount})

    def _session(self) -> date:
        return self.fund.attempt(self.fund.clients.exchange_state).session

    def look(self) -> Sight:
        """What the services, the lake and the files say now."""
        return self.fund.attempt(lambda: look(self.fund.clients, self.fund.folder))
