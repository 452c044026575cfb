"""Who looks at a page: what the person may change, and what the page's forms have to carry."""

from dataclasses import dataclass
from typing import Self

from fastapi import Request

from internal.http.access import role_of
from internal.http.forms import access_of
from internal.http.roles import Role
from internal.trading.trading_state import TradingState


@dataclass(frozen=True)
class Visitor:
    """Whoever asked for the page.

    Attributes:
        role: The owner, or a reader.
        may_send_forms: Signed in, or nobody has to sign in.
        has_session: Signed in, so that signing out means something.
        csrf_token: What every form of the page carries.
    """

    role: Role
    may_send_forms: bool
    has_session: bool
    csrf_token: str

    @classmethod
    def of(cls, request: Request) -> Self:
        """The visitor of a request that was admitted."""
        access = access_of(request)
        signed_in = access.sessions.read(request.headers) is not None
        role = role_of(request.scope) or Role.READER
        return cls(
            role,
            signed_in or not access.asks_for_token,
            signed_in and access.asks_for_token,
            access.sessions.make_csrf_token(request.headers),
        )

    def may_set(self, state: TradingState, present: TradingState) -> bool:
        """Whether the person may change the trading state so: a reader only makes it stricter."""
        return self.may_send_forms and (self.role is Role.OWNER or state.strictness > present.strictness)
