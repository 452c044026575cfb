"""The verdict of an evaluation in sentences: whether the model beats the best baseline by more than noise."""

from typing import Final

from internal.baselines.catalogue import BASELINES, fittable_baselines
from internal.forecasting.held_out_bands import describe_calibration
from internal.forecasting.rank_evidence import describe_rank_evidence
from models.evaluation import NAIVE_BASELINES, Difference
from models.held_out import measure_shares_below
from models.scoring import Score, compute_relative_difference

NOISE_PER_CENT: Final = 0.1
SUSPICIOUS_GAIN_PER_CENT: Final = 2.0  # knowing each ticker's future volatility gains 1.6 to 4.3 %


def write_verdict(scores: list[Score], model: str, lengths: list[int]) -> list[str]:
    """The sentences about a model.

    Args:
        scores: Of every forecast.
        model: The name of the evaluated model.
        lengths: Dates of each fold, in order.
    """
    own = next(one for one in scores if one.name == model)
    baselines = [one for one in scores if one.name in BASELINES and one is not own]
    cumulative, daily = min(baselines, key=lambda one: one.cumulative), min(baselines, key=lambda one: one.daily)
    differences = {
        ("cumulative", cumulative.name): compute_relative_difference(
            own.cumulative_by_date, cumulative.cumulative_by_date, lengths
        ),
        ("daily", daily.name): compute_relative_difference(own.daily_by_date, daily.daily_by_date, lengths),
    }
    best = "the best naive baseline" if {one.name for one in baselines} <= set(NAIVE_BASELINES) else "the best baseline"
    sentences = [_describe_difference(model, best, *names, one) for names, one in differences.items()]
    if min(difference for difference, _, _ in differences.values()) < -SUSPICIOUS_GAIN_PER_CENT:
        sentences.append("A gain of more than 2 % on real bars is probably a leak: check before relying on it.")
    if calibration := describe_calibration(measure_shares_below(own)):
        sentences.append(calibration)
    return [*sentences, describe_rank_evidence(own.evidence), *_name_missing_baselines(scores)]


def _describe_difference(model: str, best: str, measure: str, name: str, found: Difference) -> str:
    difference, lower, upper = found
    figures = f"{difference:+.2f} % against {name}, 95 % interval {lower:+.2f} to {upper:+.2f} %"
    if upper < 0 and difference < -NOISE_PER_CENT:
        return f"{model} beats {best} on {measure} returns: {figures}."
    if upper < 0:
        return f"{model} does NOT beat {best} on {measure} returns by more than noise: {figures}."
    if lower > 0:
        return f"{model} does NOT beat {best} on {measure} returns: its loss is larger, {figures}."
    return f"{model} does NOT beat {best} on {measure} returns: no significant difference, {figures}."


def _name_missing_baselines(scores: list[Score]) -> list[str]:
    compared = BASELINES.keys() & {one.name for one in scores}
    fittable = fittable_baselines().keys()
    sentences: list[str] = []
    if absent := sorted(BASELINES.keys() - compared - fittable):
        verb = "is" if len(absent) == 1 else "are"
        reason = "because LightGBM is not available: `./fund doctor` says what to install"
        sentences = [f"{_join(absent)} {verb} not in this comparison, {reason}."]
    if compared >= fittable:
        return sentences
    return [f"Only {_join(sorted(compared))} were compared: `./fund models evaluate` compares all.", *sentences]


def _join(names: list[str]) -> str:
    """The names as a sentence lists them."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
