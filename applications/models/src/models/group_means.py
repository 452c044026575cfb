"""Means of groups whose last digits do not depend on how busy the machine is: an artifact's version is their digest."""

import polars as pl


def average_groups(frame: pl.DataFrame, group: str) -> pl.DataFrame:
    """The mean of every other column in each group, null ones left out, in the order of the groups.

    Without `maintain_order` Polars adds up parts of a few large groups in the order in which its threads finish them.
    """
    return frame.group_by(group, maintain_order=True).agg(pl.all().mean()).sort(group)
