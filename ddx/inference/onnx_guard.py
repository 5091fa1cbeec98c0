"""Looks at a model's bytes before the runtime does: only trees, nothing from outside, no surprises.

A small reader of the protobuf wire format walks the messages of onnx.proto that matter here; the
runtime is handed nothing this reader has not walked to the last byte. Field numbers and names are
those of onnx.proto (ONNX 1.19, IR version 10), wire types those of the Protocol Buffers encoding.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ddx.errors import ModelError

MAX_MODEL_BYTES: Final = 64 * 2**20
"""A member of a bundle is at most this long too."""
MAX_NODES: Final = 8
MAX_TARGETS: Final = 4096
"""Width of an output; ours have 72 and 1. A wider one is a way to fill the memory."""

ALLOWED_OPERATORS: Final = frozenset({("ai.onnx.ml", "TreeEnsembleRegressor")})
"""(domain, operator): what we export, and no other. It neither loops, calls nor reads files, and
its output is as wide as it says; `Concat`, harmless as it looks, doubles 64 times in 64 nodes."""

_ATTRIBUTE_FIELDS: Final = frozenset({1, 3, 5, 6, 10, 11, 22, 23})
"""Of an attribute; the others are numbers and names of the trees, hundreds of thousands of them."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    wire: int
    value: bytes | int

    @property
    def content(self) -> bytes:
        """The bytes of a string or of a message."""
        if isinstance(self.value, bytes):
            return self.value
        raise ModelError(f"model: field {self.number} is a number where bytes are expected")

    @property
    def text(self) -> str:
        """The bytes as UTF-8."""
        try:
            return self.content.decode()
        except UnicodeDecodeError as error:
            raise ModelError("model: a name is not UTF-8") from error


def check(raw: bytes) -> None:
    """Return if the runtime may load `raw`.

    Raises:
        ModelError: over MAX_MODEL_BYTES, not protobuf, an operator that is not allowed, a graph
            inside a node, functions, training parts, or tensors kept outside these bytes.
    """
    if len(raw) > MAX_MODEL_BYTES:
        raise ModelError(f"model of {len(raw)} bytes, at most {MAX_MODEL_BYTES}")
    graphs = 0
    for found in _fields(raw):  # ModelProto
        if found.number == 7:  # graph
            graphs += 1
            _check_graph(found.content)
        elif found.number in {20, 25}:  # training_info, functions
            raise ModelError("model brings functions or training parts of its own")
    if graphs != 1:
        raise ModelError(f"model has {graphs} graphs, not one")


def _check_graph(raw: bytes) -> None:
    nodes = 0
    for found in _fields(raw):  # GraphProto
        if found.number == 1:  # node
            nodes += 1
            _check_node(found.content)
        elif found.number == 5:  # initializer
            _check_tensor(found.content)
        elif found.number == 15:  # sparse_initializer
            _check_sparse(found.content)
    if not 1 <= nodes <= MAX_NODES:
        raise ModelError(f"model has {nodes} nodes, 1 to {MAX_NODES} are allowed")


def _check_node(raw: bytes) -> None:
    operator = domain = ""
    for found in _fields(raw):  # NodeProto
        if found.number == 4:  # op_type
            operator = found.text
        elif found.number == 7:  # domain
            domain = found.text
        elif found.number == 5:  # attribute
            _check_attribute(found.content)
    if (domain, operator) not in ALLOWED_OPERATORS:
        raise ModelError(f"model uses the operator {domain[:40]}.{operator[:40]}; not allowed")


def _check_attribute(raw: bytes) -> None:
    name, number = "", 0
    for found in _fields(raw, _ATTRIBUTE_FIELDS):  # AttributeProto
        if found.number == 1:  # name
            name = found.text
        elif found.number == 3 and isinstance(found.value, int):  # i
            number = max(number, found.value)
        elif found.number in {6, 11}:  # g, graphs
            raise ModelError("model has a graph inside a node")
        elif found.number in {5, 10}:  # t, tensors
            _check_tensor(found.content)
        elif found.number in {22, 23}:  # sparse_tensor, sparse_tensors
            _check_sparse(found.content)
    if name == "n_targets" and number > MAX_TARGETS:
        raise ModelError(f"model gives {number} values a case, at most {MAX_TARGETS}")


def _check_sparse(raw: bytes) -> None:
    for found in _fields(raw):  # SparseTensorProto
        if found.number in {1, 2}:  # values, indices
            _check_tensor(found.content)


def _check_tensor(raw: bytes) -> None:
    for found in _fields(raw):  # TensorProto
        if found.number == 13 or (found.number == 14 and found.value != 0):
            raise ModelError("model refers to data outside its own bytes")


def _fields(raw: bytes, wanted: frozenset[int] | None = None) -> Iterator[_Field]:
    """Return every field of one message, or those with the numbers `wanted`.

    All are walked to the last byte either way. Raises ModelError where the bytes are no message.
    """
    at, end = 0, len(raw)
    while at < end:
        key, at = _varint(raw, at)
        number, wire = key >> 3, key & 7
        begins, value = at, None
        if wire == _BYTES:
            length, begins = _varint(raw, at)
            at = begins + length
        elif wire == _VARINT:
            value, at = _varint(raw, at)
        elif wire in {_FIXED32, _FIXED64}:
            at += 4 if wire == _FIXED32 else 8
        else:
            raise ModelError(f"model: wire type {wire} is not used")
        if number == 0 or at > end:
            raise ModelError("model is cut off, or not protobuf")
        if wanted is None or number in wanted:
            yield _Field(number, wire, raw[begins:at] if value is None else value)


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    if at < len(raw) and raw[at] < 0x80:  # nearly all of them
        return raw[at], at + 1
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            raise ModelError("model is cut off, or not protobuf")
        byte, at = raw[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ModelError("model: a number of more than 64 bits")
