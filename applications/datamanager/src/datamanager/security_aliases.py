"""Which security had which ticker from when to when, derived from listings, changes of ticker and the days with bars.

Pure. Bars stay under the ticker of their day; aliases are derived, so a correction of the vendor moves them.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from datamanager.ports import TickerChange
from internal.schemas.securities import security_id_of

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ListedSecurity:
    """One row of a vendor's listing; a field is None where the vendor gives no value.

    `delisted_date` is the first day on which it is no longer listed.
    """

    ticker: str
    name: str | None = None
    security_type: str | None = None
    primary_exchange: str | None = None
    active: bool = False
    listed_date: date | None = None
    delisted_date: date | None = None
    composite_figi: str | None = None
    share_class_figi: str | None = None
    central_index_key: str | None = None


@dataclass(frozen=True)
class Alias:
    """A security under one of its tickers; `end` is the last day, None while it still has it."""

    security_id: str
    ticker: str
    start: date
    end: date | None
    listed: ListedSecurity


@dataclass(frozen=True)
class Evidence:
    """What aliases are derived from.

    Attributes:
        source: The vendor.
        listings: Of the tickers that are looked at, the delisted earlier holders of a ticker included.
        changes: Changes of ticker, from corporate actions or the vendor's ticker events.
        traded: By ticker, the first and the last day with a bar.
        known: The aliases that were derived before.
    """

    source: str
    listings: Sequence[ListedSecurity]
    changes: Sequence[TickerChange]
    traded: Mapping[str, tuple[date, date]]
    known: Sequence[Alias]


def derive_aliases(evidence: Evidence) -> list[Alias]:
    """The aliases of every ticker with bars, ordered by ticker and start; those of one ticker do not overlap.

    - Listings with one share class FIGI are one security, and so are both sides of a change of ticker.
    - A ticker that another FIGI had before begins another security, unless the company (CIK) is the same and the
      earlier FIGI is listed no more: then the share class of the same security changed.
    - Without a FIGI, a ticker is one security until a change of ticker or a FIGI says otherwise.
    - An alias that the vendor lists no more stays.
    - A ticker that trades on beside the next ticker of its security is another security from then on.
    """
    claims = list(_claims_of_listings(evidence))
    claims += _claims_kept(evidence.known, claims)
    claims += _claims_of_others(evidence, claims)
    listed = {(row.ticker, row.share_class_figi) for row in evidence.listings if row.share_class_figi is not None}
    for change in sorted(evidence.changes, key=lambda change: change.date):
        claims = _follow_change(claims, change, listed)
    possible = [claim for claim in claims if claim.end is None or claim.start <= claim.end]
    ended = _end_before_next(possible, lambda alias: alias.security_id)
    every = [*ended, *_claims_of_others(evidence, ended)]
    return sorted(_end_before_next(every, lambda alias: alias.ticker), key=lambda alias: (alias.ticker, alias.start))


def _claims_of_listings(evidence: Evidence) -> Iterator[Alias]:
    """The aliases of each listed ticker with bars: delisted holders first, each after the end of the one before it."""
    rows: dict[str, list[ListedSecurity]] = defaultdict(list)
    for listed in evidence.listings:
        if listed.ticker in evidence.traded:
            rows[listed.ticker].append(listed)
    ids = _SecurityIds(evidence)
    for ticker, holders in rows.items():
        start, last = evidence.traded[ticker]
        for listed in sorted(holders, key=lambda row: (row.active, row.delisted_date or date.max)):
            end = None if listed.active or listed.delisted_date is None else listed.delisted_date - ONE_DAY
            if end is not None and end < start:
                continue  # delisted before the first bar
            claim = ids.place(Alias(ids.find(listed, start), ticker, start, end, listed), last)
            yield claim
            start = claim.start + ONE_DAY if end is None else end + ONE_DAY


class _SecurityIds:
    """The ids of listings: that of the same share class, of the class that it replaced, or a new one."""

    def __init__(self, evidence: Evidence) -> None:
        self._source = evidence.source
        self._listed = {listed.share_class_figi for listed in evidence.listings}
        self._known: dict[str, list[Alias]] = defaultdict(list)
        self._by_class: dict[str | None, str] = {}
        for alias in sorted(evidence.known, key=lambda alias: alias.start):
            self._known[alias.ticker].append(alias)
            self._by_class[alias.listed.share_class_figi] = alias.security_id

    def find(self, listed: ListedSecurity, first_day: date) -> str:
        """The permanent id of a listing whose bars begin on that day."""
        share_class, holders = listed.share_class_figi, self._known[listed.ticker]
        holder = holders[-1] if holders else None
        if share_class is None:
            return holder.security_id if holder else security_id_of(self._source, listed.ticker, first_day)
        if share_class in self._by_class:
            return self._by_class[share_class]
        return holder.security_id if holder and self._replaces_class(listed, holder.listed) else share_class

    def place(self, claim: Alias, last_bar: date) -> Alias:
        """The claim from the day on which it is known to begin: after another security that had the ticker before."""
        same = [alias for alias in self._known[claim.ticker] if alias.security_id == claim.security_id]
        if same:
            return replace(claim, start=same[-1].start)
        before = [alias for alias in self._known[claim.ticker] if alias.listed.share_class_figi is not None]
        if not before or before[-1].start > claim.start:
            return claim
        listed = claim.listed.listed_date
        return replace(claim, start=listed if listed and listed > before[-1].start else last_bar)

    def _replaces_class(self, listed: ListedSecurity, before: ListedSecurity) -> bool:
        is_same_company = listed.central_index_key is not None and listed.central_index_key == before.central_index_key
        return is_same_company and before.share_class_figi is not None and before.share_class_figi not in self._listed


def _claims_kept(known: Iterable[Alias], claims: Sequence[Alias]) -> list[Alias]:
    """The known aliases that no listing claims again. One without a FIGI ends where a listing with a FIGI claims it."""
    claimed = {(claim.security_id, claim.ticker, claim.start) for claim in claims}
    starts = {claim.ticker: claim.start for claim in reversed(claims) if claim.listed.share_class_figi is not None}

    def is_superseded(alias: Alias) -> bool:
        is_claimed = alias.ticker in starts and starts[alias.ticker] <= alias.start
        return is_claimed and alias.listed.share_class_figi is None

    return [
        alias
        for alias in known
        if (alias.security_id, alias.ticker, alias.start) not in claimed and not is_superseded(alias)
    ]


def _follow_change(
    claims: Sequence[Alias], change: TickerChange, listed: Collection[tuple[str, str | None]]
) -> list[Alias]:
    """The claims with both sides of a change of ticker as one security, each on its side of the date.

    Where the old ticker is listed for another class since, that one has it from the date on.
    """
    old = _find_holder(claims, change.old_ticker, change.date - ONE_DAY)
    new = _find_holder(claims, change.new_ticker, change.date)
    if old is None or old.start >= change.date:
        return list(claims)
    if new is not None and _is_reused(old, new, change, listed):
        before = replace(new, ticker=old.ticker, start=old.start, end=change.date - ONE_DAY)
        moved = {old: replace(old, start=change.date), new: replace(new, start=change.date)}
        return [before, *(moved.get(claim, claim) for claim in claims)]
    ended = replace(old, end=change.date - ONE_DAY)
    if new is None:
        return [ended if claim is old else claim for claim in claims]
    permanent = new.security_id if _has_class(new) and not _has_class(old) else old.security_id
    begun = replace(new, start=change.date)
    earlier = [replace(new, end=change.date - ONE_DAY)] if new.start < change.date and not _has_class(new) else []
    followed = [ended if claim is old else begun if claim is new else claim for claim in claims]
    merged = {old.security_id, new.security_id}
    return [
        replace(claim, security_id=permanent) if claim.security_id in merged else claim for claim in followed
    ] + earlier


def _is_reused(old: Alias, new: Alias, change: TickerChange, listed: Collection[tuple[str, str | None]]) -> bool:
    """Whether the old ticker's claim is of another class, which is listed under it from the change on or later."""
    other_class = _has_class(new) and old.listed.share_class_figi != new.listed.share_class_figi
    is_later = old.end is None or old.end >= change.date
    return other_class and is_later and (old.ticker, old.listed.share_class_figi) in listed


