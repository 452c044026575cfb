"""The Temporal Fusion Transformer, figure 2 of arXiv 1912.09363: static, past and future inputs to quantiles.

Windows come from `internal.features`; here are no tickers, units or dates.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from dataclasses import dataclass, field

import numpy as np
from tinygrad import Tensor

from internal.networks.attention import AttentionSizes, InterpretableAttention
from internal.networks.dropout import Dropout
from internal.networks.embeddings import CategoryEmbedding
from internal.networks.gated_residual import GatedResidualNetwork, GatedResidualSizes
from internal.networks.gated_skip import GatedSkip
from internal.networks.lstm import EncoderDecoder
from internal.networks.quantiles import QuantileHead
from internal.networks.variable_selection import RealVariableSelection, VariableSelection


@dataclass(frozen=True)
class TemporalFusionTransformerConfiguration:
    """The sizes that the model's shape depends on.

    Args:
        observed_variables: names of the inputs known for the past only.
        known_variables: names of the inputs known for past and future.
        static_cardinalities: size of each static vocabulary, index 0 ("unknown") included.
        hidden_size: width of every layer; a multiple of `head_count`.
        head_count: attention heads.
        dropout: rate in training.
        past_length: sessions in.
        horizon: sessions out.
        quantiles: rising, each in (0, 1).
        seed: of initial values and dropout.
    """

    observed_variables: tuple[str, ...]
    known_variables: tuple[str, ...]
    static_cardinalities: tuple[int, ...]
    hidden_size: int = 64
    head_count: int = 4
    dropout: float = 0.1
    past_length: int = 35
    horizon: int = 7
    quantiles: tuple[float, ...] = field(default=(0.1, 0.5, 0.9))
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse shapes that make no model.

        Raises:
            ValueError: The message names the fields and the reasons.
        """
        faults = {
            "hidden_size is no multiple of head_count": self.hidden_size % self.head_count != 0,
            "quantiles do not rise between 0 and 1": list(self.quantiles)
            != sorted({q for q in self.quantiles if 0 < q < 1}),
            "quantiles are missing": not self.quantiles,
            "dropout is outside [0, 1)": not 0 <= self.dropout < 1,
            "past_length and horizon must be positive": min(self.past_length, self.horizon) < 1,
            "observed, known and static inputs: at least one of each": not (
                self.observed_variables and self.known_variables and self.static_cardinalities
            ),
            "a static vocabulary needs its unknown and one more": min(self.static_cardinalities, default=2) < 2,  # noqa: PLR2004 (unknown and one more)
        }
        found = [fault for fault, present in faults.items() if present]
        if found:
            raise ValueError("; ".join(found))


@dataclass(frozen=True)
class Explanation:
    """A prediction and its explanation: weights are shares that sum to one along their last axis."""

    prediction: Tensor  # [batch, horizon, quantile]
    past_weights: Tensor  # [batch, past, past_variable]
    future_weights: Tensor  # [batch, horizon, known_variable]
    static_weights: Tensor  # [batch, static_variable]
    attention: Tensor  # [batch, horizon, past + horizon]


class TemporalFusionTransformer:
    """The network of figure 2.

    `model(past, future, static)` takes f32 [batch, past, past_variable], f32 [batch, horizon, known_variable] and i32
    [batch, static_variable], and gives f32 [batch, horizon, quantile].
    """

    def __init__(self, configuration: TemporalFusionTransformerConfiguration) -> None:
        c = self.configuration = configuration
        hidden, known, static = c.hidden_size, len(c.known_variables), len(c.static_cardinalities)
        past = len(c.observed_variables) + known
        random = np.random.default_rng(c.seed)
        drop = self.dropout = Dropout(c.dropout, c.seed)
        self.static_embedding = CategoryEmbedding(c.static_cardinalities, hidden, drop, random)
        self.static_selection = VariableSelection(static, hidden, 1, drop, random)
        self.past_selection = RealVariableSelection(past, hidden, 3, drop, random)
        self.future_selection = RealVariableSelection(known, hidden, 5, drop, random)
        contexts = GatedResidualSizes(hidden, hidden, hidden, groups=4, site=7)
        self.static_contexts = GatedResidualNetwork(contexts, drop, random)
        self.encoder_decoder = EncoderDecoder(hidden, c.past_length, drop, random)
        self.sequence_gate = GatedSkip(hidden, 8, drop, random)
        enrichment = GatedResidualSizes(hidden, hidden, hidden, context=hidden, site=9)
        self.static_enrichment = GatedResidualNetwork(enrichment, drop, random)
        heads = AttentionSizes(hidden, c.head_count, hidden // c.head_count, c.horizon, site=10)
        self.attention = InterpretableAttention(heads, drop, random)
        self.attention_gate = GatedSkip(hidden, 11, drop, random)
        self.feed_forward = GatedResidualNetwork(GatedResidualSizes(hidden, hidden, hidden, site=12), drop, random)
        self.output_gate = GatedSkip(hidden, 13, drop, random)
        self.head = QuantileHead(hidden, c.quantiles, random)

    def __call__(self, past: Tensor, future: Tensor, static: Tensor) -> Tensor:
        """Predict: f32 [batch, horizon, quantile], rising along the last axis."""
        return self.explain(past, future, static).prediction

    def explain(self, past: Tensor, future: Tensor, static: Tensor) -> Explanation:
        """Predict and explain; nothing is computed before it is realised."""
        c, batch, hidden = self.configuration, int(past.shape[0]), self.configuration.hidden_size
        steps = c.past_length + c.horizon

        # Four contexts from the static inputs, section 4.3: selection, enrichment, first hidden state and cell.
        static_vector, static_weights = self.static_selection(self.static_embedding(static))  # [batch, hidden]
        contexts = self.static_contexts(static_vector.unsqueeze(1).expand(-1, 4, -1).contiguous())  # [batch, 4, hidden]
        selection, enrichment, first_hidden, first_cell = (contexts[:, index] for index in range(4))

        past_vectors, past_weights = self.past_selection(past, selection)
        future_vectors, future_weights = self.future_selection(future, selection)
        temporal = past_vectors.reshape(batch, -1, hidden).cat(future_vectors.reshape(batch, -1, hidden), dim=1)

        # Locality, 4.5.1 and equation 17; static enrichment, equation 18.
        states = self.encoder_decoder(temporal, first_hidden, first_cell).reshape(-1, hidden)
        local = self.sequence_gate(states, temporal.reshape(-1, hidden))  # [batch * steps, hidden]
        enriched = self.static_enrichment(local.unsqueeze(1), enrichment).reshape(batch, steps, hidden)

        # Temporal self-attention, equations 19 and 20, and what follows it, for the horizon only: nothing else is read.
        attended = self.attention(enriched).reshape(-1, hidden)  # [batch * horizon, hidden]
        gated = self.attention_gate(attended, enriched[:, -c.horizon :].reshape(-1, hidden))
        fed = self.feed_forward(gated.unsqueeze(1)).reshape(-1, hidden)  # equation 21
        local_future = local.reshape(batch, steps, hidden)[:, -c.horizon :].reshape(-1, hidden)
        output = self.output_gate(fed, local_future)  # equation 22

        return Explanation(
            prediction=self.head(output).reshape(batch, c.horizon, -1),
            past_weights=past_weights.reshape(batch, c.past_length, -1),
            future_weights=future_weights.reshape(batch, c.horizon, -1),
            static_weights=static_weights,
            attention=self.attention.weights(enriched),
        )
