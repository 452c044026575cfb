"""Sending one order on a broker whose answers are written down: nothing is guessed, nothing is sent twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import cast

import pytest

from internal.errors import UnavailableError, UnresolvedOrderError, UpstreamError
from internal.trading.broker_reports import BrokerOrder
from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.order_submission import OrderSubmitter, record_answer
from internal.trading.orders import Order
from internal.trading.ports import Broker, RateLimitedError, RefusedOrderError

MOMENT = datetime(2024, 3, 15, 20, tzinfo=UTC)
ORDER = Order("p", date(2024, 3, 15), "A-open-0-1", "A", OrderSide.BUY, Leg.OPEN, 10, 20.0, "", MOMENT)
FOUND = BrokerOrder("A-open-0-1", "b", "A", OrderSide.BUY, OrderState.SUBMITTED, 10, 0, None, MOMENT)
LOST, DOWN = UnresolvedOrderError("lost"), UnavailableError("down")


class Script:
    """A broker that answers as written; `log` says what it was asked."""

    def __init__(self, *answers: tuple[str, BrokerOrder | Exception | None]) -> None:
        self._answers, self.log, self.pauses = list(answers), list[str](), list[float]()

    def submit(self, _: object) -> BrokerOrder | None:
        """A send."""
        return self._answer("send")

    def order(self, _: str) -> BrokerOrder | None:
        """A question."""
        return self._answer("ask")

    def order_by_id(self, _: str) -> BrokerOrder | None:
        """A question about the order that replaced one."""
        return self._answer("follow")

    def cancel(self, _: str) -> None:
        """A cancellation."""
        self._answer("cancel")

    def _answer(self, asked: str) -> BrokerOrder | None:
        expected, answer = self._answers.pop(0)
        assert asked == expected
        self.log.append(asked)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def submitter(self) -> OrderSubmitter:
        """A submitter on it, which does not wait."""
        return OrderSubmitter(cast("Broker", self), self.pauses.append)

    def send(self, permit: Callable[[], None] = lambda: None, *, ask_first: bool = False) -> BrokerOrder:
        """Send the order, and see that every answer was asked for."""
        try:
            return self.submitter().send(ORDER, permit, ask_first=ask_first)
        finally:
            assert not self._answers


def test_a_lost_answer_is_asked_about() -> None:
    """The order is there: it is not sent again. It is not there: it goes out again under its id."""
    assert Script(("send", LOST), ("ask", FOUND)).send() == FOUND
    assert Script(("send", LOST), ("ask", None), ("send", FOUND)).send() == FOUND


def test_after_a_restart_the_broker_is_asked_first() -> None:
    """What is there is not sent."""
    assert Script(("ask", FOUND)).send(ask_first=True) == FOUND
    assert Script(("ask", None), ("send", FOUND)).send(ask_first=True) == FOUND


def test_nothing_is_sent_while_the_broker_cannot_say() -> None:
    """One send, then questions alone: it stays unresolved."""
    script = Script(("send", LOST), *(("ask", UpstreamError("garbled")),) * 4)
    with pytest.raises(UnresolvedOrderError, match="may or may not be at the broker"):
        script.send()
    assert len(script.pauses) == 3


def test_rate_limits_are_waited_for() -> None:
    """The pause that the broker asks for is taken; after the last attempt it is said that nothing was sent."""
    script = Script(("send", RateLimitedError("limited", 5.0)), ("send", FOUND))
    assert script.send() == FOUND
    assert script.pauses == [5.0]
    works: list[Callable[[Script], BrokerOrder | None]] = [
        lambda one: one.send(ask_first=True),
        lambda one: one.submitter().find("A-open-0-1"),
    ]
    for work in works:
        asked = Script(("ask", RateLimitedError("limited", 5.0)), ("ask", FOUND))
        assert work(asked) == FOUND
        assert asked.pauses == [5.0]
    with pytest.raises(RateLimitedError):
        Script(*(("send", RateLimitedError("limited", 0.0)),) * 4).send()


def test_refusals_and_missing_permission_end_it() -> None:
    """Neither is repeated."""
    with pytest.raises(RefusedOrderError):
        Script(("send", RefusedOrderError("no"))).send()
    with pytest.raises(UnavailableError):
        Script().send(_forbid)


def _forbid() -> None:
    raise DOWN


def test_a_cancellation_is_confirmed() -> None:
    """It is asked for again until the order is final; a broker that does not confirm it is named."""
    canceled = replace(FOUND, state=OrderState.CANCELED)
    script = Script(("ask", FOUND), ("cancel", None), ("ask", FOUND), ("cancel", None), ("ask", canceled))
    assert script.submitter().cancel(ORDER) == canceled
    with pytest.raises(UnavailableError, match="has not confirmed"):
        Script(*(("ask", FOUND), ("cancel", None)) * 4).submitter().cancel(ORDER)


def test_answers_are_recorded_once() -> None:
    """The broker's running totals: the same answer a second time changes nothing."""
    filled = replace(FOUND, state=OrderState.FILLED, filled_quantity=10, filled_average_price=21.0)
    once = record_answer(ORDER, filled, MOMENT)
    assert (once.state, once.filled_quantity, once.filled_average_price) == (OrderState.FILLED, 10, 21.0)
    assert record_answer(once, filled, MOMENT) is once


def test_a_split_keeps_the_dollars() -> None:
    """The broker doubled an open order for a 2-for-1 split: quantity doubles, reference price halves."""
    split = record_answer(ORDER, replace(FOUND, quantity=20), MOMENT)
    assert (split.quantity, split.reference_price) == (20, 10.0)


def test_replacements_are_one_order() -> None:
    """Of 10 shares 4 filled at 20, changed to 8, then to 6, which filled at 30: 10 of 10 shares, 26 on average."""
    first = replace(FOUND, filled_quantity=4.0, filled_average_price=20.0, replaced_by="b2")
    second = replace(FOUND, broker_order_id="b2", client_order_id="x", quantity=8.0, replaces="b", replaced_by="b3")
    third = replace(second, broker_order_id="b3", quantity=6.0, replaces="b2", replaced_by=None)
    third = replace(third, state=OrderState.FILLED, filled_quantity=6.0, filled_average_price=30.0)
    script = Script(("ask", first), ("follow", second), ("follow", third))
    found = script.submitter().find(ORDER.client_order_id)
    assert found == replace(
        third,
        client_order_id=FOUND.client_order_id,
        quantity=10.0,
        filled_quantity=10.0,
        filled_average_price=26.0,
        replaces=None,
    )


def test_a_replacement_that_is_not_shown_may_fill() -> None:
    """The broker names a successor and does not have it: the order is unresolved."""
    script = Script(("ask", replace(FOUND, replaced_by="b2")), ("follow", None))
    found = script.submitter().find(ORDER.client_order_id)
    assert found is not None
    assert found.state is OrderState.UNRESOLVED
