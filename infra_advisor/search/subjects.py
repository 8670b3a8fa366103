"""What a measured row was measured on, found in the catalog: chip, layers, format, engine and layout, or why it cannot be told.

Nothing measured is looked at. What the row leaves open takes a default that is named in `assumed`.
"""

import math
import re
from dataclasses import dataclass

from infra_advisor.errors import UsageError
from infra_advisor.facts.catalog import Catalog
from infra_advisor.facts.chips import Chip
from infra_advisor.facts.engines import Engine, default_limits
from infra_advisor.facts.evidence import UNKNOWN_MODEL, Measurement
from infra_advisor.facts.formats import KvFormat, WeightFormat
from infra_advisor.facts.models import LanguageModel
from infra_advisor.physics.transformer import weight_bytes

DEFAULT_TOKEN_BUDGET = 8192.0
SERVING_SEQUENCES, LOCAL_SEQUENCES = 1024.0, 64.0
"""Sequences in one batch: whoever measures a full machine raises the engine's default."""
ENGINE_SHARE, RESERVE_BYTES = 0.92, 1e9
SERVING_CLASSES = frozenset({"datacenter-gpu", "inference-chip", "hosted-only"})
MOST_TENSOR_RANKS = 8
ROOM_FOR_CACHE = 1.25
"""An unstated layout takes as few ranks as hold the weights this many times."""

_ENGINES: tuple[tuple[str, str], ...] = (
    (r"tensorrt-edge|trt-edge", "tensorrt-edge-llm"),
    (r"tensorrt|trt-?llm|\bnim\b", "tensorrt-llm"),
    (r"optimum-neuron", "optimum-neuron"),
    (r"nxd|neuronx?-dist", "nxd-inference"),
    (r"neuronx?", "transformers-neuronx"),
    (r"habana|gaudi", "optimum-habana"),
    (r"vllm-ascend|ascend|mindie", "vllm-ascend"),
    (r"vllm-tpu|jetstream", "vllm-tpu"),
    (r"sglang-jax", "sglang-jax"),
    (r"sglang|^sgl", "sglang"),
    (r"^atom", "atom"),
    (r"mlx|\bmac-?mlx", "mlx-lm"),
    (r"ollama", "ollama"),
    (r"lm-?studio", "lm-studio"),
    (r"llama\.?cpp|llamafile|llama-bench|llama-server|gguf|koboldcpp", "llama.cpp"),
    (r"vllm", "vllm"),
    (r"exllama", "exllamav3"),
    (r"mlc", "mlc-llm"),
    (r"openvino", "openvino"),
    (r"genie|qnn|ryzen-ai", "qnn"),
    (r"furiosa", "furiosa-llm"),
    (r"deepspeed", "deepspeed-mii"),
    (r"lmdeploy|\btgi\b|text-generation", "vllm"),
)
"""How engines are spelled, first match wins -> the name under which their own host times are kept."""
_LOCAL = frozenset({"llama.cpp", "ollama", "lm-studio", "mlx-lm", "exllamav3", "mlc-llm", "openvino", "tensorrt-edge-llm", "hipfire"})

UNKNOWN_MEMORY_BYTES = 16e9
"""Taken where a host's memory is whatever its owner put in; it decides how many requests run at once, not how fast one does."""


@dataclass(frozen=True)
class Subject:
    """One combination of hardware, software and layout, shared by many rows."""

    chip: Chip
    model: LanguageModel
    engine: str
    engine_kind: str
    known_engine: Engine | None
    weights: WeightFormat
    kv: KvFormat
    tp: int
    pp: int
    ep: int
    dp: int
    replicas: int
    """Copies of the model that share the load; the deployment's figures are those of all together."""
    disaggregated: bool
    assumed: tuple[str, ...]
    """Defaults taken for what the row does not say."""

    @property
    def chips_per_replica(self) -> int:
        """Accelerators of one copy."""
        return self.tp * self.pp * self.dp

    @property
    def series(self) -> str:
        """What configurations of one series share: chip, model, engine, format and layout."""
        layout = f"tp{self.tp}pp{self.pp}ep{self.ep}dp{self.dp}x{self.replicas}" + ("d" if self.disaggregated else "")
        return "/".join((self.chip.id, self.model.id, self.engine, self.weights.id, layout))


