"""Progress of a collection: counts and the time left, on a clock that the test moves."""

from datamanager.progress import CollectionProgress, Phase


def test_time_left() -> None:
    """At first at the vendor's limit, then at the pace so far; what an error ended keeps its estimate."""
    seconds = [0.0]
    progress = CollectionProgress(lambda: seconds[0])
    assert progress.phases() == []
    progress.start(Phase.COMPANIES, 300, "companies", 0.1)
    assert [(row.done, row.total, row.running, row.seconds_left) for row in progress.phases()] == [(0, 300, True, 30.0)]
    seconds[0] = 20.0
    progress.advance(Phase.COMPANIES, 100)
    assert progress.phases()[0].seconds_left == 40.0  # 200 more at 0.2 seconds each
    progress.end(Phase.COMPANIES)
    assert (progress.phases()[0].running, progress.phases()[0].seconds_left) == (False, 40.0)
    progress.start(Phase.LISTINGS, 1, "listing")
    assert [(row.phase, row.seconds_left) for row in progress.phases()] == [("listings", None), ("companies", 40.0)]
    progress.advance(Phase.LISTINGS)
    progress.end(Phase.LISTINGS)
    assert progress.phases()[0].seconds_left == 0.0
