"""The GRU recurrence of ``torch.nn.GRU``, faster on a CPU: same equations, same parameters.

Autograd through a recurrence adds to the gradient of the recurrent matrix (3 MB for 512 units) at every
step, and takes a dozen small operations for each. Here that gradient is one matrix product over all steps,
what the gates pass back is made for all steps at once, and of each step two operations and a product are
left. States stand in columns, (H, B), so that the matrix multiplies them as it lies in memory.
Under CPU autocast the products are taken in its type (bfloat16), state and gates stay float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

aten = torch.ops.aten


def gru(layer: nn.GRU, x: Tensor, steps: int, start: Tensor | None = None) -> Tensor:
    """The states of a one-layer, time-major GRU, shape (steps, B, H).

    ``x`` is (steps, B, I), or (1, B, I) for an input that is the same at every step. ``start`` (B, H) is the
    state before the first step, zero where there is none; no gradient flows into it.
    """
    start = x.new_zeros(x.shape[1], layer.hidden_size) if start is None else start.detach()
    if x.device.type != "cpu":
        output: Tensor = layer(x.expand(steps, -1, -1), start[None])[0]  # cuDNN's own kernel
        return output
    weights = dict(layer.named_parameters())
    recurrent = weights["weight_hh_l0"]
    inputs = (weights["weight_ih_l0"] @ x.flatten(0, 1).t()).to(recurrent.dtype)  # (3H, (steps or 1) · B)
    low = torch.is_autocast_enabled("cpu")
    states: Tensor = _Recurrence.apply(  # type: ignore[no-untyped-call]
        inputs.unflatten(1, x.shape[:2]),
        start.to(inputs.dtype),
        recurrent,
        weights["bias_ih_l0"],
        weights["bias_hh_l0"],
        steps,
        torch.get_autocast_dtype("cpu") if low else recurrent.dtype,
        torch.is_grad_enabled(),
    )
    return states.transpose(1, 2)


class GRUCell:
    """A GRU a step at a time, in memory taken once: for drawing, no gradient flows.

    ``state`` (B, H) is the state after the last step.
    """

    def __init__(self, layer: nn.GRU, state: Tensor) -> None:
        """The layer and the state to begin with (B, H)."""
        weights, hidden = dict(layer.named_parameters()), layer.hidden_size
        self.state = state.clone()
        of_rz, of_n = weights["weight_hh_l0"].t().split([2 * hidden, hidden], 1)
        self._of_rz, self._of_n = of_rz.contiguous(), of_n.contiguous()  # (H, 2H), (H, H)
        self._bias_n = weights["bias_hh_l0"][2 * hidden :]
        self._gates = state.new_empty(len(state), 3 * hidden)
        self._rz, self._n = self._gates.split([2 * hidden, hidden], 1)
        self._r, self._z = self._rz.chunk(2, 1)
        self._recurrent_n = torch.empty_like(state)
        self._begun = bool(state.any())

    def step(self, told: Tensor, which: Tensor, also: Tensor) -> None:
        """Go on by a step. The gates are told the rows ``which`` (B,) of ``told`` (K, 3H), and ``also`` (B,
        3H), which together hold all biases but that of the recurrent product of n.
        """
        torch.index_select(told, 0, which, out=self._gates).add_(also)
        if self._begun:
            self._rz.addmm_(self.state, self._of_rz)
            torch.addmm(self._bias_n, self.state, self._of_n, out=self._recurrent_n)
        else:  # the product of nothing is nothing
            self._recurrent_n[:] = self._bias_n
            self._begun = True
        self._rz.sigmoid_()
        self._n.addcmul_(self._r, self._recurrent_n).tanh_()
        torch.lerp(self._n, self.state, self._z, out=self.state)


class _Recurrence(torch.autograd.Function):
    """States (T, H, B) from the projected inputs (3H, T or 1, B), h_0 (B, H), and the layer's parameters.

    Gates in torch's order r, z, n: n = tanh(x_n + r · (W_n h + b_n)), h' = (1 − z) n + z h. What ``backward``
    needs is remembered where ``keep`` says so; else one step's memory serves all.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        start: Tensor,
        weight: Tensor,
        input_bias: Tensor,
        bias: Tensor,
        steps: int,
        product_type: torch.dtype,
        keep: bool,
    ) -> Tensor:
        _, known, batch = inputs.shape
        hidden = start.shape[1]
        # What W h is added to: for r and z all that they are told, for n its bias alone.
        base = inputs.new_empty(known, 3 * hidden, batch)
        torch.add(inputs.transpose(0, 1), (input_bias + bias)[:, None], out=base)
        input_n = base[:, 2 * hidden :] - bias[2 * hidden :, None]  # (known, H, B)
        base[:, 2 * hidden :] = bias[2 * hidden :, None]
        kept = steps if keep else 1
        gates = base if known == steps else inputs.new_empty(kept, 3 * hidden, batch)  # r, z, W_n h + b_n
        n = inputs.new_empty(kept, hidden, batch)
        states = inputs.new_empty(steps + 1, hidden, batch)
        states[0] = start.t()
        per_step = (base, input_n, gates, gates[:, : 2 * hidden], *gates.split(hidden, 1), n, states[1:])
        low = weight.to(product_type)
        h = states[0]  # (H, B)
        for base_t, input_t, gates_t, rz_t, r_t, z_t, recurrent_t, n_t, after in zip(
            *(tensor.expand(steps, -1, -1).unbind() for tensor in per_step), strict=True
        ):
            if low is weight:
                torch.addmm(base_t, weight, h, out=gates_t)
            else:
                torch.add(base_t, low @ h.to(product_type), out=gates_t)
            rz_t.sigmoid_()
            torch.addcmul(input_t, r_t, recurrent_t, out=n_t).tanh_()
            h = torch.lerp(n_t, h, z_t, out=after)
        ctx.save_for_backward(weight, states, gates, n)
        ctx.product_type, ctx.known = product_type, known
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_states: Tensor) -> tuple[Tensor | None, ...]:
        weight, states, gates, n = ctx.saved_tensors
        steps, hidden, batch = n.shape
        r, z, recurrent_n = gates.split(hidden, 1)  # (T, H, B) each
        # What each gate's gradient takes from the state's, all steps at once, in the gates' place: the
        # derivatives of the sigmoid, y (1 − y), and of the tangent, 1 − y².
        through, kept_z = gates, z.clone()
        through_n = aten.tanh_backward(1 - z, n)
        through_r = aten.sigmoid_backward(recurrent_n * through_n, r)
        torch.mul(through_n, r, out=recurrent_n)
        r.copy_(through_r)
        z.copy_(aten.sigmoid_backward(states[:-1] - n, z))
        grads = grad_states.clone(memory_format=torch.contiguous_format)  # (T, H, B), grows from behind
        back = weight.to(ctx.product_type).t().contiguous()  # (H, 3H)
        grad, recurrent, held = grads.unbind(), through.unbind(), kept_z.unbind()
        by_gate = through.unflatten(1, (3, hidden)).unbind()  # (3, H, B) each
        for t in reversed(range(steps)):
            by_gate[t].mul_(grad[t])
            if t == 0:
                break
            grad[t - 1].addcmul_(grad[t], held[t])
            if back.dtype == n.dtype:
                grad[t - 1].addmm_(back, recurrent[t])
            else:
                grad[t - 1].add_(back @ recurrent[t].to(back.dtype))
        flat = through.transpose(0, 1).reshape(3 * hidden, -1)  # (3H, T · B)
        line = states[:-1].transpose(0, 1).reshape(hidden, -1)  # (H, T · B)
        grad_weight = (flat.to(ctx.product_type) @ line.to(ctx.product_type).t()).to(weight.dtype)
        grad_bias = flat.sum(1)
        grad_inputs = flat.view(3 * hidden, steps, batch)
        grad_inputs[2 * hidden :] = (grads * through_n).transpose(0, 1)
        grad_input_bias = grad_inputs.sum((1, 2))
        if ctx.known < steps:
            grad_inputs = grad_inputs.sum(1, keepdim=True)
        return grad_inputs, None, grad_weight, grad_input_bias, grad_bias, None, None, None


def bfloat16_pays() -> bool:
    """Whether this processor has instructions that multiply bfloat16, which take about half the time.

    Emulated they take more than twice. It is not measured: on a busy machine that would waver, and with it
    what a seed makes. False where torch is too old to know.
    """
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(known.get("amx_bf16") or known.get("avx512_bf16"))
