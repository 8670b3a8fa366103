"""The document of `advisor manifest`: files that deploy one answer, and what to know before using them."""

from typing import Literal

from pydantic import Field

from infra_advisor.advice.checks import SavedStamp
from infra_advisor.advice.parts import Part

Kind = Literal["compose", "kubernetes", "skypilot", "dstack", "command", "client", "smoke"]
KINDS = ("compose", "kubernetes", "skypilot", "dstack", "command")
"""What can be asked for; a hosted API has a client instead, and the smoke test comes with everything."""


class ManifestFile(Part):
    """One file."""

    name: str
    kind: Kind
    text: str


class Manifest(Part):
    """The whole answer of `manifest`."""

    schema_: Literal["infra_advisor/manifest/1"] = Field(alias="schema", default="infra_advisor/manifest/1")
    saved: SavedStamp
    answer: str
    """Id of the answer that is deployed."""
    number: int
    """Its place in the saved ranking, from 1."""
    model: str
    hardware: str
    engine: str | None = None
    engine_version: str | None = None
    image: str | None = None
    """Container image; null where none is known for this chip and the user must name one."""
    files: tuple[ManifestFile, ...]
    left_out: dict[str, str] = Field(default_factory=dict)
    """Kind -> why there is no file of it."""
    must_set: tuple[str, ...] = ()
    """What the files leave to be named: environment variables, secrets, an image."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
