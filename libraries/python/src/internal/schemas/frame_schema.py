"""Schemas of frames: rules as Polars expressions; what breaks one is found by pandera and reported with its rows."""

# pandera's schema names and failure cases are typed in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from internal.errors import SchemaError

if TYPE_CHECKING:
    import pandera.polars as pa
    from pandera.errors import SchemaErrors

SHOWN_ROWS = 3


@dataclass(frozen=True)
class Rule:
    """One check of a frame: `holds()` is a Boolean expression over its columns; null (a missing value) passes.

    `column` is named in reports. `holds` is called at validation, so that importing a schema does not build the
    exchange's calendar.
    """

    name: str
    column: str
    holds: Callable[[], pl.Expr]


@dataclass(frozen=True, eq=False)
class FrameSchema:
    """Exactly these columns and types, nulls in `nullable` alone, a unique key, and the rules."""

    name: str
    columns: Mapping[str, pl.DataType]
    nullable: Sequence[str]
    key: Sequence[str]
    rules: Sequence[Rule]

    @cached_property
    def pandera(self) -> "pa.DataFrameSchema":
        """Pandera's schema, built for the first frame that is wrong: importing pandera takes 2 s, most for pandas."""
        import pandera.polars as pa  # noqa: PLC0415 - see the docstring

        return pa.DataFrameSchema(
            {
                column: pa.Column(
                    data_type,
                    checks=[_check(rule) for rule in self.rules if rule.column == column],
                    nullable=column in self.nullable,
                )
                for column, data_type in self.columns.items()
            },
            unique=list(self.key),
            strict=True,
            name=self.name,
        )


def _check(rule: Rule) -> "pa.Check":
    import pandera.polars as pa  # noqa: PLC0415 - see `FrameSchema.pandera`

    def check(data: "pa.PolarsData") -> pl.LazyFrame:
        return data.lazyframe.select(rule.holds().fill_null(value=True))

    return pa.Check(check, name=rule.name, error=rule.name)


def empty_frame(columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Create a frame with these columns and no row."""
    return pl.DataFrame(schema=dict(columns))


def add_default_columns(frame: pl.DataFrame, defaults: Mapping[str, str | bool | float]) -> pl.DataFrame:
    """Add each column with a default that the frame lacks; values that exist stay, nulls too."""
    return frame.with_columns(
        pl.lit(value).alias(name) for name, value in defaults.items() if name not in frame.columns
    )


def structure_failures(frame: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> list[str]:
    """One sentence for each column that is missing, unexpected or of another type."""
    found = frame.schema
    return [
        *(f"missing column {name}" for name in columns if name not in found),
        *(f"unexpected column {name}" for name in found if name not in columns),
        *(
            f"column {name} is {found[name]}, not {columns[name]}"
            for name in columns
            if found.get(name, columns[name]) != columns[name]
        ),
    ]


def require_structure(name: str, frame: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the frame in the columns' order. Raises SchemaError unless it has exactly these columns and types."""
    failures = structure_failures(frame, columns)
    if failures:
        raise SchemaError(f"{name}: " + "; ".join(failures), failures)
    return frame.select(list(columns))


def validate_frame(frame: pl.DataFrame, schema: FrameSchema) -> pl.DataFrame:
    """Return the frame in the schema's column order.

    Raises SchemaError, whose `failures` hold one sentence a broken check: column, check, count, and the first rows by
    their key. A LazyFrame is refused, of which pandera would check nothing but the column types.
    """
    if not isinstance(frame, pl.DataFrame):  # pyright: ignore[reportUnnecessaryIsInstance]  # notebooks are not checked
        raise TypeError(f"a collected polars DataFrame is validated, not a {type(frame).__name__}")
    ordered = require_structure(schema.name, frame, schema.columns)
    if not is_sound(ordered, schema):
        require_sound(ordered, schema)
    return ordered


def is_sound(frame: pl.DataFrame, schema: FrameSchema) -> bool:
    """Whether a frame of the schema's structure passes, without pandera, which is imported to say what is wrong."""
    required = [name for name in schema.columns if name not in schema.nullable]
    present = [_is_present(name, schema.columns[name]).all().alias(f"{name} is present") for name in required]
    holds = [
        rule.holds().fill_null(value=True).all().alias(f"{place} {rule.name}")
        for place, rule in enumerate(schema.rules)
    ]
    try:
        passed = frame.select(*present, *holds).row(0)
    except pl.exceptions.PolarsError:  # a rule that cannot be computed: pandera names it
        return False
    return all(passed) and not frame.select(schema.key).is_duplicated().any()


def _is_present(name: str, data_type: pl.DataType) -> pl.Expr:
    """Neither null nor NaN, as pandera counts missing values."""
    column = pl.col(name)
    return column.is_not_null() & column.is_not_nan() if data_type.is_float() else column.is_not_null()


def require_sound(frame: pl.DataFrame, schema: FrameSchema) -> None:
    """Let pandera check a frame of the schema's structure. Raises SchemaError as `validate_frame`."""
    from pandera.errors import SchemaErrors  # noqa: PLC0415 - see `FrameSchema.pandera`

    try:
        schema.pandera.validate(frame, lazy=True)
    except SchemaErrors as errors:
        failures = _describe_failures(frame, schema, errors)
        raise SchemaError(f"{schema.name}: " + "; ".join(failures), failures) from None


def _describe_failures(frame: pl.DataFrame, schema: FrameSchema, errors: "SchemaErrors") -> list[str]:
    """One sentence a broken check."""
    found = cast("pl.DataFrame", errors.failure_cases)
    cases = found.group_by("column", "check", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("index").head(SHOWN_ROWS), pl.col("failure_case").first()
    )
    return [_describe_failure(frame, schema, case) for case in cases.to_dicts()]


def _describe_failure(frame: pl.DataFrame, schema: FrameSchema, case: Mapping[str, Any]) -> str:
    column, check = case["column"], case["check"]
    subject = f"column {column}: {check}" if column in schema.columns else check
    if None in case["index"]:  # the check itself could not run
        return f"{subject} fails: {case['failure_case']}"
    rows = "; ".join(_row(frame, schema, position, column) for position in case["index"])
    return f"{subject} fails in {case['count']} rows, first: {rows}"


def _row(frame: pl.DataFrame, schema: FrameSchema, position: int, column: str | None) -> str:
    """The row's key and its value in the checked column."""
    names: list[str] = [*schema.key, "ticker", *([column] if column else [])]
    return " ".join(f"{name}={frame.item(position, name)}" for name in dict.fromkeys(names) if name in frame.columns)


def split_rows(frame: pl.DataFrame, schema: FrameSchema) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into those that pass the schema and the others, each with the first check that it fails as `reason`.

    All rows that share a key fail, since it is unknown which of them is right. Raises SchemaError when columns or types
    are wrong, which no single row causes.
    """
    ordered = require_structure(schema.name, frame, schema.columns)
    missing = [
        pl.when(pl.col(name).is_null()).then(pl.lit(f"{name}_missing"))
        for name in schema.columns
        if name not in schema.nullable
    ]
    failed = [pl.when(rule.holds().not_()).then(pl.lit(rule.name)) for rule in schema.rules]
    duplicated = pl.when(pl.struct(schema.key).is_duplicated()).then(pl.lit("duplicate_key"))
    checked = ordered.with_columns(pl.coalesce(*missing, *failed, duplicated).alias("reason"))
    return checked.filter(pl.col("reason").is_null()).drop("reason"), checked.filter(pl.col("reason").is_not_null())
