"""A substitute for `python:3.12-slim-bookworm` where no registry is reachable: Debian, and this machine's CPython.

It is made with debootstrap and has what our Dockerfile uses of the real image: bookworm with the CA bundle, Python
3.12 under /usr/local with pip, no compiler, no curl. An engine that has the real image uses that one. The archive is
cached in the machine's cache folder: a second run imports it in seconds.
"""

import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

from swarm.machine import CACHE, MachineError, require, run
from swarm.node import Node

NAME = "python:3.12-slim-bookworm"
ENVIRONMENT = ("PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
# what CPython's own modules are linked with; the real image installs the same
LIBRARIES = (
    "ca-certificates,libbz2-1.0,libcrypt1,libexpat1,libffi8,liblzma5,libncursesw6,libnsl2,libreadline8,libsqlite3-0,"
    "libssl3,libtirpc3,libuuid1,netbase,tzdata,zlib1g"
)
LEFT_OUT = (
    "test",
    "idlelib",
    "turtledemo",
    "tkinter",
    "ensurepip",
    "__pycache__",
    "config-*",
    "*.a",
    "lib2to3",
    "site-packages",
)


def load(node: Node) -> None:
    """See that the engine has an image of that name: the real one, or the stand-in."""
    if node.docker("image", "ls", "--quiet", NAME).strip():
        return
    changes = [word for entry in ENVIRONMENT for word in ("--change", f"ENV {entry}")]
    node.docker("import", *changes, "--change", 'CMD ["python3"]', str(archive()), NAME)


def archive() -> Path:
    """The path of the stand-in's file system as a tar archive, made where it is not there yet.

    Raises:
        MachineError: the Python that runs is not 3.12, or debootstrap failed.
    """
    if sys.version_info[:2] != (3, 12):
        raise MachineError(f"the stand-in for {NAME} is made of the Python that runs, and this is {sys.version}")
    made = CACHE / f"base-{sys.version.split()[0]}-1.tar"
    if made.exists():
        return made
    require(["debootstrap"])
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        root = Path(scratch, "root")
        run("debootstrap", "--variant=minbase", f"--include={LIBRARIES}", "bookworm", str(root), timeout=900)
        _slim(root)
        _add_python(root)
        draft = Path(scratch, "base.tar")
        run("tar", "--create", "--numeric-owner", f"--file={draft}", f"--directory={root}", ".")
        draft.replace(made)
    return made


def _slim(root: Path) -> None:
    """Remove what Debian's slim images have not: packages' archives and lists, documents, manuals, devices."""
    for folder in (
        "var/cache/apt/archives",
        "var/lib/apt/lists",
        "usr/share/doc",
        "usr/share/man",
        "usr/share/locale",
        "dev",
    ):
        shutil.rmtree(root / folder)
        (root / folder).mkdir()
    (root / "etc/resolv.conf").unlink(missing_ok=True)


def _add_python(root: Path) -> None:
    """Copy the interpreter that runs, without its packages, to /usr/local, with pip from its own wheel."""
    source, target = Path(sys.base_prefix), root / "usr/local"
    library = sysconfig.get_config_var("LDLIBRARY")
    standard = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(standard, target / "lib/python3.12", ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
    (target / "lib/python3.12/site-packages").mkdir()
    shutil.copytree(standard / "ensurepip", target / "lib/python3.12/ensurepip")
    shutil.copy2(source / "bin/python3.12", target / "bin/python3.12")
    if str(library).endswith(".so"):
        for path in (source / "lib").glob("libpython3*.so*"):
            shutil.copy2(path, target / "lib", follow_symlinks=False)
    for name in ("python3", "python"):
        (target / "bin" / name).symlink_to("python3.12")
    run("chroot", str(root), "/sbin/ldconfig")
    run("chroot", str(root), "/usr/local/bin/python3.12", "-m", "ensurepip", "--default-pip")
