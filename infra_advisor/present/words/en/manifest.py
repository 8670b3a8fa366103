"""Texts of the manifest."""

TEXTS = {
    "manifest.from": "Deployment of {answer}, from a recommendation of {as_of}.",
    "manifest.engine": "Engine: {engine} {version}.",
    "manifest.api": "A hosted API: nothing is deployed, it is called.",
    "manifest.warnings": "Warnings",
    "manifest.must_set": "You must set",
    "manifest.notes": "Notes",
    "manifest.left_out": "Not written",
    "manifest.wrote": "wrote {path}: {files}",
}
