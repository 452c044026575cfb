"""The peer: the same Temporal Fusion Transformer in PyTorch, with the same algebra, as fast as it can be written there.

Weights come from our model by the names of its parameters, so that outputs can be compared.
A scalar input through an affine map is rank one, so embeddings of real inputs are folded into the layers behind
them; only the horizon's steps ask in the attention and go on. Layers are functions of `[group, row, feature]`.
"""
# torch and the libraries of the dependency group `peers` are not installed where types are checked
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false, reportUntypedBaseClass=false

from collections.abc import Mapping
from operator import attrgetter

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)

from internal.kernels.layout import Layout
from internal.networks.parameters import named_parameters, parameter_arrays
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration

Weights = dict[str, torch.Tensor]
EPSILON = 1e-5


def layouts_of(model: TemporalFusionTransformer) -> dict[str, Layout]:
    """The layout of each parameter vector of our model, by its name in the state dictionary."""
    return {name: attrgetter(name.removesuffix(".parameters") + ".layout")(model) for name in named_parameters(model)}


def unpack_vectors(vectors: Mapping[str, np.ndarray], layouts: Mapping[str, Layout]) -> dict[str, np.ndarray]:
    """Vectors of our model (weights or their gradients) as f32 [group, row, column] by layer and matrix."""
    return {
        f"{name.removesuffix('.parameters')}.{matrix}": array.reshape(*array.shape[:2], -1)
        for name, layout in layouts.items()
        for matrix, array in layout.unpack(vectors[name]).items()
    }


