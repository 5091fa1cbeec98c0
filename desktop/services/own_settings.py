"""The settings in force here, and who set each of them."""

from desktop.services.desk import Desk
from desktop.services.organisation import in_force
from desktop.services.records import Origin, SettingRow
from desktop.settings import LOCKING, Settings, declared
from desktop.settings import Origin as Source

_SET_HERE = frozenset({Source.INSTALLER, Source.FILE})


class OwnSettingsService:
    """Reads settings; they are changed in their file, or by who administers the machine."""

    def __init__(self, desk: Desk, own: Settings) -> None:
        """Bind what this machine says, with who said it."""
        self._desk, self._own = desk, own

    @property
    def commit_first(self) -> bool | None:
        """Whether the own diagnosis is asked for before a list; None where each person chooses."""
        now = self._in_force()
        left_to_each = now.origin_of("CommitFirstMode") is Source.DEFAULT
        return None if left_to_each and not now.commit_first_mode else now.commit_first_mode

    def rows(self) -> tuple[SettingRow, ...]:
        """Return every setting with its value, in the order of `Settings`."""
        now, plain = self._in_force(), Settings()
        found = []
        for key, (name, _kind, _policy) in declared().items():
            value, source = getattr(now, name), now.origin_of(key)
            fixed = source in LOCKING or source is Source.CLOUD
            if fixed:
                origin = Origin.ORGANISATION
            else:
                here = source in _SET_HERE or value != getattr(plain, name)
                origin = Origin.FILE if here else Origin.DEFAULT
            found.append(SettingRow(key, str(value), origin, fixed))
        return tuple(found)

    def _in_force(self) -> Settings:
        return in_force(self._desk.store, self._own)
