"""The files of the pages over HTTP, for a service that has pages."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from internal.errors import NotFoundError
from internal.pages.responses import accepts_gzip
from internal.pages.static_files import PREFIX, read_static_files

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # an address of another version of the service, during a rolling update

router = APIRouter(tags=["pages"])


@router.get(PREFIX + "/{version}/{path:path}", summary="A file that the pages load", response_class=Response)
def get_static_file(
    version: str,
    path: str,
    accept_encoding: Annotated[str, Header()] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Style sheet, script, font or picture; a browser may keep it for ever: its address changes with its content."""
    found = read_static_files()
    file = found.files.get(path)
    if file is None:
        raise NotFoundError(f"there is no file {path} of the pages")
    caching = FOR_EVER if version == found.version else ASK_AGAIN
    headers = {"Cache-Control": caching, "ETag": file.etag, "Vary": "Accept-Encoding"}
    if file.etag in if_none_match:
        return Response(status_code=304, headers=headers)
    if file.compressed is not None and accepts_gzip(accept_encoding):
        return Response(file.compressed, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.content, media_type=file.media_type, headers=headers)
