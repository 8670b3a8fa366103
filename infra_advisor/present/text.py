"""Text from a catalog, a path or a user made safe for a line of output."""

import re

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|$)"  # OSC, DCS, SOS, PM, APC with their payload: titles, links
    r"|\x1b[ -/]*[0-~]?"  # two-character escapes, and an escape at the end
    r"|\x9b[0-?]*[ -/]*[@-~]?",  # CSI as one C1 character
    re.DOTALL,
)
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    r"\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"  # bidi and zero width
    r"\U000e0000-\U000e007f]"  # tag characters
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")

_ASCII = str.maketrans(
    {
        "─": "-", "━": "-", "│": "|", "┼": "+", "└": "+", "┤": "|", "╶": "-", "╌": "-", "┄": "-",
        "–": "-", "—": "-", "…": "...", "·": "-", "×": "x", "≤": "<=", "≥": ">=", "µ": "u", "→": "->", "•": "*",
    }
)  # fmt: skip


def clean(text: str) -> str:
    """One line without terminal escapes, control, bidirectional or zero-width characters; line breaks become blanks.

    Letters of every script stay as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _BREAKS.sub(" ", _ESCAPES.sub("", text))
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _INVISIBLE.sub("", text))


def to_ascii(text: str) -> str:
    """The text for a terminal without Unicode: our own symbols spelled out, anything else that is foreign as `?`."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
