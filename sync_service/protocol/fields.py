"""Field types of the wire: strings with a shape, so that a sentence has nowhere to hide."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from sync_service.protocol.ages import coarse_age_days, coarse_onset_days
from sync_service.protocol.versions import MAX_SEQUENCE

CODE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:+/-]{0,127}$"
"""No blank, no accent, no at sign: names with surnames, notes and addresses do not fit."""

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

Code = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
CodeOrEmpty = Annotated[str, StringConstraints(pattern=CODE_PATTERN + "|^$")]
RecordIdText = Annotated[str, StringConstraints(pattern=_UUID)]
Sha256Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SignatureHex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
"""Ed25519, 64 bytes."""

Pseudonym = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32,64}$")]
"""Keyed hash in lower-case hex; too long to be a national id or a file number."""

FindingIdText = Annotated[
    str, StringConstraints(pattern=r"^(?:HP:\d{7}|VF:[a-z0-9]+(?:[-.][a-z0-9]+)*)$")
]
DiseaseIdText = Annotated[
    str,
    StringConstraints(pattern=r"^(?:(?:OMIM|ORPHA|DECIPHER):\d+|VD:[a-z0-9]+(?:-[a-z0-9]+)*)$"),
]
Sequence63 = Annotated[int, Field(ge=1, le=MAX_SEQUENCE)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Message(BaseModel):
    """Base of everything on the wire.

    Unknown fields are kept and written again (`extra="allow"`). Types are strict: "12" is not
    12. Read messages with `model_validate_json`, where strict still reads dates and lists.
    """

    model_config = ConfigDict(
        extra="allow",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,  # a refused value must not reach a log
    )

    def unknown_fields(self) -> tuple[str, ...]:
        """Return dotted paths of the fields this version does not know, nested ones included."""
        found = list(self.model_extra or {})
        for name in type(self).model_fields:
            found += [f"{name}.{path}" for path in _unknown_below(getattr(self, name))]
        return tuple(found)

    def wire_bytes(self) -> bytes:
        """Return the message as compact UTF-8 JSON; fields that are None are left out."""
        return self.model_dump_json(exclude_none=True).encode()


def _unknown_below(value: Any) -> tuple[str, ...]:
    if isinstance(value, Message):
        return value.unknown_fields()
    if isinstance(value, tuple | list):
        return tuple(path for item in value for path in _unknown_below(item))
    return ()


def _whole_years(age_days: int) -> int:
    if age_days != coarse_age_days(age_days):
        raise ValueError("age is finer than whole years, or 90 years and more not pooled")
    return age_days


def _coarse_onset(onset_days: int) -> int:
    if onset_days != coarse_onset_days(onset_days):
        raise ValueError("onset is finer than whole months after a month, or years after a year")
    return onset_days


CoarseOnset = Annotated[int, Field(ge=0), AfterValidator(_coarse_onset)]
CoarseAge = Annotated[int, Field(ge=0), AfterValidator(_whole_years)]
