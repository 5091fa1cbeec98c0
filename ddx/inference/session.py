"""The one door to onnxruntime: a network of tree ensembles, loaded from verified bytes.

Loading by path would follow hard links and files beside the model, so there is no such way in.
"""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    RuntimeException,
)
from onnxruntime.capi.onnxruntime_pybind11_state import (
    NotImplemented as OperatorMissing,
)

from ddx.errors import ModelError
from ddx.inference import onnx_guard

_RUNTIME_ERRORS: Final = (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    OperatorMissing,
    RuntimeException,
)

_SILENT: Final = 4
"""ONNX Runtime severity FATAL: what fails is raised, not written to the console."""


class ModelSession:
    """A model with one float32 input (n, input_width) and one float32 output (n, output_width).

    metadata: the key-value pairs its exporter wrote.
    """

    __slots__ = ("_input", "_output", "_session", "input_width", "metadata", "output_width")

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        """Wrap a loaded session. Raises ModelError when its inputs are not one (n, k) each."""
        inputs, outputs = session.get_inputs(), session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"model has {len(inputs)} inputs and {len(outputs)} outputs, not 1, 1")
        self._session = session
        self._input, self._output = inputs[0].name, outputs[0].name
        self.input_width = _width(inputs[0])
        self.output_width = _width(outputs[0])
        if self.output_width > onnx_guard.MAX_TARGETS:
            raise ModelError(f"model gives {self.output_width} values a case")
        self.metadata: Mapping[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Load a model; one thread, since a second one only adds latency to single rows.

        Raises:
            ModelError: not a model, or one that `onnx_guard` does not let through: operators
                that are not ours, data from outside its own bytes, too large an output.
        """
        onnx_guard.check(raw)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _SILENT
        try:
            session = onnxruntime.InferenceSession(
                raw, sess_options=options, providers=["CPUExecutionProvider"]
            )
        except _RUNTIME_ERRORS as error:
            raise ModelError(f"model cannot be loaded: {error}") from error
        return cls(session)

    def run(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for `rows`, float32 (n, output_width).

        Raises:
            ModelError: rows are not float32 (n, input_width), the model fails on them, or its
                output has another shape than it declares.
        """
        if rows.ndim != 2 or rows.shape[1] != self.input_width or rows.dtype != np.float32:
            raise ModelError(
                f"rows are {rows.dtype} {rows.shape}, the model reads float32 (n, "
                f"{self.input_width})"
            )
        try:
            (output,) = self._session.run([self._output], {self._input: rows})
        except _RUNTIME_ERRORS as error:
            raise ModelError(f"model failed on {len(rows)} rows: {error}") from error
        result: NDArray[np.float32] = output
        if result.shape != (len(rows), self.output_width):
            raise ModelError(f"model gave {result.shape}, not {(len(rows), self.output_width)}")
        return result


def _width(node: onnxruntime.NodeArg) -> int:
    """Return k of a float tensor (n, k)."""
    shape = node.shape
    if node.type != "tensor(float)" or len(shape) != 2 or not isinstance(shape[1], int):
        raise ModelError(f"{node.name} is {node.type} {shape}, not float (n, k)")
    return int(shape[1])
