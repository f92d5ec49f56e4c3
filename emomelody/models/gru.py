"""The GRU of ``torch.nn.GRU``, faster on a CPU: same equations, same parameters.

Autograd through a recurrence adds to the gradient of the recurrent matrix (3 MB for 512 units) at every
step, and runs a dozen small operations per step. Here that gradient is one matrix product over all steps, the
factors of the gates' gradients are computed for all steps at once, and two operations and one product per
step remain. States are stored as columns, (H, B), so that the matrix multiplies them without a transposition.

Under CPU autocast the matrix products run in its type (bfloat16); states and gates stay float32.

Shapes: T steps, B examples, H units, I inputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

aten = torch.ops.aten


def bfloat16_pays() -> bool:
    """Whether this processor multiplies bfloat16 natively (AMX or AVX-512 BF16).

    Training in native bfloat16 is 1.1 to 1.6 times as fast, depending on the model and the data; emulated it
    takes more than twice as long. The answer comes from the processor's capabilities rather than from a
    measurement, which on a busy machine would vary, and the trained weights with it. False where torch is too
    old to report them.
    """
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(known.get("amx_bf16") or known.get("avx512_bf16"))


def gru(layer: nn.GRU, x: Tensor, steps: int, start: Tensor | None = None) -> Tensor:
    """The state of a one-layer, time-major GRU after each step, (T, B, H).

    ``x`` is (T, B, I), or (1, B, I) for an input that is the same at every step. ``start`` (B, H) is the
    state before the first step, zero by default; no gradient flows into it.
    """
    start = x.new_zeros(x.shape[1], layer.hidden_size) if start is None else start.detach()
    if x.device.type != "cpu":
        output: Tensor = layer(x.expand(steps, -1, -1), start[None])[0]  # cuDNN's kernel
        return output
    weights = dict(layer.named_parameters())
    recurrent = weights["weight_hh_l0"]  # (3H, H)
    inputs = (weights["weight_ih_l0"] @ x.flatten(0, 1).t()).to(recurrent.dtype)  # (3H, (T or 1) · B)
    autocast = torch.is_autocast_enabled("cpu")
    states: Tensor = _Recurrence.apply(  # type: ignore[no-untyped-call]
        inputs.unflatten(1, x.shape[:2]),  # (3H, T or 1, B)
        start.to(inputs.dtype),
        recurrent,
        weights["bias_ih_l0"],
        weights["bias_hh_l0"],
        steps,
        torch.get_autocast_dtype("cpu") if autocast else recurrent.dtype,
        torch.is_grad_enabled(),
    )
    return states.transpose(1, 2)  # (T, B, H)


class _Recurrence(torch.autograd.Function):
    """States (T, H, B) from the projected inputs (3H, T or 1, B), h_0 (B, H) and the layer's parameters.

    Gates in torch's order r, z, n: n = tanh(x_n + r · (W_n h + b_n)), h' = (1 − z) n + z h. With ``keep``,
    forward stores what backward needs; without, every step reuses the memory of one.
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
        _, input_steps, batch = inputs.shape  # input_steps: T or 1
        hidden = start.shape[1]
        # What W h is added to: for r and z the whole input with both biases, for n its recurrent bias only.
        base = inputs.new_empty(input_steps, 3 * hidden, batch)
        torch.add(inputs.transpose(0, 1), (input_bias + bias)[:, None], out=base)
        input_n = base[:, 2 * hidden :] - bias[2 * hidden :, None]  # (T or 1, H, B)
        base[:, 2 * hidden :] = bias[2 * hidden :, None]
        kept = steps if keep else 1
        # r, z and W_n h + b_n, (T or 1, 3H, B); in the memory of ``base`` where that has every step.
        gates = base if input_steps == steps else inputs.new_empty(kept, 3 * hidden, batch)
        n = inputs.new_empty(kept, hidden, batch)
        states = inputs.new_empty(steps + 1, hidden, batch)
        states[0] = start.t()
        per_step = (base, input_n, gates, gates[:, : 2 * hidden], *gates.split(hidden, 1), n, states[1:])
        cast = weight.to(product_type)
        h = states[0]  # (H, B)
        for base_t, input_t, gates_t, rz_t, r_t, z_t, hidden_n_t, n_t, after in zip(
            *(tensor.expand(steps, -1, -1).unbind() for tensor in per_step), strict=True
        ):
            if cast is weight:
                torch.addmm(base_t, weight, h, out=gates_t)
            else:
                torch.add(base_t, cast @ h.to(product_type), out=gates_t)
            rz_t.sigmoid_()
            torch.addcmul(input_t, r_t, hidden_n_t, out=n_t).tanh_()
            h = torch.lerp(n_t, h, z_t, out=after)
        ctx.save_for_backward(weight, states, gates, n)
        ctx.product_type, ctx.input_steps = product_type, input_steps
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_states: Tensor) -> tuple[Tensor | None, ...]:
        weight, states, gates, n = ctx.saved_tensors
        steps, hidden, batch = n.shape
        r, z, hidden_n = gates.split(hidden, 1)  # (T, H, B) each
        # The factor from the state's gradient to each gate's, for all steps at once, in the gates' memory.
        # The derivative of the sigmoid is y (1 − y), that of the hyperbolic tangent 1 − y².
        factors, kept_z = gates, z.clone()
        factor_n = aten.tanh_backward(1 - z, n)
        factor_r = aten.sigmoid_backward(hidden_n * factor_n, r)
        torch.mul(factor_n, r, out=hidden_n)
        r.copy_(factor_r)
        z.copy_(aten.sigmoid_backward(states[:-1] - n, z))
        grads = grad_states.clone(memory_format=torch.contiguous_format)  # (T, H, B), completed backwards
        transposed = weight.to(ctx.product_type).t().contiguous()  # (H, 3H)
        grad, gate_grad, carried = grads.unbind(), factors.unbind(), kept_z.unbind()
        by_gate = factors.unflatten(1, (3, hidden)).unbind()  # (3, H, B) each
        for t in reversed(range(steps)):
            by_gate[t].mul_(grad[t])
            if t == 0:
                break
            grad[t - 1].addcmul_(grad[t], carried[t])
            if transposed.dtype == n.dtype:
                grad[t - 1].addmm_(transposed, gate_grad[t])
            else:
                grad[t - 1].add_(transposed @ gate_grad[t].to(transposed.dtype))
        flat = factors.transpose(0, 1).reshape(3 * hidden, -1)  # (3H, T · B), the gates' gradients
        before = states[:-1].transpose(0, 1).reshape(hidden, -1)  # (H, T · B), the state before each step
        grad_weight = (flat.to(ctx.product_type) @ before.to(ctx.product_type).t()).to(weight.dtype)
        grad_bias = flat.sum(1)
        grad_inputs = flat.view(3 * hidden, steps, batch)
        grad_inputs[2 * hidden :] = (grads * factor_n).transpose(0, 1)
        grad_input_bias = grad_inputs.sum((1, 2))
        if ctx.input_steps < steps:
            grad_inputs = grad_inputs.sum(1, keepdim=True)
        return grad_inputs, None, grad_weight, grad_input_bias, grad_bias, None, None, None
