"""Alpaca's announcements of corporate actions."""

from datetime import date

from exchange.responses.sparse import SparseBody


class AnnouncementBody(SparseBody):
    """One announcement; `cash` in dollars a share, every `old_rate` shares become `new_rate`."""

    id: str
    corporate_action_id: str
    ca_type: str
    ca_sub_type: str
    initiating_symbol: str
    initiating_original_cusip: str = ""
    target_symbol: str
    target_original_cusip: str = ""
    declaration_date: date | None
    ex_date: date
    record_date: date | None
    payable_date: date | None
    cash: str
    old_rate: str
    new_rate: str

    def date_named(self, name: str) -> date | None:
        """The date that a request ranges over."""
        dates = {
            "declaration_date": self.declaration_date,
            "ex_date": self.ex_date,
            "record_date": self.record_date,
            "payable_date": self.payable_date,
        }
        return dates[name]
