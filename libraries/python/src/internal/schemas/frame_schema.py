"""What the schemas have in common: rules as Polars expressions, checked by pandera and told in sentences.

Knows how a rule becomes a pandera check, how a broken one is reported with its rows, and how rows are split into good
and bad. Knows no particular frame.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrorReason, SchemaErrors

from internal.errors import SchemaError

SHOWN_ROWS = 3


@dataclass(frozen=True)
class Rule:
    """One check of a frame: `holds()` is a Boolean expression over its columns; null (a missing value) passes.

    `column` is the one that a report blames. `holds` is called at validation, so that importing a schema does
    not build the exchange's calendar.
    """

    name: str
    column: str
    holds: Callable[[], pl.Expr]


def _check(rule: Rule) -> pa.Check:
    def check(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(rule.holds().fill_null(value=True))

    return pa.Check(check, name=rule.name, error=rule.name)


def build_schema(
    name: str, columns: Mapping[str, pl.DataType], nullable: Sequence[str], key: Sequence[str], rules: Sequence[Rule]
) -> pa.DataFrameSchema:
    """The pandera schema: exactly these columns and types, nulls only where said, the key unique, every rule kept."""
    return pa.DataFrameSchema(
        {
            column: pa.Column(
                data_type,
                checks=[_check(rule) for rule in rules if rule.column == column],
                nullable=column in nullable,
            )
            for column, data_type in columns.items()
        },
        unique=list(key),
        strict=True,
        name=name,
    )


def empty_frame(columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A frame with these columns and no row."""
    return pl.DataFrame(schema=dict(columns))


def validate_frame(frame: pl.DataFrame, schema: pa.DataFrameSchema) -> pl.DataFrame:
    """The frame in the schema's column order.

    Raises SchemaError, whose `failures` hold one sentence a broken check: column, check, count, and the first rows by
    their key. Takes a collected frame only: of a LazyFrame pandera would check nothing but the column types.
    """
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(f"a collected polars DataFrame is validated, not a {type(frame).__name__}")
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        failures = _sentences(frame, schema, errors)
        raise SchemaError(f"{schema.name}: " + "; ".join(failures), failures) from None
    return frame.select(list(schema.columns))


def _sentences(frame: pl.DataFrame, schema: pa.DataFrameSchema, errors: SchemaErrors) -> list[str]:
    """One sentence a broken check. Checks that could not run only echo a wrong structure, which is told already."""
    echoes = [_name(e.check) for e in errors.schema_errors if e.reason_code == SchemaErrorReason.CHECK_ERROR]
    cases = errors.failure_cases.group_by("column", "check", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("index").head(SHOWN_ROWS), pl.col("failure_case").first()
    )
    told = cases.filter(~pl.col("check").is_in(echoes))
    return [_sentence(frame, schema, case) for case in (told if told.height else cases).to_dicts()]


def _name(check: object) -> str:
    return str(getattr(check, "error", None) or check)


def _sentence(frame: pl.DataFrame, schema: pa.DataFrameSchema, case: Mapping[str, object]) -> str:
    check, column, positions = str(case["check"]), case["column"], case["index"]
    structure = {
        "column_in_dataframe": "missing column {}",
        "column_in_schema": "unexpected column {}",
    }
    if check in structure:
        return structure[check].format(case["failure_case"])
    subject = f"column {column}: {check}" if column in schema.columns else check
    if not isinstance(positions, list) or positions[0] is None:
        return f"{subject} fails, found {case['failure_case']}"
    rows = "; ".join(_row(frame, schema, int(position), str(column)) for position in positions)
    return f"{subject} fails in {case['count']} rows, first: {rows}"


def _row(frame: pl.DataFrame, schema: pa.DataFrameSchema, position: int, column: str) -> str:
    """The row's key, and its value in the column to blame, when it is one column."""
    shown = dict.fromkeys(name for name in [*(schema.unique or []), column] if name in frame.columns)
    return " ".join(f"{name}={frame.item(position, name)}" for name in shown)


def split_rows(
    frame: pl.DataFrame, schema: pa.DataFrameSchema, rules: Sequence[Rule]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that keep the schema, and the others with the first `reason` that holds against each.

    Rows that share a key are all bad: nothing says which of them is right. Raises SchemaError when columns or types are
    wrong, for then no single row is to blame.
    """
    validate_frame(frame.clear(), schema)
    keys = list(schema.unique or [])
    missing = [
        pl.when(pl.col(name).is_null()).then(pl.lit(f"{name}_missing"))
        for name, column in schema.columns.items()
        if not column.nullable
    ]
    broken = [pl.when(rule.holds().not_()).then(pl.lit(rule.name)) for rule in rules]
    doubled = pl.when(pl.struct(keys).is_duplicated()).then(pl.lit("duplicate_key"))
    judged = frame.select(list(schema.columns)).with_columns(pl.coalesce(*missing, *broken, doubled).alias("reason"))
    return judged.filter(pl.col("reason").is_null()).drop("reason"), judged.filter(pl.col("reason").is_not_null())
