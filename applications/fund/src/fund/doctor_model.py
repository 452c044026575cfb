"""The check of `fund doctor` on the champion: whether it is whole, what speaks for its ranking, and how old it is."""

from datetime import date
from pathlib import Path

from fund.addresses import Addresses
from fund.findings import Finding
from fund.folder import FundFolder
from fund.real_environment import choose_environments
from fund.unopened import describe_unopened
from internal.dates import session_number
from internal.errors import ArtifactError, FundError
from internal.forecasting.artifact import Artifact, load_artifact
from internal.forecasting.rank_evidence import describe_rank_evidence, find_rank_evidence
from internal.forecasting.registry import Registry
from internal.lake.ingestion_log import read_last_session
from internal.lake.store import Lake
from internal.modes import Mode
from internal.object_stores import is_bucket

ANOTHER_CHAMPION = (
    "`./fund models list` shows the other models, `./fund models promote VERSION` makes one the champion, and "
    "`./fund models train` trains a new one."
)


def check_model(folder: FundFolder, addresses: Addresses) -> Finding:
    """Check the champion of the registry that `./fund models` uses, without a request to anybody."""
    try:
        mode = folder.read_mode()
        if mode is None or not folder.has_credentials:
            return Finding("model", f"not checked: {describe_unopened(folder)}")
        variables = choose_environments(folder, addresses).of_models()
        address, lake = variables["REGISTRY_DIRECTORY"], variables["DATA_BUCKET"]
        if is_bucket(address):
            return Finding("model", f"in {address}, not checked: `./fund models list` asks the bucket")
        return check_champion(folder, Registry(Path(address)), None if is_bucket(lake) else Lake(lake), mode)
    except FundError as error:
        return Finding("model", "not checked", error.detail)


def check_champion(folder: FundFolder, registry: Registry, lake: Lake | None, mode: Mode) -> Finding:
    """Check every byte of the champion, and describe it.

    Args:
        folder: The fund's folder.
        registry: Its registry of models.
        lake: Where the sessions are that it collected; None where they are not in a folder.
        mode: Whose money is at stake.
    """
    try:
        path = registry.path()
        artifact = load_artifact(path)
    except ArtifactError as error:
        return _describe_unusable(folder, registry, error)
    age = describe_age(artifact.trained_through, None if lake is None else read_last_session(lake))
    return Finding(
        "model", f"champion {path.name}, {artifact.kind}, whole; {age}. {_describe_evidence(artifact, mode)}"
    )


def _describe_unusable(folder: FundFolder, registry: Registry, error: ArtifactError) -> Finding:
    """A fault where the strategy reads forecasts."""
    from fund.status import starting_command  # noqa: PLC0415 - takes a tenth of a second, which a whole champion saves

    seen = error.detail if registry.has_alias() else "there is no champion"
    if not reads_forecasts(folder):
        return Finding("model", f"{seen}; the fund's strategy reads no forecasts and needs none")
    if registry.has_alias():
        return Finding("model", seen, ANOTHER_CHAMPION)
    return Finding("model", seen, f"`./fund {starting_command(folder)}` trains the first model, and makes it champion.")


def reads_forecasts(folder: FundFolder) -> bool:
    """Whether the strategy of the last run reads forecasts; true where it cannot be loaded."""
    try:
        from fund.strategy_loading import load_choice  # noqa: PLC0415 - as above

        strategy = folder.read_strategy()
        return strategy is None or load_choice(strategy).needs.forecasts
    except FundError:
        return True


def describe_age(trained_through: date | None, last: date | None) -> str:
    """How many sessions were collected after the last one of a model's training, which holds the newest out itself."""
    if trained_through is None:
        return "through which session it was trained is not recorded"
    trained = f"trained through {trained_through}"
    if last is None:
        return trained
    count = session_number(last) - session_number(trained_through)
    sessions = f"{abs(count)} session{'' if abs(count) == 1 else 's'}"
    if count < 0:
        return f"{trained}, {sessions} after the last collected one, {last}: forecasts up to then are hindsight"
    return f"{trained}, {sessions} before the last collected one, {last}"


def _describe_evidence(artifact: Artifact, mode: Mode) -> str:
    """Its rank evidence; of a live fund also what its orders need without enough of it."""
    evidence = find_rank_evidence(artifact.kind, artifact.metrics)
    sentence = describe_rank_evidence(evidence)
    if mode is not Mode.LIVE or (evidence is not None and evidence.is_enough):
        return sentence
    arming = f"`./fund arm --live --without-evidence {artifact.kind}`"
    return f"{sentence} Live orders on its forecasts need {arming}, or a model with enough evidence."
