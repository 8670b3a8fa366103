"""How each known architecture of Hugging Face configurations maps to layers. One function per family; FAMILIES lists them."""

from collections.abc import Callable, Iterable, Mapping

from infra_advisor.facts.hf_blocks import Architecture, Bias, attention, dense, layer_window, start, window_of
from infra_advisor.facts.hf_fields import Fields
from infra_advisor.physics.feedforward import DenseFfn, MoeFfn
from infra_advisor.physics.mixers import Attention, Indexer, LatentAttention
from infra_advisor.physics.recurrent import GatedDelta, Mamba2
from infra_advisor.physics.transformer import AnyFfn, AnyMixer


def _llama(fields: Fields) -> Architecture:
    made = start(fields)
    bias: Bias | None = None
    if fields.flag("attention_bias"):
        bias = "qkv+o" if fields.flag("attention_out_bias", True) else "qkv"
    for layer in range(fields.layers):
        window = layer_window(fields, layer, fields.raw["model_type"] in ("mistral", "phi3"))
        made.add(attention(fields, bias=bias, window=window), dense(fields, bias=fields.flag("mlp_bias")))
    return made


def _mixtral(fields: Fields) -> Architecture:
    made = start(fields)
    experts = MoeFfn(
        experts=fields.count("num_local_experts"), top_k=fields.count("num_experts_per_tok"), inter=fields.count("intermediate_size")
    )
    for _ in range(fields.layers):
        made.add(attention(fields, window=window_of(fields)), experts)
    return made


def _minimax(fields: Fields) -> Architecture:
    made = start(fields)
    experts = MoeFfn(
        experts=fields.count("num_local_experts"),
        top_k=fields.count("num_experts_per_tok"),
        inter=fields.count("intermediate_size"),
        router_bias=fields.flag("use_routing_bias", True),
    )
    for _ in range(fields.layers):
        made.add(attention(fields, qk_norm="full" if fields.flag("use_qk_norm", True) else None), experts)
    return made


def _qwen(fields: Fields) -> Architecture:
    """Qwen2, Qwen3 and their mixtures."""
    kind = fields.raw["model_type"]
    made = start(fields)
    bias: Bias | None = "qkv" if kind.startswith("qwen2") else "qkv+o" if fields.flag("attention_bias") else None
    sliding = fields.flag("use_sliding_window")
    for layer in range(fields.layers):
        window = layer_window(fields, layer, layer >= (fields.optional("max_window_layers", least=0) or 0)) if sliding else None
        mixer = attention(fields, bias=bias, qk_norm="head" if kind.startswith("qwen3") else None, window=window)
        made.add(mixer, _qwen_experts(fields, layer) if kind.endswith("moe") else dense(fields))
    return made


def _qwen_experts(fields: Fields, layer: int) -> AnyFfn:
    step = fields.optional("decoder_sparse_step", least=0)
    if layer in fields.numbers("mlp_only_layers") or (step is not None and (step == 0 or (layer + 1) % step)):
        return dense(fields)
    shared = fields.optional("shared_expert_intermediate_size", least=0) or 0
    return MoeFfn(
        experts=fields.count("num_experts", "num_local_experts"),
        top_k=fields.count("num_experts_per_tok"),
        inter=fields.count("moe_intermediate_size"),
        shared_inter=shared,
        shared_gate=shared > 0,
    )


def _qwen_hybrid(fields: Fields) -> Architecture:
    """Qwen3-Next, Qwen3.5 and later: three gated delta layers, then one of attention."""
    made = start(fields)
    types = fields.texts("layer_types", fields.layers)
    every = fields.optional("full_attention_interval") or 4
    linear = GatedDelta(
        key_heads=fields.count("linear_num_key_heads"),
        value_heads=fields.count("linear_num_value_heads"),
        key_dim=fields.count("linear_key_head_dim"),
        value_dim=fields.count("linear_value_head_dim"),
        conv=fields.count("linear_conv_kernel_dim"),
    )
    full = attention(fields, qk_norm="head", gate=True)
    for layer in range(fields.layers):
        is_full = types[layer] == "full_attention" if types else (layer + 1) % every == 0
        ffn = _qwen_experts(fields, layer) if fields.optional("num_experts") else dense(fields)
        made.add(full if is_full else linear, ffn)
    return made


def _gemma(fields: Fields) -> Architecture:
    """Gemma 1 to 3."""
    kind = fields.raw["model_type"]
    made = start(fields, tied=True)
    third = kind.startswith("gemma3")
    every = fields.optional("sliding_window_pattern", "_sliding_window_pattern") or (6 if third else 2)
    for layer in range(fields.layers):
        window = None if kind == "gemma" else layer_window(fields, layer, (layer + 1) % every != 0)
        made.add(attention(fields, qk_norm="head" if third else None, window=window), dense(fields), 2 if kind == "gemma" else 4)
    return made


