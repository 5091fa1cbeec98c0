"""What was chosen for the window: language, appearance, text size, equipment. No patient data."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSettings

from desktop.presenters.guide import Equipment
from desktop.ui.i18n import Language, system_language
from desktop.ui.theme import TEXT_SCALES, Appearance


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """text_scale: one of TEXT_SCALES, 1.0 is 100 %. equipment: what this clinic has.

    commit_first: ask for the clinician's own diagnosis before the first list of a visit.
    """

    language: Language = Language.SPANISH
    appearance: Appearance = Appearance.SYSTEM
    text_scale: float = 1.0
    equipment: Equipment = Equipment.RURAL
    commit_first: bool = False


class PreferenceFile:
    """The preferences in `window.ini`; a value nobody understands falls back to the default."""

    def __init__(self, folder: Path, suggested: Language | None = None) -> None:
        """suggested: the language until one is chosen; without it the system's."""
        self._suggested = suggested
        self._settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)

    def read(self) -> Preferences:
        """Return what was saved, or what the system suggests."""
        first = self._suggested or system_language()
        language = str(self._settings.value("language", first.value))
        appearance = str(self._settings.value("appearance", Appearance.SYSTEM.value))
        scale = str(self._settings.value("text_scale", "1.0"))
        equipment = str(self._settings.value("equipment", Equipment.RURAL.value))
        scales = {str(s): s for s in TEXT_SCALES}
        return Preferences(
            language=Language(language) if language in set(Language) else Language.SPANISH,
            appearance=Appearance(appearance)
            if appearance in set(Appearance)
            else Appearance.SYSTEM,
            text_scale=scales.get(scale, 1.0),
            equipment=Equipment(equipment) if equipment in set(Equipment) else Equipment.RURAL,
            commit_first=str(self._settings.value("commit_first", "false")) == "true",
        )

    def write(self, preferences: Preferences) -> None:
        """Save `preferences`."""
        self._settings.setValue("language", preferences.language.value)
        self._settings.setValue("appearance", preferences.appearance.value)
        self._settings.setValue("text_scale", str(preferences.text_scale))
        self._settings.setValue("equipment", preferences.equipment.value)
        self._settings.setValue("commit_first", str(preferences.commit_first).lower())
        self._settings.sync()
