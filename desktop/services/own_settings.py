"""The settings in force here, and who set each of them."""

from desktop.services.desk import Desk
from desktop.services.organisation import in_force
from desktop.services.records import Origin, SettingRow
from desktop.settings import Settings, declared


class OwnSettingsService:
    """Reads settings; they are changed in their file, or by who administers the machine."""

    def __init__(self, desk: Desk, own: Settings, locked: frozenset[str]) -> None:
        """Bind what this machine says. locked: policy keys fixed by the organisation."""
        self._desk, self._own, self._locked = desk, own, locked

    @property
    def commit_first(self) -> bool:
        """Whether the clinician's own diagnosis is asked for before a list."""
        return self._in_force().commit_first_mode

    @property
    def commit_first_fixed(self) -> bool:
        """Whether that is not for the clinician to choose: somebody set it for this machine."""
        key = "CommitFirstMode"
        return self.commit_first or key in self._locked

    def rows(self) -> tuple[SettingRow, ...]:
        """Return every setting with its value, in the order of `Settings`."""
        now, plain = self._in_force(), Settings()
        found = []
        for key, (name, _kind, _policy) in declared().items():
            value, own = getattr(now, name), getattr(self._own, name)
            locked = key in self._locked
            if locked or value != own:
                origin = Origin.ORGANISATION
            else:
                origin = Origin.DEFAULT if own == getattr(plain, name) else Origin.FILE
            found.append(SettingRow(key, str(value), origin, locked or value != own))
        return tuple(found)

    def _in_force(self) -> Settings:
        return in_force(self._desk.store, self._own)