def _gpt_oss(fields: Fields) -> Architecture:
    made = start(fields)
    experts = MoeFfn(
        experts=fields.count("num_local_experts"),
        top_k=fields.count("num_experts_per_tok", "experts_per_token"),
        inter=fields.count("intermediate_size"),
        bias=True,
        router_bias=True,
    )
    for layer in range(fields.layers):
        made.add(attention(fields, bias="qkv+o", sinks=True, window=layer_window(fields, layer, layer % 2 == 0)), experts)
    return made


def _shared_experts(fields: Fields, layer: int, *, router_bias: bool) -> AnyFfn:
    """Mixtures of the DeepSeek kind: some leading dense layers, then routed and shared experts."""
    if layer < (fields.optional("first_k_dense_replace", least=0) or 0) or layer % (fields.optional("moe_layer_freq") or 1):
        return dense(fields)
    inner = fields.count("moe_intermediate_size")
    return MoeFfn(
        experts=fields.count("n_routed_experts"),
        top_k=fields.count("num_experts_per_tok"),
        inter=inner,
        shared_inter=inner * (fields.optional("n_shared_experts", least=0) or 0),
        router_bias=router_bias,
    )


def _prediction_layers(made: Architecture, fields: Fields, mixer: AnyMixer, ffn: AnyFfn) -> None:
    """A prediction layer as stored: one more layer, two norms and a projection in, a norm out, copies of embedding and head."""
    layers = fields.optional("num_nextn_predict_layers", least=0, most=16) or 0
    d = made.hidden
    block = mixer.projections(d) + mixer.vectors(d) + ffn.projections(d) + ffn.vectors(d) + 2 * d
    block += sum(routed.experts * routed.elements for routed in ffn.routed(d))
    made.add_extra("multi-token-prediction layers", layers * (block + 2 * d * d + 3 * d + 2 * fields.count("vocab_size", most=2**24) * d))


def _deepseek(fields: Fields) -> Architecture:
    """DeepSeek V2 to V3.2, Kimi K2, GLM-5: latent attention."""
    kind = fields.raw["model_type"]
    made = start(fields)
    top_k = fields.optional("index_topk")
    indexer = Indexer(heads=fields.count("index_n_heads"), head_dim=fields.count("index_head_dim"), top_k=top_k) if top_k else None
    mixer = LatentAttention(
        q_heads=fields.q_heads,
        kv_lora_rank=fields.count("kv_lora_rank"),
        qk_nope_dim=fields.count("qk_nope_head_dim"),
        qk_rope_dim=fields.count("qk_rope_head_dim", least=0),
        v_head_dim=fields.count("v_head_dim"),
        q_lora_rank=fields.optional("q_lora_rank"),
        indexer=indexer,
    )
    ffn: AnyFfn = DenseFfn(inter=1)
    for layer in range(fields.layers):
        ffn = _shared_experts(fields, layer, router_bias=kind != "deepseek_v2")
        made.add(mixer, ffn)
    _prediction_layers(made, fields, mixer, ffn)
    return made


def _glm(fields: Fields) -> Architecture:
    """GLM-4 dense and mixtures."""
    made = start(fields)
    mixture = fields.raw["model_type"] == "glm4_moe"
    mixer = attention(
        fields, bias="qkv" if fields.flag("attention_bias", True) else None, qk_norm="head" if fields.flag("use_qk_norm") else None
    )
    ffn: AnyFfn = DenseFfn(inter=1)
    for layer in range(fields.layers):
        ffn = _shared_experts(fields, layer, router_bias=True) if mixture else dense(fields)
        made.add(mixer, ffn, 4 if fields.raw["model_type"] == "glm4" else 2)
    if mixture:
        _prediction_layers(made, fields, mixer, ffn)
    return made


def _olmo(fields: Fields) -> Architecture:
    made = start(fields)
    for layer in range(fields.layers):
        window = layer_window(fields, layer, fields.raw["model_type"] == "olmo3" and (layer + 1) % 4 != 0)
        made.add(attention(fields, qk_norm="full", window=window), dense(fields))
    return made


def _cohere(fields: Fields) -> Architecture:
    """Command R: one norm, attention and feed-forward side by side."""
    made = start(fields, tied=True)
    for layer in range(fields.layers):
        every = fields.optional("sliding_window_pattern") or 4
        window = layer_window(fields, layer, fields.raw["model_type"] == "cohere2" and (layer + 1) % every != 0)
        made.add(attention(fields, window=window, qk_norm="full" if fields.flag("use_qk_norm") else None), dense(fields), 1)
    return made