def _has_class(alias: Alias) -> bool:
    return alias.listed.share_class_figi is not None


def _find_holder(claims: Iterable[Alias], ticker: str, day: date) -> Alias | None:
    """The claim of the ticker on that day, else the first one after it."""
    of_ticker = sorted((claim for claim in claims if claim.ticker == ticker), key=lambda claim: claim.start)
    before = [claim for claim in of_ticker if claim.start <= day]
    return before[-1] if before else of_ticker[0] if of_ticker else None


def _claims_of_others(evidence: Evidence, claims: Sequence[Alias]) -> Iterator[Alias]:
    """A security of its own for each ticker with bars that no claim has, or none after its security's next ticker."""
    last_claims = {claim.ticker: claim for claim in sorted(claims, key=lambda claim: claim.start)}
    next_starts, taken = {(claim.security_id, claim.start) for claim in claims}, {claim.security_id for claim in claims}
    for ticker, (first, last) in evidence.traded.items():
        claim = last_claims.get(ticker)
        if claim is None:
            start = first
        elif claim.end and claim.end < last and (claim.security_id, claim.end + ONE_DAY) in next_starts:
            start = claim.end + ONE_DAY
        else:
            continue
        own = security_id_of(evidence.source, ticker, start)
        while own in taken:  # two securities are said to have taken the same ticker
            own += "+"
        yield Alias(own, ticker, start, None, ListedSecurity(ticker))


def _end_before_next(claims: Iterable[Alias], key: Callable[[Alias], str]) -> list[Alias]:
    """The claims, none of which reaches the start of the next one with its key; of two on one day the later claim."""
    groups: dict[str, list[Alias]] = defaultdict(list)
    for claim in claims:
        groups[key(claim)].append(claim)
    ended: list[Alias] = []
    for group in groups.values():
        once = sorted({claim.start: claim for claim in group}.values(), key=lambda claim: claim.start)
        for claim, following in zip(once, [*once[1:], None], strict=True):
            last = following.start - ONE_DAY if following else date.max
            ended.append(replace(claim, end=last) if last < (claim.end or date.max) else claim)
    return ended
