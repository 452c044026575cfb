"""A table in the body of a request, for `internal.bar_files`: CSV in any dialect, parquet, Arrow or JSON records."""

from fastapi import Request

from internal.bar_files.opening import open_csv, table_of
from internal.bar_files.table import RawTable
from internal.errors import InvalidRequestError
from internal.http.decoded_size import require_bounded_csv
from internal.http.frames import CSV, PARQUET, decode

NAME = "the body"


async def read_table(request: Request) -> RawTable:
    """The table in the body.

    Raises:
        TableFileError: It cannot be read.
        InvalidRequestError: It is empty; UnsupportedMediaTypeError for another content type.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    content = await request.body()
    if not content:
        raise InvalidRequestError(f"the body is empty; a table was expected as {media_type or CSV}")
    if media_type == CSV:
        require_bounded_csv(content)
        return open_csv(content, NAME)
    return table_of(decode(content, media_type), NAME, "parquet" if media_type == PARQUET else media_type)
