"""Why a bar that passes its schema is held back, and what releases it. Pure."""

from enum import StrEnum


class Suspicion(StrEnum):
    """What is wrong with a bar that is valid by itself; the value is the quarantine's reason.

    Whether a bar is suspected depends on bars up to its own session alone. Later bars can release it, never the other
    way round: a bar that was accepted stays, so that no later price decides what a model or a decision was shown.

    A jump or a spike is released when the ticker's next bar is at that level. A jump by a split's ratio waits until the
    split is reported; every other kind waits for a person.
    """

    PRICE_JUMP = "price_jump_without_volume"
    SPLIT_RATIO = "price_jump_by_a_split_ratio"
    POWER_OF_TEN = "price_jump_by_a_power_of_ten"
    SPLIT_NOT_IN_PRICES = "split_not_in_prices"
    OTHER_TICKER = "bar_of_another_ticker"
    OPEN_SPIKE = "open_far_from_close_and_previous_close"
    HIGH_SPIKE = "high_far_above_open_and_close"
    LOW_SPIKE = "low_far_below_open_and_close"
    REPEATED = "repeats_an_earlier_bar"
    NO_VOLUME = "no_volume_in_a_traded_ticker"
    VOLUME_UNITS = "volume_in_other_units"
