"""The GRU recurrence of ``torch.nn.GRU``, faster on a CPU: same equations, same parameters.

Autograd through a recurrence adds to the gradient of the recurrent matrix (3 MB for 512 units) at every
step, which is memory traffic and no arithmetic. Here the steps only remember their gates, and that
gradient is one matrix product over all steps at the end: a training step takes about 0.7 of the time.
Under CPU autocast the products are taken in its type (bfloat16), state and gates stay float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


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
    gates = functional.linear(x, weights["weight_ih_l0"], weights["bias_ih_l0"])
    gates = gates.to(weights["weight_hh_l0"].dtype)  # (steps or 1, B, 3H)
    low = torch.is_autocast_enabled("cpu")
    product_type = torch.get_autocast_dtype("cpu") if low else gates.dtype
    states: Tensor = _Recurrence.apply(  # type: ignore[no-untyped-call]
        gates.expand(steps, -1, -1),
        start.to(gates.dtype),
        weights["weight_hh_l0"],
        weights["bias_hh_l0"],
        product_type,
    )
    return states


class _Recurrence(torch.autograd.Function):
    """h_t from the projected inputs (T, B, 3H), h_0 (B, H), the recurrent matrix (3H, H) and its bias (3H,).

    Gates in torch's order r, z, n: n = tanh(x_n + r · (W_n h + b_n)), h' = (1 − z) n + z h.
    """

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, start: Tensor, weight: Tensor, bias: Tensor, product_type: torch.dtype
    ) -> Tensor:
        steps, batch, triple = inputs.shape
        hidden = triple // 3
        states = inputs.new_empty(steps + 1, batch, hidden)  # (T + 1, B, H)
        states[0] = start
        rz = inputs.new_empty(steps, batch, 2 * hidden)  # (T, B, 2H)
        n = inputs.new_empty(steps, batch, hidden)  # (T, B, H)
        recurrent_n = inputs.new_empty(steps, batch, hidden)  # W_n h + b_n, (T, B, H)
        transposed = weight.to(product_type).t().contiguous()  # (H, 3H)
        low_bias = bias.to(product_type)
        h = states[0]
        with torch.autocast("cpu", enabled=False):
            for t in range(steps):
                recurrent = torch.addmm(low_bias, h.to(product_type), transposed)  # (B, 3H)
                input_rz, input_n = inputs[t].split([2 * hidden, hidden], 1)
                product_rz, product_n = recurrent.to(inputs.dtype).split([2 * hidden, hidden], 1)
                r, z = torch.add(input_rz, product_rz, out=rz[t]).sigmoid_().chunk(2, 1)
                recurrent_n[t] = product_n
                candidate = torch.addcmul(input_n, r, product_n, out=n[t]).tanh_()
                h = torch.lerp(candidate, h, z, out=states[t + 1])
        ctx.save_for_backward(weight, states, rz, n, recurrent_n)
        ctx.product_type = product_type
        return states[1:]

    @staticmethod
    def backward(ctx: Any, grad_states: Tensor) -> tuple[Tensor, None, Tensor, Tensor, None]:
        weight, states, rz, n, recurrent_n = ctx.saved_tensors
        steps, batch, hidden = n.shape
        r, z = rz[..., :hidden], rz[..., hidden:]
        # What each gate's gradient takes from the state's, all steps at once, (T, B, H) each.
        through_n = (1 - z) * (1 - n * n)
        through_z = (states[:-1] - n) * z * (1 - z)
        through_r = recurrent_n * r * (1 - r)
        grad_inputs = n.new_empty(steps, batch, 3 * hidden)
        grad_recurrent = n.new_empty(steps, batch, 3 * hidden)
        low_weight = weight.to(ctx.product_type)
        grad = n.new_zeros(batch, hidden)
        for t in reversed(range(steps)):
            grad = grad + grad_states[t]  # (B, H)
            grad_r, grad_z, grad_n = grad_inputs[t].chunk(3, 1)
            torch.mul(grad, through_n[t], out=grad_n)
            torch.mul(grad, through_z[t], out=grad_z)
            torch.mul(grad_n, through_r[t], out=grad_r)
            recurrent = grad_recurrent[t]
            recurrent.copy_(grad_inputs[t])
            recurrent[:, 2 * hidden :].mul_(r[t])
            product = torch.mm(recurrent.to(ctx.product_type), low_weight)
            grad = torch.addcmul(product.to(n.dtype), grad, z[t])
        flat = grad_recurrent.view(steps * batch, 3 * hidden)
        before = states[:-1].reshape(steps * batch, hidden)
        grad_weight = (flat.to(ctx.product_type).t() @ before.to(ctx.product_type)).to(n.dtype)
        return grad_inputs, None, grad_weight, flat.sum(0), None


def bfloat16_pays() -> bool:
    """Whether this processor has instructions that multiply bfloat16, which take about half the time.

    Emulated they take more than twice. It is not measured: on a busy machine that would waver, and with it
    what a seed makes. False where torch is too old to know.
    """
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(known.get("amx_bf16") or known.get("avx512_bf16"))