def dense(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """[group, row, in] -> [group, row, out], each group with weights of its own."""
    weight, bias = w[f"{name}_weight"], w[f"{name}_bias"]
    if len(weight) == 1:
        return torch.addmm(bias[0], x[0], weight[0])[None]
    return torch.baddbmm(bias, x, weight)


def normalise(w: Weights, x: torch.Tensor) -> torch.Tensor:
    """Layer normalisation with a scale and a shift for each group."""
    if len(w["scale"]) == 1:
        return F.layer_norm(x, x.shape[-1:], w["scale"][0, 0], w["shift"][0, 0], EPSILON)
    return F.layer_norm(x, x.shape[-1:], None, None, EPSILON) * w["scale"] + w["shift"]


def finish_gated_residual(w: Weights, hidden: torch.Tensor, skip: torch.Tensor, rate: float) -> torch.Tensor:
    """What follows a gated residual network's first layer: equations 3 and 2 of the paper."""
    inner = F.dropout(dense(w, "inner", F.elu(hidden)), rate)
    return normalise(w, skip + F.glu(dense(w, "gate", inner), -1))


def gated_residual(w: Weights, x: torch.Tensor, context: torch.Tensor | None, rate: float) -> torch.Tensor:
    """Equations 2-5; context [row / n, feature] is shared by n rows in turn."""
    hidden = dense(w, "hidden", x)
    if context is not None:
        hidden = hidden + repeat_contexts(context @ w["context_weight"][0], x.shape[1])
    return finish_gated_residual(w, hidden, dense(w, "skip", x) if "skip_weight" in w else x, rate)


def repeat_contexts(context: torch.Tensor, rows: int) -> torch.Tensor:
    """[row / n, feature] -> [row, feature], each repeated n times."""
    count, size = context.shape
    return context[:, None].expand(count, rows // count, size).reshape(rows, size)


def gate(w: Weights, x: torch.Tensor, skip: torch.Tensor, rate: float) -> torch.Tensor:
    """Equation 17: x and skip [row, hidden]."""
    gates = torch.addmm(w["gate_bias"][0], F.dropout(x, rate), w["gate_weight"][0])
    return F.layer_norm(skip + F.glu(gates, -1), skip.shape[-1:], w["scale"][0, 0], w["shift"][0, 0], EPSILON)


def weigh(scores: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Equation 8: scores [row, variable], values [variable, row, hidden] -> [row, hidden]."""
    return (scores.softmax(-1).t()[:, :, None] * values).sum(0)


def select(variables: Weights, together: Weights, embedded: torch.Tensor, rate: float) -> torch.Tensor:
    """Variable selection over embedded inputs [variable, row, hidden], equations 6-8, without a context."""
    flat = embedded.transpose(0, 1).reshape(1, embedded.shape[1], -1)
    scores = gated_residual(together, flat, None, rate)[0]
    return weigh(scores, gated_residual(variables, embedded, None, rate))


def select_reals(  # noqa: PLR0913, PLR0917 (three layers are folded into one)
    embedding: Weights, variables: Weights, together: Weights, x: torch.Tensor, context: torch.Tensor, rate: float
) -> torch.Tensor:
    """Variable selection over numbers x [row, variable]; their embeddings x w + b never meet a matrix product."""
    slope, offset = embedding["weight"].transpose(0, 1), embedding["bias"].transpose(0, 1)
    slope, offset = slope.reshape(x.shape[1], 1, -1), offset.reshape(x.shape[1], 1, -1)  # [variable, 1, hidden]
    column = x.t()[:, :, None]  # [variable, row, 1]
    first = variables["hidden_weight"]
    hidden = column * torch.bmm(slope, first) + (torch.bmm(offset, first) + variables["hidden_bias"])
    values = finish_gated_residual(variables, hidden, column * slope + offset, rate)

    def fold_layer(name: str) -> torch.Tensor:
        matrix = together[f"{name}_weight"].view(x.shape[1], slope.shape[2], -1)
        bias = torch.bmm(offset, matrix).sum(0)[0] + together[f"{name}_bias"][0, 0]
        return torch.addmm(bias, x, torch.bmm(slope, matrix)[:, 0])

    hidden = fold_layer("hidden") + repeat_contexts(context @ together["context_weight"][0], len(x))
    return weigh(finish_gated_residual(together, hidden[None], fold_layer("skip")[None], rate)[0], values)


def lstm(w: Weights, group: int, x: torch.Tensor, first: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """An LSTM over x [batch, step, feature]: outputs, last hidden state, last cell; `group` 0 encodes, 1 decodes."""
    weights = [w["input_weight"][group].t(), w["hidden_weight"][group].t(), w["bias"][group, 0]]
    weights.append(torch.zeros_like(weights[2]))  # PyTorch wants a second bias
    out, hidden, cell = torch.lstm(x, [state[None] for state in first], weights, True, 1, 0.0, False, False, True)  # noqa: FBT003 (PyTorch takes these by position)
    return out, hidden[0], cell[0]


def encode_decode(w: Weights, x: torch.Tensor, first: tuple[torch.Tensor, torch.Tensor], switch: int) -> torch.Tensor:
    """Section 4.5.1: x [batch, step, feature]; the decoder's weights take over at step `switch`."""
    past, *state = lstm(w, 0, x[:, :switch], first)
    future, *_ = lstm(w, 1, x[:, switch:], (state[0], state[1]))
    return torch.cat([past, future], 1)


def attend(w: Weights, x: torch.Tensor, queries: int, heads: int, rate: float) -> torch.Tensor:
    """Equations 13-16: x [batch, step, hidden] -> [batch, query, hidden]; the heads share their values."""
    batch, steps, _ = x.shape
    query = (x[:, -queries:] @ w["query_weight"][0]).view(batch, queries, heads, -1).transpose(1, 2)
    key = (x @ w["key_weight"][0]).view(batch, steps, heads, -1).permute(0, 2, 3, 1)
    ahead = torch.ones(queries, steps, dtype=torch.bool).triu(steps - queries + 1)
    scores = (query @ key * query.shape[-1] ** -0.5).masked_fill(ahead, -torch.inf)
    mean = F.dropout(scores.softmax(-1), rate).mean(1)
    return mean @ (x @ w["value_weight"][0]) @ w["out_weight"][0]


def quantiles(w: Weights, x: torch.Tensor, middle: int) -> torch.Tensor:
    """Equation 23, never crossing: the others step away from the middle by softplus."""
    raw = torch.addmm(w["bias"][0, 0], x, w["weight"][0])
    steps, median = F.softplus(raw), raw[:, middle : middle + 1]
    below = median - steps[:, :middle].flip(1).cumsum(1).flip(1)
    return torch.cat([below, median, median + steps[:, middle + 1 :].cumsum(1)], 1)


class PeerTransformer(torch.nn.Module):
    """The whole network; `train()` and `eval()` switch dropout as everywhere in PyTorch."""

    def __init__(self, configuration: TemporalFusionTransformerConfiguration, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes the sizes, and the weights as `unpacked` gives them."""
        super().__init__()
        self.configuration = configuration
        self.by_name = {name: torch.nn.Parameter(torch.tensor(array)) for name, array in arrays.items()}
        self.add_module("registered", torch.nn.ParameterList(self.by_name.values()))
        self.layers: dict[str, Weights] = {}
        for name, parameter in self.by_name.items():
            layer, matrix = name.rsplit(".", 1)
            self.layers.setdefault(layer, {})[matrix] = parameter

    @classmethod
    def of(cls, model: TemporalFusionTransformer) -> "PeerTransformer":
        """The peer with our model's weights."""
        return cls(model.configuration, unpack_vectors(parameter_arrays(model), layouts_of(model)))

    def embedding_of(self, side: str) -> Weights:
        """The embedding of the past's or the future's numbers, wherever our model keeps it."""
        return next(w for name, w in self.layers.items() if name.startswith(side) and name.endswith("embedding"))

    def forward(self, past: torch.Tensor, future: torch.Tensor, static: torch.Tensor) -> torch.Tensor:
        """Predict: as our model's `__call__`, f32 [batch, horizon, quantile]."""
        c, layer, rate = self.configuration, self.layers, self.configuration.dropout if self.training else 0.0
        batch, hidden, steps = len(past), c.hidden_size, c.past_length + c.horizon

        first_rows = torch.tensor([sum(c.static_cardinalities[:place]) for place in range(static.shape[1])])
        table = layer["static_embedding"]["table"].view(-1, hidden)
        embedded = F.embedding((static + first_rows).t(), table)  # [variable, batch, hidden]
        vector = select(layer["static_selection.variables"], layer["static_selection.weights"], embedded, rate)
        contexts = gated_residual(layer["static_contexts"], vector[None].expand(4, -1, -1), None, rate)
        selection, enrichment, first_hidden, first_cell = contexts.unbind(0)

        temporal = torch.cat(
            [
                select_reals(
                    self.embedding_of(side),
                    layer[f"{side}_selection.variables"],
                    layer[f"{side}_selection.weights"],
                    x.reshape(-1, x.shape[2]),
                    selection,
                    rate,
                ).view(batch, -1, hidden)
                for side, x in (("past", past), ("future", future))
            ],
            1,
        )
        states = encode_decode(layer["encoder_decoder"], temporal, (first_hidden, first_cell), c.past_length)
        local = gate(layer["sequence_gate"], states.reshape(-1, hidden), temporal.view(-1, hidden), rate)
        enriched = gated_residual(layer["static_enrichment"], local[None], enrichment, rate).view(batch, steps, hidden)

        attended = attend(layer["attention"], enriched, c.horizon, c.head_count, rate).view(-1, hidden)
        asked = enriched[:, -c.horizon :].reshape(-1, hidden)
        gated = gate(layer["attention_gate"], attended, asked, rate)
        fed = gated_residual(layer["feed_forward"], gated[None], None, rate)[0]
        local_future = local.view(batch, steps, hidden)[:, -c.horizon :].reshape(-1, hidden)
        output = gate(layer["output_gate"], fed, local_future, rate)
        middle = int(np.argmin(np.abs(np.array(c.quantiles) - 0.5)))
        return quantiles(layer["head"], output, middle).view(batch, c.horizon, -1)


def quantile_loss(predicted: torch.Tensor, target: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    """The mean of equations 24 and 25, as `internal.networks.losses.quantile_loss`."""
    error = target[:, :, None] - predicted
    return torch.maximum(levels * error, (levels - 1) * error).mean()
