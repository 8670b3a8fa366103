"""The lines of a file that may be larger than memory."""

from collections.abc import Generator
from pathlib import Path

from infra_advisor.errors import UsageError

LONGEST_LINE_BYTES = 4 * 2**20
"""A prompt of 16 million tokens has 32,768 blocks, less than a megabyte of ids. A file without line ends is refused, not loaded."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PAR1": "Parquet"}


def numbered_lines(path: Path) -> Generator[tuple[int, str], None, None]:
    """The lines that are not blank, with their number from 1 and their line end. No more than a buffer is read ahead.

    Raises UsageError where the file cannot be opened or read, is packed, or is not text in UTF-8.
    """
    number = 0
    try:
        with path.open("rb") as file:
            start = file.peek(len(_BYTE_ORDER_MARK))
            _refuse_packed(path, start)
            if start.startswith(_BYTE_ORDER_MARK):
                file.read(len(_BYTE_ORDER_MARK))
            while line := file.readline(LONGEST_LINE_BYTES):
                number += 1
                if len(line) == LONGEST_LINE_BYTES and not line.endswith(b"\n"):
                    raise UsageError(f"{path}:{number}: a line of more than {LONGEST_LINE_BYTES:,} bytes; give one request per line")
                if not line.isspace():
                    yield number, line.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}:{number}: not UTF-8 (byte {error.start} of the line); save it as UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; give a file with one request per line") from None


def _refuse_packed(path: Path, start: bytes) -> None:
    for magic, name in _PACKED.items():
        if start.startswith(magic):
            raise UsageError(f"{path}: is packed ({name}); unpack it first")
