"""Who may do what: the one permission table of desktop and cloud.

Source: reference architecture, "Matriz de Seguridad / Control de Acceso (RBAC)". VIEW_SENT and
ERASE_PATIENT are ours: who sees what left the clinic, and who may erase a patient (the clinic's
own responsible physician, nobody from outside it).
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ddx.errors import DdxError


class Role(StrEnum):
    """The five roles of the reference architecture."""

    MEDICO_GENERAL = "MedicoGeneral"
    MEDICO_ADMIN = "MedicoAdmin"
    DATA_SCIENTIST = "DataScientist"
    MLOPS_ENGINEER = "MLOpsEngineer"
    AUDITOR = "Auditor"


class Permission(StrEnum):
    """One thing a signed-in person may do."""

    DIAGNOSE = "diagnose"
    EXPLAIN = "explain"
    GIVE_FEEDBACK = "give_feedback"
    VIEW_PATIENT = "view_patient"
    VIEW_AGGREGATES = "view_aggregates"
    VIEW_HISTORY = "view_history"
    MANAGE_CLINICIANS = "manage_clinicians"
    TRAIN_MODEL = "train_model"
    DEPLOY_STAGING = "deploy_staging"
    DEPLOY_PRODUCTION = "deploy_production"
    MANAGE_INFRASTRUCTURE = "manage_infrastructure"
    READ_PREDICTION_LOG = "read_prediction_log"
    READ_AUDIT = "read_audit"
    READ_MODEL_HISTORY = "read_model_history"
    VIEW_SENT = "view_sent"
    ERASE_PATIENT = "erase_patient"


class PermissionDeniedError(DdxError):
    """The signed-in person's role does not carry the permission. Nothing was done."""

    code = "role.denied"

    def __init__(self, role: Role, permission: Permission) -> None:
        super().__init__(f"{role} may not {permission}")
        self.role, self.permission = role, permission


_GENERAL: Final = frozenset(
    {
        Permission.DIAGNOSE,
        Permission.EXPLAIN,
        Permission.GIVE_FEEDBACK,
        Permission.VIEW_PATIENT,
        Permission.VIEW_SENT,
    }
)
_ADMIN: Final = _GENERAL | {
    Permission.VIEW_AGGREGATES,
    Permission.VIEW_HISTORY,
    Permission.MANAGE_CLINICIANS,
}
_SCIENTIST: Final = _ADMIN | {
    Permission.TRAIN_MODEL,
    Permission.DEPLOY_STAGING,
    Permission.READ_MODEL_HISTORY,
}
_MLOPS: Final = _SCIENTIST | {Permission.DEPLOY_PRODUCTION, Permission.MANAGE_INFRASTRUCTURE}
_AUDITOR: Final = frozenset(
    {
        Permission.READ_PREDICTION_LOG,
        Permission.READ_AUDIT,
        Permission.READ_MODEL_HISTORY,
        Permission.VIEW_SENT,
    }
)

PERMISSIONS: Final = MappingProxyType(
    {
        Role.MEDICO_GENERAL: _GENERAL,
        Role.MEDICO_ADMIN: _ADMIN | {Permission.ERASE_PATIENT},
        Role.DATA_SCIENTIST: _SCIENTIST,
        Role.MLOPS_ENGINEER: _MLOPS,
        Role.AUDITOR: _AUDITOR,
    }
)


def may(role: Role, permission: Permission) -> bool:
    """Whether `role` carries `permission`; for screens, which hide what nobody may press."""
    return permission in PERMISSIONS[role]


def require(role: Role, permission: Permission) -> None:
    """Return if `role` carries `permission`; raise PermissionDeniedError otherwise."""
    if permission not in PERMISSIONS[role]:
        raise PermissionDeniedError(role, permission)
