"""EDGAR, the SEC's system of filings, as the port `CompanyData`.

The SEC's pages: https://www.sec.gov/search-filings/edgar-application-programming-interfaces.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import httpx

from datamanager.adapters.edgar_bodies import (
    FilingColumns,
    OlderFile,
    make_company,
    make_filings,
    read_facts,
    read_older_filings,
    read_submissions,
    read_tickers,
)
from datamanager.adapters.edgar_transport import RETRIES, TIMEOUT, EdgarTransport
from datamanager.ports import CompanyFilings, Fact
from internal.errors import UpstreamError
from internal.retries import RetryPolicy


@dataclass(frozen=True)
class EdgarAddresses:
    """The servers of EDGAR: `pages` has the list of tickers, `data` has submissions and facts."""

    pages: str = "https://www.sec.gov"
    data: str = "https://data.sec.gov"


class Edgar:
    """The SEC, within its rate limit.

    Attributes:
        source: Its name.
        seconds_between_requests: Under the rate limit; 0 without one.

    Args:
        user_agent: Name and e-mail address of who asks; None refuses every request.
        addresses: Where the SEC's two servers answer.
        requests_per_second: The SEC allows 10; 0 is unlimited.
        retries: Attempts and the pauses between them.
        timeout: Of each attempt.
    """

    source = "edgar"

    def __init__(
        self,
        user_agent: str | None,
        addresses: EdgarAddresses,
        requests_per_second: float,
        retries: RetryPolicy = RETRIES,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._addresses = addresses
        self._transport = EdgarTransport(user_agent, requests_per_second, retries, timeout)
        self.seconds_between_requests = 1 / requests_per_second if requests_per_second else 0.0

    def central_index_keys(self) -> Mapping[str, str]:
        """The key of each ticker that trades now."""
        url = f"{self._addresses.pages}/files/company_tickers.json"
        body = self._transport.get(url)
        if body is None:
            raise UpstreamError(f"{url} does not exist; check EDGAR_BASE_URL")
        return read_tickers(body)

    def filings(self, central_index_key: str, since: date | None = None) -> CompanyFilings | None:
        """The company with its recent filings, and the older ones since a day; None for an unknown key."""
        body = self._transport.get(f"{self._addresses.data}/submissions/CIK{central_index_key}.json")
        if body is None:
            return None
        found = read_submissions(body, central_index_key)
        lists = [found.filings.recent, *(self._older_filings(found.filings.files, since) if since else ())]
        return CompanyFilings(make_company(central_index_key, found), make_filings(lists))

    def facts(self, central_index_key: str, concepts: Collection[str]) -> Sequence[Fact]:
        """What the company has filed of the concepts; nothing where it files no such data."""
        body = self._transport.get(f"{self._addresses.data}/api/xbrl/companyfacts/CIK{central_index_key}.json")
        return [] if body is None else read_facts(body, concepts)

    def _older_filings(self, files: Sequence[OlderFile], since: date) -> Iterator[FilingColumns]:
        for file in files:
            if file.filingTo >= since:
                body = self._transport.get(f"{self._addresses.data}/submissions/{file.name}")
                if body is None:
                    raise UpstreamError(f"EDGAR names a file of older filings that it does not have: {file.name}")
                yield read_older_filings(body, file.name)

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()