def _falcon(fields: Fields) -> Architecture:
    made = start(fields, tied=True)
    heads, new = fields.q_heads, fields.flag("new_decoder_architecture")
    kv_heads = (fields.optional("num_kv_heads") or heads) if new else 1 if fields.flag("multi_query", True) else heads
    mixer = Attention(q_heads=heads, kv_heads=kv_heads, head_dim=fields.head_dim, bias="qkv+o" if fields.flag("bias") else None)
    ffn = dense(fields, gated=False, bias=fields.flag("bias"), inter=fields.optional("ffn_hidden_size") or 4 * fields.hidden)
    for _ in range(fields.layers):
        made.add(mixer, ffn, 4 if new else 2)
    made.add_extra("final norm bias", made.hidden, made.hidden)
    return made


def _classic(fields: Fields) -> Architecture:
    """GPT-2, GPT-NeoX, OPT, Phi, StarCoder2: biases everywhere, two matrices, norms with bias."""
    kind = fields.raw["model_type"]
    d = fields.hidden
    made = start(fields, tied=kind in ("gpt2", "opt", "starcoder2"))
    inter = fields.optional("intermediate_size", "ffn_dim", "n_inner") or 4 * d
    bias = fields.flag("use_bias", True)
    window = window_of(fields) if kind == "starcoder2" else None
    mixer = attention(fields, bias="qkv+o" if bias else None, window=window)
    for _ in range(fields.layers):
        made.add(mixer, dense(fields, gated=False, bias=bias, inter=inter), 2 if kind == "phi" else 4)
    made.add_extra("final norm bias", d, d)
    if kind == "phi":
        vocabulary = fields.count("vocab_size", most=2**24)
        made.add_extra("head bias", vocabulary, vocabulary)
    if kind in ("gpt2", "opt"):
        positions = fields.count("max_position_embeddings", "n_positions") + (2 if kind == "opt" else 0)
        made.add_extra("position table", positions * d)
    return made


def _granite_hybrid(fields: Fields) -> Architecture:
    """Granite 4: Mamba-2 layers with a few of attention; shared experts, routed ones or none."""
    made = start(fields)
    types = fields.texts("layer_types", fields.layers) or ["attention"] * fields.layers
    state = Mamba2(
        heads=fields.count("mamba_n_heads"),
        head_dim=fields.count("mamba_d_head"),
        state_dim=fields.count("mamba_d_state"),
        groups=fields.count("mamba_n_groups"),
        conv=fields.optional("mamba_d_conv") or 4,
    )
    full = attention(fields, bias="qkv+o" if fields.flag("attention_bias") else None)
    shared = fields.count("shared_intermediate_size")
    experts = fields.optional("num_local_experts", least=0)
    ffn: AnyFfn = DenseFfn(inter=shared)
    if experts:
        ffn = MoeFfn(
            experts=experts, top_k=fields.count("num_experts_per_tok"), inter=fields.count("intermediate_size"), shared_inter=shared
        )
    for kind in types:
        made.add(full if kind == "attention" else state, ffn)
    return made


def _table(families: Iterable[tuple[Callable[[Fields], Architecture], str]]) -> Mapping[str, Callable[[Fields], Architecture]]:
    return {name: family for family, names in families for name in names.split()}


FAMILIES = _table(
    (
        (_llama, "llama mistral phi3 granite internlm2 internlm3 smollm3 seed_oss"),
        (_mixtral, "mixtral"),
        (_minimax, "minimax_m2"),
        (_qwen, "qwen2 qwen3 qwen2_moe qwen3_moe qwen2_5_vl_text qwen3_vl_text qwen3_vl_moe"),
        (_qwen_hybrid, "qwen3_next qwen3_5_text qwen3_5_moe_text qwen3_5 qwen3_5_moe"),
        (_gemma, "gemma gemma2 gemma3_text gemma3"),
        (_gpt_oss, "gpt_oss"),
        (_deepseek, "deepseek_v2 deepseek_v3 deepseek_v32 kimi_k2 glm_moe_dsa"),
        (_glm, "glm glm4 glm4_moe"),
        (_olmo, "olmo2 olmo3"),
        (_cohere, "cohere cohere2"),
        (_falcon, "falcon"),
        (_classic, "gpt2 gpt_neox opt phi starcoder2"),
        (_granite_hybrid, "granitemoehybrid"),
    )
)
