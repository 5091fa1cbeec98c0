"""The table of `docs/security.md`: every operation against every role, from the declarations.

`python -m cloud_api.auth.table docs/security.md` writes it anew between its two marks.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cloud_api.auth.door import Operation
from ddx.domain.roles import Role

BEGIN: Final = "<!-- access table: begin (python -m cloud_api.auth.table docs/security.md) -->"
END: Final = "<!-- access table: end -->"
YES: Final = "yes"
NO: Final = "-"
OPERATOR: Final = "operator"


def access_table(operations: Sequence[Operation]) -> str:
    """Return the table in Markdown, sorted by path.

    `operator`: only people of the organisation that runs the service.
    """
    heads = ["Operation", *(role.value for role in Role), "Device", "Anybody", "Needs"]
    rows = [_row(operation) for operation in sorted(operations, key=lambda o: (o.path, o.method))]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def with_table(page: str, table: str) -> str:
    """Return `page` with `table` between its marks. Raises ValueError where they are missing."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _row(operation: Operation) -> list[str]:
    access = operation.access
    admitted = OPERATOR if access.operator else YES
    anybody = bool(access.because)
    needs = access.because or " or ".join(p.value for p in access.permissions)
    if not needs:
        needs = "a role" if access.people else "an enrolled device"
    return [
        f"`{operation.method} {operation.path}`",
        *(admitted if access.admits(role) else NO for role in Role),
        YES if access.devices else NO,
        YES if anybody else NO,
        needs,
    ]


def main(page: Path) -> None:
    """Write the table of this version into a page."""
    from cloud_api.app import create_app  # noqa: PLC0415 - the application imports this room
    from cloud_api.settings import CloudSettings  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as data:
        app = create_app(CloudSettings(data=Path(data)))
    table = access_table(app.state.door.operations)
    page.write_text(with_table(page.read_text("utf-8"), table), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