class Subjects:
    """Finds subjects in a catalog; equal rows share one."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._found: dict[tuple[object, ...], Subject | str] = {}
        self._models: dict[tuple[str | None, str | None], tuple[LanguageModel, str | None, str | None] | str] = {}

    def of(self, row: Measurement) -> Subject | str:
        """The subject of a row, or why it cannot be told."""
        key = (
            row.chip, row.model_arch, row.model, row.engine, row.weight_dtype, row.kv_dtype, row.tp, row.pp, row.ep, row.dp, row.chips,
            row.disagg, row.mode, row.concurrency == 1.0,
        )  # fmt: skip
        if key not in self._found:
            try:
                self._found[key] = self._resolve(row)
            except UsageError as error:
                self._found[key] = str(error)
        return self._found[key]

    def _resolve(self, row: Measurement) -> Subject:
        if not row.chip:
            raise UsageError("the accelerator is not stated; say which with --chip")
        chip = self._catalog.chip(row.chip)
        if chip.bandwidth_bytes_per_s is None:
            raise UsageError(f"{chip.name}: its memory bandwidth is not in the catalog")
        assumed: list[str] = []
        if chip.memory_bytes is None:
            assumed.append(f"memory: {UNKNOWN_MEMORY_BYTES / 1e9:.0f} GB, its size is not in the catalog")
        model, how, held = self._model(row)
        if how:
            assumed.append(how)
        weights = self._weights(row, model, held, assumed)
        kv = self._cache(row, assumed)
        engine, kind = engine_meant(row.engine, chip, weights)
        if row.engine is None:
            assumed.append(f"engine: {engine}")
        known = self._catalog.engines.get(engine)
        layout = self._layout(row, chip, model, weights, kind, assumed)
        return Subject(
            chip=chip, model=model, engine=engine, engine_kind=kind, known_engine=known, weights=weights, kv=kv,
            disaggregated=bool(row.disagg), assumed=tuple(assumed),
            tp=layout["tp"], pp=layout["pp"], ep=layout["ep"], dp=layout["dp"], replicas=layout["replicas"],
        )  # fmt: skip

    def _model(self, row: Measurement) -> tuple[LanguageModel, str | None, str | None]:
        key = (row.model_arch, row.model)
        if key not in self._models:
            try:
                self._models[key] = self._find_model(*key)
            except UsageError as error:
                self._models[key] = str(error)
        found = self._models[key]
        if isinstance(found, str):
            raise UsageError(found)
        return found

    def _find_model(self, arch: str | None, name: str | None) -> tuple[LanguageModel, str | None, str | None]:
        from infra_advisor.facts.model_names import resolve_model

        if arch and arch != UNKNOWN_MODEL:
            if arch in self._catalog.model_ids:
                return self._catalog.model(arch), None, None
            found = resolve_model(arch, self._catalog)
        elif name:
            found = resolve_model(name, self._catalog)
        else:
            raise UsageError("the model is not stated")
        return found.model, f"model: {found.model.id}", found.weights

    def _weights(self, row: Measurement, model: LanguageModel, held: str | None, assumed: list[str]) -> WeightFormat:
        formats = self._catalog.formats
        stated = row.weight_dtype
        if stated is None or stated.lower() in ("auto", "unknown"):
            name = held or ("gguf-q4_k_m" if _LOCAL_HINT.search(row.engine or "") else model.native_format)
            assumed.append(f"weights: {name}")
        else:
            name = stated
        found = formats.weight_by_rule(name)
        return formats.published_as(found, mixture=model.is_mixture, native=model.native_format)

    def _cache(self, row: Measurement, assumed: list[str]) -> KvFormat:
        formats = self._catalog.formats
        if row.kv_dtype is None or row.kv_dtype.lower() == "auto":
            return formats.kv["bf16"]
        try:
            return formats.cache(row.kv_dtype)
        except UsageError:
            assumed.append(f"cache: bf16, {row.kv_dtype} is unknown")
            return formats.kv["bf16"]

    def _layout(
        self, row: Measurement, chip: Chip, model: LanguageModel, weights: WeightFormat, kind: str, assumed: list[str]
    ) -> dict[str, int]:
        tp, pp, ep, dp = (int(value or 1) for value in (row.tp, row.pp, row.ep, row.dp))
        stated = row.tp is not None or (row.pp or 1) > 1
        chips = int(row.chips) if row.chips else tp * pp * dp
        if row.chips is None and not stated:
            assumed.append("1 accelerator")
        if not stated and chips > 1:
            if kind == "local":
                assumed.append(f"layers split over {chips}")
                return {"tp": 1, "pp": chips, "ep": 1, "dp": 1, "replicas": 1}
            many = row.concurrency is None or row.mode in ("open-loop", "offline")
            tp = self._fewest_ranks(chip, model, weights, chips) if many else min(chips, MOST_TENSOR_RANKS)
            assumed.append(f"tp {tp}")
        cores = tp * pp * dp
        if cores > chips:  # ranks are cores or dies, several to a chip; or data-parallel ranks inside the tensor group
            if tp * pp <= chips:
                if model.is_mixture and ep > 1:
                    return {"tp": max(chips // (pp * dp), 1), "pp": pp, "ep": ep, "dp": min(dp, chips // pp), "replicas": 1}
                return {"tp": max(tp // dp, 1), "pp": pp, "ep": 1, "dp": 1, "replicas": max(chips // (max(tp // dp, 1) * pp), 1)}
            return {"tp": max(chips // pp, 1), "pp": min(pp, chips), "ep": min(ep, chips), "dp": 1, "replicas": 1}
        if dp > 1 and not (model.is_mixture and ep > 1):  # plain replicas behind one address
            return {"tp": tp, "pp": pp, "ep": min(ep, tp), "dp": 1, "replicas": max(chips // (tp * pp), 1)}
        if ep > tp * dp and chips >= ep and model.is_mixture:  # attention ranks not stated: experts over all, attention beside
            dp = ep // tp
        layout = {"tp": tp, "pp": pp, "ep": ep if model.is_mixture else 1, "dp": dp, "replicas": max(chips // (tp * pp * dp), 1)}
        return self._held(layout, chip, model, weights, assumed)

    def _held(self, layout: dict[str, int], chip: Chip, model: LanguageModel, weights: WeightFormat, assumed: list[str]) -> dict[str, int]:
        """The layout, its tensor ranks doubled while one replica cannot hold the weights and there are further accelerators."""
        held = weight_bytes(model.shape(), weights.by_part).total
        while layout["replicas"] % 2 == 0 and held > layout["tp"] * layout["pp"] * layout["dp"] * (chip.memory_bytes or math.inf):
            layout |= {"tp": layout["tp"] * 2, "replicas": layout["replicas"] // 2}
            assumed[:] = [note for note in assumed if not note.startswith("tp ")] + [f"tp {layout['tp']}"]
        return layout

    def _fewest_ranks(self, chip: Chip, model: LanguageModel, weights: WeightFormat, chips: int) -> int:
        held = weight_bytes(model.shape(), weights.by_part).total * ROOM_FOR_CACHE
        tp = 1
        while tp < min(chips, MOST_TENSOR_RANKS) and held > tp * (chip.memory_bytes or 0.0):
            tp *= 2
        return min(tp, chips)


_LOCAL_HINT = re.compile(r"ollama|llama\.?cpp|lm-?studio|llamafile", re.IGNORECASE)


def engine_meant(name: str | None, chip: Chip, weights: WeightFormat) -> tuple[str, str]:
    """(engine, kind): of any spelling; unknown ones are kept by name and judged by the hardware they run on."""
    datacenter = chip.device_class in SERVING_CLASSES
    npu = chip.kind == "npu"
    if name is None:
        if weights.family == "gguf":
            return "llama.cpp", "local"
        if weights.family == "mlx":
            return "mlx-lm", "local"
        return ("vllm", "serving") if datacenter else ("llama.cpp", "local")
    lower = name.strip().lower()
    found = next((engine for pattern, engine in _ENGINES if re.search(pattern, lower)), lower)
    if npu:
        return found, "vendor-npu"
    if found in _LOCAL:
        return found, "local"
    if found in ("vllm", "sglang", "tensorrt-llm"):
        return found, "serving"
    return found, "serving" if datacenter else "local"


def limits_of(subject: Subject, *, load: float | None) -> tuple[float, float]:
    """(most sequences at once on one attention rank, prompt tokens in one pass) of the engine; runs raise the former to their load."""
    known, chip = subject.known_engine, subject.chip
    sequences = SERVING_SEQUENCES if subject.engine_kind == "serving" else LOCAL_SEQUENCES
    budget = DEFAULT_TOKEN_BUDGET
    if known is not None:
        stated = default_limits(known, chip.id, chip.memory_bytes or 0.0)
        budget = float(stated.token_budget or budget)
        sequences = max(float(stated.max_sequences or sequences), sequences)
    return max(sequences, load or 0.0), budget
